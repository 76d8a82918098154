"""Receipts that prove one entry without the log."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.errors import LogError
from audit import tree
from audit.note import Checkpoint, NoteError, sign
from audit.receipt import Receipt, make_receipt, parse_receipt, verify_receipt
from audit.source import connect, node_reader
from audit.testing import Store, signer_of
from audit.verify import verify_store

SIGNER = signer_of(1)


def receipt_of(bodies: list[bytes], index: int) -> Receipt:
    leaves = [tree.leaf_hash(body) for body in bodies]
    head = Checkpoint(origin=SIGNER.name, size=len(bodies), root=tree.grow(tree.Tree(), leaves)[0].root())
    node: tree.NodeReader = lambda level, at: tree.complete_root(leaves[at << level : at + 1 << level])  # noqa: E731
    return make_receipt(node, index, head, sign(head.text, SIGNER))


@given(st.integers(1, 40), st.data())
def test_a_receipt_survives_its_text_and_proves_its_entry_only(size: int, data: st.DataObject) -> None:
    bodies = [b"%d" % number for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    receipt = parse_receipt(receipt_of(bodies, index).text)
    assert receipt == receipt_of(bodies, index)
    assert verify_receipt(receipt, bodies[index], [SIGNER.verifier]).size == size
    for other in {b"other", bodies[0], bodies[-1]} - {bodies[index]}:
        with pytest.raises(NoteError, match=f"is not entry {index} of the log"):
            verify_receipt(receipt, other, [SIGNER.verifier])
    with pytest.raises(NoteError, match="no known key"):
        verify_receipt(receipt, bodies[index], [signer_of(2).verifier])


@pytest.mark.parametrize("size", [1, 3, 256, 257, 700])
def test_a_store_gives_receipts_for_each_of_its_entries(store: Store, size: int) -> None:
    store.write_many(size - 1)
    bodies, head = store.bodies(), Checkpoint(origin=SIGNER.name, size=size, root=store.log.head.root)
    connection = connect(store.path)
    for index in {0, size // 2, size - 1, min(255, size - 1)}:
        receipt = make_receipt(node_reader(connection), index, head, store.log.head.checkpoint)
        assert receipt.text == receipt_of(bodies, index).text
        verify_receipt(receipt, bodies[index], [SIGNER.verifier])
    connection.close()


@pytest.mark.slow
def test_a_store_of_more_than_65536_entries_gives_receipts_from_its_upper_tiles(store: Store) -> None:
    store.write_many(66_000, batch=22_000)
    head = Checkpoint(origin=SIGNER.name, size=66_001, root=store.log.head.root)
    bodies = store.bodies()
    connection = connect(store.path)
    for index in (0, 65_535, 65_536, 66_000):
        receipt = make_receipt(node_reader(connection), index, head, store.log.head.checkpoint)
        verify_receipt(receipt, bodies[index], [SIGNER.verifier])
    connection.close()


@pytest.mark.slow
def test_a_changed_upper_tile_is_named_and_missing_entries_give_no_receipt(store: Store) -> None:
    store.write_many(66_000, batch=22_000)
    store.execute("update tile set hashes = zeroblob(8192) where level = 1")
    report = verify_store(store.path)
    assert [(problem.code, problem.index) for problem in report.problems] == [("tile", 0)]
    store.execute("delete from audit where seq = 66000")
    connection = connect(store.path)
    with pytest.raises(LogError, match="the store lacks entries from 66000 on"):
        node_reader(connection)(0, 66_000)
    connection.close()


def test_extra_data_is_read_over_because_nothing_proves_it() -> None:
    receipt = receipt_of([b"0", b"1"], 1)
    text = receipt.text.replace("\nindex", "\nextra c29tZXRoaW5n\nindex", 1)
    assert parse_receipt(text) == receipt


HASH = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no receipt"),
        ("c2sp.org/tlog-proof@v1\nindex 1\n", "is no receipt"),
        ("c2sp.org/tlog-proof@v2\nindex 1\n\nnote\n", "is no receipt"),
        ("c2sp.org/tlog-proof@v1\n\nnote\n", "is no receipt"),
        ("c2sp.org/tlog-proof@v1\nindex\n\nnote\n", "expected `index` and a number"),
        ("c2sp.org/tlog-proof@v1\nindex 01\n\nnote\n", "expected `index` and a number"),
        ("c2sp.org/tlog-proof@v1\nindex -1\n\nnote\n", "expected `index` and a number"),
        ("c2sp.org/tlog-proof@v1\nindex ²\n\nnote\n", "expected `index` and a number"),
        (f"c2sp.org/tlog-proof@v1\nindex {'1' * 5000}\n\nnote\n", "expected `index` and a number"),
        ("c2sp.org/tlog-proof@v1\nindex 1\n???\n\nnote\n", "is no base64"),
        ("c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nnote\n", "has not 32 bytes"),
        (f"c2sp.org/tlog-proof@v1\nindex 1\n{(HASH + chr(10)) * 64}\nnote\n", "is no receipt"),
    ],
)
def test_what_is_no_receipt_is_refused(text: str, reason: str) -> None:
    with pytest.raises(NoteError, match=reason):
        parse_receipt(text)


def test_an_entry_after_the_checkpoint_gets_no_receipt_from_it() -> None:
    with pytest.raises(ValueError, match="no entry 2"):
        receipt_of([b"0", b"1"], 2)
