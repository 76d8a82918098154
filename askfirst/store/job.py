"""A piece of work for the writer, and how whoever waits for it hears of its end."""

from __future__ import annotations

import contextlib
import logging
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import sqlalchemy as sa

from askfirst.errors import Error, StoreError
from askfirst.store.locking import BusyError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

_BUSY_STATES = {"55P03", "40P01", "40001"}
"""lock_not_available, deadlock_detected, serialization_failure.
From: https://www.postgresql.org/docs/15/errcodes-appendix.html"""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Job(Generic[_T]):
    """Work, and who waits for it: a thread, or a task of this event loop."""

    work: Callable[[sa.Connection], _T]
    future: Future[_T] | asyncio.Future[_T]
    loop: asyncio.AbstractEventLoop | None = None
    since_s: float = field(default_factory=time.monotonic)

    def is_wanted(self) -> bool:
        """Whether somebody still waits; from here on nobody can cancel it."""
        future = self.future
        return future.set_running_or_notify_cancel() if isinstance(future, Future) else not future.cancelled()


Result: TypeAlias = "tuple[Job[object], object, Exception | None]"
"""What came of a job: its result, or its error."""


def answer(results: Iterable[Result]) -> None:
    """Tell whoever waits, from any thread; each event loop is woken once."""
    loops: dict[asyncio.AbstractEventLoop, list[Result]] = {}
    for result in results:
        loop = result[0].loop
        if loop is None:
            answer_here([result])
        else:
            loops.setdefault(loop, []).append(result)
    for loop, its in loops.items():
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits there any more
            loop.call_soon_threadsafe(answer_here, its)


def answer_here(results: Iterable[Result]) -> None:
    """The same for threads, and for tasks of the event loop that runs in this thread."""
    for job, result, refusal in results:
        if job.future.done():
            continue  # a task that was cancelled
        if refusal is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(refusal)


def refuse(jobs: Iterable[Job[object]], error: StoreError) -> None:
    """Tell whoever waits for these that nothing comes of them, from any thread."""
    answer([(job, None, error) for job in jobs])


def refusal_of(error: Exception) -> Exception:
    """What whoever handed in the work hears of its error."""
    if isinstance(error, sa.exc.DBAPIError) and is_busy(error):
        return BusyError("another broker is at this request; try again")
    if isinstance(error, Error | sa.exc.IntegrityError):
        return error
    _log.error("a write failed", exc_info=error)
    wrapped = StoreError(f"a write failed: {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped


def is_busy(error: sa.exc.DBAPIError) -> bool:
    """Whether another broker is at what was to be written."""
    return getattr(error.orig, "sqlstate", None) in _BUSY_STATES
