"""From the words of a simple command to its arguments, as the shell expands them.

Braces, ``~``, parameters, substitutions, field splitting, quote removal; file names are not expanded, a word only says
that it is a pattern.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from askfirst.shell.braces import expand_braces
from askfirst.shell.command import HOLE, Word
from askfirst.shell.limits import MAX_WORDS, LimitError
from askfirst.shell.source import DECODED, NETWORK
from askfirst.shell.words import Part, lex

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.shell.source import Source
    from askfirst.shell.state import State
    from askfirst.shell.syntax import Range

MAX_NESTING = 12
"""Levels of ``${x:-${y:-…}}`` and of quotes in them that are followed."""
_MAX_PATTERN_CHARS = 512
_GLOB = re.compile(r"[*?\[]")
_MARKS = re.compile(f"[{NETWORK}{DECODED}]")
_SPECIAL = {"IFS": " \t\n", "TMPDIR": "/tmp", "SHELL": "/bin/bash", "BASH": "/bin/bash"}  # noqa: S108
_DIGITS = re.compile(r"\s*(-?\d{1,6})\s*(?::\s*(-?\d{1,6})\s*)?")


class Runner(Protocol):
    """Runs what stands inside words."""

    def capture(self, inner: Range) -> str:
        """The output of ``$(…)``, without the newlines at its end."""

    def capture_text(self, script: str, span: Range) -> str:
        """The output of a script in backticks."""

    def process(self, inner: Range, direction: str) -> str:
        """A path that stands for ``<(…)`` or ``>(…)``."""


@dataclass(slots=True)
class _Field:
    """The word that is being put together."""

    text: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    real: bool = False
    glob: bool = False

    def add(self, text: str, shown: str, *, quoted: bool) -> None:
        self.text.append(text)
        self.shown.append(shown)
        self.real = self.real or quoted or bool(text)
        self.glob = self.glob or (not quoted and _GLOB.search(text) is not None)


class Expander:
    """Expands words of one source in one state; remembers which variables had several values.

    Attributes:
        choice: variable -> which of its values to use.
        widths: variable -> how many values it has, for those seen with more than one.
    """

    def __init__(self, source: Source, state: State, runner: Runner, locate: Callable[[Range], Range]) -> None:
        self.source = source
        self.state = state
        self.runner = runner
        self.locate = locate
        self.choice: dict[str, int] = {}
        self.widths: dict[str, int] = {}
        self.nesting = 0

    def words(self, ranges: tuple[Range, ...]) -> list[Word]:
        """The arguments that these words become; LimitError when they are too many."""
        out = []
        for one in ranges:
            out += self.fields(one)
            if len(out) > MAX_WORDS:
                raise LimitError("a command in it has too many words")
        return out

    def fields(self, where: Range) -> list[Word]:
        """The arguments that one word becomes: none, one or several."""
        parts = lex(self.source, *where)
        span = self.locate(where)
        if len(parts) == 1 and parts[0].kind == "text" and (parts[0].quoted or parts[0].text[:1] != "~"):
            part = parts[0]
            if part.quoted or "{" not in part.text:
                glob = not part.quoted and _GLOB.search(part.text) is not None
                return [Word(text=part.text, glob=glob, shown=part.text, span=span)]
        expanded = expand_braces(parts)
        words = [word for one in expanded for word in self._assemble(one, span)]
        return words if len(expanded) == 1 else [replace(word, braces=where[0] + 1) for word in words]

    def text(self, where: Range, *, quoted: bool = False) -> str:
        """One word without field splitting: assignments, redirections, here-documents."""
        return "".join(self._plain(lex(self.source, *where, quoted=quoted)))

    def word(self, where: Range) -> Word:
        """One word without field splitting, as a word."""
        parts = lex(self.source, *where)
        text = "".join(self._plain(parts))
        shown = "".join(self._shown(part, "") if part.kind != "text" else part.text for part in parts)
        glob = any(part.kind == "text" and not part.quoted and _GLOB.search(part.text) for part in parts)
        return Word(text=text, glob=glob, shown=shown if HOLE in text else text, span=self.locate(where))

    def run_inside(self, where: Range) -> None:
        """Run the substitutions of a range whose value does not matter."""
        for part in lex(self.source, *where, quoted=True):
            if part.kind != "text":
                self._value(part)

    def _plain(self, parts: list[Part]) -> list[str]:
        return [
            self._tilde(part.text) if self._is_tilde(parts, i) else self._joined(part) for i, part in enumerate(parts)
        ]

    def _joined(self, part: Part) -> str:
        value = self._value(part)
        return value if isinstance(value, str) else " ".join(value)

    @staticmethod
    def _is_tilde(parts: list[Part], index: int) -> bool:
        part = parts[index]
        return index == 0 and part.kind == "text" and not part.quoted and part.text.startswith("~")

    def _tilde(self, text: str) -> str:
        name, slash, rest = text[1:].partition("/")
        if name == "+":
            return (self.state.cwd or HOLE) + slash + rest
        home = self.state.home if not name else "/root" if name == "root" else f"/home/{name}"
        return home + slash + rest

    def _assemble(self, parts: list[Part], span: Range) -> list[Word]:
        """Field splitting."""
        out: list[_Field] = []
        now = _Field()
        for index, part in enumerate(parts):
            if part.kind == "text":
                text = self._tilde(part.text) if self._is_tilde(parts, index) else part.text
                now.add(text, text, quoted=part.quoted)
                continue
            value = self._value(part)
            if isinstance(value, tuple):
                now = self._several(part, value, out, now)
            elif part.quoted:
                now.add(value, self._shown(part, value), quoted=True)
                # `for f in *.py` and `find … | while read f` keep the pattern as the value of "$f": it means its names.
                variable = self.state.variables.get(part.text)
                names = variable is not None and variable.names
                now.glob = now.glob or (names and _GLOB.search(value) is not None)
            else:
                now = self._split(part, value, out, now)
        out.append(now)
        return [
            Word(text="".join(one.text), glob=one.glob, shown="".join(one.shown), span=span) for one in out if one.real
        ]

    def _several(self, part: Part, values: tuple[str, ...], out: list[_Field], now: _Field) -> _Field:
        """``"$@"``: each value a field of its own, the first and last joined to what stands around."""
        for index, value in enumerate(values):
            if index:
                out.append(now)
                now = _Field()
            if part.quoted:
                now.add(value, self._shown(part, value), quoted=True)
            else:
                now = self._split(part, value, out, now)
        return now

    def _split(self, part: Part, value: str, out: list[_Field], now: _Field) -> _Field:
        separators = self._lookup("IFS") or ""
        if separators != _SPECIAL["IFS"] and separators:
            value = re.sub(f"[{re.escape(separators)}]", " ", value)
        pieces = value.split()
        if value[:1].isspace() and now.real:
            out.append(now)
            now = _Field()
        for index, piece in enumerate(pieces):
            if index:
                out.append(now)
                now = _Field()
            now.add(piece, self._shown(part, piece), quoted=False)
        if pieces and value[-1:].isspace():
            out.append(now)
            now = _Field()
        return now

    def _shown(self, part: Part, value: str) -> str:
        return self.source.code[part.start : part.end] if HOLE in value or not value else value

    def _value(self, part: Part) -> str | tuple[str, ...]:
        """What a part becomes; a tuple for ``$@`` and ``${array[@]}``."""
        self.nesting += 1
        try:
            if self.nesting > MAX_NESTING:
                return HOLE
            match part.kind:
                case "text":
                    return part.text
                case "parameter":
                    return self._parameter(part)
                case "command":
                    return self.runner.capture(part.inner)
                case "backtick":
                    return self.runner.capture_text(part.text, self.locate((part.start, part.end)))
                case "process":
                    return self.runner.process(part.inner, part.text)
                case "arithmetic":
                    self.run_inside(part.inner)
                    return HOLE
        finally:
            self.nesting -= 1

    def _parameter(self, part: Part) -> str | tuple[str, ...]:
        if part.text in {"@", "*"} and not part.operator:
            return self.state.positionals if part.text == "@" else " ".join(self.state.positionals)
        if part.text in {"@", "*"} and part.operator == ":":
            return HOLE
        if part.index in {"@", "*"} and not part.operator:
            return self._array(part.text)
        value = self._lookup(part.text, part.index)
        if not part.operator:
            return self._unknown(part.text) if value is None else value
        return self._operate(part, value)

    def _array(self, name: str) -> tuple[str, ...]:
        variable = self.state.variables.get(name)
        if variable is None:
            return (HOLE,)
        return variable.values[:1] if variable.elements is None else variable.elements

    def _lookup(self, name: str, index: str = "") -> str | None:
        """The value of a parameter, ``None`` when nothing in the text has set it."""
        if name.isdecimal():
            number = int(name[:4])
            if number == 0:
                return self.state.zero
            return self.state.positionals[number - 1] if number <= len(self.state.positionals) else None
        variable = self.state.variables.get(name)
        if variable is None:
            return self._builtin(name)
        if variable.elements is not None and index.isdecimal() and int(index[:4]) < len(variable.elements):
            return variable.elements[int(index[:4])]
        if index and variable.elements is not None:
            return HOLE
        if len(variable.values) > 1:
            self.widths[name] = len(variable.values)
        return variable.values[self.choice.get(name, 0) % len(variable.values)] if variable.values else ""

    def _builtin(self, name: str) -> str | None:
        if name == "HOME":
            return self.state.home
        if name == "PWD":
            return self.state.cwd or HOLE
        if name == "OLDPWD":
            return self.state.previous or HOLE
        return _SPECIAL.get(name)

    @staticmethod
    def _unknown(name: str) -> str:
        """A parameter that nothing has set: positionals are empty, other names may come from the environment."""
        return "" if name.isdecimal() else HOLE

    def _operate(self, part: Part, value: str | None) -> str:
        operator = part.operator
        if operator == "!":
            return (self._lookup(value) if value and HOLE not in value else None) or HOLE
        if operator == "#" and part.inner == (0, 0):
            return HOLE if value is None or HOLE in value else str(len(value))
        if operator in {":-", "-", ":=", "="}:
            if value is None or (operator[0] == ":" and not value):
                value = self._operand(part)
                if operator.endswith("=") and not part.text.isdecimal():
                    self.state.assign(part.text, [value])
            return value
        if operator in {":+", "+"}:
            return "" if value == "" or (value is None and part.text.isdecimal()) else self._operand(part)
        if value is None:
            value = self._unknown(part.text)
        if operator in {":?", "?"}:
            return value or HOLE  # empty: the shell ends here
        return self._transform(part, value)

    def _operand(self, part: Part) -> str:
        return self.text(part.inner, quoted=part.quoted)

    def _transform(self, part: Part, value: str) -> str:
        operand = self._operand(part)
        if HOLE in value or HOLE in operand or len(value) > _MAX_PATTERN_CHARS:
            return (value.partition(HOLE)[0] if part.operator[0] == "%" else "") + HOLE
        operator = part.operator
        if operator in {"^", "^^", ",", ",,"}:
            return _change_case(operator, value)
        if operator == ":":
            return _substring(value, operand)
        if operator[0] == "/":
            return _replace(operator, value, operand)
        if operator == "@":
            return value
        return _strip(operator, value, operand)


def _change_case(operator: str, value: str) -> str:
    changed = value.upper() if operator[0] == "^" else value.lower()
    return changed if len(operator) == 2 else changed[:1] + value[1:]


def _substring(value: str, operand: str) -> str:
    match = _DIGITS.fullmatch(operand)
    if match is None:
        return HOLE
    start = int(match[1])
    rest = value[start:]
    if match[2] is None:
        return rest
    return rest[: int(match[2])]


def _replace(operator: str, value: str, operand: str) -> str:
    pattern, _, replacement = operand.partition("/")
    expression = re.compile(fnmatch.translate(pattern).removesuffix(r"\Z").removesuffix(r"\z") if pattern else r"(?!)")
    if operator == "/#":
        match = expression.match(value)
        return replacement + value[match.end() :] if match else value
    if operator == "/%":
        return value.removesuffix(pattern) + replacement if value.endswith(pattern) else value
    return expression.sub(lambda _: replacement, value, count=0 if operator == "//" else 1)


def _strip(operator: str, value: str, pattern: str) -> str:
    """``#``, ``##``, ``%``, ``%%``: remove the shortest or longest match at the beginning or end."""
    matches = re.compile(fnmatch.translate(pattern)).match
    lengths = range(len(value) + 1)
    if len(operator) == 2:
        lengths = range(len(value), -1, -1)
    for length in lengths:
        if operator[0] == "#" and matches(value[:length]):
            return value[length:]
        if operator[0] == "%" and matches(value[len(value) - length :]):
            return value[: len(value) - length]
    return value


def unmark(text: str) -> str:
    """``text`` without the marks that say where a hole came from."""
    return _MARKS.sub("", text)
