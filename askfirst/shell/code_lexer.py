"""Program text in many languages to tokens: words, strings, operators; comments are dropped.

Small on purpose: it tells code from strings and comments and no more. Interpolated parts of strings become ``HOLE``s
(the code in them is tokenised too where it is simple). Linear, never raises, what is not closed runs to the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from askfirst.errors import Error
from askfirst.shell.command import HOLE

Kind = Literal["word", "string", "command", "number", "operator"]

MAX_TOKENS = 20_000
"""More is not looked at (about 40 ms)."""


class CodeToken(NamedTuple):
    """One token; a ``string`` or ``command`` (backticks that run) has its value as ``text``."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Syntax:
    comment: str
    strings: str
    commands: str = ""
    interpolation: str = ""


_DOUBLE = r'"(?:[^"\\]|\\.)*+"?'
_SINGLE = r"'(?:[^'\\]|\\.)*+'?"
_CHARACTER = r"'(?:[^'\\]|\\.)'"
_BACKTICK = r"`(?:[^`\\]|\\.)*+`?"
_C = r"//[^\n]*|/\*.*?(?:\*/|\Z)"
_HASH = r"\#[^\n]*"
_QX = r"(?:%x|\bqx)\s*(?:\{[^}]*\}?|\([^)]*\)?|\[[^\]]*\]?|/[^/\n]*/?|\|[^|\n]*\|?)"
_PERL_Q = r"\bqq?\s*(?:\{[^}]*\}?|\([^)]*\)?|\[[^\]]*\]?|/[^/\n]*/?)|%[qQ]\s*(?:\{[^}]*\}?|\([^)]*\)?|\[[^\]]*\]?)"

_SYNTAX: dict[str, _Syntax] = {
    "javascript": _Syntax(
        comment=_C,
        strings=f"{_DOUBLE}|{_SINGLE}|{_BACKTICK}",
        interpolation=r"\$\{[^{}]*\}|\$\{[^{}]*\{[^{}]*\}[^{}]*\}",
    ),
    "python": _Syntax(
        comment=_HASH, strings=rf'"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?|{_DOUBLE}|{_SINGLE}', interpolation=r"\{[^{}]*\}"
    ),
    "ruby": _Syntax(
        comment=_HASH,
        strings=f"{_DOUBLE}|{_SINGLE}|{_PERL_Q}",
        commands=f"{_BACKTICK}|{_QX}",
        interpolation=r"#\{[^}]*\}",
    ),
    "perl": _Syntax(
        comment=rf"(?<![$\w]){_HASH}",
        strings=f"{_DOUBLE}|{_SINGLE}|{_PERL_Q}",
        commands=f"{_BACKTICK}|{_QX}",
        interpolation=r"[$@]\{?\w+(?:->)?(?:\[[^\]]*\]|\{[^}]*\})?\}?",
    ),
    "php": _Syntax(
        comment=rf"{_C}|{_HASH}",
        strings=f"{_DOUBLE}|{_SINGLE}",
        commands=_BACKTICK,
        interpolation=r"\{?\$\w+(?:->\w+|\[[^\]]*\])?\}?",
    ),
    # one character in quotes: an apostrophe alone begins a lifetime of Rust
    "c": _Syntax(comment=_C, strings=f"{_DOUBLE}|{_CHARACTER}"),
    "csharp": _Syntax(comment=_C, strings=f'"""(?:[^"]|"(?!""))*+(?:""")?|{_DOUBLE}|{_CHARACTER}'),
    "java": _Syntax(comment=_C, strings=f'"""(?:[^"]|"(?!""))*+(?:""")?|{_DOUBLE}|{_CHARACTER}'),
    "rust": _Syntax(comment=_C, strings=f"{_DOUBLE}|{_CHARACTER}"),
    "go": _Syntax(comment=_C, strings=f"{_DOUBLE}|{_SINGLE}|{_BACKTICK}"),
    "elixir": _Syntax(
        comment=_HASH,
        strings=rf'"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?|{_DOUBLE}|{_SINGLE}',
        interpolation=r"#\{[^}]*\}",
    ),
    "lua": _Syntax(
        comment=r"--\[\[.*?(?:\]\]|\Z)|--[^\n]*", strings=rf"\[\[.*?(?:\]\]|\Z)|{_DOUBLE}|{_SINGLE}", interpolation=""
    ),
    "awk": _Syntax(comment=_HASH, strings=_DOUBLE),
    "osascript": _Syntax(comment=r"--[^\n]*|\(\*.*?(?:\*\)|\Z)", strings=_DOUBLE),
    "r": _Syntax(comment=_HASH, strings=f"{_DOUBLE}|{_SINGLE}"),
    "julia": _Syntax(comment=_HASH, strings=_DOUBLE, commands=_BACKTICK, interpolation=r"\$\w+|\$\([^)]*\)"),
}


def _compile(syntax: _Syntax) -> re.Pattern[str]:
    commands = f"|(?P<command>{syntax.commands})" if syntax.commands else ""
    return re.compile(
        rf"(?P<space>\s+)|(?P<comment>{syntax.comment}){commands}|(?P<string>{syntax.strings})"
        r"|(?P<word>[$@%&]?[^\W\d]\w*[?!]?)|(?P<number>\d[\w.]*)|(?P<operator>\.(?!\d)|=>|->|::|.)",
        re.DOTALL,
    )


_PATTERNS = {name: _compile(syntax) for name, syntax in _SYNTAX.items()}
_INTERPOLATION = {name: re.compile(syntax.interpolation) for name, syntax in _SYNTAX.items() if syntax.interpolation}
LANGUAGES = frozenset(_SYNTAX)
"""Names that ``code_tokens`` understands."""


class CodeTooLongError(Error):
    """The code has more tokens than are looked at."""


def code_tokens(text: str, language: str) -> list[CodeToken]:
    """The tokens of ``text``; those of code inside of strings stand at the end.

    Raises:
        CodeTooLongError: there are more than ``MAX_TOKENS``.
    """
    found: list[CodeToken] = []
    inner: list[str] = []
    for match in _PATTERNS[language].finditer(text):
        kind = match.lastgroup
        if kind in {"space", "comment"}:
            continue
        if len(found) >= MAX_TOKENS:
            raise CodeTooLongError(f"code of more than {MAX_TOKENS} tokens is not read")
        value = match.group()
        if kind in {"string", "command"}:
            inner += _code_inside(value, language)
            value = _value(value, language)
        found.append(CodeToken(kind, value))  # type: ignore[arg-type]  # the groups' names are the kinds
    if len(inner) > _MAX_INNER:
        raise CodeTooLongError(f"code with more than {_MAX_INNER} pieces inside of strings is not read")
    for code in inner:
        found += [CodeToken("operator", ";"), *code_tokens(code, language)]
    return found


_MAX_INNER = 500


def _code_inside(literal: str, language: str) -> list[str]:
    """The code in ``${…}`` of a template and in ``#{…}`` of a Ruby string."""
    if (language, literal[0]) not in {("javascript", "`"), ("ruby", '"'), ("ruby", "`")}:
        return []
    return [match.group()[2:-1] for match in _INTERPOLATION[language].finditer(literal) if "(" in match.group()]


_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{1,3}|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\n": ""}


def _escaped(match: re.Match[str]) -> str:
    body = match.group(1)
    if body[0] in "xu" and len(body) > 1:
        return chr(int(body[1:], 16))
    if body[0] in "01234567" and body != "0":
        return chr(int(body, 8))
    return _SIMPLE.get(body, body)


def _value(literal: str, language: str) -> str:
    """The text that a string literal stands for."""
    opening = literal[0]
    if literal.startswith(('"""', "[[")):
        width = 3 if opening == '"' else 2
        return literal[width:-width]
    if opening.isalpha() or opening == "%":
        body = re.sub(r"^(?:%x|%[qQ]|qx|qq?)\s*.", "", literal, count=1, flags=re.DOTALL)[:-1]
    else:
        body = literal[1:-1] if len(literal) > 1 and literal[-1] == opening else literal[1:]
    interpolates = opening in '`"%q' if language != "javascript" else opening == "`"
    pattern = _INTERPOLATION.get(language)
    if pattern is not None and interpolates and language != "python":
        body = pattern.sub(HOLE, body)
    if opening == "'" and language in {"ruby", "perl", "php"}:
        return body.replace("\\'", "'").replace("\\\\", "\\")
    return _ESCAPE.sub(_escaped, body)
