"""Where a log is read from without trusting it: the store's file, an export's folder, or an export in one file.

Rules kept here:
- The store is opened read-only, in one read transaction, with bounds on what a row may hold; a broker may write on.
- Nothing is believed or repaired. What cannot be read is a LogError.

Export in a folder: ``entries.jsonl`` (the stored bytes, one entry a line), ``checkpoint``, ``log.vkey``. Export in one
file: a first line ``{"checkpoint":…,"format":"askfirst-log/v1","vkeys":[…]}``, then the entries.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar
from urllib.parse import quote

from askfirst.audit_port import EntryType
from askfirst.errors import LogError
from audit import tree as merkle
from audit.entry import MAX_ENTRY_BYTES, MAX_PAYLOAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FORMAT: Final = "askfirst-log/v1"
ENTRIES_FILE: Final = "entries.jsonl"
CHECKPOINT_FILE: Final = "checkpoint"
VKEY_FILE: Final = "log.vkey"

Row = tuple[int, "bytes | None", bytes]
"""Index, stored leaf hash (None where the form has none), stored bytes."""

Payload = tuple[bytes, bytes, "bytes | None"]
"""Digest, salt, bytes (None: too many)."""

_CHANGE_OF_KEY: Final = f'"type":"{EntryType.LOG_KEY_ROTATED}","v":1}}'.encode()
"""The end of each such entry, whose members are in order; nothing else ends so."""
_SQLITE: Final = b"SQLite format 3\0"
_MAX_CELL_BYTES: Final = 1 << 20
_MAX_HEADER_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A witness's signature line over the head of this size, as it is stored."""

    size: int
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A log as it was found.

    Attributes:
        checkpoint: the signed tree head, ``""`` when it is missing.
        size: number of entries that the store says it has; None where the form does not say.
        frontier: as stored; None where the form has none.
        origin: as stored beside the log; ``""`` where the form has none.
        vkeys: the keys found beside the log, which prove nothing against whoever can write there.
        cosignatures: as stored.
        rows: reads all entries from the first on, 256 at a time.
        changes: reads index and bytes of each entry that changes the log's key.
        tile: reads a tile by level and number; None when there is none.
        payloads: reads digest, salt and bytes of each payload that stands apart, None for the bytes of one that is
            larger than any that is logged; None where the form has no payloads.
    """

    checkpoint: str
    size: int | None = None
    frontier: bytes | None = None
    origin: str = ""
    vkeys: tuple[str, ...] = ()
    cosignatures: tuple[Cosignature, ...] = ()
    rows: Callable[[], Iterator[list[Row]]] = field(repr=False)
    changes: Callable[[], Iterator[tuple[int, bytes]]] = field(repr=False)
    tile: Callable[[int, int], bytes | None] | None = field(default=None, repr=False)
    payloads: Callable[[], Iterator[Payload]] | None = field(default=None, repr=False)


@contextlib.contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The log at this path, of whatever form, open until the block ends.

    Raises:
        LogError: there is none, or it cannot be read (also later, by what reads entries, tiles and payloads).
    """
    with contextlib.ExitStack() as stack:
        with _reading(path):
            source = _open(path, stack)
        yield source


def _open(path: Path, stack: contextlib.ExitStack) -> Source:
    if path.is_dir():
        return _folder(path, stack.enter_context((path / ENTRIES_FILE).open("rb")))
    file = stack.enter_context(path.open("rb"))
    if file.read(len(_SQLITE)) == _SQLITE:
        return _store(path, stack.enter_context(contextlib.closing(connect(path))))
    file.seek(0)
    return _stream(path, file)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error, ValueError, TypeError) as error:  # the last two: of another type than ours
        raise LogError(f"{path} cannot be read as a log: {error}") from error


_Item = TypeVar("_Item")


def _guarded(path: Path, items: Iterator[_Item]) -> Iterator[_Item]:
    """The items; what goes wrong in reading them (and not in using them) is a LogError."""
    with _reading(path):
        yield from items


def connect(path: Path) -> sqlite3.Connection:
    """A read-only connection to a store, in a read transaction."""
    options = "mode=ro"
    if not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists():
        # There is no place for SQLite's shared memory, and no writer either.
        options += "&immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?{options}", uri=True, isolation_level=None)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_CELL_BYTES)
    connection.execute("pragma trusted_schema=off")
    connection.execute("begin")
    return connection


def node_reader(connection: sqlite3.Connection) -> merkle.NodeReader:
    """The hashes of complete subtrees in a store, from its tiles and, right of them, its leaves."""

    def tile(level: int, n: int) -> bytes | None:
        return _tile(connection, level, n)

    def leaves(first: int, count: int) -> list[bytes]:
        query = "select leaf from audit where seq >= ? and seq < ? order by seq"
        return [leaf for (leaf,) in connection.execute(query, (first, first + count))]

    return nodes_of(tile, leaves)


def nodes_of(tile: Callable[[int, int], bytes | None], leaves: Callable[[int, int], list[bytes]]) -> merkle.NodeReader:
    """The hashes of complete subtrees from full tiles by level and number, and leaf hashes by first index and count."""

    def hashes(level: int, first: int, count: int) -> list[bytes]:
        if full := tile(level, first // merkle.TILE_WIDTH):
            at = first % merkle.TILE_WIDTH
            return list(merkle.split_hashes(full)[at : at + count])
        if level == 0:
            return leaves(first, count)
        return [merkle.complete_root(hashes(level - 1, n << 8, 256)) for n in range(first, first + count)]

    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, 8)
        found = hashes(tile_level, index << height, 1 << height)
        if len(found) != 1 << height:
            raise LogError(f"the store lacks entries from {index << level} on")
        return merkle.complete_root(found)

    return node


def _tile(connection: sqlite3.Connection, level: int, n: int) -> bytes | None:
    row = connection.execute("select hashes from tile where level = ? and n = ?", (level, n)).fetchone()
    return row[0] if row and isinstance(row[0], bytes) and len(row[0]) == 8192 else None


def _store(path: Path, connection: sqlite3.Connection) -> Source:
    head = connection.execute("select size, frontier, checkpoint from tree").fetchone() or (None, None, "")
    origin = connection.execute("select value from meta where key = 'log.origin'").fetchone() or ("",)
    lines = connection.execute("select size, line from cosignature order by size, name").fetchall()

    def rows() -> Iterator[list[Row]]:
        cursor = connection.execute("select seq, leaf, body from audit order by seq")
        while batch := cursor.fetchmany(merkle.TILE_WIDTH):
            yield batch

    def changes() -> Iterator[tuple[int, bytes]]:
        yield from connection.execute(
            "select seq, body from audit where substr(body, ?) = ? order by seq", (-len(_CHANGE_OF_KEY), _CHANGE_OF_KEY)
        )

    def tile(level: int, n: int) -> bytes | None:
        with _reading(path):
            return _tile(connection, level, n)

    def payloads() -> Iterator[Payload]:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_PAYLOAD_BYTES + _MAX_CELL_BYTES)
        query = "select sha256, salt, iif(length(bytes) <= ?, bytes, null) from blob"
        for sha256, salt, payload in connection.execute(query, (MAX_PAYLOAD_BYTES,)):
            if not (isinstance(sha256, bytes) and isinstance(salt, bytes) and isinstance(payload, bytes | None)):
                raise TypeError("a payload is not stored as bytes")
            yield sha256, salt, payload

    return Source(
        checkpoint=str(head[2]),
        size=head[0],
        frontier=head[1],
        origin=str(origin[0]),
        vkeys=_vkeys(path.with_name(VKEY_FILE)),
        cosignatures=tuple(Cosignature(size=int(size), line=str(line)) for size, line in lines),
        rows=lambda: _guarded(path, rows()),
        changes=lambda: _guarded(path, changes()),
        tile=tile,
        payloads=lambda: _guarded(path, payloads()),
    )


def _folder(path: Path, entries: BinaryIO) -> Source:
    checkpoint = path / CHECKPOINT_FILE
    return Source(
        checkpoint=checkpoint.read_text(encoding="utf-8") if checkpoint.exists() else "",
        vkeys=_vkeys(path / VKEY_FILE),
        rows=lambda: _guarded(path, _lines(entries, 0)),
        changes=lambda: _guarded(path, _changes(entries, 0)),
    )


def _stream(path: Path, file: BinaryIO) -> Source:
    try:
        header = json.loads(file.readline(_MAX_HEADER_BYTES))
        kind, checkpoint, vkeys = header["format"], str(header["checkpoint"]), tuple(map(str, header["vkeys"]))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise LogError(f"{path} is neither a store nor an export of the format {FORMAT}") from error
    if kind != FORMAT:
        raise LogError(f"{path} is an export of the format {str(kind)[:40]!r}, expected {FORMAT}")
    start = file.tell()
    return Source(
        checkpoint=checkpoint,
        vkeys=vkeys,
        rows=lambda: _guarded(path, _lines(file, start)),
        changes=lambda: _guarded(path, _changes(file, start)),
    )


def _vkeys(path: Path) -> tuple[str, ...]:
    return tuple(path.read_text(encoding="utf-8").split()) if path.exists() else ()


def _changes(file: BinaryIO, start: int) -> Iterator[tuple[int, bytes]]:
    """Those of the entries from this byte on that change the key."""
    return ((index, body) for batch in _lines(file, start) for index, _, body in batch if body.endswith(_CHANGE_OF_KEY))


def _lines(file: BinaryIO, start: int) -> Iterator[list[Row]]:
    """The entries from this byte on; a line too long comes in pieces, none of which is an entry that was signed."""
    file.seek(start)
    index, batch = 0, list[Row]()
    while line := file.readline(MAX_ENTRY_BYTES + 1):
        batch.append((index, None, line.removesuffix(b"\n")))
        index += 1
        if len(batch) == merkle.TILE_WIDTH:
            yield batch
            batch = []
    if batch:
        yield batch
