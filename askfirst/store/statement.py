"""Statements that run often: built and compiled once, and run by the driver itself on the connection that writes.

SQLAlchemy takes ten times as long to run a small statement as SQLite needs for it, and a transaction holds hundreds of
them. They are SQLAlchemy Core all the same, so one text serves both dialects, and errors are SQLAlchemy's. Elsewhere,
e.g. on a reader's connection, a statement runs as any other.

Rows are tuples in the order of the columns; values are handed over by the names of the ``bindparam``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DIRECT = "askfirst_direct"
"""Execution option of an engine on whose connections statements are run by the driver."""
SHARED = "askfirst_shared"
"""Execution option of a writing engine whose database others write, too."""


@dataclass(frozen=True, slots=True)
class _Text:
    """SQL as a driver takes it.

    Attributes:
        constants: values that are part of the statement.
        order: names of the values where the driver counts them instead; None where it takes names.
    """

    sql: str
    constants: Mapping[str, Any]
    order: tuple[str, ...] | None

    def values(self, given: Mapping[str, Any]) -> Any:
        every = {**self.constants, **given} if self.constants else given
        return every if self.order is None else [every[name] for name in self.order]


class Statement:
    """A Core statement that runs often.

    Args:
        clause: with a ``bindparam`` for every value that changes, and no list of values (``in_``).
        shared: its form where other brokers write the same database, e.g. with a lock; by default the same.
    """

    def __init__(self, clause: sa.Executable, *, shared: sa.Executable | None = None) -> None:
        self._clauses = (clause, clause if shared is None else shared)
        self._texts: dict[tuple[str, bool], _Text] = {}

    def rows(self, connection: sa.Connection, **values: object) -> Sequence[Any]:
        """All rows of a query."""
        found: Sequence[Any] = self._run(connection, values).fetchall()
        return found

    def scalars(self, connection: sa.Connection, **values: object) -> list[Any]:
        """The first column of all rows."""
        return [row[0] for row in self.rows(connection, **values)]

    def scalar(self, connection: sa.Connection, **values: object) -> Any:
        """The first column of the first row, None when there is none."""
        rows = self.rows(connection, **values)
        return rows[0][0] if rows else None

    def change(self, connection: sa.Connection, **values: object) -> int:
        """Run what changes rows; how many an update or a deletion has changed."""
        count: int = self._run(connection, values).rowcount
        return count

    def change_many(self, connection: sa.Connection, many: Iterable[Mapping[str, object]]) -> None:
        """Run it once for each of these values."""
        if not _is_direct(connection):
            if rows := [dict(each) for each in many]:
                connection.execute(self._clause(connection), rows)
            return
        text = self._text(connection)
        rows = [text.values(each) for each in many]
        if len(rows) == 1:  # psycopg sends many in a pipeline, which takes several round trips for itself
            self._drive(connection, text.sql, rows[0])
        elif rows:
            self._drive(connection, text.sql, rows, many=True)

    def _run(self, connection: sa.Connection, values: Mapping[str, object]) -> Any:
        if not _is_direct(connection):
            return connection.execute(self._clause(connection), values)
        text = self._text(connection)
        return self._drive(connection, text.sql, text.values(values))

    def _clause(self, connection: sa.Connection) -> Any:
        return self._clauses[is_shared(connection)]

    def _text(self, connection: sa.Connection) -> _Text:
        key = (connection.dialect.name, is_shared(connection))
        if key not in self._texts:
            compiled = self._clause(connection).compile(dialect=connection.dialect)
            order = compiled.positiontup
            constants = {name: value for name, value in compiled.params.items() if value is not None}
            self._texts[key] = _Text(str(compiled), constants, None if order is None else tuple(order))
        return self._texts[key]

    @staticmethod
    def _drive(connection: sa.Connection, sql: str, values: Any, *, many: bool = False) -> Any:
        cursor = connection.connection.cursor()
        try:
            (cursor.executemany if many else cursor.execute)(sql, values)
        except connection.dialect.dbapi.Error as error:  # type: ignore[union-attr]  # every dialect of ours has a driver
            raise _translated(connection, sql, error) from error
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


def _is_direct(connection: sa.Connection) -> bool:
    return bool(connection.get_execution_options().get(DIRECT))


def _translated(connection: sa.Connection, sql: str, error: Exception) -> Exception:
    """The error as SQLAlchemy would have raised it; without the values, which may be secret."""
    dialect = connection.dialect
    assert dialect.dbapi is not None  # whoever is connected has a driver
    is_gone = dialect.is_disconnect(error, None, None)  # type: ignore[arg-type]  # a driver's error is what it takes
    translated = sa.exc.DBAPIError.instance(
        sql, {}, error, dialect.dbapi.Error, hide_parameters=True, connection_invalidated=is_gone, dialect=dialect
    )
    assert isinstance(translated, sa.exc.DBAPIError)  # what this very method makes of a driver's error
    return translated
