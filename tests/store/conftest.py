"""Brokers' cores over one store, each with a real log, as `askfirst.assembly` puts them together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from askfirst.clock import SystemClock
from askfirst.desk import Desk
from askfirst.hub import Hub
from askfirst.store.follow import Follower
from askfirst.store.locking import is_shared
from askfirst.store.open import Store, open_store
from askfirst.store.postgres import lock_for_migration
from askfirst.store.writer import Writer
from askfirst.testing.postgres import server
from audit.clock import SystemClock as AuditClock
from audit.log import StoredLog, open_log
from audit.testing import signer_of


@dataclass
class Peer:
    """One broker without its listeners."""

    store: Store
    log: StoredLog
    writer: Writer
    hub: Hub
    desk: Desk
    clock: Any
    failures: list[Exception]

    async def somebody_waits(self) -> None:
        while not self.hub.waiting:  # noqa: ASYNC110  # the hub tells nobody of its waiters
            await asyncio.sleep(0)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[Follower]:
        assert self.store.url is not None
        follower = Follower(url=self.store.url, reader=self.store.reader, hub=self.hub)
        task = asyncio.create_task(follower.run())
        await follower.listening.wait()
        try:
            yield follower
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def open_peer(path: Path, url: str, *, may_found: bool = True, clock: Any = None) -> Peer:
    store = open_store(path, url)
    with store.engine.begin() as connection:
        if is_shared(connection):
            lock_for_migration(connection)
        log = open_log(connection, signer_of(1), AuditClock(), may_found=may_found)
    log.committed()
    failures: list[Exception] = []
    writer = Writer(store.engine, log, on_failure=failures.append)
    hub, clock = Hub(), clock or SystemClock()
    desk = Desk(writer=writer, reader=store.reader, audit=log, hub=hub, clock=clock)
    return Peer(store, log, writer, hub, desk, clock, failures)


@contextmanager
def peer(path: Path, url: str, **options: Any) -> Iterator[Peer]:
    made = open_peer(path, url, **options)
    try:
        yield made
    finally:
        made.writer.close()
        made.store.reader.dispose()


@pytest.fixture
def peers(tmp_path: Path, postgres: Any) -> Iterator[Callable[[], Peer]]:
    """Makes brokers that share one database."""
    url = postgres.create()
    with ExitStack() as stack:
        yield lambda: stack.enter_context(peer(tmp_path / "unused.db", url))
    postgres.drop(url)


@pytest.fixture
def make_peer(tmp_path: Path, store_url: str) -> Iterator[Callable[..., Peer]]:
    """Opens a broker on this test's store, of either kind; on a file only one at a time."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(peer(tmp_path / "askfirst.db", store_url, **options))


@pytest.fixture
def own_server() -> Iterator[Any]:
    """A server of this test alone, which may be killed."""
    with server() as made:
        yield made


@pytest.fixture
def peer_on(tmp_path: Path) -> Iterator[Callable[[str], Peer]]:
    """Opens a broker on the database at a URL."""
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(peer(tmp_path / "unused.db", url))
