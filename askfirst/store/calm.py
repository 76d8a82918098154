"""Whether an event loop may wait for a transaction itself instead of handing it to another thread.

There and back costs about 100 µs, as long as a quick disk takes to sync. But a loop that waits serves nobody else, so
it waits only where the disk has been quick of late, and where work comes by itself: a crowd is done sooner in the
thread, which takes all of it into one transaction while the loop gathers the next.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

BRISK_S: Final = 0.002
"""How long a transaction may take for the loop to wait for the next."""
_CROWD_S: Final = 0.05
"""How long after a crowd the next is expected, seconds."""
_FADING: Final = 0.9
"""What a slow transaction still counts one later: after one of 50 ms the loop waits for none of the next 30."""


class Calm:
    """What a writer has seen of late.

    Args:
        now_s: a clock that only goes forward, seconds.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._slow_s = 0.0
        self._crowd_at_s = float("-inf")

    def took(self, seconds: float) -> None:
        """A piece of work alone took so long, with its commit."""
        self._slow_s = max(seconds, _FADING * self._slow_s)

    def crowded(self) -> None:
        """Several pieces of work came at once."""
        self._crowd_at_s = self._now_s()

    def is_calm(self) -> bool:
        """Whether the loop may wait for the next."""
        return self._slow_s < BRISK_S and self._now_s() - self._crowd_at_s > _CROWD_S
