"""A range is verified by its own bytes and the stored hashes of everything else, which are not believed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import tree
from audit.export import export
from audit.testing import Store, signer_of
from audit.verify_range import verify_range


@given(size=st.integers(1, 700), data=st.data())
def test_the_root_is_the_same_whichever_leaves_are_handed_in(size: int, data: st.DataObject) -> None:
    leaves = [tree.leaf_hash(str(number).encode()) for number in range(size)]

    def node(level: int, index: int) -> bytes:
        return tree.complete_root(leaves[index << level : (index + 1) << level])

    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size - 1))
    root = tree.grow(tree.Tree(), leaves)[0].root()
    part = leaves[first : last + 1]
    assert tree.root_with(node, first, part, size) == root
    part[0] = hashlib.sha256(b"another").digest()
    assert tree.root_with(node, first, part, size) != root


@pytest.mark.parametrize(("first", "last"), [(0, 0), (300, 300), (255, 256), (10, 290), (0, 300)])
def test_a_range_of_a_log_verifies(store: Store, first: int, last: int) -> None:
    store.write_many(300)
    report = verify_range(store.path, first, last, vkeys=[store.signer.verifier.vkey])
    assert report.ok
    assert (report.size, report.root) == (last - first + 1, store.log.head.root.hex())
    assert report.proofs == (f"entries {first} to {last} are exactly those under the signed tree head of 301 entries",)


@pytest.mark.parametrize("recomputes_leaf", [False, True])
def test_an_edit_in_the_range_is_found_and_one_outside_is_left_to_the_whole(
    store: Store, recomputes_leaf: bool
) -> None:
    store.write_many(300)
    body = store.bodies()[20].replace(b"deny", b"allow").replace(b"Bash", b"Bosh")
    assert body != store.bodies()[20]
    store.execute("update audit set body = ? where seq = 20", (body,))
    if recomputes_leaf:
        store.execute("update audit set leaf = ? where seq = 20", (tree.leaf_hash(body),))
    [problem] = verify_range(store.path, 10, 30).problems
    assert (problem.code, problem.index, problem.time) == ("rewritten", 10, json.loads(store.bodies()[10])["t"])
    assert verify_range(store.path, 30, 40).ok


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("delete from audit where seq = 20", "missing"),
        ("delete from audit where seq >= 25", "missing"),
        ("update tile set hashes = zeroblob(8192)", "rewritten"),
        ("delete from tree", "head"),
        ("drop table tile", "missing"),
    ],
)
def test_what_is_gone_or_damaged_is_a_problem_and_no_error(store: Store, damage: str, code: str) -> None:
    store.write_many(600)
    store.execute(damage)
    assert [each.code for each in verify_range(store.path, 10, 300).problems] == [code]


def test_a_range_beyond_the_head_another_key_and_an_export_are_refused(store: Store, tmp_path: Path) -> None:
    store.write_many(9)
    assert [each.code for each in verify_range(store.path, 5, 10).problems] == ["dropped"]
    other = signer_of(9).verifier.vkey
    assert [each.code for each in verify_range(store.path, 0, 1, vkeys=[other]).problems] == ["head"]
    export(store.path, tmp_path / "folder")
    assert [each.code for each in verify_range(tmp_path / "folder", 0, 1).problems] == ["unreadable"]
