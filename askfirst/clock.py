"""Time and chance, handed in so that tests can hold them."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Final, Protocol

_RANDOM_BITS: Final = 80
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = [high + low for high in _CROCKFORD for low in _CROCKFORD]
_SHIFTS: Final = range(120, -1, -10)


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
        self._newest = 0

    def next(self, at_ms: int) -> str:
        """The next one, at this moment."""
        with self._lock:
            is_same_ms = self._newest >> _RANDOM_BITS == at_ms
            self._newest = self._newest + 1 if is_same_ms else at_ms << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
            number = self._newest
        return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


_ids = _Ids()


def new_id() -> str:
    """A fresh ULID (https://github.com/ulid/spec): 26 characters that sort by time, 80 bits of them random."""
    return _ids.next(time.time_ns() // 1_000_000)
