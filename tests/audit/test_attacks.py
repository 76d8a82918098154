"""Attacks on a log in a store, by the numbers of the threat list; each says what notices it.

The attacker can write every file. Where he also holds the log's key, only something that was kept elsewhere can tell:
a checkpoint, a head that a message printed, a receipt, a witness. Those tests show both, with and without.
A7 to A9 against a witness are in test_witness.py, test_witnesses.py and tests/e2e/test_log.py; A12 is in test_tree.py;
A13 to A16 in test_completeness.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from askfirst.audit_port import SYSTEM, Entry, EntryType, Private
from askfirst.store import schema
from audit import tree, verify_standalone
from audit.entry import MAX_PAYLOAD_BYTES, salted_digest
from audit.export import export
from audit.note import Checkpoint, Signer, cosign, sign
from audit.receipt import make_receipt
from audit.report import Report
from audit.scan import Problem
from audit.source import connect, node_reader
from audit.testing import Store, decided, signer_of
from audit.verify import verify_store

Check = Callable[..., Report]


@pytest.fixture
def check() -> Check:
    """Verifies with both programs and demands the same verdict of them."""

    def run(
        store: Store, *, seen: tuple[str, ...] = (), checkpoint: Path | None = None, vkeys: tuple[str, ...] = ()
    ) -> Report:
        report = verify_store(store.path, seen=seen, checkpoint=checkpoint, vkeys=vkeys)
        given = [f"--seen={text}" for text in seen] + [f"--key={key}" for key in vkeys]
        given += [f"--checkpoint={checkpoint}"] if checkpoint else []
        command = [sys.executable, "-I", "-S", str(verify_standalone.__file__), str(store.path), *given]
        alone = subprocess.run(command, capture_output=True, text=True, check=False)
        # The stand-alone one looks at entries, heads and payloads only, not at the hashes, tiles and sizes beside them.
        if any(problem.code not in {"changed", "tile", "head"} for problem in report.problems) or report.ok:
            assert alone.returncode == (0 if report.ok else 1), alone.stdout + alone.stderr
        return report

    return run


def codes(report: Report) -> list[str]:
    return [problem.code for problem in report.problems]


def rewrite(store: Store, bodies: list[bytes], signer: Signer | None = None) -> None:
    """Put these entries in the place of all, everything recomputed; the head is signed if there is a key for it."""
    leaves = [tree.leaf_hash(body) for body in bodies]
    grown, tiles = tree.grow(tree.Tree(), leaves)
    with store.engine.begin() as connection:
        for table in (schema.audit, schema.tile):
            connection.execute(table.delete())
        rows = [
            {"seq": seq, "leaf": leaf, "body": body}
            for seq, (leaf, body) in enumerate(zip(leaves, bodies, strict=True))
        ]
        connection.execute(insert(schema.audit), rows)
        for one in tiles:
            connection.execute(insert(schema.tile).values(level=one.level, n=one.n, hashes=one.hashes))
        values: dict[str, object] = {"size": grown.size, "frontier": b"".join(grown.frontier)}
        if signer:
            values["checkpoint"] = sign(Checkpoint(origin=signer.name, size=grown.size, root=grown.root()).text, signer)
        connection.execute(update(schema.tree).values(values))


def allowed(body: bytes) -> bytes:
    return body.replace(b'"verdict":"deny"', b'"verdict":"allow"')


def test_a_log_that_nobody_touched_verifies(store: Store, check: Check) -> None:
    head = store.write_many(700)
    report = check(store)
    assert report.ok
    assert (report.size, report.root, report.origin) == (701, head.root.hex(), store.signer.name)
    assert report.proofs == ("the first 701 entries are exactly those of the signed tree head",)
    assert len(report.limits) == 2


@pytest.mark.parametrize("index", [0, 5, 255, 256, 300, 511, 512, 600, 700])
def test_a1_an_entry_edited_in_place_is_named(store: Store, check: Check, index: int) -> None:
    store.write_many(700)
    body = store.bodies()[index]
    store.execute("update audit set body = ? where seq = ?", (body.replace(b'"v":1', b'"v":2'), index))
    report = check(store)
    assert report.problems[0] == Problem(
        code="changed",
        message=f"entry {index} was changed: its bytes do not have the stored hash",
        index=index,
        time=json.loads(body)["t"],
    )
    assert "rewritten" in codes(report)


def test_a1_an_entry_edited_together_with_its_hash_is_named_by_its_tile(store: Store, check: Check) -> None:
    store.write_many(700)
    body = allowed(store.bodies()[300])
    store.execute("update audit set body = ?, leaf = ? where seq = 300", (body, tree.leaf_hash(body)))
    report = check(store)
    assert (report.problems[0].code, report.problems[0].index) == ("changed", 300)
    assert "its tile has another hash for it" in report.problems[0].message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"verdict":"deny"', '"verdict":"allow"'),
        ('"id":"telegram:12345"', '"id":"telegram:54321"'),
        ('"by":["telegram:12345"]', '"by":["telegram:54321"]'),
        ('"assurance":1', '"assurance":3'),
        ('"channel":"telegram"', '"channel":"slackslack"'),
        ('"rule":"git.push-force"', '"rule":"none"'),
        ('"session":"session-1"', '"session":"session-2"'),
        ('"req":"request-3"', '"req":"request-4"'),
        ('"t":"2026-11-25T', '"t":"2026-11-26T'),
        ('"bt":', '"bt":1'),
        ('"boot":"0', '"boot":"1'),
        ('"act":"5f', '"act":"6f'),
        ('"v":1}', '"v":1} '),
    ],
)
def test_a2_a11_every_member_is_inside_the_hash_and_on_disk(store: Store, check: Check, old: str, new: str) -> None:
    store.write_many(10)
    body = store.bodies()[4].decode()
    assert old in body
    changed = body.replace(old, new).encode()
    store.execute("update audit set body = ?, leaf = ? where seq = 4", (changed, tree.leaf_hash(changed)))
    assert codes(check(store)) == ["rewritten", "head"]


def test_a3_dropped_entries_are_counted(store: Store, check: Check) -> None:
    store.write_many(9)
    last = json.loads(store.bodies()[4])["t"]
    store.execute("delete from audit where seq >= 5")
    report = check(store)
    message = "the signed tree head has 10 entries, 5 are present: the last 5 are gone"
    assert report.problems == (Problem(code="dropped", message=message, index=5, time=last),)


def test_a4_a_missing_head_is_no_fresh_start(store: Store, check: Check) -> None:
    store.write_many(9)
    store.execute("delete from audit where seq >= 5")
    store.execute("delete from tree")
    assert codes(check(store)) == ["head"]


def test_a4_an_empty_store_does_not_verify(store: Store, check: Check) -> None:
    for table in ("audit", "tile", "tree", "meta"):
        store.execute(f"delete from {table}")  # names from the line above
    assert codes(check(store)) == ["head"]


def test_a4_a_missing_key_beside_the_log_is_no_reason_to_believe_it(store: Store, check: Check) -> None:
    store.path.with_name("log.vkey").unlink()
    assert codes(check(store)) == ["key", "head"]
    assert check(store, vkeys=(store.signer.verifier.vkey,)).ok


def test_a5_an_edit_with_everything_recomputed_fails_without_the_key(store: Store, check: Check) -> None:
    store.write_many(700)
    rewrite(store, [allowed(body) for body in store.bodies()])
    report = check(store)
    assert codes(report) == ["rewritten"]
    assert "the root over the first 701 entries differs from the signed tree head" in report.problems[0].message


def test_a5_a_head_signed_with_another_key_fails(store: Store, check: Check) -> None:
    store.write_many(10)
    rewrite(store, [allowed(body) for body in store.bodies()], signer_of(2))
    assert codes(check(store)) == ["head"]


def test_a5_another_key_beside_the_log_fails_against_the_known_key(store: Store, check: Check) -> None:
    """Without the key that one knows, a whole other log verifies: that is what the report's limits say."""
    store.write_many(10)
    known, other = store.signer.verifier.vkey, signer_of(2)
    rewrite(store, [allowed(body) for body in store.bodies()], other)
    store.path.with_name("log.vkey").write_text(other.verifier.vkey, encoding="utf-8")
    report = check(store)
    assert report.ok
    assert "give the vkey that you know" in report.limits[0]
    assert codes(check(store, vkeys=(known,))) == ["head"]


@pytest.mark.parametrize("appended", [0, 3])
def test_a6_a8_a_rewrite_with_the_key_needs_an_anchor(
    store: Store, check: Check, tmp_path: Path, appended: int
) -> None:
    early = store.write_many(100)
    late = store.write_many(600)
    checkpoint = tmp_path / "kept"
    checkpoint.write_text(late.checkpoint, encoding="utf-8")
    bodies = store.bodies()
    forged = [*bodies[:300], *map(allowed, bodies[300:]), *bodies[-1:] * appended]
    rewrite(store, forged, store.signer)

    report = check(store)
    assert report.ok
    assert "whoever holds the log key could have rewritten the log" in report.limits[-1]

    report = check(store, seen=(early.seen, late.seen))
    assert codes(report) == ["rewritten"]
    assert report.problems[0].index == 101  # what came before still is what the first message said
    assert report.problems[0].time == json.loads(bodies[101])["t"]
    assert f"the first 101 entries are exactly those of the head {early.seen}" in report.proofs

    assert codes(check(store, checkpoint=checkpoint)) == ["rewritten"]


def test_a6_a_rewrite_with_the_key_fails_against_a_receipt(store: Store, tmp_path: Path) -> None:
    store.write_many(700)
    receipt = tmp_path / "entry.tlog-proof"
    head = Checkpoint(origin=store.signer.name, size=701, root=store.log.head.root)
    connection = connect(store.path)
    receipt.write_text(
        make_receipt(node_reader(connection), 300, head, store.log.head.checkpoint).text, encoding="utf-8"
    )
    connection.close()

    store.write_many(50)
    report = verify_store(store.path, receipts=[receipt])
    assert report.ok
    assert report.proofs[-1] == f"entry 300 is the one that {receipt} was given for, at 701 entries"

    rewrite(store, [allowed(body) for body in store.bodies()], store.signer)
    report = verify_store(store.path, receipts=[receipt])
    assert [(problem.code, problem.index) for problem in report.problems] == [("rewritten", 0), ("anchor", 300)]

    rewrite(store, store.bodies()[:200], store.signer)
    report = verify_store(store.path, receipts=[receipt])
    assert [(problem.code, problem.index) for problem in report.problems] == [("dropped", 200), ("dropped", 200)]


def test_a6_a_receipt_tells_of_a_rewrite_of_other_entries_too(store: Store, tmp_path: Path) -> None:
    """It holds a head that the log has signed: whoever kept it for one entry kept a checkpoint."""
    store.write_many(700)
    receipt = tmp_path / "entry.tlog-proof"
    head = Checkpoint(origin=store.signer.name, size=701, root=store.log.head.root)
    connection = connect(store.path)
    text = make_receipt(node_reader(connection), 300, head, store.log.head.checkpoint).text
    connection.close()
    receipt.write_text(text, encoding="utf-8")
    bodies = store.bodies()

    rewrite(store, [*bodies[:500], *(allowed(body) for body in bodies[500:])], store.signer)
    message = f"the root over the first 701 entries differs from the checkpoint in {receipt}: they were rewritten"
    found = Problem(code="rewritten", message=message, index=0, time=json.loads(bodies[0])["t"])
    assert verify_store(store.path, receipts=[receipt]).problems == (found,)

    rewrite(store, bodies[:400], store.signer)
    message = f"the checkpoint in {receipt} has 701 entries, 400 are present: the last 301 are gone"
    found = Problem(code="dropped", message=message, index=400, time=json.loads(bodies[399])["t"])
    assert verify_store(store.path, receipts=[receipt]).problems == (found,)


def test_a6_a_rewrite_with_the_key_fails_against_a_witness(store: Store) -> None:
    witness = signer_of(7, "witness.example/1")
    store.write_many(10)
    text = Checkpoint(origin=store.signer.name, size=11, root=store.log.head.root).text
    line = cosign(text, witness, 1_795_564_900).line
    store.execute("insert into cosignature values (11, 'witness.example/1', ?)", (line,))
    store.write_many(10)

    keys = [witness.cosigner.vkey]
    report = verify_store(store.path, witnesses=keys)
    assert report.ok
    assert report.proofs[-1] == "witness.example/1 has witnessed the first 11 entries at 2026-11-25T00:01:40.000000Z"

    bodies = store.bodies()
    rewrite(store, [allowed(body) for body in bodies], store.signer)
    assert codes(verify_store(store.path, witnesses=keys)) == ["rewritten"]
    rewrite(store, bodies[:5], store.signer)
    message = "witness.example/1 has witnessed 11 entries, 5 are present: the last 6 are gone"
    found = Problem(code="dropped", message=message, index=5, time=json.loads(bodies[4])["t"])
    assert verify_store(store.path, witnesses=keys).problems == (found,)


def test_a_rewrite_with_the_key_is_told_from_the_last_head_that_a_witness_saw(store: Store) -> None:
    """Since when: the witness saw 11 entries that are as they were, and 21 of which some are not."""
    witness = signer_of(7, "witness.example/1")
    for size in (11, 21):
        store.write_many(10)
        text = Checkpoint(origin=store.signer.name, size=size, root=store.log.head.root).text
        line = cosign(text, witness, 1_795_564_900 + size).line
        store.execute("insert into cosignature values (?, 'witness.example/1', ?)", (size, line))
    bodies = store.bodies()
    rewrite(store, [*bodies[:11], *(allowed(body) for body in bodies[11:])], store.signer)
    message = "witness.example/1 has witnessed another tree of 21 entries: they were rewritten"
    found = Problem(code="rewritten", message=message, index=11, time=json.loads(bodies[11])["t"])
    assert verify_store(store.path, witnesses=[witness.cosigner.vkey]).problems == (found,)
    assert verify_store(store.path).ok


def test_a7_an_older_copy_of_everything_needs_an_anchor(store: Store, check: Check) -> None:
    store.write_many(5)
    store.execute("delete from meta where key = 'none'")  # so that the copy below has everything
    with store.engine.connect() as connection:
        connection.exec_driver_sql("rollback")
        connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
    old = store.path.with_name("old.db")
    shutil.copyfile(store.path, old)
    seen = store.write_many(5).seen
    store.engine.dispose()
    for suffix in ("-wal", "-shm"):
        Path(f"{store.path}{suffix}").unlink(missing_ok=True)
    shutil.move(old, store.path)

    assert check(store).ok
    report = check(store, seen=(seen,))
    assert codes(report) == ["dropped"]
    assert report.problems[0].message == f"the head {seen} has 11 entries, 6 are present: the last 5 are gone"


def test_a8_no_consistency_proof_leads_from_the_true_log_to_a_rewritten_one(store: Store) -> None:
    store.write_many(20)
    true = [tree.leaf_hash(body) for body in store.bodies()]
    forged = [tree.leaf_hash(allowed(body)) for body in store.bodies()] + [tree.leaf_hash(b"more")]
    old, new = tree.grow(tree.Tree(), true)[0].root(), tree.grow(tree.Tree(), forged)[0].root()
    for leaves in (forged, [*true, forged[-1]]):
        proof = tree.consistency_proof(
            lambda level, at, of=leaves: tree.complete_root(of[at << level : at + 1 << level]), 21, 22
        )  # type: ignore[misc]
        assert not tree.verify_consistency(21, 22, old, new, proof)


def test_a10_two_views_of_one_log_are_told_apart_by_what_was_printed(
    make_store: Callable[..., Store], check: Check
) -> None:
    shown, hidden = make_store(), make_store()
    seen = shown.write(decided(1)).seen
    hidden.write(decided(1, verdict="allow"))
    assert check(shown, seen=(seen,)).ok
    assert codes(check(hidden, seen=(seen,))) == ["rewritten"]


def test_entries_in_another_order_do_not_verify(store: Store, check: Check) -> None:
    store.write_many(10)
    bodies = store.bodies()
    bodies[3], bodies[4] = bodies[4], bodies[3]
    rewrite(store, bodies)
    assert codes(check(store)) == ["rewritten"]


def test_a_gap_is_named(store: Store, check: Check) -> None:
    store.write_many(700)
    store.execute("delete from audit where seq = 400")
    report = check(store)
    assert (report.problems[0].code, report.problems[0].index) == ("missing", 400)
    assert "dropped" in codes(report)


def test_an_entry_added_behind_the_head_is_named(store: Store, check: Check) -> None:
    store.write_many(10)
    body = store.bodies()[-1]
    store.execute("insert into audit values (11, ?, ?)", (tree.leaf_hash(body), body))
    report = check(store)
    assert [(problem.code, problem.index) for problem in report.problems] == [("unsigned", 11)]


SIDE_DAMAGE = {
    "a missing tile": ("delete from tile where n = 1", ["tile"]),
    "a changed tile": ("update tile set hashes = zeroblob(8192) where n = 1", ["changed"] * 20),
    "a cut tile": ("update tile set hashes = zeroblob(81) where n = 1", ["tile"]),
    "a changed leaf hash": ("update audit set leaf = zeroblob(32) where seq = 3", ["changed"]),
    "a changed frontier": ("update tree set frontier = zeroblob(length(frontier))", ["head"]),
    "a changed size": ("update tree set size = 700", ["head"]),
    "another origin": ("update meta set value = 'other.example' where key = 'log.origin'", ["head"]),
}


@pytest.mark.parametrize("damage", SIDE_DAMAGE)
def test_what_lies_beside_the_entries_must_fit_them_too(store: Store, damage: str) -> None:
    statement, expected = SIDE_DAMAGE[damage]
    store.write_many(700)
    store.execute(statement)
    assert codes(verify_store(store.path)) == expected


# -- payloads ----------------------------------------------------------------------------------------------------------


def with_payloads(store: Store) -> list[bytes]:
    """Write entries 1 to 3 with a payload each, of which entry 4 says that the last was erased; the digests."""
    store.clock.passes(1)
    for number in range(1, 4):
        command = Private(f"rm -rf build/{number}".encode())
        store.write(Entry(type=EntryType.GATE_REQUESTED, request=f"request-{number}", action={"input": command}))
    digests = [bytes.fromhex(json.loads(body)["action"]["input"]["sha256"]) for body in store.bodies()[1:]]
    erase(store, digests[2])
    return digests


def erase(store: Store, digest: bytes) -> None:
    """Erase a payload as the broker does."""
    store.clock.passes(1)
    with store.engine.begin() as connection:
        store.log.erase(connection, digest, SYSTEM)
        store.log.seal(connection)
    store.log.committed()


def planted(store: Store, payload: bytes) -> bytes:
    """Put a payload there whose digest is right; the digest."""
    salt = b"s" * 32
    digest = salted_digest(salt, payload)
    store.execute("insert into blob values (?, ?, ?)", (digest, salt, payload))
    return digest


def misfit(store: Store, message: str, index: int | None) -> Problem:
    time = "" if index is None else json.loads(store.bodies()[index])["t"]
    return Problem(code="payload", message=message, index=index, time=time)


def test_payloads_that_nobody_touched_are_counted(store: Store, check: Check) -> None:
    with_payloads(store)
    report = check(store)
    assert report.ok
    told = "payloads that stand apart: 2, exactly those that entries refer to; erased, as entries say: 1"
    assert report.proofs[-1] == told


def test_a_deleted_payload_is_named_since_its_entry(store: Store, check: Check) -> None:
    _, digest, _ = with_payloads(store)
    store.execute("delete from blob where sha256 = ?", (digest,))
    message = f"the payload {digest.hex()} of entry 2 is gone, and no entry says that it was erased"
    assert check(store).problems == (misfit(store, message, 2),)


def test_a_planted_payload_is_named(store: Store, check: Check) -> None:
    with_payloads(store)
    digest = planted(store, b"git push --force")
    assert check(store).problems == (
        misfit(store, f"the payload {digest.hex()} was put there; no entry refers to it", None),
    )


def test_a_planted_payload_that_is_too_large_to_be_one_is_named_and_hides_nothing(store: Store, check: Check) -> None:
    _, gone, _ = with_payloads(store)
    store.execute("delete from blob where sha256 = ?", (gone,))
    store.execute("insert into blob values (zeroblob(32), zeroblob(32), zeroblob(?))", (MAX_PAYLOAD_BYTES + 1,))
    assert check(store).problems == (
        misfit(store, f"the payload {gone.hex()} of entry 2 is gone, and no entry says that it was erased", 2),
        misfit(store, f"the payload {'00' * 32} was put there; no entry refers to it", None),
    )


def test_a_payload_that_cannot_be_read_hides_no_other_problem(store: Store) -> None:
    with_payloads(store)
    head = store.log.head
    store.execute("insert into blob values (zeroblob(70000000), x'00', x'00')")
    report = verify_store(store.path, seen=[f"{head.size}:{'0' * 16}"])
    assert set(codes(report)) == {"unreadable", "rewritten"}


ALTERATIONS = {
    "its bytes": "update blob set bytes = cast('rm -rf /' as blob) where sha256 = ?",
    "its salt": "update blob set salt = zeroblob(32) where sha256 = ?",
    "a byte more": "update blob set bytes = cast(bytes || x'00' as blob) where sha256 = ?",
    "a byte of the salt, which leaves the digest as it is": "update blob set salt = substr(salt, 1, 31), "
    "bytes = cast(substr(salt, 32, 1) || bytes as blob) where sha256 = ?",
}


@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_an_altered_payload_is_named_since_its_entry(store: Store, check: Check, alteration: str) -> None:
    digest, _, _ = with_payloads(store)
    store.execute(ALTERATIONS[alteration], (digest,))
    message = f"the payload {digest.hex()} was changed; it belongs to entry 1"
    assert check(store).problems == (misfit(store, message, 1),)
    erase(store, digest)
    assert check(store).ok


def test_two_payloads_in_each_others_place_are_both_named(store: Store, check: Check) -> None:
    one, two, _ = with_payloads(store)
    store.execute("update blob set sha256 = zeroblob(32) where sha256 = ?", (one,))
    store.execute("update blob set sha256 = ? where sha256 = ?", (one, two))
    store.execute("update blob set sha256 = ? where sha256 = zeroblob(32)", (two,))
    assert check(store).problems == tuple(
        misfit(store, f"the payload {digest.hex()} was changed; it belongs to entry {index}", index)
        for index, digest in ((1, one), (2, two))
    )


def test_a_payload_in_the_place_of_another_is_found_out_from_both_sides(store: Store, check: Check) -> None:
    one, _, _ = with_payloads(store)
    store.execute("delete from blob where sha256 = ?", (one,))
    digest = planted(store, b"rm -rf build/0")
    assert check(store).problems == (
        misfit(store, f"the payload {one.hex()} of entry 1 is gone, and no entry says that it was erased", 1),
        misfit(store, f"the payload {digest.hex()} was put there; no entry refers to it", None),
    )


def test_an_erased_payload_that_is_put_back_is_named_since_its_erasure(store: Store, check: Check) -> None:
    digest, _, _ = with_payloads(store)
    with store.engine.begin() as connection:
        row = connection.execute(schema.blob.select().where(schema.blob.c.sha256 == digest)).one()
    erase(store, digest)
    store.execute("insert into blob values (?, ?, ?)", tuple(row))
    message = f"the payload {digest.hex()} of entry 1 is there, though entry 5 says that it was erased"
    assert check(store).problems == (misfit(store, message, 5),)


def test_a_deletion_with_an_erasure_that_was_never_signed_does_not_verify(store: Store, check: Check) -> None:
    """Without the key the entry that would excuse it cannot be written, neither in the place of another nor behind."""
    _, digest, erased = with_payloads(store)
    bodies = store.bodies()
    store.execute("delete from blob where sha256 = ?", (digest,))
    excuse = bodies[4].replace(erased.hex().encode(), digest.hex().encode())
    rewrite(store, [*bodies, excuse])
    assert codes(check(store)) == ["head", "unsigned"]
    rewrite(store, [*bodies[:3], excuse, bodies[4]])
    assert codes(check(store)) == ["rewritten"]


def test_a_text_that_looks_like_a_payload_or_an_erasure_is_none(store: Store, check: Check) -> None:
    """What agents write is a text in the entry, whose quotes are escaped."""
    _, digest, _ = with_payloads(store)
    reference = json.dumps({"len": 1, "sha256": "0" * 64}, separators=(",", ":"))
    excuse = json.dumps({"data": {"sha256": digest.hex()}, "type": "blob.erased", "v": 1}, separators=(",", ":"))
    store.write(
        Entry(type=EntryType.GATE_REQUESTED, data={"reason": reference}),
        Entry(type=EntryType.GATE_REQUESTED, data={"reason": excuse, "type": "blob.erased", "sha256": digest.hex()}),
    )
    assert check(store).ok
    store.execute("delete from blob where sha256 = ?", (digest,))
    message = f"the payload {digest.hex()} of entry 2 is gone, and no entry says that it was erased"
    assert check(store).problems == (misfit(store, message, 2),)


def test_of_many_payloads_that_are_gone_the_first_are_named_and_the_others_counted(store: Store, check: Check) -> None:
    store.write(*(Entry(type=EntryType.GATE_REQUESTED, action={"input": Private(b"x")}) for _ in range(50)))
    store.execute("delete from blob")
    problems = check(store).problems
    assert [problem.index for problem in problems] == [*range(1, 21), None]
    assert problems[-1].message == "more payloads that do not fit the entries: 30"


def test_an_export_says_that_payloads_stay_behind(store: Store, tmp_path: Path) -> None:
    with_payloads(store)
    export(store.path, tmp_path / "export")
    report = verify_store(tmp_path / "export")
    assert report.ok
    assert report.limits[-1].startswith("an export holds no payloads")


def test_a_fork_shown_to_two_people_is_found_when_they_compare(store: Store, make_store: Callable[..., Store]) -> None:
    """Two views of one log, each whole and signed: either verifies alone, neither with what the other was shown."""
    store.write_many(10)
    other = make_store()
    rewrite(other, store.bodies(), store.signer)
    other.open()
    mine, theirs = store.write(decided(1, "deny")), other.write(decided(1, "allow"))
    assert verify_store(store.path, seen=[mine.seen]).ok
    assert verify_store(other.path, seen=[theirs.seen]).ok
    assert codes(verify_store(store.path, seen=[theirs.seen])) == ["rewritten"]
    assert codes(verify_store(other.path, seen=[mine.seen])) == ["rewritten"]


def test_a4_deleted_cosignatures_are_missed_by_who_names_the_witness(store: Store) -> None:
    witness = signer_of(7, "witness.example/1")
    text = Checkpoint(origin=store.signer.name, size=1, root=store.log.head.root).text
    store.execute(
        "insert into cosignature values (1, 'witness.example/1', ?)", (cosign(text, witness, 1_795_564_900).line,)
    )
    assert verify_store(store.path, witnesses=[witness.cosigner.vkey]).ok
    store.execute("delete from cosignature")
    report = verify_store(store.path, witnesses=[witness.cosigner.vkey])
    assert codes(report) == ["witness"]


def test_a6_the_log_key_alone_forges_no_witness(store: Store) -> None:
    """A rewrite with the log's key, a cosignature by a key of the attacker's own beside it."""
    witness, forger = signer_of(7, "witness.example/1"), signer_of(8, "witness.example/1")
    store.write_many(10)
    rewrite(store, [allowed(body) for body in store.bodies()], store.signer)
    root = tree.grow(tree.Tree(), [tree.leaf_hash(body) for body in store.bodies()])[0].root()
    text = Checkpoint(origin=store.signer.name, size=11, root=root).text
    forged = cosign(text, forger, 1_795_564_900)
    line = replace(forged, key_id=witness.cosigner.key_id).line
    store.execute("insert into cosignature values (11, 'witness.example/1', ?)", (line,))
    assert codes(verify_store(store.path, witnesses=[witness.cosigner.vkey])) == ["rewritten"]
