"""``askfirst audit`` on a store, without a broker."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from askfirst.audit_port import Entry, EntryType
from askfirst.cli.audit_tail import followed
from askfirst.entry import command_line
from askfirst.errors import LogError
from audit.note import parse_vkey
from audit.offline import OfflineLog
from audit.receipt import parse_receipt, verify_receipt
from audit.testing import Broker


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A log with one request that was denied."""
    broker = Broker(tmp_path / "state")
    asyncio.run(broker.ended_request("git reset --hard [HEAD]"))
    broker.stop()
    return tmp_path / "state" / "askfirst.db"


def run(store: Path, *arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(command_line(), ["audit", *arguments, "--store", str(store)])
    assert done.exit_code == code, done.output + done.stderr
    return done.output if code == 0 else done.output + done.stderr


def read(store: Path, *arguments: str, code: int = 0) -> Any:
    return json.loads(run(store, *arguments, "--json", code=code))


def test_entries_are_listed_and_shown(store: Path) -> None:
    entries = read(store, "list", "--decision", "denied")
    assert [(entry["type"], entry["decision"]["by"]) for entry in entries] == [("gate.decided", ["local:ann"])]
    assert read(store, "tail", "-n", "1") == entries
    assert read(store, "tail", "--person", "local:ann", "--decision", "denied") == entries
    assert read(store, "list", "--request", entries[0]["req"][-6:], "-n", "1") == entries
    asked = read(store, "list", "--type", "gate.requested")[0]
    shown = read(store, "show", str(asked["index"]))
    assert list(shown["payloads"].values()) == ['{"command":"git reset --hard [HEAD]"}']
    assert "git reset --hard [HEAD]" in run(store, "show", str(asked["index"]))
    assert "gate.decided local:ann via web denied" in run(store, "list", "--person", "local:ann")
    assert "there is no entry 99" in run(store, "show", "99", code=2)
    assert "since is 'soon'" in run(store, "list", "--since", "soon", code=2)


def test_what_is_added_is_followed_and_a_log_that_shrinks_is_told(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "state")
    store = broker.root / "askfirst.db"
    asyncio.run(broker.ended_request("git reset --hard"))
    seen = followed(OfflineLog(store), {"types": ("gate.requested", "hook.")}, 5, pause_s=0)
    before = next(seen)
    for kind in (EntryType.HOOK_SILENT, EntryType.CLOCK_JUMP, EntryType.HOOK_HEARTBEAT):
        asyncio.run(broker.desk.note(Entry(type=kind)))
    assert [before, next(seen), next(seen)] == read(store, "list", "--type", "gate.requested", "--type", "hook.")
    broker.stop()
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("delete from audit where seq > 1")
    with pytest.raises(LogError, match="the log ends at entry 1, and had"):
        next(seen)


def test_counts_are_shown(store: Path) -> None:
    stats = read(store, "stats")
    assert (stats["total"]["asked"], stats["total"]["denied"]) == (1, 1)
    assert "local:ann" in run(store, "stats")
    assert read(store, "stats", "--decision", "denied")["total"]["denied"] == 1
    assert read(store, "stats", "--decision", "approved")["total"]["denied"] == 0


def test_the_log_verifies_by_a_receipt_a_checkpoint_and_a_key_and_says_what_each_proves(
    store: Path, tmp_path: Path
) -> None:
    request = read(store, "list", "--decision", "denied")[0]["req"]
    made = read(store, "receipt", "--request", request, "--out", str(tmp_path / "receipts"))
    files = sorted((tmp_path / "receipts").glob("*.tlog-proof"))
    assert [parse_receipt(file.read_text()).index for file in files] == [one["index"] for one in made]
    run(store, "export", str(tmp_path / "export"))
    key = (store.parent / "log.vkey").read_text().strip()
    given = ["--key", key, "--receipt", str(files[0]), "--checkpoint", str(tmp_path / "export" / "checkpoint")]
    report = read(store, "verify", *given)
    assert report["ok"]
    assert [meaning.split(" prove")[0] for meaning in report["meanings"]] == [
        "the signed head",
        "a checkpoint that you kept",
        "a receipt",
        "the key that you gave",
    ]
    assert report["limits"] == []
    assert "a receipt proves that this one entry was logged" in run(store, "verify", *given)
    assert read(tmp_path / "export", "verify", *given)["ok"]


def test_a_third_party_checks_a_receipt_with_the_entry_beside_it_and_no_log(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "receipts"
    asked = read(store, "list", "--type", "gate.requested")[0]
    [made] = read(store, "receipt", str(asked["index"]), "--out", str(out))
    proof, entry = (out / f"entry-{asked['index']}{end}" for end in (".tlog-proof", ".json"))
    assert sorted(out.iterdir()) == [entry, proof]
    assert (proof.read_text(), entry.read_text()) == (made["receipt"], made["entry"])
    assert {"index": asked["index"], **json.loads(entry.read_bytes())} == asked
    key = parse_vkey((store.parent / "log.vkey").read_text().strip())
    assert verify_receipt(parse_receipt(proof.read_text()), entry.read_bytes(), [key]).size == len(read(store, "list"))
    assert run(store, "receipt", str(asked["index"])) == made["receipt"]


def test_no_half_of_a_receipt_and_its_entry_is_written(store: Path, tmp_path: Path) -> None:
    (tmp_path / "entry-1.json").write_text("precious")
    assert "exists already" in run(store, "receipt", "1", "--out", str(tmp_path), code=2)
    assert [path.read_text() for path in tmp_path.glob("entry-*")] == ["precious"]


@pytest.mark.parametrize("typed", ["foo", "3", "3:9f", "03:" + "0" * 16, "3:" + "G" * 16, "3:" + "0" * 17])
def test_a_slip_of_the_pen_says_nothing_about_the_log(store: Path, typed: str) -> None:
    output = run(store, "verify", "--seen", typed, code=2)
    assert "expected SIZE:ROOT" in output
    assert "does not verify" not in output


def test_what_is_wrong_is_said_with_since_when(store: Path) -> None:
    entries = read(store, "list")
    output = run(store, "verify", "--seen", f"99:{'0' * 16}", code=1)
    assert f"the last {99 - len(entries)} are gone (since {entries[-1]['t']})" in output
    assert "the log does not verify" in output
    report = read(store, "verify", "--seen", f"{len(entries)}:{'0' * 16}", code=1)
    assert [problem["code"] for problem in report["problems"]] == ["rewritten"]


@pytest.mark.parametrize("form", ["jsonl", "ocsf", "otel", "agentack", "approvals", "csv", "approvals-csv"])
def test_each_format_goes_to_a_file_or_to_standard_output(store: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "out"
    made = read(store, "export", str(out), "--format", form)
    assert (made["format"], made["entries"] > 0) == (form, True)
    assert run(store, "export", "-", "--format", form) == out.read_text()
    assert "exists already" in run(store, "export", str(out), "--format", form, code=2)


def test_what_does_not_go_together_is_refused(store: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    assert "no format 'xml', expected one of jsonl" in run(store, "export", out, "--format", "xml", code=2)
    assert not Path(out).exists()
    assert "filters go with --format" in run(store, "export", out, "--person", "x", code=2)
    assert "takes no filters" in run(store, "export", out + "2", "--format", "csv", "--person", "x", code=2)
    assert "give either an index or --request" in run(store, "receipt", code=2)
    assert "give --git, --authority, or both" in run(store, "anchor", code=2)
    assert "give its key by --witness" in run(store, "verify", "--witness-url", "http://127.0.0.1:9", code=2)
    assert "there is no store at" in run(tmp_path / "nowhere", "tail", code=1)


def test_a_page_is_written(store: Path, tmp_path: Path) -> None:
    read(store, "timeline", str(tmp_path / "page.html"), "--session", "session-1")
    assert "git reset --hard [HEAD]" in (tmp_path / "page.html").read_text()


def test_a_head_is_anchored_in_git(store: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "repo")], check=True)
    made = read(store, "anchor", "--git", str(tmp_path / "repo"))
    assert len(made["commit"]) == 40
    assert read(store, "verify", "--git", str(tmp_path / "repo"))["ok"]
    assert made["head"] in run(store, "anchor", "--git", str(tmp_path / "repo"))


def test_a_witness_has_a_key_and_watches_logs(store: Path, tmp_path: Path) -> None:
    folder = ["--folder", str(tmp_path / "witness")]
    vkey = (store.parent / "log.vkey").read_text().strip()

    def witness(*arguments: str) -> Any:
        done = CliRunner().invoke(command_line(), ["witness", *arguments, *folder, "--json"])
        assert done.exit_code == 0, done.stderr
        return json.loads(done.output)

    key = witness("key", "--name", "witness.example/1")["vkey"]
    assert key.startswith("witness.example/1+")
    assert witness("key") == {"vkey": key}
    assert witness("watch", vkey) == witness("watch", vkey) == {"logs": [vkey]}
    done = CliRunner().invoke(command_line(), ["witness", "watch", key, *folder])
    assert "expected a log's" in done.stderr


def test_a_range_is_verified_and_what_is_none_is_refused(store: Path) -> None:
    said = run(store, "verify", "--range", "1-2")
    assert "entries 1 to 2 are exactly those under the signed tree head" in said
    assert "the range verifies: 2 entries, root " in said
    assert read(store, "verify", "--range", "1")["size"] == 1
    assert "there is no entry 999" in run(store, "verify", "--range", "1-999", code=1)
    for typed in ("2-1", "x", "1-", "-1", "1-2-3"):
        assert "is no range" in run(store, "verify", f"--range={typed}", code=2)
    assert "of the evidence give --key only" in run(
        store, "verify", "--range", "1-2", "--seen", f"1:{'0' * 16}", code=2
    )
