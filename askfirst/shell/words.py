"""The inside of a word: quotes, parameters, substitutions, as a flat list of parts over a prepared text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from askfirst.shell.limits import MAX_WORDS, LimitError

if TYPE_CHECKING:
    from askfirst.shell.source import Source

Kind = Literal["text", "parameter", "command", "backtick", "arithmetic", "process"]

_RUN = re.compile(r"[^\\'\"`$<>]+")
_QUOTED_RUN = re.compile(r"[^\\\"`$]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]|[@*#?$!_-]")
_BRACED = re.compile(r"(?P<sign>[!#]?)(?P<name>[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])(?P<index>\[[^\]]*\])?")
_OPERATOR = re.compile(r":?[-=+?]|##?|%%?|//?[#%]?|\^\^?|,,?|:|@")
_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)|(.))",
    re.DOTALL,
)
_ESCAPES = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_TICK_ESCAPE = re.compile(r"\\([\\`$])")
_HIGHEST = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word.

    Attributes:
        kind: what it is.
        text: literal text, the parameter's name, the script in backticks, or ``<``/``>`` of a process substitution.
        quoted: no field splitting and no globbing happens to it.
        start: offset in ``code`` where the piece begins.
        end: offset behind it.
        inner: range in ``code`` of the script, the arithmetic or the operand of a parameter operator.
        operator: of a parameter expansion, e.g. ``:-``; ``!`` and ``#`` when it is indirect or a length.
        index: subscript of an array, e.g. ``@``.
    """

    kind: Kind
    text: str
    quoted: bool
    start: int
    end: int
    inner: tuple[int, int] = (0, 0)
    operator: str = ""
    index: str = ""


def lex(source: Source, start: int, end: int, *, quoted: bool = False) -> list[Part]:
    """The parts of the word in ``source.code[start:end]``; ``quoted`` reads it as if inside double quotes.

    Raises:
        LimitError: it has too many parts.
    """
    parts: list[Part] = []
    at = start
    while at < end:
        part = _next(source, at, end, quoted=quoted)
        if isinstance(part, Part):
            parts.append(part)
            at = part.end
        else:
            parts += part or [Part("text", "", True, at, at + 1)]
            at = min(end, source.ends.get(at, at + 1))
        if len(parts) > MAX_WORDS:
            raise LimitError("a word in it has too many parts")
    return parts


def _next(source: Source, at: int, end: int, *, quoted: bool) -> Part | list[Part]:
    """The piece at ``at``; a list is the inside of double quotes."""
    code = source.code
    char = code[at]
    match = (_QUOTED_RUN if quoted else _RUN).match(code, at, end)
    if match:
        return Part("text", match.group(), quoted, at, match.end())
    if char == "\\":
        return _backslash(code, at, end, quoted=quoted)
    if char == "$":
        return _dollar(source, at, end, quoted=quoted)
    if char == "`":
        stop = min(end, source.ends.get(at, end))
        inner = code[at + 1 : stop - 1]
        return Part("backtick", _TICK_ESCAPE.sub(r"\1", inner), quoted, at, stop)
    if char == '"' and not quoted:
        stop = min(end, source.ends.get(at, end))
        return lex(source, at + 1, max(at + 1, stop - 1), quoted=True)
    if char == "'":
        stop = min(end, source.ends.get(at, end))
        return Part("text", code[at + 1 : stop].removesuffix("'"), True, at, stop)
    if char in "<>" and code.startswith("(", at + 1):
        stop = min(end, source.ends.get(at, end))
        return Part("process", char, True, at, stop, (at + 2, stop - 1))
    return Part("text", char, quoted, at, at + 1)


def _backslash(code: str, at: int, end: int, *, quoted: bool) -> Part:
    following = code[at + 1 : min(end, at + 2)]
    if quoted and following not in {"$", "`", '"', "\\"}:
        return Part("text", "\\", True, at, at + 1)
    return Part("text", following or "\\", True, at, min(end, at + 2))


def _dollar(source: Source, at: int, end: int, *, quoted: bool) -> Part | list[Part]:
    code = source.code
    following = code[at + 1 : min(end, at + 2)]
    stop = min(end, source.ends.get(at, end))
    if code.startswith("((", at + 1):
        return Part("arithmetic", "", quoted, at, stop, (at + 3, stop - 2))
    if following == "[":
        return Part("arithmetic", "", quoted, at, stop, (at + 2, stop - 1))
    if following == "(":
        return Part("command", "", quoted, at, stop, (at + 2, stop - 1))
    if following == "{":
        return _braced(code, at, stop, quoted=quoted)
    if following == "'" and not quoted and at in source.ends:
        return Part("text", unescape(code[at + 2 : stop].removesuffix("'")), True, at, stop)
    if following == '"' and not quoted:
        return Part("text", "", True, at, at + 1)
    match = _NAME.match(code, at + 1, end)
    if match:
        return Part("parameter", match.group(), quoted, at, match.end())
    return Part("text", "$", quoted, at, at + 1)


def _braced(code: str, at: int, stop: int, *, quoted: bool) -> Part:
    """``${…}`` from ``at`` to ``stop``."""
    match = _BRACED.match(code, at + 2, stop - 1)
    if match is None:
        return Part("parameter", "", quoted, at, stop, operator="?")
    index = (match["index"] or "")[1:-1]
    operator = _OPERATOR.match(code, match.end(), stop - 1)
    if operator is None:
        sign = match["sign"]
        return Part("parameter", match["name"], quoted, at, stop, operator=sign, index=index)
    inner = (operator.end(), stop - 1)
    return Part("parameter", match["name"], quoted, at, stop, inner, operator.group(), index)


def unescape(text: str) -> str:
    r"""The text of ``$'…'`` or ``echo -e``: ``\n``, ``\x41``, ``\101``, ``\u0041``."""
    return _ESCAPE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    hexadecimal = match[1] or match[2] or match[3]
    if hexadecimal:
        number = int(hexadecimal, 16)
        return chr(number) if number <= _HIGHEST else "\ufffd"
    if match[4]:
        return chr(int(match[4], 8) & 0xFF)
    if match[5]:
        return chr(ord(match[5]) & 0x1F)
    return _ESCAPES.get(match[6], match[6] if match[6] in "\\'\"?" else "\\" + match[6])


def tokens(source: Source, start: int, end: int) -> list[tuple[str, int, int]]:
    """Words and operators of a range, without grammar: ``("word" | "op", start, end)``; for text with errors.

    A newline is the operator ``;``; comments are left out.
    """
    found: list[tuple[str, int, int]] = []
    at = start
    while at < end:
        match = _BLANK.match(source.code, at, end)
        if match:
            at = match.end()
            continue
        operator = _META.match(source.code, at, end)
        if operator and not source.code.startswith(("<(", ">("), at):
            found.append(("op", at, operator.end()))
            at = operator.end()
            continue
        stop = _word_end(source, at, end)
        found.append(("word", at, stop))
        at = stop
    return found


_BLANK = re.compile(r"[ \t\r]+|#[^\n]*")
_META = re.compile(r"\n|;;&|;;|;&|;|&&|\|\||\|&|\||&>>|&>|[0-9]*>>|[0-9]*>\||[0-9]*>&|[0-9]*>|[0-9]*<&|[0-9]*<|&|\(|\)")
_WORD_RUN = re.compile(r"[^\s;&|<>()\\'\"`$]+")


def _word_end(source: Source, at: int, end: int) -> int:
    start = at
    while at < end:
        code = source.code
        match = _WORD_RUN.match(code, at, end)
        if match:
            at = match.end()
        elif at in source.ends and code[at] != "(":
            at = max(at + 1, source.ends[at])
        elif code[at] == "\\":
            at += 2
        elif code[at] in " \t\r\n;&|<>()" and not (code[at] == "(" and at > start and code[at - 1] == "="):
            break
        else:
            at = max(at + 1, source.ends.get(at, at + 1))
    return min(at, end) if at > start else start + 1
