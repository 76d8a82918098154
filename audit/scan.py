"""Reads all entries of a log once: hashes them, and notes where stored hashes, tiles and numbers do not fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from askfirst.errors import LogError
from audit import tree as merkle
from audit.clock import rfc3339
from audit.entry import reading_of
from audit.payloads import References

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audit.source import Row, Source

MAX_PROBLEMS: Final = 20
"""More of one kind are only counted, or not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        code: for programs: ``changed``, ``missing``, ``dropped``, ``rewritten``, ``unsigned``, ``head``, ``tile``,
            ``key``, ``anchor``, ``payload`` or
            ``unreadable``.
        message: one sentence.
        index: the first entry that is concerned, as far as can be told.
        time: when that entry, or the last good one before it, was made; ``""`` when that cannot be told.
    """

    code: str
    message: str
    index: int | None = None
    time: str = ""


@dataclass(slots=True, kw_only=True)
class Scan:
    """What reading all entries once gives.

    Attributes:
        sizes: at which the root is wanted.
        indexes: of which entries the bytes are wanted.
        tree: over all entries that are there.
        roots: by size.
        bodies: stored bytes by index.
        problems: the first ones found.
        references: what the entries say of payloads, where the source has payloads.
        is_contiguous: whether no number was missing so far.
        time: when the last readable entry was made.
    """

    sizes: Sequence[int]
    indexes: frozenset[int]
    tree: merkle.Tree = field(default_factory=merkle.Tree)
    roots: dict[int, bytes] = field(default_factory=dict)
    bodies: dict[int, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    references: References = field(default_factory=References)
    is_contiguous: bool = True
    time: str = ""

    def note(self, code: str, message: str, index: int, body: bytes) -> None:
        """Note a problem, with the time of this entry."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code=code, message=message, index=index, time=time_of(body)))


def scan_entries(source: Source, sizes: Iterable[int], indexes: frozenset[int]) -> Scan:
    """Read all entries of the source once.

    Raises:
        LogError: something there is no entry at all.
    """
    wanted = sorted(set(sizes))
    scan = Scan(sizes=wanted, indexes=indexes | frozenset({0, *wanted}))  # 0: since when, where nothing else tells
    if 0 in wanted:
        scan.roots[0] = merkle.EMPTY_ROOT
    last = b""
    for rows in source.rows():
        _scan_rows(scan, source, rows)
        if source.payloads:
            scan.references.read(rows)
        last = rows[-1][2]
    scan.time = time_of(last)
    return scan


def time_of(body: bytes) -> str:
    """When the entry with these bytes says that it was made; ``""`` when it does not."""
    try:
        return rfc3339(reading_of(body).wall_us)
    except LogError:
        return ""


def _scan_rows(scan: Scan, source: Source, rows: list[Row]) -> None:
    start = scan.tree.size
    end = start + len(rows)
    try:
        leaves = [merkle.leaf_hash(body) for _, _, body in rows]
    except TypeError:
        raise LogError(f"an entry between {start} and {end} is not stored as bytes") from None
    if scan.is_contiguous:
        _check_numbers(scan, rows)
    if rows[0][1] is not None and [leaf for _, leaf, _ in rows] != leaves:
        for (index, leaf, body), computed in zip(rows, leaves, strict=True):
            if leaf != computed:
                scan.note("changed", f"entry {index} was changed: its bytes do not have the stored hash", index, body)
    grown, tiles = merkle.grow(scan.tree, leaves)
    if source.tile and scan.is_contiguous:
        for tile in tiles:
            _check_tile(scan, tile, source.tile(tile.level, tile.n), rows)
    for size in scan.sizes:
        if start < size <= end:
            scan.roots[size] = merkle.grow(scan.tree, leaves[: size - start])[0].root()
    scan.bodies.update((index, rows[index - start][2]) for index in scan.indexes if start <= index < end)
    scan.tree = grown


def _check_numbers(scan: Scan, rows: list[Row]) -> None:
    expected = scan.tree.size
    if rows[0][0] == expected and rows[-1][0] == expected + len(rows) - 1:
        return  # they are unique and in order, so none is missing
    scan.is_contiguous = False
    for at, (index, _, body) in enumerate(rows, expected):
        if index != at:
            scan.note("missing", f"entry {at} is missing: entry {index} follows entry {at - 1}", at, body)
            return


def _check_tile(scan: Scan, tile: merkle.Tile, stored: bytes | None, rows: list[Row]) -> None:
    """Compare a tile with the stored one; in the lowest level it tells which entry was changed with its hash."""
    if stored == tile.hashes:
        return
    first = tile.n << 8 * (tile.level + 1)
    if stored is None:
        scan.note("tile", f"tile {tile.n} of level {tile.level} is missing or damaged", first, rows[0][2])
        return
    if tile.level:
        scan.note("tile", f"tile {tile.n} of level {tile.level} is not that of the entries", first, rows[0][2])
        return
    pairs = zip(merkle.split_hashes(stored), merkle.split_hashes(tile.hashes), strict=True)
    for (index, _, body), (old, new) in zip(rows, pairs, strict=True):
        if old != new:
            scan.note("changed", f"entry {index} was changed: its tile has another hash for it", index, body)
