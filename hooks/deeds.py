"""What hosts write down of their agents' deeds, for hosts whose files are known: see ``askfirst.silence``.

Claude Code keeps a file for each session, ``~/.claude/projects/FOLDER/SESSION.jsonl``, and writes a line when the model
calls a tool, whether or not any hook runs (measured with 2.1.197 and 2.1.332)::

    {"type": "assistant", "timestamp": "2026-11-25T21:04:01.123Z", "sessionId": "6f…",
     "message": {"content": [{"type": "tool_use", "name": "Bash", …}]}, …}
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import TYPE_CHECKING

from askfirst.silence import Deed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hooks.setup import Places

_TAIL_BYTES = 1024 * 1024
_FILES_MAX = 5_000
_GATED = frozenset({"Bash", "Write", "Edit", "MultiEdit", "NotebookEdit", "WebFetch"})
"""Tools whose calls always reach a hook when one runs; others may be refused by the host before."""


def deeds_of(host: str, since_ms: int, places: Places) -> Iterator[Deed]:
    """What this host's agents did since then; nothing for a host whose files are not known."""
    if host == "claude-code":
        folder = places.folder("CLAUDE_CONFIG_DIR", ".claude") / "projects"
        for path in _changed(folder, since_ms):
            yield from _deeds(path, since_ms)


def _changed(folder: Path, since_ms: int) -> Iterator[Path]:
    """Files of sessions that were written to since then."""
    for number, path in enumerate(folder.glob("*/*.jsonl")):
        if number >= _FILES_MAX:
            return
        try:
            if path.stat().st_mtime_ns // 1_000_000 >= since_ms:
                yield path
        except OSError:
            continue  # it went away meanwhile; one that cannot be read says nothing


def _deeds(path: Path, since_ms: int) -> Iterator[Deed]:
    for line in _tail(path):
        if b'"tool_use"' in line:
            yield from (each for each in _in_line(line, path) if each.at_ms >= since_ms)


def _in_line(line: bytes, path: Path) -> Iterator[Deed]:
    try:
        members = json.loads(line)
        at_ms = int(datetime.fromisoformat(members["timestamp"]).timestamp() * 1000)
        called = [each["name"] for each in members["message"]["content"] if each["type"] == "tool_use"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return  # a line of another kind, or one that is still being written
    for tool in called:
        if tool in _GATED:
            yield Deed(host="claude-code", session=path.stem, tool=tool, at_ms=at_ms, path=str(path))


def _tail(path: Path) -> list[bytes]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            return file.read(_TAIL_BYTES).splitlines()
    except OSError:
        return []
