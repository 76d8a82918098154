"""How much waits for people, known without a count at every request.

A broker counts what waits now and then, and adds each request that it lets in: what ends meanwhile only makes this too
much. It counts again once that reaches a limit, and after five seconds in any case: where several brokers share a
database, each sees what the others let in within that time, and so much more may wait than the limit says.

A host is whatever name a caller gives: of one that agents everywhere go by, no caller may take more than half.

Who has made a request is in no column of the store. For each caller the ids that this broker let in are kept; those
that have ended are taken out once there are as many as may be. A broker that is started anew begins with none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.recent import Recent
from askfirst.store import waiting

if TYPE_CHECKING:
    import sqlalchemy as sa

    from askfirst.bounds import Bounds
    from askfirst.request import Request

FRESH_MS = 5_000
NAMES_MAX = 1_000
"""Hosts, and callers, that are known at a time. One that comes back later is counted anew."""
_ROWS_A_MS = 20
"""A count that found a limit reached holds a millisecond for each so many rows, so that refusing costs little, too."""


@dataclass(slots=True)
class _Count:
    """Requests that wait, or more than do; ``at_ms``: when they were counted."""

    most: int
    at_ms: int


@dataclass(slots=True)
class _Made:
    """Ids of the requests of one caller, by host; ``at_ms``: when those that have ended were last taken out."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    count: int = 0
    at_ms: int = 0

    def add(self, request: Request) -> None:
        self.ids.setdefault(request.agent.host, []).append(request.id)
        self.count += 1

    def take_out_ended(self, connection: sa.Connection, now_ms: int) -> None:
        still = set(waiting.still(connection, [each for ids in self.ids.values() for each in ids]))
        left = {host: [each for each in ids if each in still] for host, ids in self.ids.items()}
        self.ids = {host: ids for host, ids in left.items() if ids}
        self.count, self.at_ms = len(still), now_ms


class Backlog:
    """What waits in the store of one broker. It is asked and told in the writer's transactions only."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._counts: Recent[str | None, _Count] = Recent(NAMES_MAX)
        self._made: Recent[str, _Made] = Recent(NAMES_MAX)

    def refusal(self, connection: sa.Connection, *, host: str, caller: str, now_ms: int) -> str:
        """Why one more may not wait, or ``""``.

        Args:
            connection: the writer's.
            host: that the request names.
            caller: who makes it, or the machine that it comes from; ``""`` for the broker's own user.
            now_ms: when.
        """
        bounds = self._bounds
        if caller and (refusal := self._refusal_of_caller(connection, host, caller, now_ms)):
            return refusal
        if self._is_full(connection, None, bounds.pending, now_ms):
            return f"{bounds.pending} requests wait for people already; try again later"
        if self._is_full(connection, host, bounds.pending_per_host, now_ms):
            return f"{bounds.pending_per_host} requests of {host} wait for people already; try again later"
        return ""

    def add(self, request: Request, caller: str) -> None:
        """One more waits, if the transaction comes to its end."""
        for name in (None, request.agent.host):
            if name in self._counts:
                self._counts[name].most += 1
        if caller:
            self._made.touch(caller, _Made).add(request)

    def _is_full(self, connection: sa.Connection, host: str | None, limit: int, now_ms: int) -> bool:
        """Whether as many wait as may, of a host or of all."""
        known = self._counts.touch(host, lambda: _Count(limit, now_ms - FRESH_MS))
        age_ms = now_ms - known.at_ms
        is_old = not 0 <= age_ms < FRESH_MS
        if is_old or (known.most >= limit and age_ms >= limit // _ROWS_A_MS):
            known.most, known.at_ms = waiting.count(connection, limit, host), now_ms
        return known.most >= limit

    def _refusal_of_caller(self, connection: sa.Connection, host: str, caller: str, now_ms: int) -> str:
        most, share = self._bounds.pending_per_caller, (self._bounds.pending_per_host + 1) // 2
        made = self._made.touch(caller, _Made)
        is_full = made.count >= most or len(made.ids.get(host, ())) >= share
        if is_full and not 0 <= now_ms - made.at_ms < made.count // _ROWS_A_MS:
            made.take_out_ended(connection, now_ms)
        if made.count >= most:
            return f"{most} requests of {caller} wait for people already; wait for these, or withdraw some"
        if len(made.ids.get(host, ())) >= share:
            return f"{share} requests of {host} from {caller} wait for people already; wait for these, or withdraw some"
        return ""
