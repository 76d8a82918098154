"""What other brokers write, told to whoever waits at this one.

The log is the feed: every change appends an entry in its own transaction, and entries are numbered in the order of
their commits. So reading on from the last number misses nothing, however long this broker slept or the database was
away. NOTIFY only says when to look; without it a look comes every ``SWEEP_S``.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa

from askfirst.errors import RequestNotFoundError, StoreAwayError
from askfirst.store import records
from askfirst.store.postgres import conninfo
from askfirst.store.schema import audit, tree
from askfirst.store.writer import CHANNEL

if TYPE_CHECKING:
    from askfirst.engine import Case
    from askfirst.hub import Hub

SWEEP_S = 5.0
_PAUSE_MAX_S = 2.0
_PAGE = 1000
_log = logging.getLogger(__name__)


class Follower:
    """Publishes to a hub what is appended to the log of a shared database.

    Args:
        url: the database; one connection is kept that listens.
        reader: a read-only engine of it.
        hub: who waits in this process.
    """

    def __init__(self, *, url: sa.URL, reader: sa.Engine, hub: Hub) -> None:
        self._url = url
        self._reader = reader
        self._hub = hub
        self._next: int | None = None
        self.listening = asyncio.Event()
        """Set once what is written from then on will be seen."""

    async def run(self) -> None:
        """Follow until cancelled; a database that goes away is waited for."""
        pause_s = 0.05
        while True:
            try:
                await self._listen()
            except (psycopg.OperationalError, StoreAwayError) as error:
                _log.warning("cannot follow the other brokers: %s", str(error).partition("\n")[0])
                await asyncio.sleep(pause_s)
                pause_s = min(_PAUSE_MAX_S, 2 * pause_s)

    async def _listen(self) -> None:
        """Listen first, then read: what is written in between is seen twice, never not at all."""
        connection = await psycopg.AsyncConnection.connect(conninfo(self._url), autocommit=True)
        async with connection:
            await connection.execute(f"listen {CHANNEL}".encode())
            while True:
                await self.catch_up()
                self.listening.set()
                async for _ in connection.notifies(timeout=SWEEP_S, stop_after=1):
                    pass

    async def catch_up(self) -> None:
        """Publish what was appended since the last time, as far as anybody here waits for it."""
        while True:
            cases, is_last = await asyncio.to_thread(self._read)
            for case in cases:
                self._hub.publish(case)
            if is_last:
                return

    def _read(self) -> tuple[list[Case], bool]:
        with self._reader.connect() as connection:
            if self._next is None or not self._hub.is_awaited():
                self._next = connection.scalar(sa.select(tree.c.size)) or 0
                return [], True
            rows = connection.execute(_ENTRIES, {"start": self._next}).all()
            ids = dict.fromkeys(_request_of(row.body) for row in rows)
            cases = [_case(connection, each) for each in ids if each and self._hub.is_awaited(each)]
        if rows:
            self._next = rows[-1].seq + 1
        return [case for case in cases if case is not None], len(rows) < _PAGE


_ENTRIES = (
    sa.select(audit.c.seq, audit.c.body).where(audit.c.seq >= sa.bindparam("start")).order_by(audit.c.seq).limit(_PAGE)
)


def _case(connection: sa.Connection, request_id: str) -> Case | None:
    try:
        return records.read(connection, request_id)
    except RequestNotFoundError:
        return None


def _request_of(body: bytes) -> str:
    """The request that an entry is about, ``""`` when about none."""
    return str(json.loads(body).get("req", ""))
