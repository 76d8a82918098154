"""Server-sent events: a page hears that what it shows has changed, and fetches itself again.

Events carry no content, only ``seen`` marks; whatever is shown passes the session check of an ordinary request. The
subscription stands before the first mark is read, so that no change falls between (I3).

From: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from askfirst.desk import Desk
    from askfirst.engine import Case

KEEPALIVE_S = 15.0
"""Seconds between comments on a silent stream; each also checks that the session still stands."""

STREAMS_MAX = 128


class Live:
    """The open streams.

    Args:
        desk: whose changes they tell.
        keepalive_s: see ``KEEPALIVE_S``.
    """

    def __init__(self, desk: Desk, keepalive_s: float = KEEPALIVE_S) -> None:
        self._desk = desk
        self._keepalive_s = keepalive_s
        self._open = 0

    def stream(
        self,
        seen: Callable[[], Awaitable[str]],
        mark: Callable[[Case], str | None],
        is_allowed: Callable[[], Awaitable[bool]],
    ) -> StreamingResponse:
        """A stream of marks that ends as soon as it is no longer allowed.

        Args:
            seen: the mark of the page as it is now.
            mark: what to tell of a change; None when it does not concern the page.
            is_allowed: whether the session still stands.

        Raises:
            HTTPException: 503, too many streams are open.
        """
        if self._open >= STREAMS_MAX:
            raise HTTPException(503, f"{STREAMS_MAX} live pages are open already; close some and reload")
        return StreamingResponse(
            self._events(seen, mark, is_allowed),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    async def _events(
        self,
        seen: Callable[[], Awaitable[str]],
        mark: Callable[[Case], str | None],
        is_allowed: Callable[[], Awaitable[bool]],
    ) -> AsyncIterator[str]:
        changes = self._desk.changes()
        upcoming = asyncio.ensure_future(anext(changes))
        self._open += 1
        try:
            await asyncio.sleep(0)  # the subscription begins with the first step of that task
            yield f"retry: 2000\nevent: seen\ndata: {await seen()}\n\n"
            while await is_allowed():
                done, _ = await asyncio.wait({upcoming}, timeout=self._keepalive_s)
                if not done:
                    yield ": still here\n\n"
                    continue
                told = mark(upcoming.result())
                upcoming = asyncio.ensure_future(anext(changes))
                if told is not None and await is_allowed():
                    yield f"event: changed\ndata: {told}\n\n"
        finally:
            self._open -= 1
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
            await changes.aclose()
