"""The copy of a shared database's log is verified like a store's file, payloads and all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from askfirst.audit_port import SYSTEM
from askfirst.store import schema
from askfirst.store.backup import copied_log
from askfirst.testing.bench import a_draft
from audit.testing import signer_of
from audit.testing_core import Core
from audit.verify import verify_store

BLOB = schema.blob
ATTACKS: dict[str, tuple[sa.Executable, str]] = {
    "delete": (BLOB.delete(), "is gone, and no entry says that it was erased"),
    "alter": (BLOB.update().values(bytes=b"ls"), "was changed; it belongs to entry"),
    "plant": (
        BLOB.insert().values(sha256=b"d" * 32, salt=b"s" * 32, bytes=b"ls"),
        "was put there; no entry refers to it",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS)
def test_payloads_of_a_shared_database_are_compared_in_the_copy(
    peers: Callable[[], Core], tmp_path: Path, attack: str
) -> None:
    peer, vkey = peers(), tmp_path / "log.vkey"
    vkey.write_text(signer_of(1).verifier.vkey, encoding="utf-8")
    for key in ("one", "two"):
        asyncio.run(peer.desk.ask(a_draft(key=key, command=f"rm -rf {key}")))
    peer.writer.submit(lambda connection: peer.log.erase(connection, _a_payload(connection), SYSTEM)).result(5)
    with copied_log(peer.store.reader, vkey) as copy:
        report = verify_store(copy)
    assert report.ok, report.problems
    assert report.proofs[-1].endswith("; erased, as entries say: 1")

    statement, expected = ATTACKS[attack]
    with peer.store.engine.begin() as connection:
        connection.execute(statement)
    with copied_log(peer.store.reader, vkey) as copy:
        problems = verify_store(copy).problems
    assert {problem.code for problem in problems} == {"payload"}
    assert expected in problems[0].message


def _a_payload(connection: sa.Connection) -> bytes:
    return connection.scalars(sa.select(BLOB.c.sha256)).first() or b""
