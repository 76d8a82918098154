"""What a witness cosigned last, asked of it while a log is verified: a store that went back does not take it along."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from askfirst.testing.serving import serving
from audit.report import Report
from audit.source import connect, node_reader
from audit.testing import Store, signer_of
from audit.tree import consistency_proof
from audit.verify import verify_store
from audit.witness import Submission, Witness
from audit.witness_server import open_witness, watch_logs, witness_app


@dataclass
class Elsewhere:
    """A witness on a port, whose cosignatures lie in the store, too."""

    store: Store
    witness: Witness
    url: str

    def cosigns(self, old: int) -> None:
        """It sees the head as it is, after one of so many entries."""
        head = self.store.log.head
        with closing(connect(self.store.path)) as connection:
            proof = consistency_proof(node_reader(connection), old, head.size) if old else []
        line = self.witness.add_checkpoint(Submission(old=old, proof=tuple(proof), note=head.checkpoint))
        self.store.execute("insert into cosignature values (?, 'witness.example/1', ?)", (head.size, line.strip()))

    def verified(self, path: Path, *, asked: bool = True) -> Report:
        return verify_store(path, witnesses=[self.witness.vkey], witness_urls=[self.url] if asked else [])


def listener() -> socket.socket:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    return made


@pytest.fixture
def elsewhere(store: Store, tmp_path: Path) -> Iterator[Elsewhere]:
    watch_logs(tmp_path / "witness", [store.signer.verifier.vkey])
    witness = open_witness(tmp_path / "witness", "witness.example/1")
    with listener() as bound, serving(witness_app(witness), bound):
        yield Elsewhere(store, witness, f"http://127.0.0.1:{bound.getsockname()[1]}/")


def test_an_older_copy_of_everything_verifies_until_the_witness_is_asked(elsewhere: Elsewhere) -> None:
    store = elsewhere.store
    store.write_many(10)
    elsewhere.cosigns(0)
    older = store.path.with_name("older.db")
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("vacuum into ?", (str(older),))
    store.write_many(10)
    elsewhere.cosigns(11)

    alone = elsewhere.verified(older, asked=False)
    assert alone.ok
    assert "an older copy of everything has older ones and would verify" in alone.limits[-1]

    found = elsewhere.verified(older).problems[0]
    assert found.code == "dropped"
    assert found.message.startswith("the checkpoint that witness.example/1 cosigned last, at ")
    assert found.message.endswith("has 21 entries, 11 are present: the last 10 are gone")

    report = elsewhere.verified(store.path)
    assert report.ok
    assert any("this is no older copy of the log" in each for each in report.meanings)
    assert not any("older ones" in each for each in report.limits)


def test_what_the_witness_says_has_to_be_signed_by_it(elsewhere: Elsewhere) -> None:
    store = elsewhere.store
    store.write_many(10)
    elsewhere.cosigns(0)
    other = signer_of(9, "witness.example/2").cosigner.vkey
    report = verify_store(store.path, witnesses=[other], witness_urls=[elsewhere.url])
    assert "no known key signed the note" in report.problems[0].message


def test_a_witness_that_has_seen_nothing_of_the_log_proves_nothing(elsewhere: Elsewhere) -> None:
    report = elsewhere.verified(elsewhere.store.path)
    assert "has cosigned nothing of" in report.problems[0].message


@pytest.mark.parametrize(
    ("status", "content", "said"), [(500, b"ouch", "answers 500: 'ouch'"), (200, b"x" * 100_000, "more than 65536")]
)
def test_a_witness_that_answers_nonsense_proves_nothing(
    elsewhere: Elsewhere, status: int, content: bytes, said: str
) -> None:
    def answer(_request: object) -> Response:
        return PlainTextResponse(content, status)

    app = Starlette(routes=[Route("/{origin}/checkpoint", answer)])
    with listener() as bound, serving(app, bound):
        elsewhere.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        assert said in elsewhere.verified(elsewhere.store.path).problems[0].message


def test_a_witness_that_is_not_there_is_a_failure_and_no_proof(elsewhere: Elsewhere) -> None:
    with listener() as bound:  # nobody listens on it
        elsewhere.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        assert "cannot be asked" in elsewhere.verified(elsewhere.store.path).problems[0].message
