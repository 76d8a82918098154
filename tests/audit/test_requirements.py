"""The log is complete: each type of entry has a test that proves it is written, and none waits for what exists."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from askfirst.audit_port import EntryType

ROOT = Path(__file__).parents[2]
KINDS = tomllib.loads((Path(__file__).parent / "requirements.toml").read_text(encoding="utf-8"))


def test_every_type_has_a_row_and_every_row_a_type() -> None:
    assert sorted(KINDS) == sorted(EntryType)


@pytest.mark.parametrize("kind", [kind for kind, row in KINDS.items() if "test" in row])
def test_the_test_of_a_type_exists_and_names_it(kind: str) -> None:
    file, name = KINDS[kind]["test"].split("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    [found] = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    member = EntryType(kind).name
    text = ast.unparse(found)
    assert kind in text or f"EntryType.{member}" in text, f"{name} does not look for {kind}"


@pytest.mark.parametrize("kind", list(KINDS))
def test_what_is_written_has_a_test_and_what_waits_is_written_nowhere(kind: str) -> None:
    member = re.compile(rf"EntryType\.{EntryType(kind).name}\b")
    sources = [path for folder in ("askfirst", "audit", "hooks", "channels") for path in (ROOT / folder).rglob("*.py")]
    is_written = any(member.search(path.read_text(encoding="utf-8")) for path in sources if path.name != "testing.py")
    assert is_written is ("test" in KINDS[kind]), f"{kind}: give it a test once it is written, and only then"
