"""The tree against the vectors of RFC 6962's reference implementation and against its definition."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import tree

# From: certificate-transparency, cpp/merkletree/merkle_tree_test.cc (the leaves and roots of every port since).
LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PROOF_OF_5_IN_8 = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
PROOF_FROM_6_TO_8 = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return tree.node_hash(by_definition(leaves[:k]), by_definition(leaves[k:]))


def reader(leaves: list[bytes]) -> tree.NodeReader:
    return lambda level, index: tree.complete_root(leaves[index << level : index + 1 << level])


def numbered(count: int) -> list[bytes]:
    return [tree.leaf_hash(b"%d" % number) for number in range(count)]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_of_the_reference_implementation_come_out(size: int) -> None:
    grown, _ = tree.grow(tree.Tree(), [tree.leaf_hash(leaf) for leaf in LEAVES[:size]])
    assert grown.root().hex() == ROOTS[size - 1]


def test_the_proofs_of_the_reference_implementation_come_out() -> None:
    node = reader([tree.leaf_hash(leaf) for leaf in LEAVES])
    assert [step.hex() for step in tree.inclusion_proof(node, 5, 8)] == PROOF_OF_5_IN_8
    assert [step.hex() for step in tree.consistency_proof(node, 6, 8)] == PROOF_FROM_6_TO_8
    assert tree.consistency_proof(node, 8, 8) == []


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert tree.Tree().root() == by_definition([])


@given(st.lists(st.integers(0, 600), max_size=6))
def test_growing_in_any_portions_gives_the_tree_and_the_tiles_of_the_definition(portions: list[int]) -> None:
    leaves, grown, tiles, at = numbered(sum(portions)), tree.Tree(), list[tree.Tile](), 0
    for portion in portions:
        grown, full = tree.grow(grown, leaves[at : at + portion])
        tiles += full
        at += portion

    assert (grown.size, grown.root()) == (len(leaves), by_definition(leaves))
    assert len(grown.frontier) == len(leaves).bit_count()
    expected = [b"".join(leaves[n * 256 : n * 256 + 256]) for n in range(len(leaves) // 256)]
    assert [(tile.n, tile.hashes) for tile in tiles if tile.level == 0] == list(enumerate(expected))


def test_a_tile_of_the_second_level_holds_the_roots_of_256_tiles() -> None:
    leaves = numbered(65_536 + 3)
    grown, tiles = tree.grow(tree.Tree(), leaves)
    upper = [tile for tile in tiles if tile.level == 1]
    roots = [tree.complete_root(leaves[n * 256 : n * 256 + 256]) for n in range(256)]
    assert [(tile.n, tile.hashes) for tile in upper] == [(0, b"".join(roots))]
    assert [len(edge) for edge in grown.edges] == [3, 0, 1]
    assert grown.root() == by_definition(leaves)


@given(st.integers(1, 70), st.data())
def test_an_inclusion_proof_verifies_and_nothing_else_does(size: int, data: st.DataObject) -> None:
    leaves = numbered(size)
    index = data.draw(st.integers(0, size - 1))
    root, proof = by_definition(leaves), tree.inclusion_proof(reader(leaves), index, size)

    assert tree.verify_inclusion(leaves[index], index, size, proof, root)
    other = data.draw(st.integers(-2, size + 2).filter(lambda number: number != index))
    assert not tree.verify_inclusion(leaves[index], other, size, proof, root)
    assert not tree.verify_inclusion(tree.leaf_hash(b"other"), index, size, proof, root)
    assert not tree.verify_inclusion(leaves[index], index, size, proof, tree.EMPTY_ROOT)
    assert not tree.verify_inclusion(leaves[index], index, size, [*proof, root], root)
    if proof:
        assert not tree.verify_inclusion(leaves[index], index, size, proof[:-1], root)


@given(st.integers(1, 70), st.data())
def test_a_consistency_proof_verifies_and_nothing_else_does(new: int, data: st.DataObject) -> None:
    leaves = numbered(new)
    old = data.draw(st.integers(1, new))
    old_root, new_root = by_definition(leaves[:old]), by_definition(leaves)
    proof = tree.consistency_proof(reader(leaves), old, new)

    assert tree.verify_consistency(old, new, old_root, new_root, proof)
    forged = by_definition([tree.leaf_hash(b"forged"), *leaves[1:old]])
    assert not tree.verify_consistency(old, new, forged, new_root, proof)
    assert not tree.verify_consistency(old, new, old_root, forged, proof)
    assert not tree.verify_consistency(old, new, old_root, new_root, [*proof, new_root])
    if proof:
        assert not tree.verify_consistency(old, new, old_root, new_root, proof[:-1])


def test_every_tree_begins_with_the_empty_one() -> None:
    assert tree.verify_consistency(0, 3, tree.EMPTY_ROOT, by_definition(numbered(3)), [])
    assert not tree.verify_consistency(0, 3, by_definition(numbered(1)), by_definition(numbered(3)), [])
    assert not tree.verify_consistency(3, 2, by_definition(numbered(3)), by_definition(numbered(2)), [])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_a_proof_of_an_entry_that_is_not_there_is_refused(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no entry"):
        tree.inclusion_proof(reader(numbered(3)), index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3)])
def test_a_consistency_proof_between_impossible_sizes_is_refused(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="expected 0 < old <= new"):
        tree.consistency_proof(reader(numbered(3)), old, new)


def test_a_leaf_never_passes_for_a_node() -> None:
    """A12: without the two prefixes an entry made of two hashes would have the hash of their parent."""
    left, right = numbered(2)
    assert tree.leaf_hash(left + right) != tree.node_hash(left, right)


def test_hashes_that_were_cut_are_refused() -> None:
    assert tree.split_hashes(b"".join(numbered(3))) == tuple(numbered(3))
    with pytest.raises(ValueError, match="no whole number"):
        tree.split_hashes(b"\0" * 33)
