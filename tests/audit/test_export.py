"""Exports, the founding document's table, and the last entries."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from askfirst.audit_port import Entry, EntryType
from askfirst.entry import command_line
from askfirst.errors import InputError, LogError
from askfirst.store.views import create_views
from askfirst.testing.full_disk import files_up_to
from audit.anchor import receipts_of
from audit.export import export, export_stream
from audit.note import Checkpoint, cosign
from audit.query import Filter, Record, find
from audit.records import RECORD_COLUMNS, write_records, write_table
from audit.testing import Store, decided, signer_of
from audit.verify import verify_store


def tail(path: Path, count: int) -> list[Record]:
    return find(path, Filter(), limit=count)


def test_an_exported_folder_verifies_and_keeps_every_byte(store: Store, tmp_path: Path) -> None:
    head = store.write_many(700)
    out = tmp_path / "deep" / "export"
    assert export(store.path, out) == 701
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint", "entries.jsonl", "log.pem", "log.vkey"]
    assert (out / "entries.jsonl").read_bytes() == b"".join(body + b"\n" for body in store.bodies())
    assert (out / "checkpoint").read_text(encoding="utf-8") == head.checkpoint
    report = verify_store(out, seen=[head.seen])
    assert report.ok
    assert (report.size, report.root) == (701, head.root.hex())


def test_an_exported_stream_verifies(store: Store, tmp_path: Path) -> None:
    head = store.write_many(300)
    stream = io.BytesIO()
    assert export_stream(store.path, stream) == 301
    (tmp_path / "log.jsonl").write_bytes(stream.getvalue())
    report = verify_store(tmp_path / "log.jsonl", checkpoint=None, seen=[head.seen])
    assert report.ok
    assert report.size == 301


@pytest.mark.parametrize("damage", ["edit", "drop", "newline", "long"])
def test_a_changed_export_does_not_verify(store: Store, tmp_path: Path, damage: str) -> None:
    store.write_many(300)
    export(store.path, tmp_path / "export")
    file = tmp_path / "export" / "entries.jsonl"
    content = file.read_bytes()
    changed = {
        "edit": content.replace(b"deny", b"allow", 1),
        "drop": content[: content.rindex(b"\n", 0, -1) + 1],
        "newline": content + b"\n",
        "long": content.replace(b"deny", b"deny" * 70_000, 1),
    }
    file.write_bytes(changed[damage])
    assert not verify_store(tmp_path / "export").ok


def test_an_export_carries_the_cosignatures_over_its_head(store: Store, tmp_path: Path) -> None:
    head, witness = store.write_many(10), signer_of(7, "witness.example/1")
    line = cosign(Checkpoint(origin=store.signer.name, size=11, root=head.root).text, witness, 1_795_564_900).line
    store.execute("insert into cosignature values (11, 'witness.example/1', ?)", (line,))
    export(store.path, tmp_path / "export")
    assert (tmp_path / "export" / "checkpoint").read_text(encoding="utf-8") == head.checkpoint + line
    assert verify_store(tmp_path / "export", witnesses=[witness.cosigner.vkey]).ok


def test_an_export_never_overwrites(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a new folder"):
        export(store.path, tmp_path)


def test_a_broken_log_is_exported_as_it_is(store: Store, tmp_path: Path) -> None:
    store.write_many(10)
    store.execute("delete from tree")
    store.path.with_name("log.vkey").write_text("nonsense\n", encoding="utf-8")
    assert export(store.path, tmp_path / "export") == 11
    assert [one.code for one in verify_store(tmp_path / "export").problems] == ["key", "key", "head"]


def test_the_last_entries_come_oldest_first(store: Store) -> None:
    store.write_many(10)
    assert [(entry["index"], entry["req"]) for entry in tail(store.path, 2)] == [(9, "request-8"), (10, "request-9")]
    assert len(tail(store.path, 100)) == 11
    assert tail(store.path, 0) == []


def test_what_is_no_entry_is_shown_as_such(store: Store) -> None:
    store.write(decided(1), decided(2))
    store.execute("update audit set body = ? where seq = 1", (b"\xff{",))
    store.execute("update audit set body = ? where seq = 2", (b"[]",))
    assert tail(store.path, 2) == [{"index": 1, "unreadable": "\\xff{"}, {"index": 2, "unreadable": "[]"}]


def test_the_founding_documents_table_comes_out(store: Store) -> None:
    asked = Entry(
        type=EntryType.GATE_REQUESTED,
        request="request-1",
        agent={"session": "session-1"},
        action={"tool": "=cmd|' /C calc'!A0", "summary": "git push"},
    )
    store.write(asked, decided(1, verdict="approve"), Entry(type=EntryType.HOOK_HEARTBEAT))
    store.write(Entry(type=EntryType.GATE_TIMEOUT, request="request-2"))
    text = io.StringIO(newline="")
    assert write_records(store.path, text) == 3
    first, second, third = csv.DictReader(text.getvalue().splitlines())
    bodies = [json.loads(body) for body in store.bodies()]
    assert tuple(first) == RECORD_COLUMNS
    assert first == {
        "id": bodies[1]["id"],
        "session_id": "session-1",
        "action_type": "'=cmd|' /C calc'!A0",
        "action_data": json.dumps(bodies[1]["action"], separators=(",", ":")),
        "approval_status": "pending",
        "approved_by": "",
        "timestamp": bodies[1]["t"],
    }
    assert (second["approval_status"], second["approved_by"]) == ("approve", "telegram:12345")
    assert third["approval_status"] == "expired"


def test_the_same_table_is_a_view(store: Store) -> None:
    store.write(decided(1))
    with store.engine.begin() as connection:
        create_views(connection)
    connection = sqlite3.connect(store.path)
    rows = connection.execute("select session_id, approval_status, approved_by from remote_agent_audit_log").fetchall()
    connection.close()
    assert rows == [("session-1", "deny", "telegram:12345")]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_is_a_formula_to_a_spreadsheet(sign: str) -> None:
    text = io.StringIO(newline="")
    write_table(text, ("one",), [(f"{sign}1+1",), (f"x{sign}",)])
    assert [row[0] for row in csv.reader(io.StringIO(text.getvalue(), newline=""))] == [
        "one",
        f"'{sign}1+1",
        f"x{sign}",
    ]


def test_a_store_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "none.db").write_bytes(b"nothing")
    for path in (tmp_path / "none.db", tmp_path / "nowhere.db"):
        with pytest.raises(LogError, match="cannot be read as a store"):
            tail(path, 1)
        with pytest.raises(LogError, match="cannot be read as a store"):
            write_records(path, io.StringIO())
    with pytest.raises(LogError, match="neither a store nor an export"):
        export(tmp_path / "none.db", tmp_path / "out")
    assert not (tmp_path / "out").exists()


ONE_LINERS = """
sed '/^$/,$d' checkpoint > body
sed -n 's/^— [^ ]* //p' checkpoint | head -n 1 | base64 -d | tail -c 64 > signature
openssl pkeyutl -verify -pubin -inkey log.pem -rawin -in body -sigfile signature
"""


@pytest.mark.slow
@pytest.mark.usefixtures("openssl")
def test_the_documented_openssl_lines_verify_an_exported_head(store: Store, tmp_path: Path) -> None:
    assert ONE_LINERS.strip() in (Path(__file__).parents[2] / "docs" / "audit-log.md").read_text(encoding="utf-8")
    store.write_many(10)
    export(store.path, tmp_path / "export")
    done = subprocess.run(
        ["sh", "-ec", ONE_LINERS], cwd=tmp_path / "export", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "Signature Verified Successfully\n"), done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("openssl")
def test_the_documented_openssl_lines_verify_a_head_while_and_after_the_key_was_changed(
    store: Store, tmp_path: Path
) -> None:
    with store.engine.begin() as connection:
        store.log.rotate(connection, signer_of(2))
        store.log.seal(connection)
    store.log.committed()
    old, new = store.signer.verifier.vkey, signer_of(2).verifier.vkey
    store.path.with_name("log.vkey").write_text(f"{old}\n{new}\n")
    for name in ("while", "after"):
        export(store.path, tmp_path / name)
        done = subprocess.run(
            ["sh", "-ec", ONE_LINERS], cwd=tmp_path / name, capture_output=True, text=True, check=False
        )
        assert done.stdout == "Signature Verified Successfully\n", done.stderr
        store.write_many(1)


@pytest.mark.parametrize("form", [(), ("--format", "jsonl"), ("--format", "csv")])
def test_an_export_that_could_not_be_written_whole_is_gone(store: Store, tmp_path: Path, form: tuple[str, ...]) -> None:
    store.write_many(700)
    out = tmp_path / "out"
    with files_up_to(65_536):
        done = CliRunner().invoke(command_line(), ["audit", "export", str(out), *form, "--store", str(store.path)])
    assert done.exit_code == 70
    assert "File too large" in done.stderr
    assert not out.exists()


DOCS = (Path(__file__).parents[2] / "docs" / "audit-log.md").read_text(encoding="utf-8")


def blocks() -> list[str]:
    """The fenced blocks of the documentation."""
    return DOCS.split("```")[1::2]


@pytest.mark.slow
@pytest.mark.usefixtures("ssh_keygen")
def test_the_documented_ssh_lines_countersign_a_head(store: Store, tmp_path: Path) -> None:
    [lines] = [block for block in blocks() if "ssh-keygen" in block]
    export(store.path, tmp_path / "export")
    prepare = 'ssh-keygen -q -t ed25519 -N "" -f key && printf "ann %s\\n" "$(cat key.pub)" > allowed_signers\n'
    done = subprocess.run(
        ["sh", "-ec", prepare + lines], cwd=tmp_path / "export", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert 'Good "askfirst" signature for ann' in done.stdout
    with (tmp_path / "export" / "checkpoint").open("a") as file:
        file.write("x")
    again = lines.strip().splitlines()[1]
    done = subprocess.run(["sh", "-ec", again], cwd=tmp_path / "export", capture_output=True, check=False)
    assert done.returncode != 0


@pytest.mark.slow
def test_the_documented_script_verifies_a_receipt_with_code_that_is_not_ours(store: Store, tmp_path: Path) -> None:
    store.write_many(300)
    [script] = [block.removeprefix("python\n") for block in blocks() if "sigstore" in block]
    bodies = store.bodies()
    for index, body, told in (
        (7, bodies[7], "included"),
        (300, bodies[300], "included"),
        (7, bodies[8], "NOT INCLUDED"),
    ):
        (tmp_path / "entry").write_bytes(body)
        (tmp_path / "receipt").write_text(receipts_of(store.path, [index])[0][0].text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", script, "entry", "receipt"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout.strip()) == (0, told), done.stderr
