"""A host's settings file as it is and as it should be; written atomically, and noted for the broker's log."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.hook_notes import leave_note

if TYPE_CHECKING:
    from askfirst.paths import StatePaths


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChange:
    """What is to be done to one file.

    Attributes:
        host: registry name.
        title: the host's name for people.
        path: absolute.
        before: its text, ``""`` when there is none.
        after: the text that it should have, ``""``: no file.
    """

    host: str
    title: str
    path: Path
    before: str
    after: str

    @property
    def is_needed(self) -> bool:
        """Whether the file is not as it should be."""
        return self.before != self.after

    def diff(self) -> list[str]:
        """The change as a unified diff, line by line."""
        name = str(self.path)
        return list(difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), name, name, lineterm=""))

    def write(self) -> None:
        """Write it atomically, following a link that the person set up and keeping the file's mode and owner.

        Raises:
            OSError: it cannot be written; the file is as it was.
        """
        real = Path(os.path.realpath(self.path))
        if not self.after:
            real.unlink(missing_ok=True)
            return
        real.parent.mkdir(parents=True, exist_ok=True)
        known = real.stat() if real.exists() else None
        draft = real.with_name(f".{real.name}.askfirst")
        draft.write_text(self.after, encoding="utf-8")
        draft.chmod(self._mode(known))
        if known is not None and known.st_uid != os.geteuid():
            os.chown(draft, known.st_uid, known.st_gid)  # we are root; the file stays its owner's
        draft.replace(real)

    def note(self, paths: StatePaths, *, is_installed: bool, ours: str) -> None:
        """Leave word for the broker, which alone writes the log."""
        leave_note(
            paths,
            host=self.host,
            settings=self.path,
            content=self.after.encode(),
            is_installed=is_installed,
            ours=ours,
        )

    def _mode(self, known: os.stat_result | None) -> int:
        if known is not None:
            return known.st_mode & 0o777
        is_program = self.after.startswith("#!")
        is_for_all = self.path.is_relative_to("/etc")
        return (0o755 if is_program else 0o644) if is_for_all else (0o700 if is_program else 0o600)
