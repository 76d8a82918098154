"""The one writer: a thread that gathers what is waiting into one transaction and commits it once.

- Whoever submits work hears of it only after the commit is on disk; an ``allow`` can rest on it.
- One piece of work that fails is rolled back to its savepoint, together with what it appended to the audit log, and
  does not hurt its neighbours.
- A commit that fails is nobody's success. The store is then in doubt, so the writer stops and says so: the broker exits
  and every gate closes (an fsync error must not be retried, https://wiki.postgresql.org/wiki/Fsync_Errors).
- The queue is bounded; beyond it work is refused at once.
"""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import sqlalchemy as sa

from askfirst.errors import Error, OverloadedError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.audit_port import AuditLog

BATCH_MAX = 256
"""Pieces of work in one transaction; more only lengthen the wait of the first (measured: facts in docs/sizing.md)."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Job(Generic[_T]):
    work: Callable[[sa.Connection], _T]
    future: Future[_T]


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
        self._queue: queue.Queue[_Job[object] | None] = queue.Queue(queue_max)
        self._on_failure = on_failure
        self._failed: StoreError | None = None
        self._thread = threading.Thread(target=self._run, name="askfirst-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[sa.Connection], _T]) -> Future[_T]:
        """Run ``work`` inside the next transaction.

        Returns:
            a future that completes after the commit, with the work's result or its error.

        Raises:
            OverloadedError: too much is waiting.
            StoreError: the writer has stopped.
        """
        if self._failed is not None:
            raise self._failed
        job = _Job(work, Future[_T]())
        try:
            self._queue.put_nowait(job)  # type: ignore[arg-type]  # a future of T serves as one of object here
        except queue.Full:
            raise OverloadedError(f"{self._queue.maxsize} writes are waiting; try again later") from None
        return job.future

    def close(self) -> None:
        """Finish what is waiting, then stop."""
        self._queue.put(None)
        self._thread.join()
        self._engine.dispose()

    def _run(self) -> None:
        with self._engine.connect() as connection:
            while True:
                taken, last = self._next_batch()
                # From here on a caller who goes away cannot cancel: a result for a cancelled future ended this thread.
                batch = [job for job in taken if job.future.set_running_or_notify_cancel()]
                if batch and self._failed is None:
                    self._commit(connection, batch)
                elif self._failed is not None:
                    _refuse(batch, self._failed)
                if last:
                    return

    def _next_batch(self) -> tuple[list[_Job[object]], bool]:
        batch: list[_Job[object]] = []
        job = self._queue.get()
        while job is not None:
            batch.append(job)
            if len(batch) == BATCH_MAX:
                return batch, False
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, connection: sa.Connection, batch: list[_Job[object]]) -> None:
        results: list[tuple[_Job[object], object, BaseException | None]] = []
        try:
            with connection.begin():
                results = [self._attempt(connection, job) for job in batch]
                self._audit.seal(connection)
        except Exception as error:  # noqa: BLE001  # whatever it is, nothing of this is on disk: never believed
            self._audit.rolled_back()
            self._fail(error, batch)
            return
        self._audit.committed()
        for job, result, refusal in results:
            if refusal is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(refusal)

    def _attempt(
        self, connection: sa.Connection, job: _Job[object]
    ) -> tuple[_Job[object], object, BaseException | None]:
        mark = self._audit.mark()
        savepoint = connection.begin_nested()
        try:
            result = job.work(connection)
            savepoint.commit()
        except sa.exc.OperationalError:
            raise  # the disk is full or failing: no neighbour can be trusted to have been written either
        except Exception as error:  # noqa: BLE001  # handed to whoever submitted it
            savepoint.rollback()
            self._audit.rewind(mark)
            return job, None, error if isinstance(error, Error | sa.exc.IntegrityError) else _unexpected(error)
        return job, result, None

    def _fail(self, error: Exception, batch: list[_Job[object]]) -> None:
        _log.exception("the store failed", exc_info=error)
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
        self._failed = StoreError(f"the store cannot be written: {cause}")
        _refuse(batch, self._failed)
        self._on_failure(self._failed)


def _refuse(batch: list[_Job[object]], error: StoreError) -> None:
    for job in batch:
        job.future.set_exception(error)


def _unexpected(error: Exception) -> StoreError:
    _log.exception("a write failed", exc_info=error)
    wrapped = StoreError(f"a write failed: {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped
