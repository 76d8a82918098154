"""The one writer: a thread that gathers what is waiting into one transaction and commits it once.

- A brief piece of work that comes alone, to an idle writer of our own store, is done on the spot, by its event loop's
  thread: to the writer's thread and back costs about as much as the work (``askfirst.store.calm`` says when that holds
  up nobody). At most one in a turn of the loop: what else comes in that turn waits for its end, so the loop goes on.
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
import logging
import queue
import threading
import time
from concurrent.futures import Future
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from askfirst.errors import OverloadedError, StoreAwayError, StoreError
from askfirst.store.calm import Calm
from askfirst.store.job import Job, Result, answer, answer_here, is_busy, refusal_of, refuse
from askfirst.store.locking import BusyError
from askfirst.store.schema import tree
from askfirst.store.statement import SHARED, Statement, settle

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

_NOTIFY = Statement(sa.text(f"notify {CHANNEL}"))
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class _Signal(Enum):
    """What stands in the queue between pieces of work."""

    TIDY = auto()
    LAST = auto()


class _WorkFailed(Exception):  # noqa: N818  # never leaves this module
    """Some work of a transaction has failed; its cause is the error."""


class Writer:
    """Serialises all writes of one process.

    Args:
        engine: the writing engine.
        audit: the log that every transaction is sealed with.
        queue_max: pieces of work that may wait.
        on_failure: called once, from whatever thread was writing, when the store is in doubt.
        calm: when an event loop waits for a transaction itself.
    """

    def __init__(
        self,
        engine: sa.Engine,
        audit: AuditLog,
        *,
        queue_max: int = 10_000,
        on_failure: Callable[[StoreError], None] = lambda _error: None,
        calm: Calm | None = None,
    ) -> None:
        self._engine = engine
        self._audit = audit
        self._queue: queue.SimpleQueue[Job[object] | _Signal] = queue.SimpleQueue()
        self._queue_max = queue_max
        self._gathered: dict[asyncio.AbstractEventLoop, list[Job[object]]] = {}
        """What has come since the first brief work of this turn of an event loop."""
        self._calm = calm or Calm()
        self._at_work = threading.Lock()
        self._connection: sa.Connection | None = None
        self._untidied = 0
        self._on_failure = on_failure
        self._failed: StoreError | None = None
        self._away: StoreAwayError | None = None
        self._busy: list[Job[object]] = []
        self._closing = threading.Event()
        self.is_shared: bool = bool(engine.get_execution_options().get(SHARED))
        """Whether other brokers write the same database."""
        self._thread = threading.Thread(target=self._run, name="askfirst-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[sa.Connection], _T], *, is_brief: bool = False) -> _T:
        """``submit`` for the event loop, which is woken once for all work of a transaction.

        Args:
            work: see ``submit``.
            is_brief: it takes no more than a few statements, so that the event loop may wait for it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        job = Job(work, future, loop)
        if not is_brief or self.is_shared:
            self._put(job)
        elif (gathered := self._gathered.get(loop)) is not None:
            self._require_room(len(gathered))
            gathered.append(job)  # type: ignore[arg-type]  # a future of T serves as one of object here
        else:
            self._require_room(0)
            self._begin_turn(loop, job)  # type: ignore[arg-type]  # as above
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
        self._put(Job(work, future))
        return future

    def _put(self, job: Job[_T]) -> None:
        self._require_room(0)
        self._queue.put(job)  # type: ignore[arg-type]  # a future of T serves as one of object here

    def _require_room(self, gathered: int) -> None:
        if (refusal := self._failed or self._away) is not None:
            raise refusal
        if gathered + self._queue.qsize() >= self._queue_max:  # threads that come at the same moment may each add one
            raise OverloadedError(f"{self._queue_max} writes are waiting; try again later")

    def _begin_turn(self, loop: asyncio.AbstractEventLoop, first: Job[object]) -> None:
        """Do the first on the spot, if that is for this thread, and keep what else comes until the turn ends."""
        self._gathered[loop] = gathered = []
        loop.call_soon(self._end_turn, loop)
        if not self._do_now(first):
            gathered.append(first)

    def _end_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        gathered = self._gathered.pop(loop, [])  # none: the writer was closed
        if len(gathered) > 1:
            self._calm.crowded()
        if len(gathered) != 1 or not self._do_now(gathered[0]):
            for job in gathered:
                self._queue.put(job)

    def _do_now(self, job: Job[object]) -> bool:
        """Do it alone and on this thread; False if that is for the writer's thread."""
        if not (self._calm.is_calm() and self._queue.empty() and self._at_work.acquire(blocking=False)):
            return False
        try:
            if self._connection is None or self._failed is not None:
                return False
            if job.is_wanted():
                answer_here(self._commit(self._connection, [job]))
        except BaseException:  # interrupted in the middle: what is on disk is not known
            self._failed = StoreError("the broker was interrupted while it wrote")
            raise
        finally:
            self._at_work.release()
        if self._untidied >= CHECKPOINT_EVERY:
            self._queue.put(_Signal.TIDY)
        return True

    def close(self) -> None:
        """Finish what is waiting, then stop."""
        while self._gathered:
            for job in self._gathered.popitem()[1]:
                self._queue.put(job)
        self._closing.set()
        self._queue.put(_Signal.LAST)
        self._thread.join()
        self._engine.dispose()

    def _run(self) -> None:
        last = False
        while not last:
            batch, last = self._next_batch()
            with self._at_work:
                self._work_off(batch)
        refuse(self._busy, StoreError("the broker is stopping"))
        if self._connection is not None:
            self._connection.close()

    def _work_off(self, batch: list[Job[object]]) -> None:
        if (refusal := self._failed or self._away) is not None:
            refuse(batch, refusal)
            return
        if self._connection is None:
            self._connection = self._connect(batch)
        if self._connection is not None and batch:
            answer(self._commit(self._connection, batch))
        if self._connection is not None and self._untidied >= CHECKPOINT_EVERY:
            self._checkpoint(self._connection)

    def _connect(self, batch: list[Job[object]]) -> sa.Connection | None:
        try:
            return self._engine.connect()
        except Exception as error:  # noqa: BLE001  # whatever it is, nothing can be written
            return self._broke(error, batch)

    def _next_batch(self) -> tuple[list[Job[object]], bool]:
        """What waits, with what was busy before; and whether it is the last."""
        batch, self._busy = self._busy, []
        try:
            job = self._queue.get(timeout=_BUSY_PAUSE_S) if batch else self._queue.get()
        except queue.Empty:
            return batch, False
        while job is not _Signal.LAST:
            if isinstance(job, Job) and job.is_wanted():
                batch.append(job)
            if len(batch) >= BATCH_MAX:
                return batch, False
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, connection: sa.Connection, batch: list[Job[object]]) -> list[Result]:
        """Do all of it in one transaction; what to tell whoever waits, that it cannot be written is told already."""
        start_s = time.monotonic()
        try:
            results = self._together(connection, batch) or self._apart(connection, batch)
        except Exception as error:  # noqa: BLE001  # whatever it is, nothing of this is on disk: never believed
            self._audit.rolled_back()
            self._connection = self._broke(error, batch, connection)
            return []
        self._audit.committed()
        if len(batch) == 1:
            self._calm.took(time.monotonic() - start_s)
        self._untidied += 0 if self.is_shared else len(batch)
        answers: list[Result] = []
        for job, result, refusal in results:
            if isinstance(refusal, BusyError) and time.monotonic() - job.since_s < BUSY_MAX_S:
                self._busy.append(job)
            else:
                answers.append((job, result, refusal))
        return answers

    def _checkpoint(self, connection: sa.Connection) -> None:
        """Bring what is committed from SQLite's WAL into the database file, as far as no reader needs it."""
        self._untidied = 0
        try:
            connection.connection.cursor().execute("pragma wal_checkpoint(passive)")  # in no transaction
        except Exception as error:  # noqa: BLE001  # a disk that fails: what was answered is in the WAL, nothing more is
            self._connection = self._broke(error, [], connection)

    def _together(self, connection: sa.Connection, batch: list[Job[object]]) -> list[Result] | None:
        """Do everything in one transaction without savepoints, which cost a third; None when some work fails."""
        try:
            with connection.begin():
                results: list[Result] = []
                for job in batch:
                    try:
                        results.append((job, job.work(connection), None))
                    except Exception as error:
                        if _is_fatal(error):
                            raise
                        raise _WorkFailed from error
                self._seal(connection)
        except Exception as error:
            if not (isinstance(error, _WorkFailed) or (self.is_shared and not _is_fatal(error))):
                raise
            self._audit.rolled_back()
            return None
        return results

    def _apart(self, connection: sa.Connection, batch: list[Job[object]]) -> list[Result]:
        """The same with a savepoint around each piece of work."""
        with connection.begin():
            results = [self._attempt(connection, job) for job in batch]
            self._seal(connection)
        return results

    def _seal(self, connection: sa.Connection) -> None:
        before = self._audit.head
        if self._audit.seal(connection) is not before and self.is_shared:
            _NOTIFY.change(connection)

    def _attempt(self, connection: sa.Connection, job: Job[object]) -> Result:
        mark = self._audit.mark()
        savepoint = connection.begin_nested()
        try:
            result = job.work(connection)
            settle(connection)  # what fails of it is its own failure
            savepoint.commit()
        except Exception as error:  # handed to whoever submitted it, unless nothing can be written any more
            if _is_fatal(error):
                raise
            savepoint.rollback()
            self._audit.rewind(mark)
            return job, None, refusal_of(error)
        return job, result, None

    def _broke(
        self, error: Exception, batch: list[Job[object]], connection: sa.Connection | None = None
    ) -> sa.Connection | None:
        """Refuse the batch; a shared database is waited for, and the connection to it when it is back is returned."""
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
        if self.is_shared and isinstance(error, sa.exc.DBAPIError):
            return self._await(str(cause).strip().partition("\n")[0], batch, connection)
        _log.error("the store failed", exc_info=error)
        self._failed = StoreError(f"the store cannot be written: {cause}")
        refuse(batch, self._failed)
        self._on_failure(self._failed)
        return connection

    def _await(self, cause: str, batch: list[Job[object]], connection: sa.Connection | None) -> sa.Connection | None:
        """Try to reach the database again, ever more rarely; None when the writer is closed meanwhile."""
        _log.warning("the database is away: %s", cause)
        self._away = StoreAwayError(f"the database is away, nothing can be written: {cause}")
        refuse(batch, self._away)
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
    if isinstance(error, sa.exc.OperationalError) and not is_busy(error):
        return True
    return isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated
