"""Approval records of a store as CSV, in the founding document's columns; nothing here verifies them."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final, TextIO

from askfirst.errors import LogError
from askfirst.store.views import audit_sql
from audit.source import connect

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from audit.query import Record

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet takes for a formula; the last four are full-width.
From: https://owasp.org/www-community/attacks/CSV_Injection"""

RECORD_COLUMNS: Final = (
    "id",
    "session_id",
    "action_type",
    "action_data",
    "approval_status",
    "approved_by",
    "timestamp",
)


def write_records(path: Path, file: TextIO) -> int:
    """Write the audit table of a store as CSV and return the number of rows; open the file with ``newline=""``.

    Raises:
        LogError: the store cannot be read, or holds an entry that is no JSON.
    """
    try:
        with closing(connect(path)) as connection:
            rows = connection.execute(f"{audit_sql()} order by seq")
            return write_table(file, RECORD_COLUMNS, rows)
    except sqlite3.Error as error:
        raise LogError(f"{path} cannot be read as a store: {error}") from error


def write_objects(file: TextIO, columns: tuple[str, ...], objects: Iterable[Record]) -> int:
    """Write objects as CSV, members that are no text as JSON; how many they were."""
    return write_table(file, columns, ([one[column] for column in columns] for one in objects))


def write_table(file: TextIO, columns: tuple[str, ...], rows: Iterable[Iterable[object]]) -> int:
    """Write rows as CSV; how many they were.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it: commands come from agents.
    """
    writer = csv.writer(file)
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        count += 1
    return count


def _cell(value: object) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) else text
