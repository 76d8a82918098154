"""Outgoing webhooks: every change, in order, signed as https://www.standardwebhooks.com says.

An endpoint is told what the log says, entry by entry, with the request as it stands. How far it was told is in the
store: nothing is left out over restarts, and after a crash the last message may come twice, under the same
``webhook-id``. One that does not answer is tried again with growing pauses and holds up nobody but itself; the log says
when it began.
"""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from askfirst import log_feed
from askfirst.audit_port import Actor, Entry, EntryType
from askfirst.broker import shown
from askfirst.errors import RequestNotFoundError
from askfirst.store import inbox
from askfirst.store.reading import read

if TYPE_CHECKING:
    import sqlalchemy as sa

    from askfirst.clock import Clock
    from askfirst.desk import Desk
    from askfirst.notify_config import Endpoint
    from askfirst.store.writer import Writer

IDLE_S = 1.0
TIMEOUT_S = 15.0
PAUSE_FIRST_S = 1.0
PAUSE_MAX_S = 600.0
_log = logging.getLogger(__name__)


class Notifier:
    """Tells one endpoint.

    Args:
        endpoint: whom.
        desk: requests as they stand.
        writer: keeps how far it was told.
        reader: a read-only engine of the same store.
        clock: dates the messages.
        idle_s: how often the log is looked at, seconds.
        pause_first_s: the pause after a first failure, seconds; it doubles up to ``PAUSE_MAX_S``.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        desk: Desk,
        writer: Writer,
        reader: sa.Engine,
        clock: Clock,
        idle_s: float = IDLE_S,
        pause_first_s: float = PAUSE_FIRST_S,
    ) -> None:
        self._endpoint = endpoint
        self._desk = desk
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._idle_s = idle_s
        self._pause_first_s = pause_first_s
        self._cursor = f"notify {endpoint.name}"

    async def run(self) -> None:
        """Tell until cancelled."""
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as http:
            following = await self.begin()
            while True:
                batch = await log_feed.entries(self._reader, following)
                for index, entry in batch:
                    if self._endpoint.wants(str(entry.get("type", ""))):
                        await self._told(http, index, entry)
                        await self._keep(index + 1)
                    following = index + 1
                if not batch:
                    await asyncio.sleep(self._idle_s)

    async def begin(self) -> int:
        """Index of the entry that is told next; an endpoint that is new hears of what comes, not of the past."""
        kept = await read(self._reader, lambda connection: inbox.cursor(connection, self._cursor))
        if kept:
            return int(kept)
        size = await log_feed.size(self._reader)
        await self._keep(size)
        return size

    async def _keep(self, following: int) -> None:
        await self._writer.write(lambda connection: inbox.move_cursor(connection, self._cursor, str(following)))

    async def _told(self, http: httpx.AsyncClient, index: int, entry: dict[str, Any]) -> None:
        """Return once the endpoint has taken this entry, however long that takes."""
        pause_s, failed = self._pause_first_s, False
        while (problem := await self._post(http, index, entry)) is not None:
            if not failed:
                await self._desk.note(self._failure(problem, index))
                failed = True
            _log.warning("%s was not told of entry %d: %s", self._endpoint.name, index, problem)
            await asyncio.sleep(pause_s)
            pause_s = min(PAUSE_MAX_S, 2 * pause_s)

    async def _post(self, http: httpx.AsyncClient, index: int, entry: dict[str, Any]) -> str | None:
        """Why the endpoint did not take it, or None."""
        from standardwebhooks.webhooks import Webhook  # noqa: PLC0415  # only where something is configured

        body = json.dumps(await self._message(index, entry), ensure_ascii=False, separators=(",", ":"))
        now = datetime.fromtimestamp(self._clock.now_ms() // 1000, UTC)
        message_id = f"log_{index}"
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self._endpoint.secret).sign(message_id, now, body),
        }
        try:
            async with http.stream("POST", self._endpoint.url, content=body.encode(), headers=headers) as answer:
                return None if answer.is_success else f"it answered {answer.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"{type(error).__name__}: {error}"[:200]

    async def _message(self, index: int, entry: dict[str, Any]) -> dict[str, Any]:
        data: dict[str, Any] = {"index": index, "entry": entry}
        if request_id := entry.get("req"):
            try:
                case = await self._desk.case(str(request_id))
            except RequestNotFoundError:  # of an entry that a newer release wrote, or that was forged
                case = None
            if case is not None:
                data["request"] = shown.case_out(case).model_dump()
        return {"type": entry["type"], "timestamp": entry.get("t", ""), "data": data}

    def _failure(self, problem: str, index: int) -> Entry:
        return Entry(
            type=EntryType.CHANNEL_FAILED,
            actor=Actor(type="system", id="broker", channel="notify"),
            data={"recipient": f"notify:{self._endpoint.name}", "kind": "event", "cause": problem, "entry": index},
        )
