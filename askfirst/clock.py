"""Time and chance, handed in so that tests can hold them."""

from __future__ import annotations

import time
from typing import Protocol

from ulid import ULID


class Clock(Protocol):
    """What time it is."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000


def new_id() -> str:
    """A fresh ULID (https://github.com/ulid/spec): 26 characters that sort by time, 80 bits of them random."""
    return str(ULID())
