"""Reads entries back for people and tables; nothing here verifies them."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final, TextIO

from askfirst.errors import LogError
from audit.source import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORD_COLUMNS: Final = (
    "id",
    "session_id",
    "action_type",
    "action_data",
    "approval_status",
    "approved_by",
    "timestamp",
)

RECORDS_SQL: Final = """
select json_extract(entry, '$.id') as id,
       json_extract(entry, '$.agent.session') as session_id,
       json_extract(entry, '$.action.tool') as action_type,
       json_extract(entry, '$.action') as action_data,
       case json_extract(entry, '$.type')
         when 'gate.requested' then 'pending'
         when 'gate.timeout' then 'expired'
         when 'gate.cancelled' then 'cancelled'
         when 'gate.superseded' then 'superseded'
         else json_extract(entry, '$.decision.verdict')
       end as approval_status,
       (select group_concat(value, ' ') from json_each(entry, '$.decision.by')) as approved_by,
       json_extract(entry, '$.t') as timestamp
  from (select seq, cast(body as text) as entry from audit order by seq)
 where json_extract(entry, '$.type')
       in ('gate.requested', 'gate.decided', 'gate.timeout', 'gate.cancelled', 'gate.superseded')
"""
"""The columns of the founding document's audit table, one row each time a request changed its status (SQLite)."""

VIEW_SQL: Final = f"create view remote_agent_audit_log as {RECORDS_SQL}"
"""The same as a view, under the founding document's name, for migrations."""


def tail(path: Path, n: int) -> list[dict[str, object]]:
    """The last ``n`` entries of a store, oldest first, each with its ``index``.

    Bytes that are no entry come as ``{"index": …, "unreadable": text}``.

    Raises:
        LogError: the store cannot be read.
    """
    with closing(_connect(path)) as connection:
        query = "select seq, body from audit order by seq desc limit ?"
        rows = list(_fetch(path, connection, query, (max(n, 0),)))
    return [_entry(index, body) for index, body in reversed(rows)]


def write_records(path: Path, file: TextIO) -> int:
    """Write the records of a store as CSV and return their number; open the file with ``newline=""``.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it: commands come from agents.

    Raises:
        LogError: the store cannot be read, or holds an entry that is no JSON.
    """
    writer = csv.writer(file)
    writer.writerow(RECORD_COLUMNS)
    count = 0
    with closing(_connect(path)) as connection:
        for row in _fetch(path, connection, RECORDS_SQL, ()):
            writer.writerow([_cell(value) for value in row])
            count += 1
    return count


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _entry(index: object, body: object) -> dict[str, object]:
    try:
        members = json.loads(body) if isinstance(body, bytes) else None
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        text = body.decode(errors="backslashreplace") if isinstance(body, bytes) else str(body)
        return {"index": index, "unreadable": text}
    return {"index": index, **members}


def _connect(path: Path) -> sqlite3.Connection:
    try:
        return connect(path)
    except sqlite3.Error as error:
        raise LogError(f"{path} cannot be read as a store: {error}") from error


def _fetch(
    path: Path, connection: sqlite3.Connection, query: str, parameters: tuple[int, ...]
) -> Iterator[tuple[object, ...]]:
    try:
        yield from connection.execute(query, parameters)
    except sqlite3.Error as error:
        raise LogError(f"{path} cannot be read as a store: {error}") from error
