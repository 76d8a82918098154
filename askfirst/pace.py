"""How fast something may happen: token buckets, one for all or one for each key. Pure but for what they remember."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Collection

    from askfirst.ports import Rate


class Bucket:
    """Full at first; each act takes a token, and tokens come back with time.

    Args:
        rate: how many at once, and how many a second after that.
        now_ms: when it is made.
    """

    def __init__(self, rate: Rate, now_ms: int) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._at_ms = now_ms

    def wait_ms(self, now_ms: int) -> int:
        """How long until the next act may happen, milliseconds; 0: now."""
        self._fill(now_ms)
        lacking = 1 - self._tokens
        return 0 if lacking <= 0 else int(lacking * 1000 / self._rate.per_s) + 1

    def take(self, now_ms: int) -> None:
        """It happens."""
        self._fill(now_ms)
        self._tokens -= 1

    def _fill(self, now_ms: int) -> None:
        passed_ms = max(0, now_ms - self._at_ms)  # a clock that was set back gives nothing and takes nothing
        self._at_ms = now_ms
        self._tokens = min(float(self._rate.burst), self._tokens + passed_ms * self._rate.per_s / 1000)


class Buckets:
    """One bucket for each key; of too many keys, the one that was quiet longest is forgotten.

    Args:
        rate: of each.
        keys_max: how many are remembered.
    """

    def __init__(self, rate: Rate, keys_max: int = 1024) -> None:
        self._rate = rate
        self._buckets: Recent[str, Bucket] = Recent(keys_max)

    def of(self, key: str, now_ms: int) -> Bucket:
        """The bucket of this key."""
        return self._buckets.touch(key, lambda: Bucket(self._rate, now_ms))


def take_each(buckets: Collection[Bucket], now_ms: int) -> bool:
    """Whether what is bounded by each of these may happen now; then it does."""
    if any(each.wait_ms(now_ms) for each in buckets):
        return False
    for each in buckets:
        each.take(now_ms)
    return True
