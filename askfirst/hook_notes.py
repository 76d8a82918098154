"""Notes of what was done to hosts' settings files, left by our commands for the broker, which alone writes the log.

One JSON file each in the state folder, so that ``askfirst hook install`` needs no running broker and nothing is lost
when none runs. The broker takes a note away after its entry is on disk; a crash in between logs it twice, never not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.canonical import sha256_hex
from askfirst.clock import new_id
from askfirst.paths import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.paths import StatePaths

_NOTES_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class HookNote:
    """Our hooks were put into a settings file, or taken out of it.

    Attributes:
        path: of the note.
        host: registry name.
        settings: absolute path of the settings file.
        sha256: of that file as it was left.
        is_installed: whether the hooks are in it.
        ours: fingerprint of what of it is ours.
    """

    path: Path
    host: str
    settings: str
    sha256: str
    is_installed: bool
    ours: str = ""


def leave_note(
    paths: StatePaths, *, host: str, settings: Path, content: bytes, is_installed: bool, ours: str = ""
) -> None:
    """Leave a note for the broker."""
    paths.hook_notes.mkdir(mode=0o700, exist_ok=True)
    note = {
        "host": host,
        "settings": str(settings),
        "sha256": sha256_hex(content),
        "is_installed": is_installed,
        "ours": ours,
    }
    write_private(paths.hook_notes / f"{new_id()}.json", json.dumps(note).encode())


def waiting_notes(paths: StatePaths) -> list[HookNote]:
    """What was left, oldest first; a file that is no note is passed over and stays."""
    if not paths.hook_notes.is_dir():
        return []
    found = (_read(path) for path in sorted(paths.hook_notes.glob("*.json"))[:_NOTES_MAX])
    return [note for note in found if note is not None]


def _read(path: Path) -> HookNote | None:
    try:
        members = json.loads(path.read_bytes())
        return HookNote(
            path=path,
            host=str(members["host"])[:100],
            settings=str(members["settings"])[:4096],
            sha256=str(members["sha256"])[:64],
            is_installed=bool(members["is_installed"]),
            ours=str(members.get("ours", ""))[:64],
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
