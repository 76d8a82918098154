"""Evidence about SQL: what each statement does to which tables, and how many rows by the database's own estimate.

A database is asked only where the configuration names it. It is asked by ``EXPLAIN`` without ``ANALYZE``, which plans
and does not run, in a read-only transaction with a time limit, one statement at a time and written anew from its parse,
so that nothing can stand behind it. Planning may still evaluate functions: give a role that can only read.

From: https://www.postgresql.org/docs/current/sql-explain.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from askfirst.evidence.values import LISTED_MAX, Statement, Statements, text_of
from askfirst.shell.command import HOLE
from askfirst.shell.sql_clients import CLIENTS, gather
from askfirst.shell.sql_lexer import TooLargeError, statements
from askfirst.shell.sql_where import parsed_of, row_changes
from askfirst.tools import sql_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlglot.expressions import Expr

    from askfirst.effects import Effect
    from askfirst.evidence.eye import Eye, Found, Subject
    from askfirst.shell.command import Command
    from askfirst.shell.sql_lexer import Statement as Lexed

_STATEMENTS_MAX: Final = 50
_TEXT_MAX_CHARS: Final = 100_000
_WHOLE: Final = frozenset({"DROP", "TRUNCATE", "TRUNCATETABLE"})
_EXPLAINED: Final = frozenset({"DELETE", "UPDATE", "INSERT", "MERGE"})
_DATABASE_OPTIONS: Final = frozenset({"-d", "--dbname", "-D", "--database", "--db"})


@dataclass(frozen=True, slots=True)
class SqlSource:
    """Every statement that a client or a tool would run.

    Attributes:
        databases: name in commands -> URL of those that may be asked for estimates.
    """

    databases: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    about: str = "what the SQL would change"
    is_stateful: bool = False

    def concerns(self, subject: Subject) -> bool:
        """Whether some effect is one of SQL."""
        return any(self.covers(each) for each in subject.found.effects)

    def covers(self, effect: Effect) -> bool:
        """Whether a rule of databases found it."""
        return effect.rule.startswith("database.")

    def look(self, subject: Subject, eye: Eye, found: Found) -> None:
        """One exhibit for each client or tool that runs SQL."""
        clients = [each for each in subject.found.parsed if each.program in CLIENTS]
        for command in clients:
            given = gather(CLIENTS[command.program], command)
            name = _database(command) or given.database
            self._texts(given.sql, CLIENTS[command.program].dialect, name, eye, found)
            for path in given.files:
                found.gap(
                    f"the SQL in {text_of(path.replace(HOLE, '…'))}", "it is read only when it runs", failed=False
                )
        if not clients:
            self._texts(sql_texts(subject.call), "", "", eye, found)

    def _texts(self, texts: list[str], dialect: str, database: str, eye: Eye, found: Found) -> None:
        shown: list[tuple[Statement, Expr | None]] = []
        count = 0
        for text in texts:
            if HOLE in text or len(text) > _TEXT_MAX_CHARS:
                found.gap("a part of the SQL", "it is computed only when it runs, or too long to be read")
            try:
                parts = statements(text.replace(HOLE, "NULL")[:_TEXT_MAX_CHARS], dialect)
            except TooLargeError:
                found.gap("a part of the SQL", "it is too long to be read")
                continue
            for part in parts:
                count += 1
                if len(shown) < _STATEMENTS_MAX and eye.deadline.left_s():
                    shown.append((_statement(part, dialect), parsed_of(part, dialect)))
        if not count:
            return
        listed, estimated = self._estimated(shown, database, dialect, eye, found)
        kept = [each for each in listed if each.verb not in {"SELECT", "SHOW", "WITH"}] or listed
        found.exhibits.append(
            Statements(
                database=text_of(database) or "a database that the command does not name",
                statements=tuple(kept[:LISTED_MAX]),
                count=count - (len(listed) - len(kept)),
                estimated=estimated,
            )
        )

    def _estimated(
        self, shown: list[tuple[Statement, Expr | None]], database: str, dialect: str, eye: Eye, found: Found
    ) -> tuple[list[Statement], str]:
        url = self.databases.get(database)
        asked = [(each, tree) for each, tree in shown if tree is not None and (each.verb in _EXPLAINED | _WHOLE)]
        if url is None or not asked or dialect not in {"", "postgres"}:
            return [each for each, _ in shown], ""
        try:
            rows = dict(_rows(url, asked, eye.deadline.left_s()))
        except _DatabaseError as error:
            found.gap(f"how many rows of {text_of(database)} it would touch", str(error))
            return [each for each, _ in shown], ""
        return [_with_rows(each, rows.get(id(each))) for each, _ in shown], database


class _DatabaseError(Exception):
    """The database could not be asked."""


def _with_rows(each: Statement, rows: int | None) -> Statement:
    return Statement(verb=each.verb, tables=each.tables, whole=each.whole, rows=rows)


def _statement(part: Lexed, dialect: str) -> Statement:
    """One statement; its head word where the parser does not understand it."""
    tree = parsed_of(part, dialect)
    changes = row_changes(part, dialect)
    head = re.match(r"[\s(]*([A-Za-z]+)", part.text)
    verb = (tree.key if tree is not None else head[1] if head else "?").upper()
    verb = {"TRUNCATETABLE": "TRUNCATE", "COMMAND": head[1].upper() if head else "?"}.get(verb, verb)
    tables = _tables(tree) if tree is not None else tuple(dict.fromkeys(each.table for each in changes))
    whole = verb in _WHOLE or any(each.every_row for each in changes)
    return Statement(verb=text_of(verb, 40), tables=tables, whole=whole)


def _tables(tree: Expr) -> tuple[str, ...]:
    from sqlglot import exp  # noqa: PLC0415  # 0.3 s, which `askfirst` pays only where there is SQL

    names = [each.sql() for each in tree.find_all(exp.Table)]
    return tuple(text_of(name, 100) for name in dict.fromkeys(names))[:LISTED_MAX]


def _database(command: Command) -> str:
    """The database that a client's command line names: by option, or in a URL."""
    words = [word.text for word in command.args]
    for word, after in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name in _DATABASE_OPTIONS:
            return _of_url(value if equals else after)
        if "://" in word:
            return _of_url(word)
    return ""


def _of_url(text: str) -> str:
    return text.rpartition("/")[2].partition("?")[0] if "://" in text else text


def _rows(url: str, asked: list[tuple[Statement, Expr]], left_s: float) -> Iterator[tuple[int, int]]:
    """The estimate of each statement by its id."""
    try:
        import psycopg  # noqa: PLC0415  # an extra
    except ImportError:
        raise _DatabaseError("psycopg is not installed; install askfirst[postgres]") from None
    limit_ms = max(1, int(left_s * 1000))
    options = f"-c default_transaction_read_only=on -c statement_timeout={limit_ms} -c lock_timeout={limit_ms}"
    try:
        with psycopg.connect(url, options=options, connect_timeout=2) as connection:
            for each, tree in asked:
                rows = _rows_of(connection, each, tree)
                if rows is not None:
                    yield id(each), rows
                connection.rollback()
    except psycopg.Error as error:
        raise _DatabaseError(f"the database says: {text_of(str(error).strip().partition(chr(10))[0])}") from error


def _rows_of(connection: object, each: Statement, tree: Expr) -> int | None:
    execute = connection.execute  # type: ignore[attr-defined]  # psycopg is an extra and imported late
    if each.verb in _EXPLAINED:
        row = execute(f"EXPLAIN (FORMAT JSON) {tree.sql(dialect='postgres')}", prepare=True).fetchone()
        plan = (json.loads(row[0]) if isinstance(row[0], str) else row[0])[0]["Plan"]
        inner = plan.get("Plans") or [plan]
        return int(inner[0].get("Plan Rows", 0))
    counts = [
        execute("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", (table,)).fetchone()
        for table in each.tables
    ]
    return sum(max(0, row[0]) for row in counts if row is not None) if any(counts) else None
