"""Time and chance, handed in so that tests can hold them."""

from __future__ import annotations

import os
import threading
import time
from functools import lru_cache
from typing import Final, Protocol

_CROCKFORD: Final = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FIVE_BITS: Final = bytes(_CROCKFORD[byte & 31] for byte in range(256))
_NEXT: Final = dict(zip("0123456789ABCDEFGHJKMNPQRSTVWXY", "123456789ABCDEFGHJKMNPQRSTVWXYZ", strict=True))


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


class _Ids:
    """ULIDs that sort as they were made: within a millisecond each is the one before and one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest = ""

    def next(self, at_ms: int) -> str:
        """The next one, at this moment."""
        with self._lock:
            is_same_ms = self._newest.startswith(_moment(at_ms))
            self._newest = _after(self._newest) if is_same_ms else ulid(at_ms)
            return self._newest


_ids = _Ids()


def new_id() -> str:
    """A fresh ULID: 26 characters that sort by time, 80 bits of them random."""
    return _ids.next(time.time_ns() // 1_000_000)


def ulid(at_ms: int) -> str:
    """A ULID of this moment, milliseconds since 1970. From: https://github.com/ulid/spec."""
    return _moment(at_ms) + os.urandom(16).translate(_FIVE_BITS).decode("ascii")


@lru_cache(maxsize=4)
def _moment(at_ms: int) -> str:
    """The first ten digits of a ULID."""
    return bytes(_CROCKFORD[at_ms >> shift & 31] for shift in range(45, -1, -5)).decode("ascii")


def _after(text: str) -> str:
    """The number in these digits and one."""
    kept = text.rstrip("Z")
    return kept[:-1] + _NEXT[kept[-1]] + "0" * (len(text) - len(kept))
