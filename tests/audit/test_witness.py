"""The witness by the letter of tlog-witness, and its memory under attack (A8, A9)."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.errors import LogError
from audit import tree
from audit.note import Checkpoint, open_note, sign
from audit.testing import signer_of
from audit.witness import Submission, Witness, WitnessRefusal, parse_submission
from audit.witness_server import open_witness, watch_logs, witness_app

LOG = signer_of(1)
LEAVES = [tree.leaf_hash(bytes([number])) for number in range(40)]
FORK = [*LEAVES[:3], *(tree.leaf_hash(bytes([number, 1])) for number in range(37))]


def head(leaves: list[bytes], size: int, signer: object = LOG) -> str:
    root = tree.grow(tree.Tree(), leaves[:size])[0].root()
    return sign(Checkpoint(origin=LOG.name, size=size, root=root).text, signer)  # type: ignore[arg-type]


def submission(old: int, size: int, leaves: list[bytes] = LEAVES, signer: object = LOG) -> Submission:
    def node(level: int, index: int) -> bytes:
        return tree.complete_root(leaves[index << level : (index + 1) << level])

    proof = tree.consistency_proof(node, old, size) if 0 < old < size else []
    return Submission(old=old, proof=tuple(proof), note=head(leaves, size, signer))


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    watch_logs(tmp_path / "witness", [LOG.verifier.vkey])
    return open_witness(tmp_path / "witness", "witness.example/1")


def http(witness: Witness) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(witness_app(witness)), base_url="http://witness")


async def answers(witness: Witness, *bodies: bytes) -> list[tuple[int, str, str]]:
    async with http(witness) as client:
        found = [await client.post("/add-checkpoint", content=body) for body in bodies]
    return [(one.status_code, one.headers["content-type"], one.text) for one in found]


def status(witness: Witness, handed_in: Submission) -> int:
    try:
        witness.add_checkpoint(handed_in)
    except WitnessRefusal as refusal:
        return refusal.status
    return 200


def test_a_log_that_grows_is_cosigned_each_time(witness: Witness) -> None:
    for old, size in ((0, 5), (5, 5), (5, 40)):
        line = witness.add_checkpoint(submission(old, size))
        key = witness._signer.cosigner
        assert open_note(head(LEAVES, size) + line, [key]).verified == (key,)


@pytest.mark.parametrize(
    ("handed_in", "expected"),
    [
        (submission(0, 8), 409),  # not the size it knows
        (submission(4, 8), 409),
        (Submission(old=5, proof=(), note=head(LEAVES, 8)), 422),  # no proof
        (submission(5, 8, FORK), 422),  # another history (A8, with an entry appended)
        (submission(5, 5, FORK), 422),  # another history of the same size (A8)
        (Submission(old=5, proof=(bytes(32),), note=head(LEAVES, 5)), 422),  # a proof where none belongs
        (submission(6, 5), 400),  # old above the size
        (submission(5, 8, signer=signer_of(2)), 403),  # another key under the log's name
        (Submission(old=5, proof=(), note="no note"), 400),
        (Submission(old=0, proof=(), note=sign("other.example/log\n1\n" + "A" * 43 + "=\n", LOG)), 404),
        (submission(5, 8), 200),
    ],
)
def test_what_a_submission_is_answered(witness: Witness, handed_in: Submission, expected: int) -> None:
    witness.add_checkpoint(submission(0, 5))
    assert status(witness, handed_in) == expected
    assert status(witness, submission(8 if expected == 200 else 5, 40)) == 200  # nothing but a 200 changes its memory


def test_an_empty_log_has_one_root_only(witness: Witness) -> None:
    note = sign(Checkpoint(origin=LOG.name, size=0, root=bytes(32)).text, LOG)
    assert status(witness, Submission(old=0, proof=(), note=note)) == 422
    assert status(witness, submission(0, 0)) == 200


async def story(witness: Witness) -> None:
    good, late = submission(0, 5).body, submission(0, 8).body
    origin = hashlib.sha256(LOG.name.encode()).hexdigest()
    [first, second, third] = await answers(witness, good, late, b"old 05\n\nx")
    assert first[0] == 200
    assert first[2].startswith("— witness.example/1 ")
    assert second == (409, "text/x.tlog.size", "5\n")
    assert third[0] == 400
    async with http(witness) as client:
        seen = await client.get(f"/{origin}/checkpoint")
        assert seen.text == head(LEAVES, 5) + first[2]
        assert (await client.get("/" + "0" * 64 + "/checkpoint")).status_code == 404
        assert (await client.get("/add-checkpoint")).status_code == 405
        assert (await client.post("/add-checkpoint", content=b"x" * 200_000)).status_code == 400


def test_over_http_it_speaks_tlog_witness(witness: Witness) -> None:
    asyncio.run(asyncio.wait_for(story(witness), 10))


def test_a9_a_rollback_is_answered_with_the_size_that_was_seen(witness: Witness) -> None:
    witness.add_checkpoint(submission(0, 40))
    with pytest.raises(WitnessRefusal) as refused:
        witness.add_checkpoint(submission(0, 5))
    assert (refused.value.status, refused.value.known_size) == (409, 40)


def test_it_remembers_over_a_restart_and_a_damaged_memory_is_no_fresh_start(witness: Witness, tmp_path: Path) -> None:
    witness.add_checkpoint(submission(0, 5))
    again = open_witness(tmp_path / "witness")
    assert status(again, submission(0, 8, FORK)) == 409
    [memory] = (tmp_path / "witness").glob("*/checkpoint")
    memory.write_text(memory.read_text().replace("\n5\n", "\n3\n"))
    with pytest.raises(LogError, match="restore it"):
        again.add_checkpoint(submission(3, 8, FORK))


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", None])
def test_a_memory_that_was_emptied_damaged_or_deleted_is_missed(
    witness: Witness, tmp_path: Path, damage: bytes | None
) -> None:
    witness.add_checkpoint(submission(0, 5))
    [memory] = (tmp_path / "witness").glob("*/checkpoint")
    memory.unlink() if damage is None else memory.write_bytes(damage)

    async def shown() -> tuple[int, str]:
        async with http(witness) as client:
            answer = await client.get(f"/{memory.parent.name}/checkpoint")
        return answer.status_code, answer.text

    assert asyncio.run(shown()) == (500, "the witness cannot show what it cosigned last\n")
    with pytest.raises(LogError, match="restore it"):
        witness.add_checkpoint(submission(0, 8, FORK))


def test_of_racing_submissions_none_rolls_another_back(witness: Witness) -> None:
    """The race of the specification: sizes 5 and 8 both from 3; one wins, the other hears 409."""
    witness.add_checkpoint(submission(0, 3))
    start, results = threading.Barrier(2, timeout=5), list[int]()

    def race(size: int) -> None:
        start.wait()
        results.append(status(witness, submission(3, size)))

    threads = [threading.Thread(target=race, args=(size,)) for size in (5, 8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(5)
    assert sorted(results) == [200, 409]


def test_several_logs_are_kept_apart_and_several_keys_of_one_are_one(tmp_path: Path) -> None:
    other, renewed = signer_of(3, "other.example/log"), signer_of(4)
    watch_logs(tmp_path / "w", [LOG.verifier.vkey, other.verifier.vkey])
    witness = open_witness(tmp_path / "w", "witness.example/1")
    note = sign(Checkpoint(origin=other.name, size=1, root=LEAVES[0]).text, other)
    assert status(witness, submission(0, 5)) == 200
    assert status(witness, Submission(old=0, proof=(), note=note)) == 200
    assert status(witness, submission(5, 8, signer=renewed)) == 403
    watch_logs(tmp_path / "w", [renewed.verifier.vkey])
    assert status(witness, submission(5, 8, signer=renewed)) == 200


@given(st.binary(max_size=300))
def test_whatever_is_posted_is_a_submission_or_refused_as_none(body: bytes) -> None:
    outcome: bytes | int
    try:
        outcome = parse_submission(body).body
    except WitnessRefusal as refusal:
        outcome = refusal.status
    assert outcome in (body, 400)


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_submission_survives_the_wire(old: int, size: int) -> None:
    handed_in = submission(min(old, size), size)
    assert parse_submission(handed_in.body) == handed_in
