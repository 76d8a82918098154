"""The old key's word for the new one: who knows an old key follows it to the newest, and nobody can forge that."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from askfirst.audit_port import Entry, EntryType
from audit import tree, verify_standalone
from audit.clock import Reading
from audit.entry import encode
from audit.export import export, export_stream
from audit.note import Checkpoint, Signer, cosign, sign
from audit.report import Report
from audit.succession import endorse, follow
from audit.testing import Store, decided, signer_of
from audit.verify import verify_store
from audit.verify_range import verify_range

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.audit_port import Value

OLD, NEW, NEWER = signer_of(1), signer_of(2), signer_of(3)
PLACE = 3
"""Index of the entry that changes the key in ``a_log``."""


def rotate(store: Store, new: Signer) -> None:
    with store.engine.begin() as connection:
        store.log.rotate(connection, new)
        store.log.seal(connection)
    store.log.committed()
    known = store.path.with_name("log.vkey")
    known.write_text(f"{known.read_text()}{new.verifier.vkey}\n")


def verified(store: Store, *keys: Signer) -> Report:
    return checked(store.path, *keys)


def checked(path: Path, *keys: Signer) -> Report:
    """What verifying finds, of which the stand-alone verifier must think the same."""
    report = verify_store(path, vkeys=[key.verifier.vkey for key in keys])
    alone = by_itself(path, *keys)
    assert alone.returncode == (0 if report.ok else 1), alone.stdout + alone.stderr
    return report


def by_itself(path: Path, *keys: Signer) -> subprocess.CompletedProcess[str]:
    """The stand-alone verifier, with these keys."""
    given = [f"--key={key.verifier.vkey}" for key in keys]
    command = [sys.executable, "-I", "-S", str(verify_standalone.__file__), str(path), *given]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def body(type_: EntryType, data: dict[str, Value]) -> bytes:
    return encode(Entry(type=type_, data=data), Reading(wall_us=1, boot_us=1, boot="b")).body


BEFORE = [body(EntryType.BROKER_STARTED, {"n": number}) for number in range(PLACE)]


def tree_over(bodies: list[bytes]) -> tree.Tree:
    return tree.grow(tree.Tree(), [tree.leaf_hash(one) for one in bodies])[0]


def changes(old: Signer, new: Signer, word: str | None) -> bytes:
    data: dict[str, Value] = {"old": old.verifier.vkey, "new": new.verifier.vkey}
    return body(EntryType.LOG_KEY_ROTATED, data | ({} if word is None else {"endorsement": word}))


def exported(path: Path, bodies: list[bytes], *signers: Signer) -> Path:
    """A log of these entries whose head these keys sign, as whoever holds them could write it."""
    grown = tree_over(bodies)
    head = sign(Checkpoint(origin=signers[0].name, size=grown.size, root=grown.root()).text, *signers)
    path.mkdir()
    (path / "checkpoint").write_text(head, encoding="utf-8")
    (path / "entries.jsonl").write_bytes(b"".join(one + b"\n" for one in bodies))
    return path


def problems(path: Path, *keys: Signer) -> list[tuple[str, int | None]]:
    report = checked(path, *keys)
    return [(problem.code, problem.index) for problem in report.problems]


def test_who_knows_the_first_key_only_follows_it_over_several_changes(store: Store, tmp_path: Path) -> None:
    store.write_many(300)
    for key in (NEW, NEWER):
        rotate(store, key)
        store.write_many(5)
    export(store.path, tmp_path / "folder")
    with (tmp_path / "stream").open("wb") as file:
        export_stream(store.path, file)
    for path in (store.path, tmp_path / "folder", tmp_path / "stream"):
        report = checked(path, OLD)
        assert report.ok, report.problems
        word = "the old key's last head, by whose word the key was changed at entry"
        assert report.proofs[:3] == (
            "the first 313 entries are exactly those of the signed tree head",
            f"the first 301 entries are exactly those of {word} 301",
            f"the first 307 entries are exactly those of {word} 307",
        )
        assert any("if the old one has leaked, give the new one alone" in one for one in report.meanings)
        assert any("nothing from outside was compared" in one for one in report.limits)  # it lies in the log itself
    assert verified(store, NEW).ok
    assert verified(store, NEWER).ok
    assert verified(store).ok
    assert not verified(store, signer_of(4)).ok


def test_what_the_newest_key_signed_elsewhere_counts_for_who_knows_the_first_one(store: Store, tmp_path: Path) -> None:
    witness = signer_of(7, "witness.example/1")
    rotate(store, NEW)
    head = store.write(decided(1))
    line = cosign(head.checkpoint.rpartition("\n\n")[0] + "\n", witness, 1_795_564_900).line
    (tmp_path / "kept").write_text(head.checkpoint + line, encoding="utf-8")
    report = verify_store(
        store.path,
        vkeys=[OLD.verifier.vkey],
        checkpoint=tmp_path / "kept",
        seen=[head.seen],
        witnesses=[witness.cosigner.vkey],
    )
    assert report.ok, report.problems


def test_a_clock_that_jumps_at_the_change_does_not_move_its_place(store: Store) -> None:
    store.write(decided(1))
    store.clock.wall_us += 60_000_000
    rotate(store, NEW)
    store.write(decided(2))
    assert [json.loads(one)["type"] for one in store.bodies()][2:4] == ["clock.jump", "log.key_rotated"]
    assert verified(store, OLD).ok


def test_entries_and_changes_of_one_transaction_verify(store: Store) -> None:
    with store.engine.begin() as connection:
        store.log.append(connection, decided(1))
        store.log.rotate(connection, NEW)
        store.log.append(connection, decided(2))
        store.log.rotate(connection, NEWER)
        store.log.seal(connection)
    store.log.committed()
    store.write(decided(3))
    assert verified(store, OLD).ok


def test_a_range_says_what_to_do_when_the_key_was_changed(store: Store) -> None:
    rotate(store, NEW)
    store.write(decided(1))
    [problem] = verify_range(store.path, 0, 1, vkeys=[OLD.verifier.vkey]).problems
    assert "give the new one, or verify the whole log, which finds it" in problem.message
    assert verify_range(store.path, 0, 1, vkeys=[NEW.verifier.vkey]).ok


def test_a_change_by_an_earlier_version_verifies_as_it_did_and_says_what_is_missing(tmp_path: Path) -> None:
    path = exported(tmp_path / "log", [*BEFORE, changes(OLD, NEW, None), *BEFORE], NEW)
    for keys in ((OLD, NEW), (NEW,)):
        report = verify_store(path, vkeys=[key.verifier.vkey for key in keys])
        assert report.ok
        assert any("the key was changed at entry 3, by an earlier version" in one for one in report.limits)
    report = verify_store(path, vkeys=[OLD.verifier.vkey])
    assert [problem.code for problem in report.problems] == ["head"]
    assert any("what came after takes the new key to verify" in one for one in report.limits)


OTHER = signer_of(1, "other.example/1")
HERE = tree_over(BEFORE)
FORGED: dict[str, tuple[bytes, str]] = {
    "by the new key": (changes(OLD, NEW, endorse(NEW, NEW.verifier, HERE)), "no known key signed the note"),
    "of another log": (
        changes(OLD, NEW, endorse(OTHER, signer_of(2, OTHER.name).verifier, HERE)),
        "no known key signed the note",
    ),
    "for another key": (changes(OLD, NEW, endorse(OLD, NEWER.verifier, HERE)), "for another place or another key"),
    "for another place": (
        changes(OLD, NEW, endorse(OLD, NEW.verifier, tree_over(BEFORE[:-1]))),
        "for another place or another key",
    ),
    "a plain head": (
        changes(OLD, NEW, sign(Checkpoint(origin=OLD.name, size=PLACE, root=HERE.root()).text, OLD)),
        "for another place or another key",
    ),
    "no text": (changes(OLD, NEW, "").replace(b'"endorsement":""', b'"endorsement":7'), "is no text"),
    "empty": (changes(OLD, NEW, ""), "no signed note"),
    "of a key to itself": (changes(NEW, NEW, endorse(NEW, NEW.verifier, HERE)), "does not name two keys of one log"),
    "to another log": (
        changes(OLD, signer_of(2, OTHER.name), endorse(OLD, signer_of(2, OTHER.name).verifier, HERE)),
        "does not name two keys of one log",
    ),
    "without keys": (body(EntryType.LOG_KEY_ROTATED, {"old": 7}), "does not name both keys"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_word_that_is_not_the_old_keys_own_is_named_with_its_entry(tmp_path: Path, name: str) -> None:
    forged, why = FORGED[name]
    path = exported(tmp_path / "log", [*BEFORE, forged, *BEFORE], NEW)
    report = checked(path, OLD, NEW)
    [problem] = report.problems  # although both keys are known, and one of them signed all this
    assert (problem.code, problem.index, problem.time) == ("key", PLACE, "1970-01-01T00:00:00.000001Z")
    assert why in problem.message
    assert set(problems(path, OLD)) == {("key", PLACE), ("head", None)}
    assert problems(path, NEW) == [("key", PLACE)]


def test_who_has_only_the_new_key_cannot_rewrite_what_was_before_the_change(tmp_path: Path) -> None:
    rewritten = [*BEFORE[:-1], body(EntryType.BROKER_STOPPED, {})]
    path = exported(tmp_path / "log", [*rewritten, changes(OLD, NEW, endorse(OLD, NEW.verifier, HERE))], NEW)
    for keys in ((OLD,), (OLD, NEW)):
        assert problems(path, *keys) == [("rewritten", 0)]
    assert problems(path, NEW) == []  # which is what knowing the old one, too, is good for


def test_who_has_only_the_new_key_cannot_take_the_word_out(tmp_path: Path) -> None:
    for at, bodies in enumerate(([*BEFORE, changes(OLD, NEW, None)], BEFORE, [*BEFORE, changes(NEW, NEWER, None)])):
        assert problems(exported(tmp_path / f"log-{at}", bodies, NEW), OLD) == [("head", None)]


@pytest.mark.parametrize("count", [PLACE, PLACE - 1])
def test_dropping_the_change_of_the_key_with_the_tail_is_told_as_that_and_since_when(
    tmp_path: Path, count: int
) -> None:
    whole = [*BEFORE, changes(OLD, NEW, endorse(OLD, NEW.verifier, HERE)), *BEFORE]
    path = exported(tmp_path / "log", whole, NEW)
    (path / "entries.jsonl").write_bytes(b"".join(one + b"\n" for one in whole[:count]))
    head, dropped = checked(path, OLD).problems
    assert (head.code, dropped.code, dropped.index) == ("head", "dropped", count)
    assert dropped.time == "1970-01-01T00:00:00.000001Z"
    gone = f"7 entries, {count} are present: the last {7 - count} are gone"
    assert dropped.message.startswith(f"the stored tree head says {gone}, and a change of the log's key may be among")
    said = f"{count} are present: if that is fewer, the rest is gone, perhaps with a change of the key"
    assert f"; {said} (since {dropped.time})" in by_itself(path, OLD).stdout
    assert problems(path, NEW) == [("dropped", count)]


def test_a_kept_head_of_the_newest_key_tells_that_the_change_is_gone(tmp_path: Path) -> None:
    whole = [*BEFORE, changes(OLD, NEW, endorse(OLD, NEW.verifier, HERE))]
    kept = exported(tmp_path / "whole", whole, NEW) / "checkpoint"
    path = exported(tmp_path / "log", BEFORE, OLD)
    report = verify_store(path, vkeys=[OLD.verifier.vkey], checkpoint=kept)
    assert [(one.code, one.index) for one in report.problems] == [("anchor", None), ("dropped", PLACE)]


def test_a_key_that_gave_its_place_away_signs_no_later_head(tmp_path: Path) -> None:
    change = changes(OLD, NEW, endorse(OLD, NEW.verifier, HERE))
    path = exported(tmp_path / "log", [*BEFORE, change, *BEFORE], OLD)
    assert problems(path, OLD) == problems(path, OLD, NEW) == [("head", None)]
    assert problems(exported(tmp_path / "both", [*BEFORE, change], OLD, NEW), OLD) == []


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ((NEW, OLD), "was the log's before"),
        ((OLD, NEWER), "but the log had"),
        ((NEWER, signer_of(4)), "but the log had"),
        ((OLD, NEW), "but the log had"),
    ],
)
def test_a_circle_and_a_fork_of_keys_are_named(tmp_path: Path, second: tuple[Signer, Signer], why: str) -> None:
    bodies = [*BEFORE, changes(OLD, NEW, endorse(OLD, NEW.verifier, HERE))]
    bodies.append(changes(*second, endorse(second[0], second[1].verifier, tree_over(bodies))))
    path = exported(tmp_path / "log", bodies, NEW)
    for keys in ((OLD,), (NEW,), (OLD, NEW)):
        [problem] = checked(path, *keys).problems
        assert (problem.code, problem.index) == ("key", PLACE + 1)
        assert why in problem.message


def test_a_word_between_keys_that_nobody_knows_makes_none_of_them_known() -> None:
    change = changes(NEW, NEWER, endorse(NEW, NEWER.verifier, HERE))
    found = follow([(PLACE, change)], [OLD.verifier])
    assert (found.keys, found.followed, found.fault) == ([OLD.verifier], [], "")


def test_a_command_that_looks_like_a_change_is_none(store: Store) -> None:
    text = body(EntryType.LOG_KEY_ROTATED, {}).decode()
    entry = decided(1)
    store.write(replace(entry, action={**entry.action, "summary": text}))
    assert b"log.key_rotated" in store.bodies()[1]
    assert verified(store, OLD).ok
