"""Statements on the connection that writes a shared database, sent together: waiting for answers takes the most time.

What needs no answer of its own waits until something is asked, or for the commit, and goes along: the server runs all
of it in the order in which it was said, so a query sees what was written before it.

Rules kept here:
- Nothing is done before its answer has come: the transaction counts when COMMIT was answered with COMMIT.
- After a statement that fails the server runs nothing more of what came along, COMMIT neither. Whoever asks next hears
  of it, and everybody after them, until that transaction or savepoint is rolled back.
- What must hold is tested by the server itself, in the statement (``askfirst.store.statement.Statement.require``).
- What went before a savepoint is not given away with it: it was sent by then (``settle``).

psycopg's own pipeline mode does the same at several times the processor time a statement, so this speaks to libpq by
``psycopg.pq``. From: https://www.postgresql.org/docs/15/libpq-pipeline-mode.html
"""

from __future__ import annotations

import contextlib
import itertools
import select
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import OperationalError
from psycopg.adapt import Transformer
from psycopg.errors import InFailedSqlTransaction, error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus

from askfirst.store.statement import GUARD_STATE, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import sqlalchemy as sa
    from psycopg import Connection
    from psycopg.pq.abc import PGresult

_DONE = {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}


@dataclass(frozen=True, slots=True)
class _Command:
    """What the server is to do.

    Attributes:
        values: in libpq's form.
        formats: of the values.
        otherwise: makes the error of a test in it that does not hold.
    """

    sql: str
    values: list[bytes | None]
    formats: list[Format]
    otherwise: Callable[[], Exception] | None = None


_BEGIN = _Command("begin isolation level read committed", [], [])
_COMMIT = _Command("commit", [], [])


class Pipeline:
    """What is said to a shared database on one connection.

    Args:
        driver: the connection; psycopg's own calls on it need ``settle`` before.
        dialect: of the SQL that is put; its values are numbered (``numeric_dollar``), as the server counts them.
    """

    def __init__(self, driver: Connection[Any], dialect: sa.Dialect) -> None:
        self.dialect = dialect
        self._driver = driver
        self._libpq = driver.pgconn
        self._codec = driver.info.encoding
        self._readable, self._ready = select.poll(), select.poll()
        self._readable.register(self._libpq.socket, select.POLLIN)
        self._ready.register(self._libpq.socket, select.POLLIN | select.POLLOUT)
        self._rows = Transformer(driver)
        self._prepared = dict[str, bytes]()
        self._names = itertools.count()
        self._waiting = list[_Command]()
        self._failure: Exception | None = None

    def put(self, sql: str, values: Sequence[object], otherwise: Callable[[], Exception] | None = None) -> None:
        """Have this done before whatever is said next."""
        taken = [self._value(each) for each in values]
        self._waiting.append(_Command(sql, [value for value, _ in taken], [form for _, form in taken], otherwise))

    def ask(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """The rows of a query.

        Raises:
            Exception: it failed, or something that was put before.
        """
        self.put(sql, values)
        result = self.settle()
        assert result is not None  # something has just been put
        self._rows.set_pgresult(result)
        return self._rows.load_rows(0, result.ntuples, tuple)

    def settle(self) -> PGresult | None:
        """Have everything done that was put; the result of the last.

        Raises:
            Exception: some of it failed, now or earlier in this transaction.
        """
        if self._failure is not None:
            raise self._failure
        if not self._waiting:
            return None
        commands, self._waiting = self._waiting, []
        try:
            return self._exchange(commands)
        except Exception as error:
            self._failure = error
            raise

    def commit(self) -> None:
        """Have everything done that was put, and committed.

        Raises:
            Exception: some of it failed; then the transaction was rolled back.
        """
        if not self._waiting and self._failure is None and self._libpq.transaction_status == TransactionStatus.IDLE:
            return
        try:
            self._waiting.append(_COMMIT)
            self._require_committed(self.settle())
        except Exception:
            self.forget()
            if self._libpq.status == ConnStatus.OK:
                with contextlib.suppress(OperationalError):  # gone: nothing is left to roll back
                    self._driver.rollback()
            raise

    def forget(self) -> None:
        """Do nothing of what was put, and begin anew: it is rolled back."""
        self._waiting = []
        self._failure = None

    def _require_committed(self, result: PGresult | None) -> None:
        """The server answers ROLLBACK, and no error, to a COMMIT after an error that somebody has passed over."""
        if result is None or result.command_status != b"COMMIT":
            raise translated(self.dialect, _COMMIT.sql, InFailedSqlTransaction("the transaction was rolled back"))

    def _value(self, value: object) -> tuple[bytes | None, Format]:
        """A value as libpq takes it: texts with their length, so that a NUL in one is refused and ends nothing."""
        match value:
            case None | bytes():
                return value, Format.BINARY
            case str():
                return value.encode(self._codec), Format.BINARY
            case int():
                return b"%d" % value, Format.TEXT
            case list():
                return f"{{{','.join(map(str, value))}}}".encode(), Format.TEXT
        raise TypeError(f"a statement cannot take a {type(value).__name__}")

    def _exchange(self, commands: list[_Command]) -> PGresult:
        """Send all and take all answers; the last of them."""
        if self._libpq.transaction_status == TransactionStatus.IDLE:
            commands = [_BEGIN, *commands]
        is_over = False
        try:
            self._libpq.enter_pipeline_mode()
            sent = [each for command in commands for each in self._send(command)]
            self._libpq.pipeline_sync()
            results = self._receive()
            self._libpq.exit_pipeline_mode()
            is_over = True
        except OperationalError as error:
            raise translated(self.dialect, commands[-1].sql, error) from error
        finally:
            if not is_over:
                self._driver.close()  # of no use without the answers
        failed: Exception | None = None
        for (command, is_prepared), result in zip(sent, results, strict=True):
            if result.status in _DONE:
                continue
            if not is_prepared:
                del self._prepared[command.sql]
            failed = failed or self._error(command, result)
        if failed is not None:
            raise failed
        return results[-1]

    def _send(self, command: _Command) -> Iterator[tuple[_Command, bool]]:
        """Send it, and before it what prepares it; each with whether it is prepared by then."""
        name = self._prepared.get(command.sql)
        if name is None:
            name = self._prepared[command.sql] = b"askfirst_%d" % next(self._names)
            self._libpq.send_prepare(name, command.sql.encode(self._codec))
            yield command, False
        self._libpq.send_query_prepared(name, command.values, command.formats, Format.BINARY)
        yield command, True

    def _receive(self) -> list[PGresult]:
        """All results up to the end of the pipeline."""
        while self._libpq.flush():
            self._ready.poll()
            self._libpq.consume_input()  # the server may wait for us to read before it reads on
        results: list[PGresult] = []
        is_between = True
        while True:
            while self._libpq.is_busy():
                self._readable.poll()
                self._libpq.consume_input()
            result = self._libpq.get_result()
            if result is None and is_between:
                raise OperationalError("the connection was lost")
            is_between = result is None
            if result is None:
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                return results
            results.append(result)

    def _error(self, command: _Command, result: PGresult) -> Exception:
        error = error_from_result(result, self._codec)
        if command.otherwise is not None and error.sqlstate == GUARD_STATE:
            return command.otherwise()
        return translated(self.dialect, command.sql, error)
