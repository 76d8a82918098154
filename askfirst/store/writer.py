"""The one writer: a thread that gathers what is waiting into one transaction and commits it once.

- Whoever submits work hears of it only after the commit is on disk; an ``allow`` can rest on it.
- One piece of work that fails does not hurt its neighbours: what was gathered is rolled back with all that it appended
  to the log, and done again with a savepoint around each. So work may run more than once, and counts only when its
  transaction is committed.
- A commit that fails is nobody's success. A store of our own is then in doubt, so the writer stops and says so: the
  broker exits and every gate closes (an fsync error must not be retried, https://wiki.postgresql.org/wiki/Fsync_Errors).
- A database that several brokers share may go away and come back. Until it is back everything is refused at once; what
  was under way is in doubt, so its callers hear an error and ask again under the same key.
- What another broker is at, is tried again in the next transaction, for ``BUSY_MAX_S`` at most.
- The queue is bounded; beyond it work is refused at once.
- A store of our own is tidied (SQLite's checkpoint) after the answers of a transaction and not inside one: nobody waits
  for it but who comes next.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import sqlalchemy as sa

from askfirst.errors import Error, OverloadedError, StoreAwayError, StoreError
from askfirst.store.locking import BusyError
from askfirst.store.schema import tree
from askfirst.store.statement import SHARED

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.audit_port import AuditLog

BATCH_MAX = 256
"""Pieces of work in one transaction; more only lengthen the wait of the first (measured: docs/sizing.md)."""
BUSY_MAX_S = 10.0
"""How long a piece of work may find another broker at its request, seconds."""
CHECKPOINT_EVERY = 64
"""Pieces of work between two checkpoints: about as many pages as SQLite itself lets come together, a thousand."""
CHANNEL = "askfirst"
"""The NOTIFY channel that wakes the other brokers; what changed stands in the log."""

_BUSY_PAUSE_S = 0.002
_AWAY_PAUSE_S = 0.05
_AWAY_PAUSE_MAX_S = 2.0
_BUSY_STATES = {"55P03", "40P01", "40001"}
"""lock_not_available, deadlock_detected, serialization_failure.
From: https://www.postgresql.org/docs/15/errcodes-appendix.html"""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Job(Generic[_T]):
    """Work, and who waits for it: a thread, or a task of this event loop."""

    work: Callable[[sa.Connection], _T]
    future: Future[_T] | asyncio.Future[_T]
    loop: asyncio.AbstractEventLoop | None = None
    since_s: float = field(default_factory=time.monotonic)


_Result: TypeAlias = "tuple[_Job[object], object, Exception | None]"


class _WorkFailed(Exception):  # noqa: N818  # never leaves this module
    """Some work of a transaction has failed; its cause is the error."""


class Writer:
    """Serialises all writes of one process.

    Args:
        engine: the writing engine.
        audit: the log that every transaction is sealed with.
        queue_max: pieces of work that may wait.
        on_failure: called once, from the writer's thread, when the store is in doubt.
    """

    def __init__(
        self,
        engine: sa.Engine,
        audit: AuditLog,
        *,
        queue_max: int = 10_000,
        on_failure: Callable[[StoreError], None] = lambda _error: None,
    ) -> None:
        self._engine = engine
        self._audit = audit
        self._queue: queue.SimpleQueue[_Job[object] | None] = queue.SimpleQueue()
        self._queue_max = queue_max
        self._untidied = 0
        self._on_failure = on_failure
        self._failed: StoreError | None = None
        self._away: StoreAwayError | None = None
        self._busy: list[_Job[object]] = []
        self._closing = threading.Event()
        self.is_shared: bool = bool(engine.get_execution_options().get(SHARED))
        """Whether other brokers write the same database."""
        self._thread = threading.Thread(target=self._run, name="askfirst-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[sa.Connection], _T]) -> _T:
        """``submit`` for the event loop, which is woken once for all work of a transaction."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        self._put(_Job(work, future, loop))
        return await future

    def submit(self, work: Callable[[sa.Connection], _T]) -> Future[_T]:
        """Run ``work`` inside the next transaction, and again if that is rolled back because of others' work.

        Returns:
            a future that completes after the commit, with the work's result or its error.

        Raises:
            OverloadedError: too much is waiting.
            StoreError: the writer has stopped, or the database is away.
        """
        future = Future[_T]()
        self._put(_Job(work, future))
        return future

    def _put(self, job: _Job[_T]) -> None:
        if (refusal := self._failed or self._away) is not None:
            raise refusal
        if self._queue.qsize() >= self._queue_max:  # threads that come at the same moment may each add one
            raise OverloadedError(f"{self._queue_max} writes are waiting; try again later")
        self._queue.put(job)  # type: ignore[arg-type]  # a future of T serves as one of object here

    def close(self) -> None:
        """Finish what is waiting, then stop."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join()
        self._engine.dispose()

    def _run(self) -> None:
        connection: sa.Connection | None = None
        last = False
        while not last:
            batch, last = self._next_batch()
            if (refusal := self._failed or self._away) is not None:
                _refuse(batch, refusal)
                continue
            if connection is None:
                connection = self._connect(batch)
            if connection is not None and batch:
                connection = self._commit(connection, batch)
            if connection is not None and self._untidied >= CHECKPOINT_EVERY:
                connection = self._checkpoint(connection)
        _refuse(self._busy, StoreError("the broker is stopping"))
        if connection is not None:
            connection.close()

    def _connect(self, batch: list[_Job[object]]) -> sa.Connection | None:
        try:
            return self._engine.connect()
        except Exception as error:  # noqa: BLE001  # whatever it is, nothing can be written
            return self._broke(error, batch)

    def _next_batch(self) -> tuple[list[_Job[object]], bool]:
        """What waits, with what was busy before; and whether it is the last."""
        batch, self._busy = self._busy, []
        try:
            job = self._queue.get(timeout=_BUSY_PAUSE_S) if batch else self._queue.get()
        except queue.Empty:
            return batch, False
        while job is not None:
            if _is_wanted(job):
                batch.append(job)
            if len(batch) >= BATCH_MAX:
                return batch, False
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, connection: sa.Connection, batch: list[_Job[object]]) -> sa.Connection | None:
        try:
            results = self._together(connection, batch) or self._apart(connection, batch)
        except Exception as error:  # noqa: BLE001  # whatever it is, nothing of this is on disk: never believed
            self._audit.rolled_back()
            return self._broke(error, batch, connection)
        self._audit.committed()
        self._untidied += 0 if self.is_shared else len(batch)
        answers: list[_Result] = []
        for job, result, refusal in results:
            if isinstance(refusal, BusyError) and time.monotonic() - job.since_s < BUSY_MAX_S:
                self._busy.append(job)
            else:
                answers.append((job, result, refusal))
        _answer(answers)
        return connection

    def _checkpoint(self, connection: sa.Connection) -> sa.Connection | None:
        """Bring what is committed from SQLite's WAL into the database file, as far as no reader needs it."""
        self._untidied = 0
        try:
            connection.connection.cursor().execute("pragma wal_checkpoint(passive)")  # in no transaction
        except Exception as error:  # noqa: BLE001  # a disk that fails: what was answered is in the WAL, nothing more is
            return self._broke(error, [], connection)
        return connection

    def _together(self, connection: sa.Connection, batch: list[_Job[object]]) -> list[_Result] | None:
        """Do everything in one transaction without savepoints, which cost a third; None when some work fails."""
        try:
            with connection.begin():
                results: list[_Result] = []
                for job in batch:
                    try:
                        results.append((job, job.work(connection), None))
                    except Exception as error:
                        if _is_fatal(error):
                            raise
                        raise _WorkFailed from error
                self._seal(connection)
        except _WorkFailed:
            self._audit.rolled_back()
            return None
        return results

    def _apart(self, connection: sa.Connection, batch: list[_Job[object]]) -> list[_Result]:
        """The same with a savepoint around each piece of work."""
        with connection.begin():
            results = [self._attempt(connection, job) for job in batch]
            self._seal(connection)
        return results

    def _seal(self, connection: sa.Connection) -> None:
        before = self._audit.head
        if self._audit.seal(connection) is not before and self.is_shared:
            connection.exec_driver_sql(f"notify {CHANNEL}")

    def _attempt(self, connection: sa.Connection, job: _Job[object]) -> _Result:
        mark = self._audit.mark()
        savepoint = connection.begin_nested()
        try:
            result = job.work(connection)
            savepoint.commit()
        except Exception as error:  # handed to whoever submitted it, unless nothing can be written any more
            if _is_fatal(error):
                raise
            savepoint.rollback()
            self._audit.rewind(mark)
            return job, None, _refusal(error)
        return job, result, None

    def _broke(
        self, error: Exception, batch: list[_Job[object]], connection: sa.Connection | None = None
    ) -> sa.Connection | None:
        """Refuse the batch; a shared database is waited for, and the connection to it when it is back is returned."""
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
        if self.is_shared and isinstance(error, sa.exc.DBAPIError):
            return self._await(str(cause).strip().partition("\n")[0], batch, connection)
        _log.error("the store failed", exc_info=error)
        self._failed = StoreError(f"the store cannot be written: {cause}")
        _refuse(batch, self._failed)
        self._on_failure(self._failed)
        return connection

    def _await(self, cause: str, batch: list[_Job[object]], connection: sa.Connection | None) -> sa.Connection | None:
        """Try to reach the database again, ever more rarely; None when the writer is closed meanwhile."""
        _log.warning("the database is away: %s", cause)
        self._away = StoreAwayError(f"the database is away, nothing can be written: {cause}")
        _refuse(batch, self._away)
        if connection is not None:
            connection.invalidate()
            connection.close()
        pause_s = _AWAY_PAUSE_S
        while not self._closing.wait(pause_s):
            back = self._reach()
            if back is not None:
                _log.warning("the database is back")
                self._away = None
                return back
            pause_s = min(_AWAY_PAUSE_MAX_S, 2 * pause_s)
        return None

    def _reach(self) -> sa.Connection | None:
        """A connection on which something can be written."""
        try:
            connection = self._engine.connect()
        except sa.exc.DBAPIError:
            return None
        try:
            with connection.begin():
                connection.execute(sa.select(tree.c.one).with_for_update(skip_locked=True)).all()
        except sa.exc.DBAPIError:
            connection.close()
            return None
        return connection


def _is_fatal(error: Exception) -> bool:
    """Whether nothing can be written any more: the disk is full or failing, or the connection is lost."""
    if isinstance(error, sa.exc.OperationalError) and not _is_busy(error):
        return True
    return isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated


def _is_busy(error: sa.exc.DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _BUSY_STATES


def _is_wanted(job: _Job[object]) -> bool:
    """Whether somebody still waits; from here on nobody can cancel it."""
    return job.future.set_running_or_notify_cancel() if isinstance(job.future, Future) else not job.future.cancelled()


def _refuse(batch: list[_Job[object]], error: StoreError) -> None:
    _answer([(job, None, error) for job in batch])


def _answer(answers: list[_Result]) -> None:
    """Tell whoever waits; each event loop is woken once."""
    loops: dict[asyncio.AbstractEventLoop, list[_Result]] = {}
    for answer in answers:
        loop = answer[0].loop
        if loop is None:
            _resolve([answer])
        else:
            loops.setdefault(loop, []).append(answer)
    for loop, its in loops.items():
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits there any more
            loop.call_soon_threadsafe(_resolve, its)


def _resolve(answers: list[_Result]) -> None:
    for job, result, refusal in answers:
        if job.future.done():
            continue  # a task that was cancelled
        if refusal is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(refusal)


def _refusal(error: Exception) -> Exception:
    """What the submitter hears of it."""
    if isinstance(error, sa.exc.DBAPIError) and _is_busy(error):
        return BusyError("another broker is at this request; try again")
    if isinstance(error, Error | sa.exc.IntegrityError):
        return error
    _log.error("a write failed", exc_info=error)
    wrapped = StoreError(f"a write failed: {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped
