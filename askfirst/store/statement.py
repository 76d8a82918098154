"""Statements that run often: built and compiled once, and run by the driver itself on the connection that writes.

SQLAlchemy takes ten times as long to run a small statement as SQLite needs for it, and a transaction holds hundreds of
them. They are SQLAlchemy Core all the same, so one text serves both dialects, and errors are SQLAlchemy's. Elsewhere,
e.g. on a reader's connection, a statement runs as any other.

On the connection that writes a shared database what has no answer is sent with what is asked next, or with the commit
(``askfirst.store.pipeline``); so an error may come from there, but before anything is committed.

Rows are tuples in the order of the columns; values are handed over by the names of the ``bindparam``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa
from sqlalchemy.sql.dml import UpdateBase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

DIRECT = "askfirst_direct"
"""Execution option of an engine on whose connections statements are run by the driver."""
SHARED = "askfirst_shared"
"""Execution option of a writing engine whose database others write, too."""
PIPELINE = "askfirst_pipeline"
"""Key of a shared database's ``Pipeline`` in the ``info`` of the connection that writes."""
GUARD_STATE = "22012"
"""SQLSTATE of a test that does not hold: division_by_zero.
From: https://www.postgresql.org/docs/15/errcodes-appendix.html"""


class Pipeline(Protocol):
    """What takes statements on a connection that sends several together (``askfirst.store.pipeline``)."""

    dialect: sa.Dialect

    def put(self, sql: str, values: Sequence[object], otherwise: Callable[[], Exception] | None = None) -> None:
        """Have this done before whatever comes next; ``otherwise`` makes the error of a guard that does not hold."""

    def ask(self, sql: str, values: Sequence[object]) -> Sequence[Any]:
        """The rows of a query."""

    def settle(self) -> object:
        """Have everything done that was put."""


@dataclass(frozen=True, slots=True)
class _Text:
    """SQL as a driver takes it.

    Attributes:
        constants: values that are part of the statement.
        order: names of the values.
    """

    sql: str
    constants: Mapping[str, Any]
    order: tuple[str, ...]

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        every = {**self.constants, **given} if self.constants else given
        return [every[name] for name in self.order]


class _Form(enum.IntEnum):  # its hash is a number's: a name's is looked up in Python, for each statement that runs
    ALONE = enum.auto()
    SHARED = enum.auto()
    GUARDED = enum.auto()


class Statement:
    """A Core statement that runs often.

    Args:
        clause: with a ``bindparam`` for every value that changes, and no list of values (``in_``).
        shared: its form where other brokers write the same database, e.g. with a lock; by default the same.
    """

    def __init__(self, clause: sa.Executable, *, shared: sa.Executable | None = None) -> None:
        self._clauses = {_Form.ALONE: clause, _Form.SHARED: clause if shared is None else shared}
        self._texts: dict[tuple[str, _Form], _Text] = {}

    def rows(self, connection: sa.Connection, **values: object) -> Sequence[Any]:
        """All rows of a query."""
        if (pipeline := _pipeline(connection)) is not None:
            text = self._text(pipeline.dialect, _Form.SHARED)
            return pipeline.ask(text.sql, text.values(values))
        found: Sequence[Any] = self._run(connection, values).fetchall()
        return found

    def scalars(self, connection: sa.Connection, **values: object) -> list[Any]:
        """The first column of all rows."""
        return [row[0] for row in self.rows(connection, **values)]

    def scalar(self, connection: sa.Connection, **values: object) -> Any:
        """The first column of the first row, None when there is none."""
        rows = self.rows(connection, **values)
        return rows[0][0] if rows else None

    def change(self, connection: sa.Connection, **values: object) -> None:
        """Run what changes rows, however many."""
        if (pipeline := _pipeline(connection)) is None:
            self._run(connection, values)
            return
        text = self._text(pipeline.dialect, _Form.SHARED)
        pipeline.put(text.sql, text.values(values))

    def change_many(self, connection: sa.Connection, many: Iterable[Mapping[str, object]]) -> None:
        """Run it once for each of these values."""
        if not _is_direct(connection):
            if rows := [dict(each) for each in many]:
                connection.execute(self._clauses[_form(connection)], rows)
        elif _pipeline(connection) is not None:
            for each in many:
                self.change(connection, **each)
        else:
            text = self._text(connection.dialect)
            self._drive(connection, text.sql, [text.values(each) for each in many], many=True)

    def require(self, connection: sa.Connection, otherwise: Callable[[], Exception], **values: object) -> None:
        """Run an update or a query that has to find its one row.

        Raises:
            Exception: ``otherwise``, when it does not: in a pipeline by whatever is asked next, or by the commit.
        """
        if (pipeline := _pipeline(connection)) is not None:
            text = self._text(pipeline.dialect, _Form.GUARDED)
            pipeline.put(text.sql, text.values(values), otherwise)
        elif self._run(connection, values).rowcount != 1:
            raise otherwise()

    def _run(self, connection: sa.Connection, values: Mapping[str, object]) -> Any:
        if not _is_direct(connection):
            return connection.execute(self._clauses[_form(connection)], values)
        text = self._text(connection.dialect)
        return self._drive(connection, text.sql, text.values(values))

    def _text(self, dialect: sa.Dialect, form: _Form = _Form.ALONE) -> _Text:
        key = (dialect.name, form)
        if key not in self._texts:
            clause = self._clauses[_Form.SHARED if form is _Form.GUARDED else form]
            whole: Any = _guarded(clause) if form is _Form.GUARDED else clause  # whatever it is, it can be compiled
            compiled = whole.compile(dialect=dialect)
            order = compiled.positiontup
            assert order is not None  # the dialects that are used here count values
            constants = {name: value for name, value in compiled.params.items() if value is not None}
            self._texts[key] = _Text(str(compiled), constants, tuple(order))
        return self._texts[key]

    @staticmethod
    def _drive(connection: sa.Connection, sql: str, values: Any, *, many: bool = False) -> Any:
        cursor = connection.connection.cursor()
        try:
            (cursor.executemany if many else cursor.execute)(sql, values)
        except connection.dialect.dbapi.Error as error:  # type: ignore[union-attr]  # every dialect of ours has a driver
            raise translated(connection.dialect, sql, error) from error
        return cursor


def inserted(table: sa.Table, *columns: str) -> Statement:
    """An insert of one row with these columns, by default with all."""
    names = columns or tuple(table.columns.keys())
    return Statement(table.insert().inline().values({name: sa.bindparam(name) for name in names}))


def updated(table: sa.Table, columns: Iterable[str], *where: sa.ColumnElement[bool]) -> Statement:
    """An update of these columns of the rows where all this holds; a new value goes by ``new_`` and its column."""
    values: dict[str, sa.BindParameter[Any]] = {name: sa.bindparam(f"new_{name}") for name in columns}
    return Statement(table.update().where(*where).values(values))


def new(values: Mapping[str, object]) -> dict[str, object]:
    """Values of columns under the names that ``updated`` takes them by."""
    return {f"new_{name}": value for name, value in values.items()}


def constant(value: str | int) -> sa.ColumnElement[Any]:
    """A word or number of our own as part of the text: SQLite uses a partial index only where it can read that."""
    return sa.literal_column(f"'{value}'" if isinstance(value, str) else str(value))


def is_shared(connection: sa.Connection) -> bool:
    """Whether this is a writing connection to a database that others write, too."""
    return bool(connection.get_execution_options().get(SHARED))


def translated(dialect: sa.Dialect, sql: str, error: Exception) -> Exception:
    """A driver's error as SQLAlchemy would have raised it; without the values, which may be secret."""
    assert dialect.dbapi is not None  # whoever is connected has a driver
    is_gone = dialect.is_disconnect(error, None, None)  # type: ignore[arg-type]  # a driver's error is what it takes
    made = sa.exc.DBAPIError.instance(
        sql, {}, error, dialect.dbapi.Error, hide_parameters=True, connection_invalidated=is_gone, dialect=dialect
    )
    assert isinstance(made, sa.exc.DBAPIError)  # what this very method makes of a driver's error
    return made


def settle(connection: sa.Connection) -> None:
    """Have everything done that waits to be sent together with something else.

    Raises:
        Exception: some of it failed.
    """
    if (pipeline := _pipeline(connection)) is not None:
        pipeline.settle()


def _is_direct(connection: sa.Connection) -> bool:
    return bool(connection.get_execution_options().get(DIRECT))


def _form(connection: sa.Connection) -> _Form:
    return _Form.SHARED if is_shared(connection) else _Form.ALONE


def _pipeline(connection: sa.Connection) -> Pipeline | None:
    return connection.info.get(PIPELINE) if is_shared(connection) else None


def _guarded(clause: sa.Executable) -> sa.Select[Any]:
    """The same as a query that the server cannot answer when no row is found."""
    found = clause.returning(sa.literal_column("1")) if isinstance(clause, sa.Update) else clause
    assert isinstance(found, sa.Select | UpdateBase)
    return sa.select(sa.literal_column("1 / count(*)")).select_from(found.cte("found"))
