"""A recorded log that every later version must go on verifying, byte for byte: the format never changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import rfc8785

from audit import verify_standalone
from audit.note import open_note, parse_vkey
from audit.receipt import parse_receipt, verify_receipt
from audit.verify import verify_store

GOLDEN = Path(__file__).parent / "golden"
ROOT = "af31b7e184149c505567ffd28fe7659057d72a7fde7e755bde6ee7997b67a47a"


def read(name: str) -> str:
    return (GOLDEN / name).read_text(encoding="utf-8")


ENTRIES = (GOLDEN / "entries.jsonl").read_bytes().splitlines()


def test_the_recorded_log_verifies_with_its_witness() -> None:
    report = verify_store(GOLDEN, seen=[f"{len(ENTRIES)}:{ROOT}"], witnesses=[read("witness.vkey")])
    assert report.ok
    assert (report.size, report.root) == (len(ENTRIES), ROOT)
    keys = [parse_vkey(read("log.vkey")), parse_vkey(read("witness.vkey"))]
    assert open_note(read("checkpoint"), keys).cosigned_at_s == (("witness.example/golden", 1_795_564_900),)


def test_the_recorded_log_verifies_alone() -> None:
    command = [
        sys.executable,
        "-I",
        "-S",
        str(verify_standalone.__file__),
        str(GOLDEN),
        "--seen",
        f"{len(ENTRIES)}:{ROOT}",
    ]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_recorded_receipt_verifies() -> None:
    receipt = parse_receipt(read("entry-2.tlog-proof"))
    assert verify_receipt(receipt, ENTRIES[2], [parse_vkey(read("log.vkey"))]).root.hex() == ROOT


@pytest.mark.parametrize("line", ENTRIES, ids=range(len(ENTRIES)))
def test_the_recorded_entries_are_canonical(line: bytes) -> None:
    entry = json.loads(line)
    assert rfc8785.dumps(entry) == line
    assert {"v", "id", "type", "t", "boot", "bt", "actor"} <= entry.keys()
