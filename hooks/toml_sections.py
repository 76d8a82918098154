"""A TOML file as the sections that people see in it, so that one goes in or out and the rest stays as it was typed.

A section is a header line with what follows it, the comments right above it, and one empty line above those. Whoever
edits by sections reads the result with ``tomllib`` afterwards: a multi-line string can hold what looks like a header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

_HEADER = re.compile(r"[ \t]*(\[\[?[^\n]*?\]\]?)[ \t]*(?:#.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section.

    Attributes:
        header: e.g. ``[features]`` or ``[[hooks.PreToolUse]]``; ``""`` for what stands before the first one.
        text: all of it, comments above and the header included.
    """

    header: str
    text: str


def split(text: str) -> list[Section]:
    """The sections; their texts one after another are the file."""
    lines = text.splitlines(keepends=True)
    headers = {at: found[1] for at, line in enumerate(lines) if (found := _HEADER.fullmatch(line.rstrip("\r\n")))}
    starts = {_start(lines, at, headers): name for at, name in headers.items()}
    bounds = [0, *starts, len(lines)]
    names = ["", *starts.values()]
    return [
        Section(header=name, text="".join(lines[begin:end]))
        for name, (begin, end) in zip(names, pairwise(bounds), strict=True)
    ]


def _start(lines: list[str], header_at: int, headers: dict[int, str]) -> int:
    """Where the comments above a header begin, or the one empty line above them."""
    start = header_at
    while start > 0 and start - 1 not in headers and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start - 1 if start > 0 and not lines[start - 1].strip() else start


def joined(sections: list[Section]) -> str:
    """The file; each section begins on a line of its own."""
    text = ""
    for section in sections:
        text += "\n" if text and not text.endswith("\n") else ""
        text += section.text
    return text
