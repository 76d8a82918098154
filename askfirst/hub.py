"""Who waits for which request, inside one process: a convenience over the store, which alone knows the truth.

- A waiter registers first and reads the state afterwards, so that no decision falls between (I3).
- Subscribers (the live inbox) get every change; one that does not keep up loses its oldest changes, never the broker's
  memory, and reads the state again.
- All methods run on the event loop.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from askfirst.errors import OverloadedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from askfirst.engine import Case

_BACKLOG = 256
WAITERS_MAX = 200_000
"""Callers that may wait at once, about a kilobyte each without their connections; one more hears why it cannot."""


class Hub:
    """Waiters and subscribers."""

    def __init__(self) -> None:
        self._waiters: defaultdict[str, set[asyncio.Future[Case]]] = defaultdict(set)
        self._waiting = 0
        self._subscribers: set[asyncio.Queue[Case]] = set()
        self.on_change: Callable[[], None] = lambda: None
        """Called at every change, for whoever only needs to know that there was one."""

    @property
    def waiting(self) -> int:
        """How many callers wait."""
        return self._waiting

    def is_awaited(self, request_id: str | None = None) -> bool:
        """Whether anybody would hear of a change of this request, or, without one, of any; from any thread."""
        return bool(self._subscribers) or (bool(self._waiters) if request_id is None else request_id in self._waiters)

    def has_waiter(self, request_id: str) -> bool:
        """Whether a caller waits for this very request."""
        return request_id in self._waiters

    @property
    def following(self) -> int:
        """How many follow every change."""
        return len(self._subscribers)

    @contextmanager
    def waiter(self, request_id: str) -> Iterator[asyncio.Future[Case]]:
        """A future that completes with the next change of this request.

        Raises:
            OverloadedError: too many wait already.
        """
        if self._waiting >= WAITERS_MAX:
            raise OverloadedError(f"{WAITERS_MAX} callers wait for people already; try again later")
        self._waiting += 1
        future: asyncio.Future[Case] = asyncio.get_running_loop().create_future()
        self._waiters[request_id].add(future)
        try:
            yield future
        finally:
            self._waiting -= 1
            self._waiters[request_id].discard(future)
            if not self._waiters[request_id]:
                del self._waiters[request_id]

    @contextmanager
    def subscriber(self) -> Iterator[asyncio.Queue[Case]]:
        """A queue that gets every change from now on."""
        changes: asyncio.Queue[Case] = asyncio.Queue(_BACKLOG)
        self._subscribers.add(changes)
        try:
            yield changes
        finally:
            self._subscribers.discard(changes)

    def publish(self, case: Case) -> None:
        """Tell everybody; only after the change is on disk."""
        for future in tuple(self._waiters.get(case.request.id, ())):
            if not future.done():
                future.set_result(case)
        self.on_change()
        for changes in self._subscribers:
            if changes.full():
                changes.get_nowait()
            changes.put_nowait(case)
