"""SQL text to statements of tokens: strings, comments and quoted names are told apart, nothing else is understood.

Rules it keeps:
- Linear in the length of the text and never raises: what is not closed runs to the end.
- A MySQL version comment ``/*!40000 DROP TABLE x */`` is code, as the server treats it.
- Bodies of routines (``CREATE PROCEDURE … BEGIN … END``) are one statement: defining is not running.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from askfirst.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["word", "string", "name", "number", "operator"]

MAX_TOKENS = 20_000
"""More is not looked at (about 40 ms): a dump, which the caller has to treat as unread."""

BACKSLASH_DIALECTS = frozenset({"mysql", "bigquery", "clickhouse", "snowflake", "hive", "spark", "databricks", ""})
"""Dialects in which a backslash escapes a quote in a plain string; ``""`` is a client that we do not know."""


class Token(NamedTuple):
    """One token; ``text`` is without quotes, ``start`` and ``end`` are offsets in the text."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def upper(self) -> str:
        """The text in capitals for a bare word, ``""`` for everything else, so that quoted text is no keyword."""
        return self.text.upper() if self.kind == "word" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement: its tokens without comments and semicolon, and its source text."""

    tokens: tuple[Token, ...]
    text: str

    def word(self, index: int) -> str:
        """The keyword at ``index`` in capitals, ``""`` when there is none."""
        return self.tokens[index].upper if index < len(self.tokens) else ""

    @property
    def words(self) -> tuple[str, ...]:
        """All bare words in capitals, ``""`` where something else stands."""
        return tuple(token.upper for token in self.tokens)


_STRING = r"(?P<string>[EeNnXxBbUu]?&?'(?:''|[^'])*+'?)"
_STRING_BACKSLASH = r"(?P<string>[EeNnXxBbRr]?'(?:''|\\.|[^'\\])*+(?:'|\\?$)?)"
_GRAMMAR = (
    r"(?P<space>\s+)"
    r"|(?P<comment>--[^\n]*|/\*(?!!).*?(?:\*/|\Z)|/\*!\d*|\*/{hash})"
    r"|{string}"
    r"|(?P<dollar>\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z))"
    r'|(?P<name>"(?:""|[^"])*+"?|`[^`]*`?{bracket})'
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<word>[^\W\d][\w$]*)"
    r"|(?P<operator>.)"
)


def _pattern(string: str, *, hash_comments: bool, brackets: bool) -> re.Pattern[str]:
    source = _GRAMMAR.replace("{string}", string)
    source = source.replace("{hash}", r"|\#[^\n]*" if hash_comments else "")
    return re.compile(source.replace("{bracket}", r"|\[[^\]\n]*\]?" if brackets else ""), re.DOTALL)


_STANDARD = _pattern(_STRING, hash_comments=False, brackets=False)
_MYSQL = _pattern(_STRING_BACKSLASH, hash_comments=True, brackets=False)
_BRACKETS = _pattern(_STRING, hash_comments=False, brackets=True)


def _lexer(dialect: str) -> re.Pattern[str]:
    if dialect in BACKSLASH_DIALECTS:
        return _MYSQL
    return _BRACKETS if dialect in {"tsql", "sqlite"} else _STANDARD


def _unquoted(kind: str, text: str, tag: str | None) -> str:
    if kind == "dollar":
        fence = len(tag or "") + 2
        return text[fence:-fence] if text.endswith(text[:fence]) and len(text) >= 2 * fence else text[fence:]
    quote = text.find("'") if kind == "string" else 0
    return text[quote + 1 :].removesuffix("'").removesuffix('"').removesuffix("`").removesuffix("]").replace("''", "'")


def tokens(text: str, dialect: str = "") -> Iterator[Token]:
    """The tokens of ``text`` without white space and comments."""
    for match in _lexer(dialect).finditer(text):
        kind = match.lastgroup or "operator"
        if kind == "tag":  # the inner group of a dollar-quoted string
            kind = "dollar"
        if kind in {"space", "comment"}:
            continue
        word = match.group()
        if kind in {"string", "name", "dollar"}:
            word = _unquoted(kind, word, match.group("tag"))
        yield Token(_KINDS[kind], word, match.start(), match.end())


_KINDS: dict[str, Kind] = {
    "string": "string",
    "dollar": "string",
    "name": "name",
    "number": "number",
    "word": "word",
    "operator": "operator",
}
_ROUTINES = frozenset({"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"})


class TooLargeError(Error):
    """The text has more tokens than are looked at."""


def statements(text: str, dialect: str = "") -> list[Statement]:
    r"""The statements of ``text``, split at semicolons outside strings, comments and routine bodies.

    ``GO`` on a line of its own (SQL Server) and ``\g``, ``\G`` (psql, MySQL) also end one.

    Raises:
        TooLargeError: there are more than ``MAX_TOKENS`` tokens.

    """
    found: list[Statement] = []
    current: list[Token] = []
    blocks = 0
    for count, token in enumerate(tokens(text, dialect)):
        if count >= MAX_TOKENS:
            raise TooLargeError(f"SQL of more than {MAX_TOKENS} tokens is not read")
        blocks = _depth(blocks, token, current)
        if (token.text == ";" and token.kind == "operator" and not blocks) or _is_go(token, text):
            _close(found, current, text)
            continue
        current.append(token)
    _close(found, current, text)
    return found


def _close(found: list[Statement], current: list[Token], text: str) -> None:
    if current:
        found.append(Statement(tokens=tuple(current), text=text[current[0].start : current[-1].end]))
        current.clear()


def _is_go(token: Token, text: str) -> bool:
    if token.upper == "G" and token.start and text[token.start - 1] == "\\":
        return True
    if token.upper != "GO":
        return False
    return text[: token.start][-20:].rpartition("\n")[2].strip() == "" and text[token.end : token.end + 1] in "\r\n"


def _depth(blocks: int, token: Token, current: list[Token]) -> int:
    """How many BEGIN … END blocks of a routine are open behind ``token``."""
    if token.upper not in {"BEGIN", "END", "CASE"} or not current or current[0].upper != "CREATE":
        return blocks
    if not blocks and not any(seen.upper in _ROUTINES for seen in current[:8]):
        return 0
    if token.upper != "END":
        return blocks + 1
    return max(0, blocks - 1)
