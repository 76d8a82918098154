"""Requests of httpie, xh and wget, judged as the command line of curl that they come to.

The rules for addresses and methods are curl's. Sources: httpie.io/docs/cli «Request items», github.com/ducaale/xh,
wget(1) «HTTP Options».
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from askfirst.shell.command import Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command

HTTPIE: Final = frozenset({"http", "https", "xh", "xhs"})
_SECURE: Final = frozenset({"https", "xhs"})
_METHOD: Final = re.compile(r"[A-Z]{3,10}|delete|get|head|options|patch|post|purge|put")
_ITEM: Final = re.compile(r"[^:=@?]+(:=@?|==|=@?|:|@)(.*)", re.DOTALL)
_VALUES: Final = frozenset(
    "-a --auth -A --auth-type -o --output -p --print --session --timeout --verify --cert --cert-key --raw -s --style"
    " --proxy --pretty --max-redirects --bearer --boundary --default-scheme".split()
)
_CHANGES_NOTHING: Final = frozenset({"--help", "--version", "--offline", "--spider"})
_WGET: Final = {
    "--method": "-X",
    "--post-data": "-d",
    "--body-data": "-d",
    "--post-file": "-d@",
    "--body-file": "-d@",
    "--header": "-H",
}


def http_client_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effects of a request that changes something."""
    texts = [word.text for word in command.args]
    if not _CHANGES_NOTHING.isdisjoint(_without_values(texts)):
        return
    argv = _of_httpie(command.program, texts) if command.program in HTTPIE else _of_wget(texts)
    if argv:
        as_curl = tuple(Word(text=text, shown=text, span=command.span) for text in ("curl", *argv))
        shown = command.shown
        yield from (replace(one, command=shown) for one in rules.match(replace(command, argv=as_curl)))


def _of_httpie(program: str, texts: Sequence[str]) -> list[str]:
    """``POST :3000/x a=1 B:2`` as curl's options; nothing for a request that only reads."""
    words = [text for text in _without_values(texts) if not text.startswith("-")]
    method = words.pop(0).upper() if words and _METHOD.fullmatch(words[0]) else ""
    if not words:
        return []
    address, *items = words
    if "://" not in address:
        scheme = "https" if program in _SECURE else "http"
        address = f"{scheme}://localhost{address}" if address[:1] in {":", "/"} else f"{scheme}://{address}"
    data = [option for item in items for option in _of_item(item)]
    is_body = any(option in {"-d", "-F"} for option in data)
    method = method or ("POST" if is_body else "GET")
    return [] if method in {"GET", "HEAD", "OPTIONS"} else ["-X", method, address, *data]


def _of_item(item: str) -> Iterable[str]:
    """A header, a field or a file of httpie."""
    match = _ITEM.fullmatch(item)
    if match is None or match[1] == "==":
        return ()
    name = item[: match.start(1)]
    if match[1] == ":":
        return "-H", f"{name}: {match[2]}"
    if match[1] == "@":
        return "-F", f"{name}=@{match[2]}"
    return "-d", f"{name}={'@' * match[1].endswith('@')}{match[2]}"


def _without_values(texts: Iterable[str]) -> Iterator[str]:
    """Options and operands, without what an option is given as the next word."""
    waiting = iter(texts)
    for text in waiting:
        yield text
        if text in _VALUES or text in _WGET:
            next(waiting, None)


def _of_wget(texts: Sequence[str]) -> list[str]:
    """Method, body and addresses as curl's options; nothing for a request that only reads."""
    options: list[str] = []
    addresses: list[str] = []
    waiting = iter(texts)
    for text in waiting:
        name, equals, value = text.partition("=")
        if name in _WGET:
            value = value if equals else next(waiting, "")
            options += [_WGET[name].rstrip("@"), f"{'@' * _WGET[name].endswith('@')}{value}"]
        elif not text.startswith("-"):
            addresses.append(text)
    changes = any(option in {"-X", "-d"} for option in options)
    return [*options, *addresses] if changes else []
