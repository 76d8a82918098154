"""The arguments of calls in program text, as far as they can be known from its tokens.

They are evaluated as far as they are literals, concatenations, lists, simple variables or decoders of literals;
everything else is a ``HOLE``.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.shell.code_lexer import CodeToken, CodeTooLongError
from askfirst.shell.code_values import SCRATCH
from askfirst.shell.command import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterable

_BARE_ARGUMENTS = frozenset({"ruby", "perl", "lua", "awk", "osascript"})
DECODERS = frozenset(
    {"atob", "b64decode", "decode64", "strict_decode64", "urlsafe_decode64", "base64_decode", "decode_base64", "from"}
)
_SCRATCH_CALLS = frozenset({"tmpdir", "mkdtemp", "mkdtempSync", "mktmpdir", "tempfile", "tempdir", "sys_get_temp_dir"})
_LISTINGS = frozenset({"files", "dir_ls", "list_files", "readdir", "readdirSync", "children", "entries", "scandir"})
_JOINERS = frozenset({"+", ".", "..", "::", ","})
_MAX_STEPS = 60_000


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its text, or its items when it is a list, and its tokens."""

    text: str
    items: tuple[str, ...] | None = None
    tokens: tuple[CodeToken, ...] = field(default=(), repr=False)

    def has(self, key: str, value: str) -> bool:
        """Whether an object literal has ``key: value`` (also ``key => value``, ``key=value``)."""
        texts = [token.text for token in self.tokens]
        return any(texts[i].lstrip(":") == key and value in texts[i + 1 : i + 4] for i in range(len(texts) - 1))


class Arguments:
    """The tokens of one program by their index, and what the expressions in them come to.

    Args:
        language: one of ``code_lexer.LANGUAGES``.
        tokens: of the program.

    Attributes:
        variables: what was assigned so far; a name with two values is a ``HOLE``.
    """

    def __init__(self, language: str, tokens: list[CodeToken]) -> None:
        self._language = language
        self._tokens = tokens
        self._steps = 0
        self.variables: dict[str, str | tuple[str, ...]] = {}

    def text(self, index: int) -> str:
        """The token's text, ``""`` beyond the ends."""
        return self._tokens[index].text if 0 <= index < len(self._tokens) else ""

    def kind(self, index: int) -> str:
        """The token's kind, ``""`` beyond the ends."""
        return self._tokens[index].kind if 0 <= index < len(self._tokens) else ""

    def of_call(self, start: int) -> list[Argument] | None:
        """The arguments of the call whose name ends in front of ``start``; ``None`` when this is no call."""
        opening = self.text(start)
        if opening == "(" and self.kind(start) == "operator":
            return self._until(start + 1, ")")
        if self._language in _BARE_ARGUMENTS and self.kind(start) in {"string", "word", "number", "command"}:
            return self._until(start, ";")
        if self._language in _BARE_ARGUMENTS and opening in {"<", "[", "$"}:
            return self._until(start, ";")
        return None

    def at(self, start: int) -> tuple[Argument, int]:
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
            return Argument(HOLE, tuple(self._items(start + 1, index - 1)), tuple(tokens)), index
        if len(tokens) == 1 and isinstance(items := self.variables.get(tokens[0].text), tuple):
            return Argument(HOLE, items, tuple(tokens)), index
        return Argument(self.value_of(tokens), None, tuple(tokens)), index

    def listed(self, arguments: list[Argument]) -> tuple[str, ...]:
        """The first list in an options object: ``{args: ["-rf", "x"]}``, ``{cmd: [...]}``."""
        for argument in arguments:
            texts = [token.text for token in argument.tokens]
            if "[" in texts:
                start = texts.index("[")
                end = _matching(list(argument.tokens), start)
                return tuple(self.values_of(list(argument.tokens[start + 1 : end])))
        return ()

    def called_on(self, index: int) -> str:
        """The text of what the method at ``index`` is called on: a variable, or a call of a literal."""
        if self.text(index - 2) == ")":
            before = range(index - 3, max(-1, index - 6), -1)
            return next((self.text(at) for at in before if self.kind(at) == "string"), HOLE)
        value = self.variables.get(self.text(index - 2), HOLE)
        return value if isinstance(value, str) else HOLE

    def values_of(self, tokens: list[CodeToken]) -> list[str]:
        """The texts of expressions with commas between them."""
        return [self.value_of(part) for part in _split_commas(tokens)]

    def value_of(self, tokens: list[CodeToken]) -> str:
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

    def _until(self, index: int, closing: str) -> list[Argument]:
        found: list[Argument] = []
        while index < len(self._tokens) and self.text(index) != closing and len(found) < 50:
            argument, index = self.at(index)
            found.append(argument)
            if self.text(index) != ",":
                break
            index += 1
        return found

    def _items(self, start: int, end: int) -> Iterable[str]:
        while start < end:
            argument, start = self.at(start)
            yield argument.text
            start += 1

    def _term(self, tokens: list[CodeToken], index: int) -> tuple[str, int]:
        """A variable or call in an expression, and the index of its last token."""
        while tokens[index].text == "new" and index + 1 < len(tokens) and tokens[index + 1].kind == "word":
            index += 1
        end = index
        while end + 2 < len(tokens) and tokens[end + 1].text in {".", "::", "->"} and tokens[end + 2].kind == "word":
            end += 2
        name = tokens[end].text
        if end + 1 < len(tokens) and tokens[end + 1].text == "(":
            close = _matching(tokens, end + 1)
            if end > index and (tokens[end - 2].text, name) in _PATHS:
                name = "join"
            return self._result(name, tokens[end + 2 : close]), self._skip_methods(tokens, close)
        if end > index:
            return HOLE, end
        value = self.variables.get(name, HOLE)
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
            parts = self.values_of(inside)
            return posixpath.join(*parts) if parts else HOLE
        if name == "cwd":
            return "."
        if name == "glob" and inside:
            return self.value_of(inside)
        if name in _LISTINGS and inside:
            return posixpath.join(self.value_of(_split_commas(inside)[0]), "*")
        if name in {"String", "Path", "Pathname", "File", "new", "escapeshellarg"} and inside:
            return self.value_of(inside)
        if name in DECODERS and inside and inside[0].kind == "string":
            texts = {token.text for token in inside[1:]}
            return _decode(
                inside[0].text, "hex" if "hex" in texts else "base64" if name != "from" or "base64" in texts else ""
            )
        return HOLE


_PATHS = frozenset({("Path", "of"), ("Paths", "get")})
"""Java's ways to join a path."""


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
