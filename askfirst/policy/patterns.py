"""Patterns of policies: globs in which ``*`` is the only special character, matched in linear or near-linear time.

There are no regular expressions: a policy file must not be able to hold up the gate, and what a glob matches can be
seen. Three kinds differ in what ``*`` may stand for:

- names (tools, rules, hosts, branches, ...): any characters;
- commands: a ``*`` that is a word of its own is any number of words, inside a word any characters of that word;
- paths: ``*`` stays within one component, ``**`` as a component is any number of components.

Inside a word or a component ``*`` never stands for ``..`` nor for a part that the analysis could not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

UNREAD = ("…", "$", "`", HOLE)
"""What shows in a word whose value is not known."""


def name_matches(pattern: str, name: str) -> bool:
    """Whether the whole name fits, e.g. ``mcp__stripe__*``."""
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    *middle, last = rest
    if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
        return False
    return _in_order(middle, name, len(first), len(name) - len(last))


def any_name_matches(patterns: Iterable[str], name: str) -> bool:
    """Whether one of the patterns fits."""
    return any(name_matches(pattern, name) for pattern in patterns)


def command_matches(pattern: str, command: str) -> bool:
    """Whether a simple command fits, e.g. ``git push * main`` or ``npm run test:*``."""
    return _sequence_matches(pattern.split(), command.split(), any_number="*", fits=_part_matches)


def path_matches(pattern: str, path: str) -> bool:
    """Whether an absolute path without ``..`` fits an absolute pattern, e.g. ``/srv/**/*.sql``.

    ``/srv/**`` is ``/srv`` itself as well as everything below.
    """
    return _sequence_matches(pattern.split("/"), path.split("/"), any_number="**", fits=_part_matches)


def _part_matches(pattern: str, part: str) -> bool:
    """One word or component."""
    if "*" in pattern and (".." in part.split("/") or any(mark in part for mark in UNREAD)):
        return False
    return name_matches(pattern, part)


def _in_order(pieces: Sequence[str], text: str, start: int, end: int) -> bool:
    """Whether the pieces stand one after the other between two offsets."""
    for piece in pieces:
        found = text.find(piece, start, end)
        if found < 0:
            return False
        start = found + len(piece)
    return True


def _sequence_matches(
    patterns: Sequence[str], parts: Sequence[str], *, any_number: str, fits: Callable[[str, str], bool]
) -> bool:
    """Two pointers; after a mismatch the last ``any_number`` takes one part more (at most patterns x parts steps)."""
    at, part, star, resume = 0, 0, -1, 0
    while part < len(parts):
        if at < len(patterns) and patterns[at] == any_number:
            star, resume, at = at, part, at + 1
        elif at < len(patterns) and fits(patterns[at], parts[part]):
            at, part = at + 1, part + 1
        elif star >= 0:
            resume += 1
            at, part = star + 1, resume
        else:
            return False
    return all(rest == any_number for rest in patterns[at:])
