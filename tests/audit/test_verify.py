"""What verifying says to evidence and files that cannot be used; attacks are in test_attacks.py."""

from __future__ import annotations

import os
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest

from askfirst.audit_port import Entry, EntryType, Private
from audit.note import Checkpoint, sign
from audit.testing import Store, decided, signer_of
from audit.verify import verify_store

if TYPE_CHECKING:
    from pathlib import Path


def codes(path: Path, **given: object) -> list[str]:
    return [problem.code for problem in verify_store(path, **given).problems]  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"format":"other","checkpoint":"","vkeys":[]}', b"[]", b"\xff" * 99, b"SQLite format 3\0"]
)
def test_what_is_no_log_is_reported_not_raised(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log").write_bytes(content)
    assert codes(tmp_path / "log") == ["unreadable"]
    assert codes(tmp_path / "nowhere") == ["unreadable"]
    assert codes(tmp_path) == ["unreadable"]


def test_a_store_without_our_tables_is_reported(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "other.db")
    connection.execute("create table t(x)")
    connection.close()
    report = verify_store(tmp_path / "other.db")
    assert [problem.code for problem in report.problems] == ["unreadable"]
    assert not report.ok


@pytest.mark.parametrize(
    "damage",
    [
        "update audit set body = 'text' where seq = 1",
        "update audit set body = null where seq = 1",
        "update audit set body = 3 where seq = 1",
        "update audit set body = zeroblob(2000000) where seq = 1",
        "update cosignature set size = 'many'",
        "update cosignature set size = null",
        "update blob set bytes = 'text'",
    ],
)
def test_a_store_with_other_types_in_its_tables_is_reported(tmp_path: Path, store: Store, damage: str) -> None:
    store.write(Entry(type=EntryType.GATE_REQUESTED, data={"input": Private(b"x")}))
    store.execute("insert into cosignature values (1, 'a', 'b')")
    connection = sqlite3.connect(tmp_path / "loose.db")
    connection.execute("attach ? as real", (str(store.path),))
    for table in ("audit", "tile", "tree", "meta", "cosignature", "blob"):
        connection.execute(f"create table main.{table} as select * from real.{table}")  # names from above
    connection.commit()
    (tmp_path / "log.vkey").write_text(store.signer.verifier.vkey, encoding="utf-8")
    assert codes(tmp_path / "loose.db") == []
    connection.execute(damage)
    connection.commit()
    connection.close()
    assert codes(tmp_path / "loose.db") == ["unreadable"]


def test_a_store_on_a_read_only_disk_verifies(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(decided(1))
    store.engine.dispose()
    moved = tmp_path / "disk"
    moved.mkdir()
    for name in (store.path.name, "log.vkey"):
        shutil.copy(store.path.with_name(name), moved / name)
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, who may write everywhere
    assert codes(moved / store.path.name) == []
    assert sorted(path.name for path in moved.iterdir()) == [store.path.name, "log.vkey"]


def test_a_log_verifies_while_the_broker_writes_on(store: Store) -> None:
    store.write(decided(1))
    with store.engine.begin() as connection:
        store.log.append(connection, decided(2))
        store.log.seal(connection)
        report = verify_store(store.path)  # the transaction is open: its entries are not there yet
    store.log.committed()
    assert report.ok
    assert report.size == 2
    assert verify_store(store.path).size == 3


@pytest.mark.parametrize(
    "seen",
    ["", "1", "1:", "1:00", "01:0123456789abcdef", "1:0123456789ABCDEF", "1:0123456789abcdef0", "-1:0123456789abcdef"],
)
def test_what_is_no_printed_head_is_refused(store: Store, seen: str) -> None:
    report = verify_store(store.path, seen=[seen])
    assert [problem.code for problem in report.problems] == ["anchor"]
    assert "expected SIZE:ROOT with 16 to 64 hexadecimal digits" in report.problems[0].message


def test_the_head_of_the_empty_log_is_a_head_too(store: Store) -> None:
    assert verify_store(store.path, seen=["0:e3b0c44298fc1c14"]).ok
    assert codes(store.path, seen=["0:0000000000000000"]) == ["rewritten"]


def test_a_checkpoint_or_receipt_that_cannot_be_used_is_reported(store: Store, tmp_path: Path) -> None:
    (tmp_path / "garbage").write_bytes(b"\xff")
    (tmp_path / "none").write_bytes(b"none")
    foreign = signer_of(1, "other.example/1")
    (tmp_path / "foreign").write_text(
        sign(Checkpoint(origin=foreign.name, size=1, root=store.log.head.root).text, foreign), encoding="utf-8"
    )
    for name in ("garbage", "none", "foreign", "nowhere"):
        assert codes(store.path, checkpoint=tmp_path / name) == ["anchor"]
        assert set(codes(store.path, receipts=[tmp_path / name])) == {"anchor"}
    both = [store.signer.verifier.vkey, foreign.verifier.vkey]
    report = verify_store(store.path, checkpoint=tmp_path / "foreign", vkeys=both)
    assert report.problems[0].message.endswith(f"is one of 'other.example/1', this log is {store.signer.name!r}")


def test_keys_of_the_wrong_kind_are_refused(store: Store) -> None:
    assert codes(store.path, vkeys=["nonsense"])[0] == "key"
    assert codes(store.path, vkeys=[store.signer.cosigner.vkey])[0] == "key"
    assert codes(store.path, witnesses=[store.signer.verifier.vkey]) == ["key"]


def test_cosignatures_by_unknown_witnesses_and_damaged_ones_are_passed_over(store: Store) -> None:
    store.execute("insert into cosignature values (1, 'a', 'nonsense')")
    store.execute("insert into cosignature values (1, 'b', '— witness.example/1 AAAAAAA=')")
    assert verify_store(store.path).ok
    report = verify_store(store.path, witnesses=[signer_of(7, "witness.example/2").cosigner.vkey])
    assert [problem.code for problem in report.problems] == ["witness"]  # one that was named must have signed
    assert "or they were deleted" in report.problems[0].message
