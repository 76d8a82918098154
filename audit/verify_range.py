"""Verifies some entries of a store without reading the others: quick where a log is long.

The root is computed from the bytes of the entries in the range and from the stored hashes of everything else. Those are
not believed: with another entry in the range no hashes beside it lead to the signed root (RFC 9162 §2.1.3).
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from askfirst.errors import LogError
from audit import tree
from audit.note import ED25519, NoteError, open_checkpoint, parse_vkey
from audit.report import Report
from audit.scan import Problem, time_of
from audit.source import connect, node_reader, open_source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LIMIT = (
    "the entries outside of the range were not read, and payloads were not looked at; verify the whole log for that"
)


def verify_range(path: Path, first: int, last: int, *, vkeys: Sequence[str] = ()) -> Report:
    """Verify the entries from ``first`` to ``last``, both included, under the signed head of a store.

    Args:
        path: the store's file.
        first: index of the first entry.
        last: index of the last one, >= first.
        vkeys: the log's keys as the verifier knows them; without, those beside the log are used.

    Returns:
        What was found; its ``size`` is the number of entries that were read.
    """
    try:
        with open_source(path) as source:
            if source.checkpoint and source.size is None:
                return _failed(path, "unreadable", "a range is verified in a store; verify an export whole", first)
            keys = [parse_vkey(line) for line in vkeys or source.vkeys]
            head = open_checkpoint(source.checkpoint, [key for key in keys if key.kind == ED25519])
    except (LogError, NoteError) as error:
        advice = "if the log's key was changed, give the new one, or verify the whole log, which finds it"
        return _failed(path, "head", f"the signed tree head cannot be used: {error}; {advice}", first)
    if last >= head.size:
        message = f"the signed tree head has {head.size} entries, there is no entry {last}"
        return _failed(path, "dropped", message, first)
    connection = connect(path)
    try:
        bodies = _bodies(connection, first, last)
        root = tree.root_with(node_reader(connection), first, [tree.leaf_hash(body) for body in bodies], head.size)
    except (LogError, sqlite3.Error) as error:
        return _failed(path, "missing", f"the range cannot be read: {error}", first)
    finally:
        connection.close()
    about = f"entries {first} to {last}"
    if root != head.root:
        message = f"{about} do not lead to the signed root: one of them, or a stored hash beside them, was changed"
        return _failed(path, "rewritten", message, first, time_of(bodies[0]))
    proof = f"{about} are exactly those under the signed tree head of {head.size} entries"
    return Report(
        path=str(path), origin=head.origin, size=len(bodies), root=root.hex(), proofs=(proof,), limits=(_LIMIT,)
    )


def _failed(path: Path, code: str, message: str, index: int, time: str = "") -> Report:
    return Report(path=str(path), problems=(Problem(code=code, message=message, index=index, time=time),))


def _bodies(connection: sqlite3.Connection, first: int, last: int) -> list[bytes]:
    """The stored bytes of every entry in the range.

    Raises:
        LogError: one is missing, or is none.
    """
    query = "select seq, body from audit where seq between ? and ? order by seq"
    rows = connection.execute(query, (first, last)).fetchall()
    for expected, (index, body) in zip(range(first, last + 1), [*rows, (None, None)], strict=False):
        if index != expected or not isinstance(body, bytes):
            raise LogError(f"entry {expected} is missing")
    return [body for _, body in rows]
