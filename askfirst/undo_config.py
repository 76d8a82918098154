"""The ``[undo]`` table of the configuration file.

Example::

    [undo]
    keep_days = 14            # how long what was kept can be put back
    snapshot_max_mb = 1024    # what one command's snapshot may hold; beyond it the card says that there is no undo
    ignored_max_mb = 256      # what ignored files may add to that; more are left out, and the card says so
    total_max_mb = 10240      # what the trash may hold; the oldest make room for new ones
    when_it_fails = "deny"    # an undo was promised and cannot be made ready: deny, or release without one
    terminal = true           # let `askfirst undo` restore for this machine's user (their agent could, too)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_MB = 1_000_000
_DAY_MS = 86_400_000


class RawUndo(BaseModel):
    """The table as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    keep_days: int = Field(default=14, ge=1, le=3_650)
    snapshot_max_mb: int = Field(default=1_024, ge=1, le=10_000_000)
    ignored_max_mb: int = Field(default=256, ge=0, le=10_000_000)
    total_max_mb: int = Field(default=10_240, ge=1, le=100_000_000)
    when_it_fails: Literal["deny", "release"] = "deny"
    terminal: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoConfig:
    """The table as the program uses it.

    Attributes:
        keep_ms: how long a snapshot lives.
        snapshot_max_bytes: what one may hold.
        ignored_max_bytes: what ignored files may add to it.
        total_max_bytes: what all of them may hold together.
        denies: whether an action is held back whose promised snapshot cannot be made.
        terminal: whether the broker's own user may undo over its unix socket.
        entries_max: files and folders in one snapshot.
        time_s: seconds that one snapshot may take.
    """

    keep_ms: int = 14 * _DAY_MS
    snapshot_max_bytes: int = 1_024 * _MB
    ignored_max_bytes: int = 256 * _MB
    total_max_bytes: int = 10_240 * _MB
    denies: bool = True
    terminal: bool = True
    entries_max: int = 200_000
    time_s: float = 120.0


def undo_config(raw: RawUndo) -> UndoConfig:
    """The table for the program."""
    return UndoConfig(
        keep_ms=raw.keep_days * _DAY_MS,
        snapshot_max_bytes=raw.snapshot_max_mb * _MB,
        ignored_max_bytes=raw.ignored_max_mb * _MB,
        total_max_bytes=raw.total_max_mb * _MB,
        denies=raw.when_it_fails == "deny",
        terminal=raw.terminal,
    )
