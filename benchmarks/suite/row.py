"""One row of a suite of commands, in the form that the corpora of this kind share (one JSON object a line)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypedDict

Expected = Literal["gate", "allow"]


class WireRow(TypedDict):
    """A row as it is written to a file."""

    id: str
    command: str
    expected: Expected
    category: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A command and what should become of it.

    Attributes:
        command: what the host would hand to the shell.
        expected: ``gate`` when a person should be asked, ``allow`` when it should simply run.
        category: ``family/effect``, for the list of what failed.
        written: absolute path -> content of files that the session wrote by other tools before.
    """

    command: str
    expected: Expected
    category: str
    written: dict[str, str] = field(default_factory=dict)


def wire(rows: list[Row], suite: str) -> list[WireRow]:
    """The rows in the shared form; those that need the session's earlier writes are left out, no file says them."""
    return [
        {
            "id": f"{suite}-{number:05}",
            "command": row.command,
            "expected": row.expected,
            "category": row.category,
            "source": f"askfirst benchmarks/suite/{suite}.py",
        }
        for number, row in enumerate(rows)
        if not row.written
    ]
