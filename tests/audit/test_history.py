"""Past calls come back from the log with their arguments and what became of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from askfirst.audit_port import SYSTEM, Actor, Entry, EntryType, Private
from askfirst.call import ToolCall
from askfirst.effects import Classification, Outcome
from askfirst.errors import LogError
from askfirst.host import Agent, BeforeTool
from askfirst.tally import Tally
from audit.history import calls
from audit.redact import redact_value

if TYPE_CHECKING:
    from pathlib import Path

    from audit.testing import Broker, Store


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


def test_harmless_calls_come_back_from_the_batches_that_they_are_written_in(broker: Broker) -> None:
    """As the broker writes them, with what it makes of them: rules are tried on these most of all."""
    tally = Tally(writer=broker.writer, audit=broker.log, clock=broker.clock, redact=redact_value, keeps_calls=True)
    store = broker.root / "askfirst.db"

    def passes(session: str, arguments: dict[str, object], tool: str = "Bash") -> None:
        call = ToolCall(tool=tool, arguments=arguments, cwd=f"/srv/{session}")
        event = BeforeTool(agent=Agent(host="claude-code", session=session), call=call, tool_use_id="t")
        tally.passed(event, Classification(outcome=Outcome.ALLOW))

    passes("one", {"command": "ls"})
    passes("one", {"file_path": "/srv/one/a"}, tool="Read")
    passes("one", {"command": "ls"})
    passes("two", {"command": f"echo {'x' * 5000}; rm -rf /"})
    passes("two", {"command": "pwd"})
    asyncio.run(tally.flush())
    broker.append(_call(EntryType.GATE_REQUESTED, "1", "rm -rf /"))

    found = [
        (each["action"]["tool"], each.get("agent", {}).get("cwd"), each["input"], each["ended"])
        for each in calls(store, 9)
    ]

    assert found == [
        ("Bash", "/srv/one", {"command": "ls"}, "passed"),
        ("Read", "/srv/one", {"file_path": "/srv/one/a"}, "passed"),
        ("Bash", "/srv/two", None, "passed"),
        ("Bash", "/srv/two", {"command": "pwd"}, "passed"),
        ("Bash", None, {"command": "rm -rf /"}, "pending"),
    ]
    assert [each["input"] for each in calls(store, 2)] == [{"command": "pwd"}, {"command": "rm -rf /"}]
    [batch, *_] = broker.entries("gate.passed")
    asyncio.run(broker.keeper.erase_payload(batch["data"]["inputs"]["sha256"], SYSTEM, "-"))
    erased = [(each["input"], "input" in each["action"]) for each in calls(store, 9)]
    assert erased[:3] == [(None, True), (None, True), (None, False)]


def test_what_is_no_store_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    file.write_bytes(b"no database" * 100)

    with pytest.raises(LogError, match="cannot be read as a store"):
        calls(file, 1)
