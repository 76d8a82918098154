"""Rows of commands: our own suites, and any corpus in JSON lines that a path names (none is part of the repository)."""

from __future__ import annotations

import json
import os
from pathlib import Path

from suite import agent_lines, build_lines, incidents, matrix, read_only, twins
from suite.row import Row

PATH_VARIABLE = "ASKFIRST_CORPORA"
"""Names a folder of ``*.jsonl`` files, or one such file."""
OWN = {
    "matrix": matrix.rows,
    "twins": twins.rows,
    "incidents": incidents.rows,
    "agent lines": agent_lines.rows,
    "read-only": read_only.rows,
    "build lines": build_lines.rows,
}


def own() -> dict[str, list[Row]]:
    """Our suites by name."""
    return {name: rows() for name, rows in OWN.items()}


def foreign(path: str | None) -> dict[str, list[Row]]:
    """The corpora at a path, or where the environment says; rows that their authors call arguable are left out."""
    given = path or os.environ.get(PATH_VARIABLE, "")
    if not given:
        return {}
    files = sorted(Path(given).glob("*.jsonl")) if Path(given).is_dir() else [Path(given)]
    return {file.stem: [row for line in file.read_bytes().splitlines() if (row := _row(line))] for file in files}


def _row(line: bytes) -> Row | None:
    found = json.loads(line)
    if found.get("arguable") or found["expected"] not in {"gate", "allow"}:
        return None
    return Row(command=found["command"], expected=found["expected"], category=found.get("category", ""))
