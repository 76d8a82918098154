"""Settings files as they were before our hooks came in, byte for byte, so that they can be that again.

Hosts' JSON is written anew when our hooks are put in, in one layout; the person's own comes back with the file that is
kept here. Where they have changed something else meanwhile their change counts, and the layout is ours.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.paths import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.paths import StatePaths
    from askfirst.settings_change import SettingsChange


def keep(paths: StatePaths, change: SettingsChange) -> None:
    """Keep the file as it is before this change puts our hooks in."""
    if not change.before:
        return
    paths.originals.mkdir(mode=0o700, exist_ok=True)
    write_private(_file(paths, change.path), change.before.encode("utf-8", "surrogateescape"))


def restored(paths: StatePaths, change: SettingsChange) -> SettingsChange:
    """The change that takes our hooks out; to the very bytes from before, where nothing else has changed since."""
    if not change.is_needed:
        return change
    try:
        original = _file(paths, change.path).read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return change
    return replace(change, after=original) if _says_the_same(original, change.after) else change


def forget(paths: StatePaths, change: SettingsChange) -> None:
    """The hooks are out, so the file is the person's own again."""
    _file(paths, change.path).unlink(missing_ok=True)


def _file(paths: StatePaths, path: Path) -> Path:
    return paths.originals / hashlib.sha256(os.fsencode(path)).hexdigest()


def _says_the_same(original: str, after: str) -> bool:
    try:
        before, now = json.loads(original), json.loads(after or "{}")
    except (ValueError, RecursionError):
        return original == after
    return bool(before == now)
