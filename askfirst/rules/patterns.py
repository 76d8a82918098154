"""The patterns of packs: for words, options and subcommand paths. Compiled once, tested in linear time."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.shell.command import Word

ANY_DEPTH = "**"
"""First word of a path: any number of words, at most ``MAX_DEPTH``."""
END = "<end>"
"""Last word of a path: no further word follows."""
MAX_DEPTH = 7
_SHORTEST_ABBREVIATION = len("--abc")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Alternatives of one pattern, sorted by how they are tested; no test takes more than linear time a piece."""

    exact: frozenset[str]
    prefixes: tuple[str, ...]
    general: tuple[tuple[str, ...], ...]

    def matches(self, text: str) -> bool:
        """Whether one of the alternatives matches the whole text."""
        if text in self.exact or text.startswith(self.prefixes):
            return True
        return any(_fits(pieces, text) for pieces in self.general)


@functools.cache
def pattern(source: str) -> Pattern:
    """The compiled form of ``"ns|namespace/*"``."""
    exact, prefixes, general = set(), [], []
    for alternative in source.split("|"):
        stem = alternative.removesuffix("*")
        if "*" in stem or "?" in stem:
            general.append(tuple(alternative.split("*")))
        elif stem != alternative:
            prefixes.append(stem)
        else:
            exact.add(alternative)
    return Pattern(frozenset(exact), tuple(prefixes), tuple(general))


def _fits(pieces: tuple[str, ...], text: str) -> bool:
    """Whether the pieces between the stars stand in the text in order, the first at its start, the last at its end."""
    first, *middle = pieces
    if not middle:
        return len(text) == len(first) and _stands(first, text, 0)
    last = middle.pop()
    end = len(text) - len(last)
    position = len(first)
    if position > end or not _stands(first, text, 0) or not _stands(last, text, end):
        return False
    for piece in middle:
        found = _find(piece, text, position, end)
        if found is None:
            return False
        position = found + len(piece)
    return True


def _find(piece: str, text: str, start: int, end: int) -> int | None:
    """Where the piece first stands between two offsets."""
    if "?" not in piece:
        found = text.find(piece, start, end)
        return None if found < 0 else found
    return next((at for at in range(start, end - len(piece) + 1) if _stands(piece, text, at)), None)


def _stands(piece: str, text: str, at: int) -> bool:
    """Whether the piece stands at this offset; ``?`` is any character but an unknown part."""
    if "?" not in piece:
        return text.startswith(piece, at)
    part = text[at : at + len(piece)]
    return len(part) == len(piece) and all(
        mine == letter or (mine == "?" and letter != HOLE) for mine, letter in zip(piece, part, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Option:
    """An option as given.

    Attributes:
        name: ``--force``, ``-f``, or ``-auto-approve`` for programs with one dash.
        value: what it was given, ``None`` for nothing.
        alone: it is a word of its own, not a letter of a cluster.
    """

    name: str
    value: str | None
    alone: bool = True


@dataclass(frozen=True, slots=True)
class OptionPattern:
    """One alternative of an option pattern: ``--force``, ``-X=DELETE``, ``--remove*``."""

    name: Pattern
    literal: str
    value: Pattern | None

    def matches(self, option: Option) -> bool:
        """Whether the option is meant, also by an abbreviation of three letters or more."""
        named = self.name.matches(option.name) or (
            len(option.name) >= _SHORTEST_ABBREVIATION
            and option.name.startswith("--")
            and self.literal.startswith(option.name)
        )
        return named and (self.value is None or (option.value is not None and self.value.matches(option.value)))


def option_patterns(sources: Iterable[str]) -> tuple[OptionPattern, ...]:
    """The alternatives of all patterns, in one row."""
    return tuple(_option_pattern(alternative) for source in sources for alternative in source.split("|"))


def _option_pattern(source: str) -> OptionPattern:
    name, equals, value = source.partition("=")
    return OptionPattern(pattern(name), name, pattern(value) if equals else None)


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled subcommand path, e.g. ``rollout status|history`` or ``** delete*``."""

    steps: tuple[Pattern, ...]
    any_depth: bool
    ends: bool
    is_generic: bool

    def end(self, words: tuple[Word, ...]) -> int | None:
        """How many words the path takes up, earliest first; ``None`` when it does not match."""
        size = len(self.steps)
        if self.any_depth and not size:
            return len(words)
        last_start = min(len(words) - size, MAX_DEPTH) if self.any_depth else 0
        for start in range(last_start + 1):
            end = start + size
            if len(words) < end or (self.ends and len(words) != end):
                continue
            if all(step.matches(word.text) for step, word in zip(self.steps, words[start:end], strict=True)):
                return end
        return None


@functools.cache
def path(source: str) -> Path:
    """The compiled form of a subcommand path."""
    words = source.split()
    any_depth = words[:1] == [ANY_DEPTH]
    ends = words[-1:] == [END]
    steps = words[any_depth : len(words) - ends]
    is_generic = any_depth or any("*" in step for step in steps)
    return Path(tuple(pattern(step) for step in steps), any_depth, ends, is_generic)
