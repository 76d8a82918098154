"""A command cut into pieces for the screen, nothing left out: what offends and what looks odd is marked.

The pieces' texts joined are exactly ``askfirst.card.visible(command)``. A segment is small enough to be on a phone's
screen at once, so that the page can tell whether all of it was looked at (I9).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from askfirst.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SEGMENT_MAX_CHARS = 240


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters that are shown alike.

    Attributes:
        text: made visible.
        offends: whether it belongs to a part that a rule objects to.
        is_odd: whether its characters can be mistaken for others, or would not be seen at all.
    """

    text: str
    offends: bool = False
    is_odd: bool = False


Segment = tuple[Piece, ...]


def segments_of(command: str, spans: Sequence[tuple[int, int]] = ()) -> tuple[Segment, ...]:
    """The command in segments; ``spans`` are start and end offsets (characters) of the offending parts."""
    offending = _offsets(len(command), spans)
    return tuple(
        tuple(
            Piece("".join(visible(command[each]) for each in run), offends, is_odd)
            for (offends, is_odd), run in groupby(
                range(start, end), key=lambda each: (each in offending, not _is_plain(command[each]))
            )
        )
        for start, end in _bounds(command)
    )


def odd_characters(command: str) -> list[str]:
    """What a reader should know of characters outside ASCII, e.g. ``U+0430 CYRILLIC SMALL LETTER A``; at most eight."""
    found = sorted({each for each in command if not _is_plain(each)})
    names = [f"U+{ord(each):04X} {unicodedata.name(each, 'unnamed')}" for each in found[:8]]
    return [*names, f"and {len(found) - 8} more"] if len(found) > 8 else names


def _is_plain(char: str) -> bool:
    return char.isascii() and visible(char) == char


def _offsets(length: int, spans: Sequence[tuple[int, int]]) -> set[int]:
    inside = [(start, end) for start, end in spans if 0 <= start < end <= length]
    return {each for start, end in inside for each in range(start, end)}


def _bounds(command: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line in command.splitlines(keepends=True):
        for offset in range(0, len(line), SEGMENT_MAX_CHARS):
            yield start + offset, start + min(offset + SEGMENT_MAX_CHARS, len(line))
        start += len(line)
