"""Leases: of several brokers on one database exactly one does what only one may do, e.g. poll a bot's messages.

A lease is a session-level advisory lock, so it ends with its holder's connection, however the holder died, and another
broker takes it within ``PAUSE_S``. A broker whose connection is lost stops its work before it tries again. Where the
store is a file there is only one broker, which always has every lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import psycopg
    import sqlalchemy as sa

PAUSE_S = 1.0
"""How often a lease is tried, and its holder looks whether it still has it, seconds."""

_log = logging.getLogger(__name__)


class Leases:
    """The leases of one broker.

    Args:
        url: the database that the brokers share; None: there is only this one.
    """

    def __init__(self, url: sa.URL | None) -> None:
        self._url = url

    async def run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work whenever this broker has the lease ``name``; until the work returns, or until cancelled."""
        if self._url is None:
            await work()
            return
        import psycopg  # noqa: PLC0415  # an extra

        while True:
            try:
                if await self._run_once(name, work):
                    return
            except psycopg.OperationalError as error:
                _log.warning("no lease %s: %s", name, str(error).partition("\n")[0])
            await asyncio.sleep(PAUSE_S)

    async def _run_once(self, name: str, work: Callable[[], Awaitable[None]]) -> bool:
        """Whether the lease was had and the work came to its end."""
        import psycopg  # noqa: PLC0415

        from askfirst.store.postgres import conninfo  # noqa: PLC0415

        assert self._url is not None
        connection = await psycopg.AsyncConnection.connect(conninfo(self._url), autocommit=True)
        async with connection:
            cursor = await connection.execute("select pg_try_advisory_lock(%s)", (_number(name),))
            if await cursor.fetchone() != (True,):
                return False
            _log.info("this broker has the lease %s", name)
            doing = asyncio.ensure_future(work())
            try:
                await self._watch(connection, doing)
            finally:
                doing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await doing
            return True

    async def _watch(
        self, connection: psycopg.AsyncConnection[tuple[object, ...]], doing: asyncio.Future[None]
    ) -> None:
        """Return when the work ends; raise when the connection, and with it the lease, is lost."""
        while not doing.done():
            await asyncio.wait({doing}, timeout=PAUSE_S)
            await connection.execute("select 1")


def _number(name: str) -> int:
    """The advisory lock (64 bits) of a lease."""
    return int.from_bytes(hashlib.sha256(f"askfirst lease {name}".encode()).digest()[:8], signed=True)
