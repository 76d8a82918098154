"""What code in languages without a parser at hand would do, read from its tokens.

One table a language says which calls delete, run or send. Arguments are evaluated as far as they are literals,
concatenations, lists, simple variables or decoders of literals; everything else is a ``HOLE``.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.shell.code_lexer import CodeToken, CodeTooLongError, code_tokens
from askfirst.shell.code_table import CALLS
from askfirst.shell.code_values import SCRATCH
from askfirst.shell.command import HOLE
from askfirst.shell.findings import Code, Collector, Delete, Findings

if TYPE_CHECKING:
    from collections.abc import Iterable

_BARE_ARGUMENTS = frozenset({"ruby", "perl", "lua", "awk", "osascript"})
_DECODERS = frozenset(
    {"atob", "b64decode", "decode64", "strict_decode64", "urlsafe_decode64", "base64_decode", "decode_base64", "from"}
)
_SCRATCH_CALLS = frozenset({"tmpdir", "mkdtemp", "mkdtempSync", "mktmpdir", "tempfile", "tempdir", "sys_get_temp_dir"})
_NETWORK_WORDS = frozenset(
    {
        "fetch",
        "axios",
        "https",
        "http",
        "urlopen",
        "requests",
        "LWP",
        "getstore",
        "TCPSocket",
        "fsockopen",
        "curl_exec",
        "Net",
    }
)
_ENVIRONMENTS = {"javascript": frozenset({"env"}), "ruby": frozenset({"ENV"}), "php": frozenset({"$_ENV", "$_SERVER"})}
_PACKS = frozenset(
    "stringify log entries URLSearchParams inspect dump generate json_encode print_r puts serialize".split()
)
"""Calls that turn what they are given into text."""
_LIBRARIES = (
    "@aws-sdk",
    "aws-sdk",
    "@google-cloud",
    "@azure",
    "stripe",
    "algolia",
    "@octokit",
    "firebase",
    "@elastic",
    "meilisearch",
    "cloudflare",
    "@kubernetes",
    "digitalocean",
    "aws::",
    "braintree",
    "square",
    "@sendgrid",
    "mailgun",
)
_LIBRARY_LOSS = re.compile(r"(?:delete|destroy|terminate|purge|drop|clear|remove)(?:[A-Z_]\w*)")
_HTTP_CHANGES = ("DELETE", "POST", "PUT", "PATCH", "delete", "post", "put", "patch")
_MAX_STEPS = 60_000
_LISTINGS = frozenset({"files", "dir_ls", "list_files", "readdir", "readdirSync", "children", "entries", "scandir"})
_JOINERS = frozenset({"+", ".", "..", "::", ","})


@dataclass(frozen=True, slots=True)
class _Argument:
    """One argument: its text, or its items when it is a list, and its tokens."""

    text: str
    items: tuple[str, ...] | None = None
    tokens: tuple[CodeToken, ...] = field(default=(), repr=False)

    def has(self, key: str, value: str) -> bool:
        """Whether an object literal has ``key: value`` (also ``key => value``, ``key=value``)."""
        texts = [token.text for token in self.tokens]
        return any(texts[i].lstrip(":") == key and value in texts[i + 1 : i + 4] for i in range(len(texts) - 1))


def inspect_tokens(language: str, text: str) -> Findings:
    """What the tokens of ``text`` would do; ``language`` is one of ``code_lexer.LANGUAGES``."""
    try:
        return _Reader(language, text).findings()
    except CodeTooLongError:
        return Findings(unread=True)


class _Reader:
    """Walks over the tokens of one program."""

    def __init__(self, language: str, text: str) -> None:
        self._language = language
        self._calls = CALLS[language]
        self._tokens = code_tokens(text, language)
        self._words = {token.text for token in self._tokens if token.kind == "word"}
        self._strings = {token.text for token in self._tokens if token.kind == "string" and len(token.text) < 40}
        self._variables: dict[str, str | tuple[str, ...]] = {}
        self._found = Collector()
        self._steps = 0

    def findings(self) -> Findings:
        """All of them."""
        self._found.network = bool(self._words & _NETWORK_WORDS)
        for index, token in enumerate(self._tokens):
            if token.kind == "command":
                self._command(token.text)
            elif token.kind == "word":
                self._callback(index)
                self._assignment(index)
                self._block(index)
                self._word(index)
            elif token.kind == "string":
                self._callback(index)
                self._string(index)
        return self._found.findings()

    def _text(self, index: int) -> str:
        return self._tokens[index].text if 0 <= index < len(self._tokens) else ""

    def _kind(self, index: int) -> str:
        return self._tokens[index].kind if 0 <= index < len(self._tokens) else ""

    def _command(self, text: str) -> None:
        if self._language == "julia":
            self._found.add("argvs", tuple(_split(text)))
        else:
            self._found.add("shell", text)

    def _string(self, index: int) -> None:
        """Strings that run by where they stand: tagged templates, awk pipes, AppleScript."""
        text, before, after = self._text(index), self._text(index - 1), self._text(index + 1)
        if self._language == "javascript" and before == "$":
            self._found.add("shell", text)
        elif self._language == "awk":
            pipes = before == "|" or (before == "&" and self._text(index - 2) == "|")
            if pipes and text.rpartition("/")[2].partition(" ")[0] in {"sh", "bash", "zsh", "dash"}:
                self._found.add("shell", self._printed(index - 1))
            if pipes or (after == "|" and self._text(index + 2) in {"getline", "&"}):
                self._found.add("shell", text)
            elif before == ">":
                self._found.add("writes", text)
                self._found.add("argvs", ("tee", "--", text))
        elif self._language == "osascript" and [self._text(index - 3), self._text(index - 2), before] == [
            "do",
            "shell",
            "script",
        ]:
            self._found.add("shell", text)

    def _printed(self, pipe: int) -> str:
        """What an awk ``print`` in front of the pipe hands over."""
        start = pipe
        while start > 0 and self._text(start - 1) not in {"print", "printf", ";", "{", "}"}:
            start -= 1
        parts = _split_commas(self._tokens[start:pipe])
        return " ".join(self._evaluate(part) for part in parts) or HOLE

    def _callback(self, index: int) -> None:
        """``array_map("unlink", …)`` of PHP and ``.then(eval)`` of JavaScript call what they are given."""
        name, caller = self._text(index), self._text(index - 2)
        if self._text(index - 1) != "(" or caller not in {"array_map", "array_walk", "call_user_func", "then"}:
            return
        if caller == "then":
            if name == "eval" and self._found.network:
                self._found.add("foreign", "code from the network")
            return
        given = self._argument(index + 2)[0] if self._text(index + 1) == "," else _Argument(HOLE)
        for _, action in self._calls.get(name, [])[:1]:
            self._act(action, name, [given], index)

    def _assignment(self, index: int) -> None:
        if self._text(index + 1) != "=" or self._text(index + 2) in {"=", "~"} or self._text(index - 1) == ".":
            return
        value, _ = self._argument(index + 2)
        name = self._text(index)
        new: str | tuple[str, ...] = value.text if value.items is None else value.items
        self._variables[name] = new if self._variables.get(name, new) == new else HOLE

    def _block(self, index: int) -> None:
        """``Dir.glob("x/*").each { |f| … }`` of Ruby: the block's parameter is any of the names."""
        if self._language != "ruby" or self._text(index) not in {"each", "map", "each_slice", "select"}:
            return
        ahead = [self._text(index + step) for step in range(1, 4)]
        if ahead[0] not in {"{", "do"} or ahead[1] != "|" or self._kind(index + 3) != "word":
            return
        before = range(index - 1, max(-1, index - 12), -1)
        names = [self._text(at) for at in before if self._kind(at) == "string"]
        lists = {self._text(at) for at in before} & {"glob", "Dir", "children", "entries", "each_child"}
        if names and lists:
            self._variables[ahead[2]] = names[-1] if "*" in names[-1] else posixpath.join(names[-1], "*")

    def _word(self, index: int) -> None:
        name = self._text(index)
        if self._language == "osascript" and name in {"delete", "empty"}:
            self._found.add("deletes", Delete(HOLE, recursive=True))
        if name in _ENVIRONMENTS.get(self._language, ()) and self._is_handed_on(index):
            self._found.add("reads", "$ENV")
        rows = self._calls.get(name)
        if rows is None:
            self._library(name, index)
            return
        receiver = self._receiver(index)
        for wanted, action in rows:
            if wanted in {"*", receiver}:
                arguments = self._arguments(index + 1)
                if arguments is None and action == "loss" and self._language == "ruby" and receiver != "-":
                    arguments = []
                if arguments is not None:
                    self._act(action, name, arguments, index)
                return

    def _is_handed_on(self, index: int) -> bool:
        """Whether the whole environment goes into a call that shows or packs it: ``JSON.stringify(process.env)``."""
        start = index - 2 if self._text(index - 1) == "." else index
        return self._text(start - 1) == "(" and self._text(start - 2) in _PACKS and self._text(index + 1) in {")", ","}

    def _library(self, name: str, index: int) -> None:
        """Calls such as ``client.deleteIndex("prod")`` in code that uses a cloud or data library."""
        if self._text(index - 1) == "." and self._text(index + 1) == "(" and _LIBRARY_LOSS.fullmatch(name):
            texts = self._strings | self._words
            if any(text.lower().startswith(_LIBRARIES) for text in texts):
                self._found.add("losses", name)

    def _receiver(self, index: int) -> str:
        """The word in front of the dot, ``-`` when there is none, ``?`` when it is an expression."""
        if self._text(index - 1) not in {".", "::", "->"}:
            return "-"
        if self._kind(index - 2) == "word":
            return self._text(index - 2)
        if self._text(index - 2) == ")" and self._kind(index - 3) == "string":
            return self._text(index - 3).removeprefix("node:").removesuffix("/promises")  # require("fs").rm(…)
        return "?"

    # --- arguments --------------------------------------------------------------------------------------------------

    def _arguments(self, start: int) -> list[_Argument] | None:
        """The arguments of the call whose name ends in front of ``start``; ``None`` when this is no call."""
        opening = self._text(start)
        if opening == "(" and self._kind(start) == "operator":
            return self._until(start + 1, ")")
        if self._language in _BARE_ARGUMENTS and self._kind(start) in {"string", "word", "number", "command"}:
            return self._until(start, ";")
        if self._language in _BARE_ARGUMENTS and opening in {"<", "[", "$"}:
            return self._until(start, ";")
        return None

    def _until(self, index: int, closing: str) -> list[_Argument]:
        found: list[_Argument] = []
        while index < len(self._tokens) and self._text(index) != closing and len(found) < 50:
            argument, index = self._argument(index)
            found.append(argument)
            if self._text(index) != ",":
                break
            index += 1
        return found

    def _argument(self, start: int) -> tuple[_Argument, int]:
        """The argument that begins at ``start`` and the index behind it."""
        depth, index = 0, start
        while index < len(self._tokens) and index - start < 400:
            token = self._tokens[index]
            if token.kind == "operator":
                if not depth and token.text in {",", ";", ")", "]", "}"}:
                    break
                depth += (token.text in "([{") - (token.text in ")]}")
            elif not depth and token.kind == "word" and token.text in {"if", "unless", "for", "foreach", "or", "and"}:
                break
            index += 1
        self._steps += index - start
        if self._steps > _MAX_STEPS:  # calls in the arguments of calls are looked at once a level
            raise CodeTooLongError("the code is too tangled")
        tokens = self._tokens[start:index]
        if tokens and tokens[0].text == "[" and tokens[-1].text == "]":
            return _Argument(HOLE, tuple(self._items(start + 1, index - 1)), tuple(tokens)), index
        if len(tokens) == 1 and isinstance(items := self._variables.get(tokens[0].text), tuple):
            return _Argument(HOLE, items, tuple(tokens)), index
        return _Argument(self._evaluate(tokens), None, tuple(tokens)), index

    def _items(self, start: int, end: int) -> Iterable[str]:
        while start < end:
            argument, start = self._argument(start)
            yield argument.text
            start += 1

    def _evaluate(self, tokens: list[CodeToken]) -> str:
        """The text of an expression."""
        pieces: list[str] = []
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if token.kind == "string":
                pieces.append(token.text)
            elif token.kind == "word":
                value, index = self._term(tokens, index)
                pieces.append(value)
            elif token.text not in _JOINERS or token.text == ",":
                pieces.append(HOLE)
            index += 1
        return _merged(pieces)

    def _term(self, tokens: list[CodeToken], index: int) -> tuple[str, int]:
        """A variable or call in an expression, and the index of its last token."""
        end = index
        while end + 2 < len(tokens) and tokens[end + 1].text in {".", "::", "->"} and tokens[end + 2].kind == "word":
            end += 2
        name = tokens[end].text
        if end + 1 < len(tokens) and tokens[end + 1].text == "(":
            close = _matching(tokens, end + 1)
            return self._result(name, tokens[end + 2 : close]), self._skip_methods(tokens, close)
        if end > index:
            return HOLE, end
        value = self._variables.get(name, HOLE)
        return (value if isinstance(value, str) else HOLE), end

    def _skip_methods(self, tokens: list[CodeToken], index: int) -> int:
        """Skips ``.toString("utf8")`` and the like behind a call."""
        while index + 2 < len(tokens) and tokens[index + 1].text == "." and tokens[index + 2].kind == "word":
            index += 2
            if index + 1 < len(tokens) and tokens[index + 1].text == "(":
                index = _matching(tokens, index + 1)
        return index

    def _result(self, name: str, inside: list[CodeToken]) -> str:
        if name in _SCRATCH_CALLS:
            return SCRATCH
        if name in {"join", "resolve"}:
            parts = [self._evaluate(list(part)) for part in _split_commas(inside)]
            return posixpath.join(*parts) if parts else HOLE
        if name == "cwd":
            return "."
        if name == "glob" and inside:
            return self._evaluate(inside)
        if name in _LISTINGS and inside:
            return posixpath.join(self._evaluate(_split_commas(inside)[0]), "*")
        if name in {"String", "Path", "Pathname", "new", "escapeshellarg"} and inside:
            return self._evaluate(inside)
        if name in _DECODERS and inside and inside[0].kind == "string":
            texts = {token.text for token in inside[1:]}
            return _decode(
                inside[0].text, "hex" if "hex" in texts else "base64" if name != "from" or "base64" in texts else ""
            )
        return HOLE

    # --- actions ----------------------------------------------------------------------------------------------------

    def _act(self, action: str, name: str, arguments: list[_Argument], index: int) -> None:
        if action in {"shell", "argv", "popen"}:
            self._process(action, name, arguments)
        elif action in {"delete", "delete-tree"}:
            self._delete(action, name, arguments, index)
        elif action == "code":
            self._code(name, arguments)
        elif action == "loss":
            self._found.add("losses", name)
        elif action == "loss-unfiltered":
            if not arguments or [token.text for token in arguments[0].tokens] == ["{", "}"]:
                self._found.add("losses", f"{name} without a filter")
        elif action == "network":
            self._found.network = True
        elif action.startswith("http"):
            self._request(action, arguments)
        elif arguments:
            self._paths_or_sql(action, arguments)

    def _request(self, action: str, arguments: list[_Argument]) -> None:
        """A request over HTTP, as the command line that it comes to."""
        is_network = self._found.network
        self._found.network = True
        verb = {"http-delete": "DELETE", "http-post": "POST"}.get(action, "")
        for each in arguments[:2]:
            verb = verb or next((one for one in _HTTP_CHANGES if each.has("method", one)), "")
        address = arguments[0].text if arguments else HOLE
        is_path = address.startswith("/") and is_network
        if verb and (address.startswith("http") or is_path or (address == HOLE and action != "http-delete")):
            self._found.add("argvs", ("curl", "-X", verb.upper(), f"https://{HOLE}{address}" if is_path else address))

    def _paths_or_sql(self, action: str, arguments: list[_Argument]) -> None:
        text = arguments[0].text
        fields = {"write": "writes", "read": "reads", "sql": "sql"}
        if action != "sql" or text != HOLE:
            self._found.add(fields[action], text)

    def _process(self, action: str, name: str, arguments: list[_Argument]) -> None:
        if not arguments or (name == "exec" and self._language == "javascript" and not self._has_child_process()):
            return
        first = arguments[0]
        if action == "popen":
            modes = [argument.text.strip() for argument in arguments[1:]]
            if any("|" in mode for mode in modes):
                self._found.add("shell", (arguments[2].text if len(arguments) > 2 else arguments[1].text).strip("| "))
        elif first.items is not None:
            self._found.add("argvs", first.items)
        elif action == "argv" or (len(arguments) > 1 and self._language in {"ruby", "perl"} and first.text != HOLE):
            self._vector(first, arguments)
        elif self._is_foreign(first):
            self._found.add("foreign", "a shell command from the network")
        else:
            self._found.add("shell", first.text)

    def _vector(self, first: _Argument, arguments: list[_Argument]) -> None:
        listed = next((argument.items for argument in arguments[1:] if argument.items is not None), None)
        if any(argument.has("shell", "true") or argument.has("shell", "True") for argument in arguments):
            self._found.add("shell", " ".join((first.text, *(listed or ()))))
        elif listed is None and self._language in {"ruby", "perl"}:
            self._found.add("argvs", tuple(argument.text for argument in arguments))
        else:
            inner = self._list_inside(arguments) if listed is None else listed
            words = (first.text, *inner) if first.text != HOLE or not inner else inner
            self._found.add("argvs", tuple(words))

    def _list_inside(self, arguments: list[_Argument]) -> tuple[str, ...]:
        """The first list in an options object: ``{args: ["-rf", "x"]}``, ``{cmd: [...]}``."""
        for argument in arguments:
            texts = [token.text for token in argument.tokens]
            if "[" in texts:
                start = texts.index("[")
                end = _matching(list(argument.tokens), start)
                return tuple(
                    self._evaluate(list(part)) for part in _split_commas(list(argument.tokens[start + 1 : end]))
                )
        return ()

    def _has_child_process(self) -> bool:
        wanted = {"child_process", "node:child_process", "shelljs", "execa", "zx"}
        return bool(wanted & (self._strings | self._words))

    def _is_foreign(self, argument: _Argument) -> bool:
        names = {token.text for token in argument.tokens if token.kind == "word"}
        return HOLE in argument.text and bool(names & _NETWORK_WORDS)

    def _delete(self, action: str, name: str, arguments: list[_Argument], index: int) -> None:
        recursive = action == "delete-tree" or any(
            argument.has("recursive", "true") or argument.has("recursive", "TRUE") for argument in arguments
        )
        if name in {"rmdir", "rmdirSync"} and not recursive:
            return  # removes empty folders only
        if not arguments or (
            self._language in {"ruby", "python"} and name in {"rmtree", "unlink"} and self._is_method(index)
        ):
            arguments = [_Argument(self._receiver_value(index))]
        several = self._language in {"perl", "ruby", "r"}
        for argument in arguments if several else arguments[:1]:
            if argument.tokens and argument.tokens[0].text in {"{", "recursive", ":"}:
                continue
            for path in argument.items if argument.items is not None else (argument.text,):
                if not path.startswith(SCRATCH):
                    self._found.add("deletes", Delete(path, recursive))

    def _is_method(self, index: int) -> bool:
        return self._text(index - 1) == "." and self._text(index - 2) not in {"shutil", "os", "FileUtils", "File"}

    def _receiver_value(self, index: int) -> str:
        if self._text(index - 2) == ")":
            return next(
                (self._text(i) for i in range(index - 3, max(-1, index - 6), -1) if self._kind(i) == "string"), HOLE
            )
        value = self._variables.get(self._text(index - 2), HOLE)
        return value if isinstance(value, str) else HOLE

    def _code(self, name: str, arguments: list[_Argument]) -> None:
        if not arguments:
            return
        argument = arguments[-1] if name == "Function" else arguments[0]
        if HOLE not in argument.text:
            self._found.add("code", Code(self._language, argument.text))
        elif self._is_foreign(argument):
            self._found.add("foreign", "code from the network")
        elif _DECODERS & {token.text for token in argument.tokens}:
            self._found.add("foreign", "code out of a decoder")
        else:
            self._found.add("opaque", f"{name} of a computed text")


def _matching(tokens: list[CodeToken], start: int) -> int:
    """The index of the bracket that closes the one at ``start``; the last index when none does."""
    depth = 0
    for index in range(start, len(tokens)):
        if tokens[index].kind == "operator":
            depth += (tokens[index].text in "([{") - (tokens[index].text in ")]}")
            if not depth:
                return index
    return len(tokens) - 1


def _split_commas(tokens: list[CodeToken]) -> list[list[CodeToken]]:
    parts: list[list[CodeToken]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == "operator":
            depth += (token.text in "([{") - (token.text in ")]}")
            if token.text == "," and not depth:
                parts.append([])
                continue
        parts[-1].append(token)
    return [part for part in parts if part]


def _merged(pieces: list[str]) -> str:
    """The pieces as one text, neighbouring ``HOLE``s as one."""
    text = "".join(pieces) if pieces else HOLE
    while HOLE * 2 in text:
        text = text.replace(HOLE * 2, HOLE)
    return text


def _decode(text: str, codec: str) -> str:
    try:
        if codec == "hex":
            return binascii.unhexlify(text).decode("latin-1")
        return base64.b64decode(text).decode("latin-1") if codec else text
    except ValueError:
        return HOLE


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
