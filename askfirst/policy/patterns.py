"""Patterns of policies: globs in which ``*`` is the only special character, matched in linear or near-linear time.

There are no regular expressions: a policy file must not be able to hold up the gate, and what a glob matches can be
seen. Three kinds differ in what ``*`` may stand for:

- names (tools, rules, hosts, branches, ...): any characters;
- commands: a ``*`` that is a word of its own is any number of words, inside a word any characters of that word;
- paths: ``*`` stays within one component, ``**`` as a component is any number of components.

What a shell may make of a word (file names of a glob, an unknown value) counts as a match only where that is asked for.

Inside a word or a component ``*`` never stands for ``..`` nor for a part that the analysis could not read.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

UNREAD = ("…", "$", "`", HOLE)
"""What shows in a word whose value is not known."""
_WILD = re.compile(r"\[[^]]*\]|[*?\[]")
"""What stands for other characters in a shell's glob."""


@dataclass(frozen=True, slots=True)
class Glob:
    """A word that a shell replaces by the names of files, at least one."""

    text: str


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


def name_covers(pattern: str, narrower: str) -> bool:
    """Whether each name that fits the narrower pattern fits this one; no claim where it says no.

    The narrower one is read as a name: what is not its ``*`` stands in every name that fits it, in the same order.
    """
    return name_matches(pattern, narrower)


def command_covers(pattern: str, narrower: str) -> bool:
    """The same of commands."""
    return _sequence_matches(pattern.split(), narrower.split(), any_number="*", fits=_part_covers)


def _part_covers(pattern: str, narrower: str) -> bool:
    """The same of one word; a ``*`` of its own is many, which no word is sure to be."""
    return narrower != "*" and _part_matches(pattern, narrower)


def command_matches(pattern: str, command: str) -> bool:
    """Whether a simple command fits, e.g. ``git push * main`` or ``npm run test:*``."""
    return _sequence_matches(pattern.split(), command.split(), any_number="*", fits=_part_matches)


def words_match(pattern: str, words: Sequence[str]) -> bool:
    """Whether a simple command fits whose words are told apart: one with a space in it is one word."""
    return _sequence_matches(pattern.split(), words, any_number="*", fits=_part_matches)


def words_may_match(pattern: str, words: Sequence[str | Glob]) -> bool:
    """Whether a simple command may fit, for all that is known of it: each ``HOLE`` in its words stands for any text.

    A word of which nothing is known may be any number of words. The program has to be known, but not its folder:
    ``terraform *`` may be what ``/opt/bin/terraform apply`` runs.
    """
    patterns = pattern.split()
    if not patterns or not words:
        return False
    if patterns[0] != "*":
        if not _may_be_program(patterns[0], words[0]):
            return False
        patterns, words = patterns[1:], words[1:]
    reached = _with_skipped({0}, patterns)
    for word in words:
        if not reached:
            return False
        if word == HOLE:
            reached = set(range(min(reached), len(patterns) + 1))
            continue
        before, reached = reached, _behind(word, reached, patterns)
        while isinstance(word, Glob) and not reached <= before:  # one name more
            before = before | reached
            reached = reached | _behind(word, reached, patterns)
    return len(patterns) in reached


def _may_be_program(pattern: str, word: str | Glob) -> bool:
    if isinstance(word, Glob):
        return _part_may_match(pattern, word) or _part_may_match(pattern, Glob(word.text.rpartition("/")[2]))
    program = word.rpartition("/")[2]
    return HOLE not in program and (name_matches(pattern, word) or name_matches(pattern, program))


def _behind(word: str | Glob, reached: Iterable[int], patterns: Sequence[str]) -> set[int]:
    """The places that this one word leads to."""
    inside = {at for at in reached if at < len(patterns)}
    on = {at + 1 for at in inside if patterns[at] != "*" and _part_may_match(patterns[at], word)}
    return _with_skipped(on | {at for at in inside if patterns[at] == "*"}, patterns)


def _with_skipped(reached: set[int], patterns: Sequence[str]) -> set[int]:
    """Also the places behind a ``*``, which may stand for no word."""
    for at, pattern in enumerate(patterns):
        if at in reached and pattern == "*":
            reached.add(at + 1)
    return reached


def _part_may_match(pattern: str, word: str | Glob) -> bool:
    """Whether some text fits both; told by what stands before and after all that either leaves open."""
    if isinstance(word, Glob):
        is_plain = "*" not in pattern and not any(mark in word.text for mark in ("[", "**", HOLE))
        if is_plain:
            return _is_name_of(word.text, pattern)
        word = _WILD.sub(HOLE, word.text)
    if HOLE not in word:
        return name_matches(pattern, word)
    if "*" not in pattern:
        return name_matches(word.replace(HOLE, "*"), pattern)
    (start, *_), (*_, end) = pattern.split("*"), pattern.split("*")
    (known_start, *_), (*_, known_end) = word.split(HOLE), word.split(HOLE)
    starts = start.startswith(known_start) or known_start.startswith(start)
    return starts and (end.endswith(known_end) or known_end.endswith(end))


def _is_name_of(glob: str, path: str) -> bool:
    """Whether a shell may replace this glob of ``*`` and ``?`` by this path: no wildcard is a slash or a first dot."""
    parts, names = glob.split("/"), path.split("/")
    return len(parts) == len(names) and all(
        fnmatch.fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))
        for part, name in zip(parts, names, strict=True)
    )


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
