"""The Merkle tree of RFC 6962 §2.1: hashes, growing, tiles and proofs; pure functions over bytes.

Rules kept here:
- A leaf is SHA-256(0x00 || entry), a node SHA-256(0x01 || left || right): one can never pass for the other.
- ``Tree`` is a value; ``grow`` makes a new one and hands out the tiles that became full on the way.
- A proof is made from a ``NodeReader``, which knows the hash of every complete subtree, however it is stored.

Signatures, storage and the shape of entries are the business of others.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
TILE_WIDTH = 256
"""Hashes in a full tile. From: https://c2sp.org/tlog-tiles"""
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without entries (RFC 6962 §2.1)."""

NodeReader = Callable[[int, int], bytes]
"""``(level, index)`` to the hash of the complete subtree over the leaves ``index << level`` to
``(index + 1 << level) - 1``."""

_TILE_HEIGHT = 8
_sha256 = hashlib.sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A full tile: the 256 hashes at tree level ``8 * level`` with the indexes from ``256 * n`` on, 8,192 bytes."""

    level: int
    n: int
    hashes: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What has to be known of a tree to append to it.

    Attributes:
        size: number of leaves.
        frontier: roots of the complete subtrees that make up the tree, largest first; one for each 1 in ``size``.
        edges: for each tile level the hashes of its unfinished last tile, fewer than 256 each.
    """

    size: int = 0
    frontier: tuple[bytes, ...] = ()
    edges: tuple[tuple[bytes, ...], ...] = ()

    def root(self) -> bytes:
        """The Merkle tree hash over all leaves."""
        return fold(self.frontier)


def leaf_hash(entry: bytes) -> bytes:
    """The leaf hash of an entry's stored bytes."""
    return _sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return _sha256(b"\x01" + left + right).digest()


def fold(frontier: Sequence[bytes]) -> bytes:
    """The root over a frontier, largest subtree first."""
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = node_hash(left, root)
    return root


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """The root over neighbouring hashes of one level whose number is a power of two."""
    row = list(hashes)
    while len(row) > 1:
        pairs = iter(row)
        row = [_sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return row[0]


def grow(tree: Tree, leaves: Sequence[bytes]) -> tuple[Tree, list[Tile]]:
    """The tree with these leaf hashes appended, and the tiles that became full, lowest level first within a tile."""
    size, stack, tiles = tree.size, list(tree.frontier), list[Tile]()
    edges = [list(edge) for edge in tree.edges] or [[]]
    position = 0
    while position < len(leaves):
        have = size % TILE_WIDTH
        chunk = leaves[position : position + TILE_WIDTH - have]
        position += len(chunk)
        edges[0].extend(chunk)
        if have + len(chunk) == TILE_WIDTH:
            # The tile replaces the small subtrees that its first leaves had left on the frontier.
            del stack[len(stack) - have.bit_count() :]
            size += len(chunk)
            _push(stack, size // TILE_WIDTH - 1, _close_tiles(edges, size, tiles))
            continue
        for leaf in chunk:
            _push(stack, size, leaf)
            size += 1
    return Tree(size=size, frontier=tuple(stack), edges=tuple(map(tuple, edges))), tiles


def from_edges(size: int, edges: Sequence[Sequence[bytes]]) -> Tree:
    """The tree of this size whose unfinished tiles are these, lowest level first."""
    frontier = list[bytes]()
    for edge in reversed(edges):
        at = 0
        for bit in reversed(range(_TILE_HEIGHT)):
            if len(edge) >> bit & 1:
                frontier.append(complete_root(edge[at : at + (1 << bit)]))
                at += 1 << bit
    return Tree(size=size, frontier=tuple(frontier), edges=tuple(map(tuple, edges)))


def _push(stack: list[bytes], count: int, node: bytes) -> None:
    """Append the node that has ``count`` nodes of its own level before it to a frontier."""
    while count & 1:
        node = _sha256(b"\x01" + stack.pop() + node).digest()
        count >>= 1
    stack.append(node)


def _close_tiles(edges: list[list[bytes]], size: int, tiles: list[Tile]) -> bytes:
    """Close the full tile of level 0, and each above it that this fills; the root of the one of level 0."""
    roots, level = list[bytes](), 0
    while len(edges[level]) == TILE_WIDTH:
        n = (size >> _TILE_HEIGHT * (level + 1)) - 1
        tiles.append(Tile(level=level, n=n, hashes=b"".join(edges[level])))
        roots.append(complete_root(edges[level]))
        edges[level].clear()
        level += 1
        if level == len(edges):
            edges.append([])
        edges[level].append(roots[-1])
    return roots[0]


def split_hashes(packed: bytes) -> tuple[bytes, ...]:
    """The hashes that were stored one after the other; ValueError when a piece is left over."""
    if len(packed) % HASH_BYTES:
        raise ValueError(f"{len(packed)} bytes are no whole number of {HASH_BYTES}-byte hashes")
    return tuple(packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES))


def range_hash(node: NodeReader, start: int, end: int) -> bytes:
    """The hash over the leaves from ``start`` to before ``end``, as RFC 6962 splits them.

    ``start`` is aligned to the smallest power of two that holds the range, which every range met by the
    recursion of RFC 6962 is.
    """
    level = (end - start).bit_length() - 1
    if end - start == 1 << level:
        return node(level, start >> level)
    middle = start + (1 << level)
    return node_hash(node(level, start >> level), range_hash(node, middle, end))


def root_with(node: NodeReader, first: int, leaves: Sequence[bytes], size: int) -> bytes:
    """The root at ``size`` with these leaf hashes from ``first`` on, and the node reader's for everything else."""

    def part(start: int, end: int) -> bytes:
        if end <= first or start >= first + len(leaves):
            return range_hash(node, start, end)
        if end - start == 1:
            return leaves[start - first]
        middle = start + _split(end - start)
        return node_hash(part(start, middle), part(middle, end))

    return part(0, size)


def inclusion_proof(node: NodeReader, index: int, size: int) -> list[bytes]:
    """The hashes that lead from the leaf at ``index`` to the root at ``size`` (RFC 9162 §2.1.3.1), leaf side first.

    Raises:
        ValueError: no such leaf in a tree of this size.
    """
    if not 0 <= index < size:
        raise ValueError(f"no entry {index} in a tree of {size} entries")
    proof, start, end = list[bytes](), 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(range_hash(node, middle, end))
            end = middle
        else:
            proof.append(range_hash(node, start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(node: NodeReader, old: int, new: int) -> list[bytes]:
    """The hashes that show that the tree of ``old`` leaves is the beginning of that of ``new`` (RFC 9162 §2.1.4.1).

    Raises:
        ValueError: the sizes are not 0 < old <= new.
    """
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from {old} to {new} entries, expected 0 < old <= new")
    proof, start, end = list[bytes](), 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(range_hash(node, middle, end))
            end = middle
        else:
            proof.append(range_hash(node, start, middle))
            start = middle
    if start:  # the old root itself is known to the verifier
        proof.append(range_hash(node, start, end))
    return proof[::-1]


def _split(count: int) -> int:
    """The largest power of two below ``count`` (> 1)."""
    return 1 << (count - 1).bit_length() - 1


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Iterable[bytes], root: bytes) -> bool:
    """Whether the proof leads from the leaf hash at ``index`` to the root at ``size`` (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    fn, sn, calculated = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            calculated = node_hash(sibling, calculated)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            calculated = node_hash(calculated, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and hmac.compare_digest(calculated, root)


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the old tree is the beginning of the new one (RFC 9162 §2.1.4.2).

    A tree is consistent with itself and with the empty tree by an empty proof.
    """
    if old == 0:
        return not proof and hmac.compare_digest(old_root, EMPTY_ROOT)
    if old == new:
        return not proof and hmac.compare_digest(old_root, new_root)
    if not 0 < old < new or not proof:
        return False
    path = [old_root, *proof] if old & old - 1 == 0 else list(proof)
    shift = (~(old - 1) & old).bit_length() - 1  # trailing ones of old - 1
    fn, sn = old - 1 >> shift, new - 1 >> shift
    old_calculated = new_calculated = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old_calculated = node_hash(sibling, old_calculated)
            new_calculated = node_hash(sibling, new_calculated)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new_calculated = node_hash(new_calculated, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and hmac.compare_digest(old_calculated, old_root) and hmac.compare_digest(new_calculated, new_root)
