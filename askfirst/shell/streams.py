"""What programs print, where that can be told from their words and their input; literal decoders really decode."""

from __future__ import annotations

import base64
import binascii
import functools
import posixpath
import re
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE, Command, Stream, Word
from askfirst.shell.composed import COMPOSERS, composed
from askfirst.shell.find import operands as found
from askfirst.shell.words import unescape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from askfirst.shell.state import State

MAX_CHARS = 262_144
NOTHING = Stream()
UNKNOWN = Stream(kind="unknown")
DECODED = Stream(kind="decoded")
_URL = re.compile(r"(?:https?|ftp|file)://\S+|[\w-]+(?:\.[\w-]+)+(?::\d+)?/\S*")
_FORMAT = re.compile(r"%[-+ #0]*\d*(?:\.\d+)?[sdiuxXobqc]|%%")
_SUBSTITUTE = re.compile(r"s([/|,#:@!])((?:(?!\1).)*)\1((?:(?!\1).)*)\1([gpI]*)")
_PLAIN_PATTERN = re.compile(r"[^\\.*\[\]^$+?(){}|&]*")
_DOWNLOADS = frozenset("curl wget fetch http https xh aria2c lynx w3m nc ncat netcat".split())
_PASSING = frozenset(
    """
    cat tee head tail sort uniq grep egrep fgrep rg more less nl pv sponge tac bat dos2unix fmt stdbuf ack ts cut shuf
    envsubst iconv
    """.split()
)
_DECODERS = frozenset(
    """
    base64 base32 gbase64 xxd openssl gpg gpg2 age uudecode gunzip zcat gzip bunzip2 bzcat xz xzcat unxz zstd zstdcat
    lz4 brotli rev tr sed awk gawk mawk perl python python3 ruby node php dd od hexdump ansible-vault sops unzip tar
    gtar bsdtar 7z 7za 7zz jq
    """.split()
)


def concatenate(streams: Iterable[Stream]) -> Stream:
    """One stream after the other; a download or decoded part makes the whole one."""
    found = [one for one in streams if one.kind != "none"]
    if not found:
        return NOTHING
    if len(found) == 1:
        return found[0]
    for kind in ("network", "decoded"):
        for one in found:
            if one.kind == kind:
                return one
    if all(one.kind != "text" for one in found):
        return UNKNOWN
    return text_stream("".join(one.text if one.kind == "text" else HOLE + "\n" for one in found))


def text_stream(text: str) -> Stream:
    """Known output."""
    return Stream(kind="text", text=text) if len(text) <= MAX_CHARS else UNKNOWN


def output(argv: list[Word], stdin: Stream, state: State) -> Stream:
    """What the program prints.

    Args:
        argv: its words, program first.
        stdin: what it reads.
        state: the shell's, for files written so far and the directory.
    """
    name = posixpath.basename(argv[0].text)
    producer = _PRODUCERS.get(name)
    if producer is not None:
        return producer(argv[1:], stdin, state)
    if name in _DOWNLOADS:
        return Stream(kind="network", text=next((m.group() for w in argv[1:] if (m := _URL.search(w.text))), ""))
    if (
        name in COMPOSERS
        and stdin.kind not in {"network", "decoded"}
        and (made := composed(name, [word.text for word in argv[1:]]))
    ):
        return text_stream(made)
    if name in _DECODERS:
        return _decoder(name, argv[1:], stdin, state)
    if name in _PASSING:
        return _passed(argv[1:], stdin, state)
    return UNKNOWN


def _options(args: list[Word]) -> tuple[str, list[Word]]:
    """The letters of all short options, and the operands."""
    letters = "".join(w.text[1:] for w in args if w.text.startswith("-") and not w.text.startswith("--"))
    return letters, [w for w in args if not w.text.startswith("-") or w.text == "-"]


def _echo(args: list[Word], _: Stream, __: State) -> Stream:
    newline, escapes = "\n", False
    while args and re.fullmatch(r"-[neE]+", args[0].text):
        newline = "" if "n" in args[0].text else newline
        escapes = "e" in args[0].text or (escapes and "E" not in args[0].text)
        args = args[1:]
    text = " ".join(word.text for word in args)
    return text_stream((unescape(text) if escapes else text) + newline)


def _printf(args: list[Word], _: Stream, __: State) -> Stream:
    if args and args[0].text == "--":
        args = args[1:]
    if not args or args[0].text == "-v":
        return NOTHING
    template = unescape(args[0].text)
    values = [word.text for word in args[1:]]
    out: list[str] = []
    while True:
        used = iter(values)
        out.append(_FORMAT.sub(functools.partial(_formatted, used), template))
        rest = list(used)
        if not rest or len(rest) == len(values) or len(out) > 256:
            return text_stream("".join(out))
        values = rest


def _formatted(values: Iterator[str], match: re.Match[str]) -> str:
    if match.group() == "%%":
        return "%"
    value = next(values, "")
    if match.group()[-1] == "c":
        return value[:1]
    return unescape(value) if match.group()[-1] == "b" else value


def _files(operands: list[Word], stdin: Stream, state: State) -> Stream:
    """The content of the files (or of standard input)."""
    if not operands:
        return stdin
    return concatenate(_file(word, stdin, state) for word in operands)


def _file(word: Word, stdin: Stream, state: State) -> Stream:
    if word.text in {"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}:
        return stdin
    path = state.path(word.text)
    if path is None or word.glob:
        return UNKNOWN
    return state.files.get(path, Stream(kind="file", text=path))


def _passed(args: list[Word], stdin: Stream, state: State) -> Stream:
    """Filters that only leave something out: their input stands for what they print."""
    if stdin.kind != "none":
        return stdin
    known = [
        one for word in args if not word.text.startswith("-") and (one := _file(word, stdin, state)).kind != "file"
    ]
    operands = [word for word in args if not word.text.startswith("-")]
    return concatenate(known) if known else _files(operands[-1:], stdin, state)


def _cat(args: list[Word], stdin: Stream, state: State) -> Stream:
    return _files(_options(args)[1], stdin, state)


def _decoder(name: str, args: list[Word], stdin: Stream, state: State) -> Stream:
    letters, operands = _options(args)
    if name in {"tr", "rev", "sed"}:
        source = (
            stdin
            if stdin.kind != "none" or name == "tr"
            else _files(operands[1 if name == "sed" else 0 :], stdin, state)
        )
    else:
        source = _input_of_decoder(operands, stdin, state)
    if source.kind in {"network", "decoded"}:
        return source
    if source.kind == "text" and HOLE not in source.text:
        decoded = _decode(name, letters, args, source.text)
        if decoded is not None:
            return text_stream(decoded)
    return DECODED if source.kind == "text" or (args and _is_decoding(name, letters, args)) else UNKNOWN


def _input_of_decoder(operands: list[Word], stdin: Stream, state: State) -> Stream:
    if stdin.kind != "none":
        return stdin
    return next((one for word in operands if (one := _file(word, stdin, state)).kind != "file"), stdin)


def _is_decoding(name: str, letters: str, args: list[Word]) -> bool:
    """Whether it turns something unreadable into something else (and does not encode or only cut)."""
    texts = {word.text for word in args}
    if name in {"base64", "base32", "gbase64", "openssl", "gpg", "gpg2", "age", "gzip", "xz", "zstd", "lz4", "brotli"}:
        return "d" in letters or "D" in letters or bool(texts & {"--decode", "--decrypt", "--decompress", "-d"})
    return name in {
        "uudecode",
        "gunzip",
        "zcat",
        "bunzip2",
        "bzcat",
        "xzcat",
        "unxz",
        "zstdcat",
        "ansible-vault",
        "sops",
    } or (
        (name == "xxd" and "r" in letters)
        or (name == "unzip" and bool({"p", "c"} & set(letters)))
        or (name in {"tar", "gtar", "bsdtar"} and ("O" in letters + args[0].text or "--to-stdout" in texts))
        or (name in {"7z", "7za", "7zz"} and "-so" in texts)
    )


def _decode(name: str, letters: str, args: list[Word], text: str) -> str | None:
    """What the decoder makes of a literal, ``None`` when we cannot tell."""
    try:
        if name in {"base64", "gbase64", "openssl"} and _is_decoding(name, letters, args):
            return _printable(base64.b64decode("".join(text.split()) + "==", validate=False))
        if name == "base32" and _is_decoding(name, letters, args):
            return _printable(base64.b32decode("".join(text.split())))
        if name in {"base64", "gbase64"}:
            return base64.b64encode(text.encode("utf-8", "replace")).decode() + "\n"
        if name == "xxd" and "r" in letters:
            digits = (
                text
                if "p" in letters
                else "".join(line.partition(":")[2].partition("  ")[0] for line in text.splitlines())
            )
            return _printable(binascii.unhexlify("".join(digits.split())))
    except (ValueError, binascii.Error):
        return None
    if name == "rev":
        return "\n".join(line[::-1] for line in text.split("\n"))
    if name == "tr":
        return _translate(
            letters, [word.text for word in args if not word.text.startswith("-") or len(word.text) == 1], text
        )
    if name == "sed":
        return _sed([word.text for word in args], text)
    return None


def _printable(data: bytes) -> str | None:
    text = data.decode("utf-8", "replace")
    return None if "\ufffd" in text else text


def _translate(letters: str, sets: list[str], text: str) -> str | None:
    first = _set(sets[0]) if sets else ""
    if "d" in letters:
        return text.translate(dict.fromkeys(map(ord, first)))
    if len(sets) < 2 or "c" in letters:
        return text if "s" in letters and len(sets) == 1 else None
    second = _set(sets[1])
    if not second:
        return None
    return text.translate({ord(a): second[min(i, len(second) - 1)] for i, a in enumerate(first)})


def _set(text: str) -> str:
    """The characters of a set of ``tr``: ranges and the usual classes."""
    text = unescape(text)
    for name, chars in (("lower", "a-z"), ("upper", "A-Z"), ("digit", "0-9"), ("alpha", "A-Za-z"), ("space", " \t\n")):
        text = text.replace(f"[:{name}:]", chars)
    return re.sub(
        r"(.)-(.)",
        lambda m: "".join(map(chr, range(ord(m[1]), min(ord(m[2]), ord(m[1]) + 256) + 1))),
        text,
        flags=re.DOTALL,
    )


def _sed(args: list[str], text: str) -> str | None:
    """Substitutions of literal text; ``None`` for anything else that changes text."""
    if any(arg.startswith("-") and arg not in {"-e", "-n", "-E", "-r"} for arg in args):
        return None
    for script in (arg for arg in args if not arg.startswith("-")):
        match = _SUBSTITUTE.fullmatch(script)
        if match is None or not _PLAIN_PATTERN.fullmatch(match[2]):
            return None
        text = "\n".join(line.replace(match[2], match[3], -1 if "g" in match[4] else 1) for line in text.split("\n"))
    return text


def _lookup(args: list[Word], _: Stream, __: State) -> Stream:
    names = [word.text for word in args if not word.text.startswith("-")]
    return text_stream("".join(f"/usr/bin/{posixpath.basename(name)}\n" for name in names))


def _pwd(_: list[Word], __: Stream, state: State) -> Stream:
    return text_stream(f"{state.cwd or HOLE}\n")


def _mktemp(args: list[Word], _: Stream, __: State) -> Stream:
    letters, operands = _options(args)
    folder = "/tmp"  # noqa: S108  # where mktemp makes it
    if "p" in letters and len(operands) > 1:
        folder, operands = operands[0].text, operands[1:]
    template = re.sub(r"X{3,}", HOLE, operands[-1].text) if operands else f"tmp.{HOLE}"
    is_path = "/" in template or (operands and "p" not in letters and "t" not in letters)
    return text_stream((template if is_path else f"{folder}/{template}") + "\n")


def _dirname(args: list[Word], _: Stream, __: State) -> Stream:
    return text_stream("".join(f"{posixpath.dirname(w.text) or '.'}\n" for w in args if not w.text.startswith("-")))


def _basename(args: list[Word], _: Stream, __: State) -> Stream:
    if not args:
        return UNKNOWN
    suffix = args[1].text if len(args) > 1 and not args[0].text.startswith("-") else ""
    return text_stream(posixpath.basename(args[0].text.rstrip("/")).removesuffix(suffix) + "\n")


def _realpath(args: list[Word], _: Stream, state: State) -> Stream:
    operands = _options(args)[1]
    return text_stream(f"{(state.path(operands[-1].text) if operands else None) or HOLE}\n")


def _sequence(_: list[Word], __: Stream, ___: State) -> Stream:
    return text_stream(f"{HOLE}\n")


def _find(args: list[Word], _: Stream, __: State) -> Stream:
    """Names below the roots, each as the words that stand for them."""
    names = found(Command(argv=(Word(text="find"), *args)))
    return text_stream("".join(f"{word.text}\n" for word in names))


def _list(args: list[Word], _: Stream, __: State) -> Stream:
    """``ls``: the patterns themselves; a folder's entries are unknown names in it."""
    operands = _options(args)[1]
    letters = _options(args)[0]
    if "l" in letters or not operands:
        return text_stream(f"{HOLE}\n")
    names = [word.text if word.glob or "d" in letters else HOLE for word in operands]
    return text_stream("".join(f"{name}\n" for name in names))


def _dump(args: list[Word], _: Stream, __: State) -> Stream:
    """A dump that begins with dropping what it restores: always with mysqldump, with pg_dump on demand."""
    texts = {word.text for word in args}
    if texts & {"--skip-add-drop-table", "--skip-opt", "--compact", "--no-create-info", "-t"}:
        return UNKNOWN
    return text_stream(f"DROP TABLE IF EXISTS everything_in_the_dump;\n{HOLE}\n")


def _dump_with_clean(args: list[Word], stdin: Stream, state: State) -> Stream:
    return _dump([], stdin, state) if {"-c", "--clean"} & {word.text for word in args} else UNKNOWN


def _nothing(_: list[Word], __: Stream, ___: State) -> Stream:
    return NOTHING


_PRODUCERS: dict[str, Callable[[list[Word], Stream, State], Stream]] = {
    "echo": _echo,
    "print": _echo,
    "printf": _printf,
    "cat": _cat,
    "tee": lambda _, stdin, __: stdin,
    "which": _lookup,
    "type": _lookup,
    "pwd": _pwd,
    "mktemp": _mktemp,
    "dirname": _dirname,
    "basename": _basename,
    "realpath": _realpath,
    "readlink": _realpath,
    "seq": _sequence,
    "date": _sequence,
    "nproc": _sequence,
    "find": _find,
    "mysqldump": _dump,
    "mariadb-dump": _dump,
    "pg_dump": _dump_with_clean,
    "pg_dumpall": _dump_with_clean,
    "ls": _list,
    "true": _nothing,
    "false": _nothing,
    ":": _nothing,
    "cd": _nothing,
    "test": _nothing,
    "rm": _nothing,
    "mkdir": _nothing,
    "touch": _nothing,
    "sleep": _nothing,
    "export": _nothing,
    "set": _nothing,
}
