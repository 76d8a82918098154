"""Shows the head of a log to the outside: a git ref, a timestamp authority. Offline towards the store: it is only read.

Before a new head goes out it must continue the one that went out last; a log that was rewritten is not anchored.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.errors import LogError
from audit.git_anchor import DEFAULT_REF, add_checkpoint, find_tips
from audit.keys import write_file
from audit.note import Checkpoint, NoteError, open_checkpoint, parse_vkey
from audit.receipt import Receipt, make_receipt
from audit.source import connect, node_reader
from audit.timestamp import request_timestamp
from audit.tree import consistency_proof, leaf_hash, verify_consistency, verify_inclusion

if TYPE_CHECKING:
    from pathlib import Path

    from audit.git_anchor import Tips
    from audit.tree import NodeReader

_ATTEMPTS: Final = 3
"""How often a push is tried when another machine was faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The signed head of a store, and the means to prove things under it.

    Attributes:
        checkpoint: its content.
        note: as it was signed, with the cosignatures that are stored for it.
        vkeys: all keys that the log had.
        nodes: hashes of the store; valid while it is open.
    """

    checkpoint: Checkpoint
    note: str
    vkeys: tuple[str, ...]
    nodes: NodeReader


def open_head(connection: sqlite3.Connection) -> Head:
    """The head of an open store.

    Raises:
        LogError: there is none, or it is not signed by the log.
    """
    try:
        row = connection.execute("select checkpoint from tree").fetchone()
        keys = connection.execute("select value from meta where key = 'log.vkey'").fetchone()
        if not row or not keys:
            raise LogError("the store holds no log")
        vkeys = tuple(str(keys[0]).split("\n"))
        checkpoint = open_checkpoint(str(row[0]), map(parse_vkey, vkeys))
        lines = connection.execute("select line from cosignature where size = ? order by name", (checkpoint.size,))
        note = str(row[0]) + "".join(f"{str(line).strip()}\n" for (line,) in lines)
    except sqlite3.Error as error:
        raise LogError(f"the store cannot be read: {error}") from error
    return Head(checkpoint=checkpoint, note=note, vkeys=vkeys, nodes=node_reader(connection))


def anchor_git(store: Path, repository: Path, *, ref: str = DEFAULT_REF, remote: str = "") -> tuple[str, str]:
    """Commit the head to the ref of a repository, and push it; the head as ``size:root`` and the commit's id.

    Raises:
        LogError: the head does not continue the one that the ref holds, or git refuses.
    """
    with closing(connect(store)) as connection:
        head = open_head(connection)
        for left in reversed(range(_ATTEMPTS)):
            tips = find_tips(repository, ref, remote)
            for commit, note in tips.heads:
                _require_continues(head, note, f"{repository} at {commit[:12]}")
            try:
                return head.checkpoint.seen, _add(head, repository, tips, ref=ref, remote=remote)
            except LogError:
                if not left or find_tips(repository, ref, remote) == tips:
                    raise
    raise AssertionError  # the last attempt returns or raises


def _add(head: Head, repository: Path, tips: Tips, *, ref: str, remote: str) -> str:
    subject = f"Log of {head.checkpoint.seen.replace(':', ' entries, root ')}"
    return add_checkpoint(repository, head.note, head.vkeys, subject, tips=tips, ref=ref, remote=remote)


def anchor_timestamp(store: Path, folder: Path, url: str) -> tuple[str, Path]:
    """Have the head timestamped; it is kept as ``<size>.checkpoint`` and ``<size>.tsr``. Returns head and token.

    A head that was timestamped before is so again as it was then, though witnesses may have cosigned it since: at every
    moment checkpoint and token fit.

    Raises:
        LogError: the authority gives no timestamp.
    """
    with closing(connect(store)) as connection:
        head = open_head(connection)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    size = head.checkpoint.size
    path, token = folder / f"{size}.checkpoint", folder / f"{size}.tsr"
    note = _kept_note(path, head) or head.note
    response = request_timestamp(url, note.encode())
    write_file(path, note, 0o644, replace=True)
    write_file(token, response, 0o644, replace=True)
    return head.checkpoint.seen, token


def _kept_note(path: Path, head: Head) -> str:
    """The same head as it was kept in a file; ``""`` when it was not, or something else was."""
    try:
        note = path.read_text(encoding="utf-8")
        return note if open_checkpoint(note, map(parse_vkey, head.vkeys)) == head.checkpoint else ""
    except (FileNotFoundError, UnicodeDecodeError, NoteError):
        return ""


def receipts_of(store: Path, indexes: list[int]) -> list[tuple[Receipt, bytes]]:
    """Receipts for these entries under the newest head, each with the stored bytes of its entry, for which it holds.

    Raises:
        LogError: there is no such entry, or it is not the one that was signed.
    """
    with closing(connect(store)) as connection:
        head = open_head(connection)
        return [_receipt_of(connection, head, index) for index in indexes]


def _receipt_of(connection: sqlite3.Connection, head: Head, index: int) -> tuple[Receipt, bytes]:
    size, root = head.checkpoint.size, head.checkpoint.root
    try:
        receipt = make_receipt(head.nodes, index, head.checkpoint, head.note)
        found = connection.execute("select body from audit where seq = ?", (index,)).fetchone()
    except (ValueError, sqlite3.Error) as error:
        raise LogError(str(error)) from error
    entry = found[0] if found and isinstance(found[0], bytes) else b""
    if not verify_inclusion(leaf_hash(entry), index, size, receipt.proof, root):
        raise LogError(
            f"entry {index} is not the one that was signed, so no receipt holds; run `askfirst audit verify`"
        )
    return receipt, entry


def _require_continues(head: Head, note: str, label: str) -> None:
    try:
        old = open_checkpoint(note, map(parse_vkey, head.vkeys))
    except NoteError as error:
        raise LogError(f"{label} holds no head of this log: {error}") from error
    if old.origin != head.checkpoint.origin:
        raise LogError(f"{label} holds the log {old.origin!r}, this one is {head.checkpoint.origin!r}; use another ref")
    _require_growth(head, old, label)


def _require_growth(head: Head, old: Checkpoint, label: str) -> None:
    new = head.checkpoint
    if old.size > new.size:
        raise LogError(f"{label} has {old.size} entries, this log has {new.size}: it was rolled back")
    proof = consistency_proof(head.nodes, old.size, new.size) if old.size else []
    if not verify_consistency(old.size, new.size, old.root, new.root, proof):
        raise LogError(f"the log of {new.size} entries does not continue {label}: it was rewritten")
