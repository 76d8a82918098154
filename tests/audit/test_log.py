"""The log in a store: what is written, what a failed transaction leaves, and what opening it refuses."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from askfirst.audit_port import SYSTEM, AuditLog, Entry, EntryType, Private
from askfirst.errors import LogError
from askfirst.store import schema
from audit import tree
from audit.note import Checkpoint, open_checkpoint, open_note
from audit.testing import Store, decided, signer_of
from audit.verify import verify_store

if TYPE_CHECKING:
    from collections.abc import Callable


def types(store: Store) -> list[str]:
    return [json.loads(body)["type"] for body in store.bodies()]


def test_the_first_entry_of_a_log_names_its_key(store: Store) -> None:
    (body,) = store.bodies()
    vkey = store.signer.verifier.vkey
    entry = json.loads(body)
    assert (entry["type"], entry["data"]) == ("log.founded", {"origin": store.signer.name, "vkey": vkey})
    log: AuditLog = store.log
    assert log.head.size == 1


def test_what_is_stored_is_what_is_hashed_and_signed(store: Store) -> None:
    head = store.write_many(700)

    grown, tiles = tree.grow(tree.Tree(), [tree.leaf_hash(body) for body in store.bodies()])
    assert (head.size, head.root) == (701, grown.root())
    checkpoint = open_checkpoint(head.checkpoint, [store.signer.verifier])
    assert (checkpoint.size, checkpoint.root, checkpoint.seen) == (701, grown.root(), head.seen)
    with store.engine.begin() as connection:
        stored = connection.execute(select(schema.tile).order_by(schema.tile.c.n)).all()
    assert [tuple(row) for row in stored] == [(one.level, one.n, one.hashes) for one in tiles]


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 300), max_size=4))
def test_a_log_that_is_opened_again_goes_on_as_if_never_closed(
    make_store: Callable[..., Store], parts: list[int]
) -> None:
    store = make_store()
    for part in parts:
        store.write(*map(decided, range(part)))
        before = store.log.head
        assert store.open().head == before
    store.write(decided(0))
    grown, _ = tree.grow(tree.Tree(), [tree.leaf_hash(body) for body in store.bodies()])
    assert store.log.head.root == grown.root()


@pytest.mark.slow
def test_a_log_of_more_than_65536_entries_is_opened_from_its_tiles(store: Store) -> None:
    store.write_many(66_000, batch=22_000)
    head = store.log.head
    assert store.open().head == head
    store.write_many(300)
    grown, _ = tree.grow(tree.Tree(), [tree.leaf_hash(body) for body in store.bodies()])
    assert store.log.head.root == grown.root()


def test_append_says_at_which_index_the_entry_will_be(store: Store) -> None:
    with store.engine.begin() as connection:
        assert [store.log.append(connection, decided(number)) for number in range(3)] == [1, 2, 3]
        store.log.seal(connection)
        assert store.log.append(connection, decided(4)) == 4
        store.log.seal(connection)
    store.log.committed()
    assert [json.loads(body).get("req") for body in store.bodies()[1:]] == [f"request-{n}" for n in (0, 1, 2, 4)]


def test_a_seal_of_nothing_signs_nothing(store: Store) -> None:
    before = store.log.head
    assert store.write() == before


def test_a_transaction_that_was_rolled_back_leaves_no_trace(store: Store) -> None:
    before = store.log.head
    with store.engine.connect() as connection, connection.begin() as transaction:
        store.log.append(connection, decided(1))
        store.log.seal(connection)
        transaction.rollback()
    store.log.rolled_back()
    assert store.log.head == before
    head = store.write(decided(2))
    assert head.size == 2
    assert store.open().head == head


def test_a_savepoint_that_was_rolled_back_takes_its_entries_with_it(store: Store) -> None:
    with store.engine.begin() as connection:
        store.log.append(connection, decided(1))
        mark = store.log.mark()
        store.log.append(connection, decided(2))
        store.log.append(connection, decided(3))
        store.log.rewind(mark)
        assert store.log.append(connection, decided(4)) == 2
        store.log.seal(connection)
    store.log.committed()
    assert [json.loads(body).get("req") for body in store.bodies()[1:]] == ["request-1", "request-4"]


def test_a_clock_jump_in_a_savepoint_that_was_rolled_back_is_told_again(store: Store) -> None:
    store.clock.wall_us += 10_000_000
    with store.engine.begin() as connection:
        mark = store.log.mark()
        store.log.append(connection, decided(1))
        store.log.rewind(mark)
        store.log.append(connection, decided(2))
        store.log.seal(connection)
    store.log.committed()
    assert types(store) == ["log.founded", "clock.jump", "gate.decided"]


def test_the_log_cannot_be_rewound_to_before_a_seal(store: Store) -> None:
    with store.engine.begin() as connection:
        mark = store.log.mark()
        store.log.append(connection, decided(1))
        store.log.seal(connection)
        with pytest.raises(LogError, match="before it was sealed"):
            store.log.rewind(mark)
    store.log.committed()


def test_entries_that_were_not_sealed_are_not_passed_over(store: Store) -> None:
    with store.engine.begin() as connection:
        store.log.append(connection, decided(1))
    with pytest.raises(LogError, match="without being sealed"):
        store.log.committed()


def test_a_second_writer_cannot_fork_the_log(store: Store) -> None:
    first = store.log
    second = store.open()
    store.write(decided(1))
    with store.engine.connect() as connection, connection.begin() as transaction:
        first.append(connection, decided(2))
        with pytest.raises(LogError, match="someone else writes this log"):
            first.seal(connection)
        transaction.rollback()
    first.rolled_back()
    assert second.head.size == 2
    assert len(store.bodies()) == 2


def test_a_private_payload_stands_apart_and_can_be_erased(store: Store) -> None:
    secret = b"export TOKEN=hunter2"
    store.write(Entry(type=EntryType.GATE_REQUESTED, action={"tool": "Bash", "input": Private(secret)}))
    digest = json.loads(store.bodies()[-1])["action"]["input"]
    with store.engine.begin() as connection:
        row = connection.execute(select(schema.blob)).one()
    assert row.bytes == secret
    assert digest == {"len": len(secret), "sha256": hashlib.sha256(row.salt + row.bytes).hexdigest()}

    with store.engine.begin() as connection:
        store.log.erase(connection, row.sha256, SYSTEM)
        store.log.seal(connection)
    store.log.committed()
    with store.engine.begin() as connection:
        assert connection.execute(select(schema.blob)).all() == []
    assert json.loads(store.bodies()[-1])["data"] == {"sha256": digest["sha256"]}
    assert store.open().head.size == 3


def test_a_payload_that_is_not_there_is_not_erased(store: Store) -> None:
    with store.engine.begin() as connection, pytest.raises(LogError, match="no payload"):
        store.log.erase(connection, bytes(32), SYSTEM)
    assert store.write().size == 1


@pytest.mark.parametrize("seconds", [3600.0, 2.1, -2.1, -86_400.0])
def test_a_wall_clock_that_was_moved_gets_an_entry_of_its_own(store: Store, seconds: float) -> None:
    """A16: the entry stands before the first one with the new time; the order is that of the sequence anyway."""
    store.clock.passes(60)
    store.clock.wall_us += int(seconds * 1_000_000)
    store.write(decided(1), decided(2))
    assert types(store) == ["log.founded", "clock.jump", "gate.decided", "gate.decided"]
    assert json.loads(store.bodies()[1])["data"]["drift_ms"] == int(seconds * 1000)


def test_small_steps_of_the_clock_add_up_to_a_jump(store: Store) -> None:
    for number in range(4):
        store.clock.wall_us += 900_000
        store.write(decided(number))
    assert types(store) == ["log.founded", *["gate.decided"] * 2, "clock.jump", *["gate.decided"] * 2]


def test_time_that_passes_is_no_jump_also_over_a_restart(store: Store) -> None:
    store.clock.passes(1_000_000)
    store.write(decided(1))
    store.open()
    store.clock.passes(1_000_000)
    store.write(decided(2))
    assert types(store) == ["log.founded", "gate.decided", "gate.decided"]


def test_a_clock_moved_while_the_broker_was_down_is_noticed(store: Store) -> None:
    store.open()
    store.clock.passes(5)
    store.clock.wall_us -= 60_000_000
    store.write(decided(1))
    assert types(store) == ["log.founded", "clock.jump", "gate.decided"]


@pytest.mark.parametrize(("seconds", "expected"), [(3600, []), (-3600, ["clock.jump"])])
def test_after_a_reboot_only_a_clock_that_went_back_can_be_told(
    store: Store, seconds: int, expected: list[str]
) -> None:
    store.open()
    store.clock.boot, store.clock.boot_us = "0c5d8a1e-0000-4000-8000-000000000002", 1
    store.clock.wall_us += seconds * 1_000_000
    store.write(decided(1))
    store.clock.passes(1)
    store.write(decided(2))
    assert types(store) == ["log.founded", *expected, "gate.decided", "gate.decided"]


DAMAGE = {
    "an edited body": (
        "update audit set body = cast(replace(body, 'deny', 'allow') as blob) where seq = 699",
        "entry 699 is missing or",
    ),
    "an edited leaf": ("update audit set leaf = zeroblob(32) where seq = 699", "entry 699 is missing or"),
    "a missing entry": ("delete from audit where seq = 698", "entry 698 is missing or"),
    "a dropped tail": ("delete from audit where seq > 690", "701 entries were signed, 691 are there"),
    "an added entry": ("insert into audit select seq + 1, leaf, body from audit where seq = 700", "702 are there"),
    "a missing tile": ("delete from tile where n = 1", "tiles of level 0 are missing"),
    "a cut tile": ("update tile set hashes = substr(hashes, 33) where n = 1", "tiles of level 0 are missing"),
    "a changed tile": ("update tile set hashes = zeroblob(8192) where n = 1", "not those that were signed"),
    "a changed frontier": ("update tree set frontier = zeroblob(length(frontier))", "not those that were signed"),
    "a changed size": ("update tree set size = 700", "701 are there"),
    "a changed checkpoint": ("update tree set checkpoint = replace(checkpoint, '701', '700')", "does not fit the note"),
    "a missing head": ("delete from tree", "the tree head is missing"),
    "an empty log": ("delete from audit", "701 entries were signed, 512 are there"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_log_is_not_opened(store: Store, damage: str) -> None:
    statement, reason = DAMAGE[damage]
    store.write_many(700)
    store.execute(statement)
    with pytest.raises(LogError, match=reason):
        store.open(may_found=True)


def test_a_head_of_another_key_is_not_opened(store: Store) -> None:
    with pytest.raises(LogError, match="the stored tree head is not ours"):
        store.open(signer=signer_of(2))


def test_a_head_that_is_ours_but_of_another_size_is_not_opened(store: Store) -> None:
    early = store.log.head
    store.write_many(10)
    store.execute("update tree set checkpoint = ?", (early.checkpoint,))
    with pytest.raises(LogError, match="the tree head of 11 entries is signed for 1 of"):
        store.open()


def test_a_store_that_was_emptied_is_never_a_fresh_start(store: Store) -> None:
    """A4: the head is gone with everything else, but the key was used."""
    store.write_many(10)
    for table in ("audit", "tile", "tree", "meta"):
        store.execute(f"delete from {table}")  # names from the line above
    with pytest.raises(LogError, match="the store was deleted or replaced"):
        store.open(may_found=False)
    with pytest.raises(LogError, match="the store was deleted or replaced"):
        store.open()


def test_a_new_key_is_vouched_for_by_the_old_one(store: Store) -> None:
    old, new = store.signer, signer_of(2)
    early = store.write(decided(1))
    with store.engine.begin() as connection:
        assert store.log.rotate(connection, new) == 2
        both = store.log.seal(connection)
    store.log.committed()
    late = store.write(decided(2))

    entry = json.loads(store.bodies()[2])
    word = entry["data"].pop("endorsement")
    assert (entry["type"], entry["data"]) == ("log.key_rotated", {"old": old.verifier.vkey, "new": new.verifier.vkey})
    assert open_checkpoint(word, [old.verifier]) == Checkpoint(
        origin=old.name, size=2, root=early.root, extensions=(f"next {new.verifier.vkey}",)
    )
    assert open_note(both.checkpoint, [old.verifier, new.verifier]).verified == (old.verifier, new.verifier)
    assert open_note(late.checkpoint, [old.verifier, new.verifier]).verified == (new.verifier,)
    assert store.open(signer=new).head == late
    with store.engine.begin() as connection:
        vkeys = connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == "log.vkey")).scalar_one()
    assert vkeys == f"{old.verifier.vkey}\n{new.verifier.vkey}"

    kept = store.path.with_name("kept")
    kept.write_text(early.checkpoint, encoding="utf-8")
    assert verify_store(store.path, checkpoint=kept, vkeys=vkeys.split()).ok
    assert verify_store(store.path, vkeys=[new.verifier.vkey]).ok
    assert verify_store(store.path, checkpoint=kept, vkeys=[old.verifier.vkey]).ok


def test_a_key_change_that_was_rolled_back_never_happened(store: Store) -> None:
    with store.engine.connect() as connection, connection.begin() as transaction:
        mark = store.log.mark()
        store.log.rotate(connection, signer_of(2))
        store.log.rewind(mark)
        store.log.rotate(connection, signer_of(3))
        store.log.seal(connection)
        transaction.rollback()
    store.log.rolled_back()
    head = store.write(decided(1))
    assert store.open().head == head


def test_a_key_of_another_name_cannot_take_over(store: Store) -> None:
    with store.engine.begin() as connection, pytest.raises(LogError, match="the new key is named"):
        store.log.rotate(connection, signer_of(2, "other.example/1"))
