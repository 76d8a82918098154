"""Harmless calls and heartbeats: batched, redacted, bounded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from askfirst import tally as module
from askfirst.audit_port import Entry, Private, Value
from askfirst.call import ToolCall
from askfirst.effects import Classification, Outcome
from askfirst.host import Agent, BeforeTool
from askfirst.tally import Tally
from askfirst.testing.bench import Bench
from audit.redact import LONGEST_CHARS

HARMLESS = Classification(outcome=Outcome.ALLOW)


def call(command: str, session: str = "session-1", **arguments: object) -> BeforeTool:
    return BeforeTool(
        agent=Agent(host="claude-code", session=session),
        call=ToolCall(tool="Bash", arguments={"command": command, **arguments}, cwd="/srv/p"),
        tool_use_id="toolu_1",
    )


def masked(value: Value) -> Value:
    return value.replace("secret", "***") if isinstance(value, str) else value


def tally_of(made: Bench, *, keeps_calls: bool = True) -> Tally:
    return Tally(writer=made.writer, audit=made.log, clock=made.clock, redact=masked, keeps_calls=keeps_calls)


def entries(made: Bench, kind: str) -> list[Entry]:
    return [entry for entry in made.log.entries if entry.type == kind]


def data_of(entry: Entry) -> Mapping[str, Value]:
    return entry.data


def test_calls_of_a_batch_become_one_entry_a_session_with_equal_ones_counted(desk_bench: Bench) -> None:
    async def story() -> None:
        tally = tally_of(desk_bench)
        for _ in range(3):
            tally.passed(call("git status"), HARMLESS)
        desk_bench.clock.advance(2)
        tally.passed(call("echo secret"), Classification(outcome=Outcome.PASS))
        tally.passed(call("ls", "session-2"), HARMLESS)
        await tally.flush()
        await tally.flush()

    asyncio.run(story())
    first, second = entries(desk_bench, "gate.passed")
    assert first.agent == {"name": "claude-code", "session": "session-1"}
    data = data_of(first)
    assert (data["count"], data["from_ms"], data["to_ms"]) == (4, 1_800_000_000_000, 1_800_000_002_000)
    calls = data["calls"]
    assert isinstance(calls, list)
    assert [(one["n"], one["summary"], one["outcome"]) for one in calls] == [  # type: ignore[index,call-overload]
        (3, "git status", "allow"),
        (1, "echo ***", "pass"),
    ]
    assert [set(one) for one in calls] == [{"n", "tool", "summary", "outcome", "rules"}] * 2  # type: ignore[arg-type]
    inputs = data["inputs"]
    assert isinstance(inputs, Private)
    assert json.loads(inputs.payload)[1] == {"tool": "Bash", "arguments": {"command": "echo ***"}, "cwd": "/srv/p"}
    assert data_of(second)["count"] == 1


def test_a_full_batch_is_written_without_waiting_for_the_pause(desk_bench: Bench) -> None:
    async def story() -> None:
        tally = tally_of(desk_bench)
        worker = asyncio.create_task(tally.run())
        for number in range(module.BATCH_MAX):
            tally.passed(call(f"echo {number} {'x' * 200}"), HARMLESS)
        async with asyncio.timeout(4):  # less than the pause
            while not entries(desk_bench, "gate.passed"):
                await desk_bench.desk.pending()
        worker.cancel()

    asyncio.run(story())
    assert sum(data_of(entry)["count"] for entry in entries(desk_bench, "gate.passed")) == module.BATCH_MAX  # type: ignore[misc]
    assert len(entries(desk_bench, "gate.passed")) == module.BATCH_MAX // 64


def test_a_flood_is_counted_and_not_kept(desk_bench: Bench) -> None:
    async def story() -> None:
        tally = tally_of(desk_bench)
        event = call("true")
        for _ in range(module.WAITING_MAX + 5):
            tally.passed(event, HARMLESS)
        await tally.flush()

    asyncio.run(story())
    kept, lost = entries(desk_bench, "gate.passed")
    assert data_of(kept)["count"] == module.WAITING_MAX
    assert data_of(lost) == {"count": 5, "not_kept": True}


def test_switched_off_no_call_is_kept_and_the_heartbeat_goes_on(desk_bench: Bench) -> None:
    async def story() -> None:
        tally = tally_of(desk_bench, keeps_calls=False)
        tally.passed(call("true"), HARMLESS)
        tally.called("claude-code")
        await tally.flush()

    asyncio.run(story())
    assert entries(desk_bench, "gate.passed") == []
    assert len(entries(desk_bench, "hook.heartbeat")) == 1


def test_a_host_is_noticed_at_its_first_call_and_counted_every_ten_minutes(desk_bench: Bench) -> None:
    async def story() -> None:
        tally = tally_of(desk_bench)
        for host in ("claude-code", "claude-code", "codex"):
            tally.called(host)
        await tally.flush()
        tally.called("codex")
        await tally.flush()  # known, and not yet due
        desk_bench.clock.advance(600)
        await tally.flush()
        await tally.flush()  # nobody called since

    asyncio.run(story())
    assert [data_of(entry)["calls"] for entry in entries(desk_bench, "hook.heartbeat")] == [
        {"claude-code": 2, "codex": 1},
        {"codex": 1},
    ]


def test_what_is_no_json_in_our_sense_is_counted_all_the_same(desk_bench: Bench) -> None:
    async def story() -> None:
        tally = tally_of(desk_bench)
        tally.passed(
            call("true", number=2**60, text="\ud800", long="y" * 100_000, deep={"a": ["b"] * 10_000}), HARMLESS
        )
        await tally.flush()

    asyncio.run(story())
    [entry] = entries(desk_bench, "gate.passed")
    assert data_of(entry)["count"] == 1


def test_of_a_long_text_no_more_is_searched_than_can_bear_on_what_is_kept(desk_bench: Bench) -> None:
    """A whole file of a megabyte took most of a second of the processor, and a secret across the cut must not show."""
    searched = list[int]()

    def redact(value: Value) -> Value:
        searched.extend(len(each) for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))
        return value.replace("s" * 9000, "***") if isinstance(value, str) else value

    async def story() -> None:
        tally = Tally(writer=desk_bench.writer, audit=desk_bench.log, clock=desk_bench.clock, redact=redact)
        tally.passed(call("ls", content="a" * 4000 + "s" * 9000 + "b" * 1_000_000, edits=["c" * 1_000_000]), HARMLESS)
        await tally.flush()

    asyncio.run(story())
    assert max(searched) == 4096 + LONGEST_CHARS
    [entry] = entries(desk_bench, "gate.passed")
    inputs = data_of(entry)["inputs"]
    assert isinstance(inputs, Private)
    kept = json.loads(inputs.payload)[0]["arguments"]
    assert kept["content"] == f"{'a' * 4000}***{'b' * 93} … (1013000 characters)"
    assert len(kept["edits"]) < 4200
