"""Time for entries: the wall clock, which can be changed, and the time since boot, which cannot."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

from askfirst.errors import LogError

MAX_DRIFT_US: Final = 2_000_000
"""More than this between both clocks, in microseconds, is a jump."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # without a zone: it is taken off again, and a zone costs time
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Goes on while the machine sleeps: CLOCK_BOOTTIME on Linux, on macOS CLOCK_MONOTONIC does.
_SINCE_BOOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Both clocks at one moment.

    Attributes:
        wall_us: microseconds since the Unix epoch.
        boot_us: microseconds since boot, time asleep included. Not nanoseconds: these pass 2**53, the largest integer
            that RFC 8785 allows, after 104 days.
        boot: id of this boot.
    """

    wall_us: int
    boot_us: int
    boot: str


class Clock(Protocol):
    """Where readings come from."""

    def read(self) -> Reading:
        """Both clocks now."""


class SystemClock:
    """The machine's clocks."""

    def __init__(self) -> None:
        self._boot = _boot_id()

    def read(self) -> Reading:
        """Both clocks now."""
        return Reading(
            wall_us=time.time_ns() // 1000, boot_us=time.clock_gettime_ns(_SINCE_BOOT) // 1000, boot=self._boot
        )


def drift_us(before: Reading, after: Reading) -> int:
    """By how many microseconds the wall clock was moved between two readings; positive is forward.

    Between two boots only a wall clock that went back can be told.
    """
    passed_us = after.wall_us - before.wall_us
    if before.boot == after.boot:
        return passed_us - (after.boot_us - before.boot_us)
    return min(passed_us, 0)


def _boot_id() -> str:
    """The kernel's id of this boot; where it has none, an id for this process, which compares with no other."""
    try:
        if sys.platform == "darwin":
            command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
            found = subprocess.run(command, capture_output=True, check=True, timeout=5, text=True).stdout
        else:
            found = _BOOT_ID.read_text(encoding="ascii")
        return str(uuid.UUID(found.strip()))
    except (OSError, ValueError, subprocess.SubprocessError):
        return str(uuid.uuid4())


def rfc3339(wall_us: int) -> str:
    """The moment in UTC with microseconds, e.g. ``2026-11-25T18:08:32.000000Z``.

    Raises:
        LogError: it is before 1970 or after 9999.
    """
    try:
        return f"{_second(wall_us // 1_000_000)}.{wall_us % 1_000_000:06d}Z"
    except (OverflowError, ValueError):
        raise LogError(
            f"the clock shows {wall_us} microseconds since 1970, which is no time to log; set the clock"
        ) from None


@lru_cache(maxsize=4)
def _second(wall_s: int) -> str:
    if wall_s < 0:
        raise ValueError(wall_s)
    return (_EPOCH + timedelta(seconds=wall_s)).isoformat()


def wall_us(text: str) -> int:
    """The moment of such a text in microseconds since 1970; ValueError when it is none."""
    return (datetime.fromisoformat(text.removesuffix("Z")) - _EPOCH) // timedelta(microseconds=1)
