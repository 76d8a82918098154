"""Past calls come back from the log with their arguments and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from askfirst.audit_port import Actor, Entry, EntryType, Private
from askfirst.errors import LogError
from audit.history import calls

if TYPE_CHECKING:
    from pathlib import Path

    from audit.testing import Store


def _call(kind: EntryType, request: str, command: str) -> Entry:
    action = {"tool": "Bash", "input": Private.text(f'{{"command":"{command}"}}')}
    return Entry(type=kind, actor=Actor(type="agent", id="a"), request=request, action=action)


def _end(kind: EntryType, request: str, verdict: str = "") -> Entry:
    decision = {"verdict": verdict} if verdict else {}
    return Entry(type=kind, actor=Actor(type="human", id="ann"), request=request, decision=decision)


def test_a_call_comes_with_its_arguments_and_what_became_of_it(store: Store) -> None:
    store.write(
        _call(EntryType.GATE_REQUESTED, "1", "one"),
        _call(EntryType.GATE_PASSED, "", "two"),
        _end(EntryType.GATE_DECIDED, "1", "approved"),
        _end(EntryType.GATE_DECIDED, "1", "denied"),
        _call(EntryType.GATE_REQUESTED, "3", "three"),
        _end(EntryType.GATE_TIMEOUT, "3"),
        _call(EntryType.GATE_REQUESTED, "4", "four"),
    )

    found = [(each["input"]["command"], each["ended"]) for each in calls(store.path, 100)]

    assert found == [("one", "denied"), ("two", "passed"), ("three", "expired"), ("four", "pending")]
    assert [each["input"]["command"] for each in calls(store.path, 2)] == ["three", "four"]
    assert calls(store.path, 0) == []


def test_arguments_that_were_erased_are_none(store: Store) -> None:
    store.write(_call(EntryType.GATE_PASSED, "", "secret"))
    store.execute("delete from blob")

    assert [each["input"] for each in calls(store.path, 1)] == [None]


def test_what_is_no_store_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    file.write_bytes(b"no database" * 100)

    with pytest.raises(LogError, match="cannot be read as a store"):
        calls(file, 1)
