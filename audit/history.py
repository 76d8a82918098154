"""Past tool calls, read back from the log so that a policy can be tried on them; nothing here verifies them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from askfirst.errors import LogError
from askfirst.tally import is_cut
from audit.source import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CALLS: Final = ("gate.requested", "gate.passed", "gate.refused")
_ENDS: Final = {"gate.timeout": "expired", "gate.cancelled": "cancelled", "gate.superseded": "superseded"}


def calls(path: Path, n: int) -> list[dict[str, Any]]:
    """The last ``n`` tool calls of a store, oldest first.

    Each is its entry with two members more: ``input``, the tool's arguments (None when they were erased, or never
    kept), and ``ended``, what became of it: ``approved``, ``denied``, ``expired``, ``passed``, ``refused``, ... or
    ``pending``. Of harmless calls, which are written in batches, those of a batch that were the same are one.

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
            newest = (call for row in rows for call in reversed(_calls(connection, json.loads(row[0]), ends)))
            return list(islice(newest, max(n, 0)))[::-1]
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


def _calls(connection: sqlite3.Connection, entry: dict[str, Any], ends: dict[str, str]) -> list[dict[str, Any]]:
    """What an entry tells of: one call, or a batch of harmless ones."""
    kind = str(entry.get("type"))
    if "calls" in entry.get("data", {}):
        return list(_batch(connection, entry))
    ended = ends.get(str(entry.get("req")), "pending") if kind == "gate.requested" else kind.removeprefix("gate.")
    arguments = _payload(connection, entry.get("action", {}).get("input", {}))
    return [{**entry, "input": arguments if isinstance(arguments, dict) else None, "ended": ended}]


def _batch(connection: sqlite3.Connection, entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The calls of a ``gate.passed``, each as if it had an entry of its own."""
    data = entry["data"]
    inputs = _payload(connection, data["inputs"])
    for place, call in enumerate(data["calls"]):
        action = {"tool": call["tool"], "input": data["inputs"]}
        one = {**entry, "action": action, "input": None, "ended": "passed"}
        if inputs is not None:
            kept = inputs[place]
            one |= {"agent": {**entry["agent"], "cwd": kept["cwd"]}, "input": kept["arguments"]}
            if is_cut(str(kept["arguments"].get("command", ""))):
                one |= {"action": {"tool": call["tool"]}, "input": None}
        yield one


def _payload(connection: sqlite3.Connection, apart: dict[str, Any]) -> Any:  # any JSON
    """What stands apart for this digest; None when it is gone, or there is none."""
    row = connection.execute("select bytes from blob where sha256 = ?", (bytes.fromhex(apart.get("sha256", "")),))
    found = row.fetchone()
    return json.loads(found[0]) if found else None
