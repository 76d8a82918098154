"""A broker without its listeners, for tests and benchmarks: a real store, log, writer and desk."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.bounds import Bounds
from askfirst.clock import SystemClock
from askfirst.desk import Desk
from askfirst.hub import Hub
from askfirst.store.open import open_store
from askfirst.store.statement import is_shared
from askfirst.store.writer import Writer
from askfirst.testing.bench import FakeSigner
from audit.clock import SystemClock as AuditClock
from audit.log import open_log
from audit.testing import signer_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from askfirst.clock import Clock
    from askfirst.errors import StoreError
    from askfirst.store.follow import Follower
    from askfirst.store.open import Store
    from audit.log import StoredLog
    from audit.note import Signer


@dataclass(kw_only=True)
class Core:
    """What a broker consists of, but for its listeners.

    Attributes:
        failures: what ended the writer; a real broker would have exited.
    """

    store: Store
    log: StoredLog
    clock: Clock
    writer: Writer = field(init=False)
    hub: Hub = field(default_factory=Hub)
    desk: Desk = field(init=False)
    failures: list[StoreError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.writer = Writer(self.store.engine, self.log, on_failure=self.failures.append)
        self.desk = Desk(
            writer=self.writer,
            reader=self.store.reader,
            audit=self.log,
            hub=self.hub,
            clock=self.clock,
            signer=FakeSigner(),
            bounds=Bounds(pending=10_000_000, pending_per_session=1_000_000, pending_per_host=1_000_000),
        )

    @contextlib.asynccontextmanager
    async def following(self) -> AsyncIterator[Follower]:
        """Hear of other brokers' decisions while the block runs."""
        from askfirst.store.follow import Follower  # noqa: PLC0415  # needs psycopg, an extra

        assert self.store.url is not None
        follower = Follower(url=self.store.url, reader=self.store.reader, hub=self.hub)
        task = asyncio.create_task(follower.run())
        await follower.listening.wait()
        try:
            yield follower
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def somebody_waits(self) -> None:
        """Return once somebody waits for a decision."""
        while not self.hub.waiting:  # noqa: ASYNC110  # the hub tells nobody of its waiters
            await asyncio.sleep(0)

    def close(self) -> None:
        """Write what is left, and end."""
        self.writer.close()
        self.store.reader.dispose()


def open_core(
    path: Path, url: str = "", *, may_found: bool = True, clock: Clock | None = None, signer: Signer | None = None
) -> Core:
    """A core on the SQLite file at ``path``, or on the database at ``url``."""
    store = open_store(path, url)
    with store.engine.begin() as connection:
        if is_shared(connection):
            from askfirst.store.postgres import lock_for_migration  # noqa: PLC0415  # needs psycopg, an extra

            lock_for_migration(connection)
        log = open_log(connection, signer or signer_of(1), AuditClock(), may_found=may_found)
    log.committed()
    return Core(store=store, log=log, clock=clock or SystemClock())


@contextlib.contextmanager
def core(path: Path, url: str = "", **options: object) -> Iterator[Core]:
    """The same, closed at the end."""
    made = open_core(path, url, **options)  # type: ignore[arg-type]  # the caller names them
    try:
        yield made
    finally:
        made.close()
