"""Past tool calls, read back from the log so that a policy can be tried on them; nothing here verifies them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from askfirst.errors import LogError
from audit.source import connect

if TYPE_CHECKING:
    from pathlib import Path

CALLS: Final = ("gate.requested", "gate.passed", "gate.refused")
_ENDS: Final = {"gate.timeout": "expired", "gate.cancelled": "cancelled", "gate.superseded": "superseded"}


def calls(path: Path, n: int) -> list[dict[str, Any]]:
    """The last ``n`` tool calls of a store, oldest first.

    Each is its entry with two members more: ``input``, the tool's arguments (None when they were erased, or never
    kept), and ``ended``, what became of it: ``approved``, ``denied``, ``expired``, ``passed``, ``refused``, ... or
    ``pending``.

    Raises:
        LogError: the store cannot be read.
    """
    try:
        with closing(connect(path)) as connection:
            ends = _ends(connection)
            marks = ", ".join("?" for _ in CALLS)
            query = (
                "select entry from (select seq, cast(body as text) as entry from audit) "  # noqa: S608  # marks only
                f"where json_extract(entry, '$.type') in ({marks}) order by seq desc limit ?"
            )
            rows = connection.execute(query, (*CALLS, max(n, 0))).fetchall()
            return [_call(connection, json.loads(row[0]), ends) for row in reversed(rows)]
    except (sqlite3.Error, ValueError) as error:
        raise LogError(f"{path} cannot be read as a store: {error}") from error


def _ends(connection: sqlite3.Connection) -> dict[str, str]:
    """Request id -> how it ended; the last word counts, because a deny may overtake an approval."""
    query = (
        "select json_extract(entry, '$.req'), json_extract(entry, '$.type'), json_extract(entry, '$.decision.verdict') "
        "from (select seq, cast(body as text) as entry from audit order by seq) "
        "where json_extract(entry, '$.type') in ('gate.decided', 'gate.timeout', 'gate.cancelled', 'gate.superseded')"
    )
    return {request: _ENDS.get(kind, verdict) for request, kind, verdict in connection.execute(query)}


def _call(connection: sqlite3.Connection, entry: dict[str, Any], ends: dict[str, str]) -> dict[str, Any]:
    kind = str(entry.get("type"))
    ended = ends.get(str(entry.get("req")), "pending") if kind == "gate.requested" else kind.removeprefix("gate.")
    return {**entry, "input": _input(connection, entry), "ended": ended}


def _input(connection: sqlite3.Connection, entry: dict[str, Any]) -> dict[str, Any] | None:
    apart = entry.get("action", {}).get("input", {})
    row = connection.execute("select bytes from blob where sha256 = ?", (bytes.fromhex(apart.get("sha256", "")),))
    found = row.fetchone()
    arguments = json.loads(found[0]) if found else None
    return arguments if isinstance(arguments, dict) else None
