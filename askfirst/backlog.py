"""How much waits for people, known without a count at every request.

A broker counts what waits now and then, and adds each request that it lets in: what ends meanwhile only makes this too
much. It counts again once that reaches a limit, and after five seconds in any case: where several brokers share a
database, each sees what the others let in within that time, and so much more may wait than the limit says.

A host is whatever name a caller gives: of one that agents everywhere go by, no caller may take more than half.

Whose a request is, is in the store (``askfirst.request.counted_as``): what waits of a caller is counted with the rest,
whichever broker let it in.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.recent import Recent
from askfirst.request import counted_as
from askfirst.store import waiting

if TYPE_CHECKING:
    import sqlalchemy as sa

    from askfirst.bounds import Bounds
    from askfirst.request import Request

FRESH_MS = 5_000
NAMES_MAX = 1_000
"""Hosts that are known at a time. One that comes back later is counted anew."""
_ROWS_A_MS = 20
"""A count that found a limit reached holds a millisecond for each so many rows, so that refusing costs little, too."""


@dataclass(slots=True)
class _Count:
    """Requests that wait, or more than do.

    Attributes:
        at_ms: when they were counted.
        most: of everybody.
        by: of each caller.
    """

    at_ms: int
    most: int = 0
    by: Counter[str] = field(default_factory=Counter)

    def of(self, caller: str) -> int:
        """How many there are of a caller, ``""`` for everybody."""
        return self.by[caller] if caller else self.most


class Backlog:
    """What waits in the store of one broker. It is asked and told in the writer's transactions only."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._counts: Recent[str | None, _Count] = Recent(NAMES_MAX)

    def refusal(self, connection: sa.Connection, *, host: str, caller: str, now_ms: int) -> str:
        """Why one more may not wait, or ``""``.

        Args:
            connection: the writer's.
            host: that the request names.
            caller: whose it is (``askfirst.request.counted_as``); ``""`` for the broker's own user.
            now_ms: when.
        """
        bounds = self._bounds
        most, share = bounds.pending_per_caller, (bounds.pending_per_host + 1) // 2
        if caller and self._is_full(connection, None, most, now_ms, caller):
            return f"{most} requests of {caller} wait for people already; wait for these, or withdraw some"
        if caller and self._is_full(connection, host, share, now_ms, caller):
            return f"{share} requests of {host} from {caller} wait for people already; wait for these, or withdraw some"
        if self._is_full(connection, None, bounds.pending, now_ms):
            return f"{bounds.pending} requests wait for people already; try again later"
        if self._is_full(connection, host, bounds.pending_per_host, now_ms):
            return f"{bounds.pending_per_host} requests of {host} wait for people already; try again later"
        return ""

    def add(self, request: Request) -> None:
        """One more waits, if the transaction comes to its end."""
        caller = counted_as(request.action, request.caller)
        for name in (None, request.agent.host):
            if name in self._counts:
                self._counts[name].most += 1
                self._counts[name].by[caller] += 1

    def _is_full(self, connection: sa.Connection, host: str | None, limit: int, now_ms: int, caller: str = "") -> bool:
        """Whether as many wait as may: of a host or of all, of one caller or of everybody."""
        known = self._counts.touch(host, lambda: _Count(now_ms - FRESH_MS))
        age_ms = now_ms - known.at_ms
        is_old = not 0 <= age_ms < FRESH_MS
        if is_old or (known.of(caller) >= limit and age_ms >= known.most // _ROWS_A_MS):
            bounds = self._bounds
            known.by = waiting.count(connection, bounds.pending if host is None else bounds.pending_per_host, host)
            known.most, known.at_ms = known.by.total(), now_ms
        return known.of(caller) >= limit
