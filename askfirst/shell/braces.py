"""Brace expansion: ``a{b,c}d`` and ``{1..3}``, over the parts of a word; bounded."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE

if TYPE_CHECKING:
    from askfirst.shell.words import Part

MAX_WORDS = 128
_SPECIAL = re.compile(r"([{},])")
_RANGE = re.compile(r"(-?\d{1,9}|[A-Za-z])\.\.(-?\d{1,9}|[A-Za-z])(?:\.\.-?\d{1,9})?")


def expand_braces(parts: list[Part]) -> list[list[Part]]:
    """The words that a word becomes, each as its parts; at most ``MAX_WORDS``, the rest is one unknown word."""
    if not any(part.kind == "text" and not part.quoted and "{" in part.text for part in parts):
        return [parts]
    pieces = [
        replace(part, text=text)
        for part in parts
        for text in (_SPECIAL.split(part.text) if part.kind == "text" and not part.quoted else (part.text,))
        if text or part.quoted or part.kind != "text"
    ]
    return _expand(pieces, 0)


def _expand(pieces: list[Part], depth: int) -> list[list[Part]]:
    """Expand the first list or range, then what is left of it; one level of nesting a call."""
    found = _first_group(pieces)
    if found is None or depth > 8:
        return [pieces]
    start, commas, end = found
    before, after = pieces[:start], pieces[end + 1 :]
    if commas:
        bounds = [start, *commas, end]
        choices = [pieces[a + 1 : b] for a, b in itertools.pairwise(bounds)]
    else:
        choices = [[replace(pieces[start], text=text)] for text in _sequence(pieces[start + 1].text)]
    out: list[list[Part]] = []
    tails = _expand(after, depth + 1)
    for choice in choices:
        for middle in _expand(choice, depth + 1):
            out += [[*before, *middle, *tail] for tail in tails]
            if len(out) > MAX_WORDS:
                return [*out[:MAX_WORDS], [replace(pieces[start], text=HOLE)]]
    return out


def _first_group(pieces: list[Part]) -> tuple[int, list[int], int] | None:
    """Where the first brace that expands opens, its commas, where it closes."""
    open_at: list[tuple[int, list[int]]] = []
    best: tuple[int, list[int], int] | None = None
    for index, part in enumerate(pieces):
        special = part.text if part.kind == "text" and not part.quoted else ""
        if special == "{":
            open_at.append((index, []))
        elif special == "," and open_at:
            open_at[-1][1].append(index)
        elif special == "}" and open_at:
            start, commas = open_at.pop()
            is_range = index == start + 2 and _RANGE.fullmatch(pieces[start + 1].text) is not None
            if (commas or is_range) and (best is None or start < best[0]):
                best = (start, commas, index)
            if best is not None and not open_at:
                return best
    return best


def _sequence(text: str) -> list[str]:
    match = _RANGE.fullmatch(text)
    if match is None:
        return [text]
    first, last = match[1], match[2]
    if first.isalpha() and last.isalpha():
        low, high = ord(first), ord(last)
        return [chr(code) for code in range(low, high + (1 if high >= low else -1), 1 if high >= low else -1)]
    if first.isalpha() or last.isalpha():
        return [text]
    low, high = int(first), int(last)
    if abs(high - low) >= MAX_WORDS:
        return [HOLE]
    width = len(first) if first.startswith("0") and first != "0" else 0
    return [
        str(number).zfill(width) for number in range(low, high + (1 if high >= low else -1), 1 if high >= low else -1)
    ]
