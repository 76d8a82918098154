"""What the scripted agent sends to its hooks, and what ends its run."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

import pytest

from askfirst.demo.hook_protocol import HookCommand
from askfirst.demo.script import Call, Say, ToolResult, bash
from askfirst.demo.scripted_agent import ScriptedAgent

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.demo.script import AgentEvent, Turn

ENVIRON = {"PATH": os.environ["PATH"]}
RECORDING = HookCommand(line='cat >> payloads; echo >> payloads; echo "$CLAUDE_CODE_SESSION_ID $EXTRA" >> environs')


def play(project: Path, *turns: Turn, **hooks: HookCommand) -> list[AgentEvent]:
    events: list[AgentEvent] = []
    environ = {**ENVIRON, "EXTRA": "kept"}
    ScriptedAgent(project=project, hooks=hooks, environ=environ, session="s1").play(turns, events.append)
    return events


def answering(**output: object) -> HookCommand:
    return HookCommand(line=f"echo '{json.dumps(output)}'")


def test_hooks_get_the_payloads_that_the_real_client_sends(project: Path) -> None:
    hooks = dict.fromkeys(["PreToolUse", "PostToolUse", "PostToolUseFailure"], RECORDING)
    call = bash("toolu_0001", "echo out; echo err >&2", "Says it")
    events = play(project, (call,), (bash("toolu_0002", "exit 3"),), **hooks)
    payloads = [json.loads(line) for line in (project / "payloads").read_text().splitlines()]
    common = {
        "session_id": "s1",
        "transcript_path": str(project / ".s1.jsonl"),
        "cwd": str(project),
        "permission_mode": "default",
        "tool_name": "Bash",
    }
    first = {**common, "tool_input": dict(call.arguments), "tool_use_id": "toolu_0001"}
    second = {**common, "tool_input": {"command": "exit 3"}, "tool_use_id": "toolu_0002"}
    response = {"stdout": "out\n", "stderr": "err\n", "interrupted": False, "isImage": False, "noOutputExpected": False}
    assert [payload.pop("duration_ms", None) is None for payload in payloads] == [True, False, True, False]
    assert payloads == [
        {**first, "hook_event_name": "PreToolUse"},
        {**first, "hook_event_name": "PostToolUse", "tool_response": response},
        {**second, "hook_event_name": "PreToolUse"},
        {**second, "hook_event_name": "PostToolUseFailure", "error": "Exit code 3", "is_interrupt": False},
    ]
    assert (project / "environs").read_text() == "s1 kept\n" * 4
    assert [event for event in events if isinstance(event, ToolResult)] == [
        ToolResult(id="toolu_0001", text="out\nerr", is_error=False),
        ToolResult(id="toolu_0002", text="Exit code 3", is_error=True),
    ]


def test_an_updated_input_runs_instead_of_the_asked_one(project: Path) -> None:
    output = {"hookEventName": "PreToolUse", "permissionDecision": "allow", "updatedInput": {"command": "echo other"}}
    events = play(project, (bash("toolu_0001", "touch asked"),), PreToolUse=answering(hookSpecificOutput=output))
    assert events[-1] == ToolResult(id="toolu_0001", text="other", is_error=False)
    assert not (project / "asked").exists()


def test_added_context_reaches_the_model_beside_the_result(project: Path) -> None:
    output = {"hookEventName": "PreToolUse", "additionalContext": "mind the gap"}
    events = play(project, (bash("toolu_0001", "echo ran"),), PreToolUse=answering(hookSpecificOutput=output))
    text = "ran\nPreToolUse:Bash hook additional context: mind the gap"
    assert events[-1] == ToolResult(id="toolu_0001", text=text, is_error=False)


@pytest.mark.parametrize(
    ("hook", "ran"),
    [
        (answering(**{"continue": False}), True),
        (answering(hookSpecificOutput={"hookEventName": "PreToolUse", "permissionDecision": "defer"}), False),
    ],
    ids=["continue false", "defer"],
)
def test_a_hook_can_end_the_run(project: Path, hook: HookCommand, ran: bool) -> None:
    events = play(project, (bash("toolu_0001", "touch marker"),), (Say(text="More."),), PreToolUse=hook)
    assert (project / "marker").exists() is ran
    assert Say(text="More.") not in events


def test_a_hook_that_hangs_is_ended_at_its_timeout_and_blocks_where_the_settings_say_so(project: Path) -> None:
    hanging = HookCommand(line="sleep 60", timeout_s=0)
    laxer = HookCommand(line="sleep 60", timeout_s=0, on_failure="allow")
    assert play(project, (bash("toolu_0001", "touch marker"),), PreToolUse=hanging)[-1] == ToolResult(
        id="toolu_0001", text="PreToolUse:Bash hook error: timed out", is_error=True
    )
    assert not (project / "marker").exists()
    play(project, (bash("toolu_0001", "touch marker"),), PreToolUse=laxer)
    assert (project / "marker").exists()


def test_a_tool_that_it_does_not_have_never_reaches_a_hook(project: Path) -> None:
    call = Call(id="toolu_0001", tool="Write", arguments={})
    assert play(project, (call,), PreToolUse=RECORDING) == [
        call,
        ToolResult(id="toolu_0001", text="No such tool available: Write", is_error=True),
    ]
    assert not (project / "payloads").exists()


def test_a_stopped_run_ends_a_waiting_hook_and_runs_nothing(project: Path) -> None:
    stop = threading.Event()
    events: list[AgentEvent] = []

    def watch(event: AgentEvent) -> None:
        events.append(event)
        stop.set()

    hooks = {"PreToolUse": HookCommand(line="sleep 60")}
    agent = ScriptedAgent(project=project, hooks=hooks, environ=ENVIRON)
    agent.play([(bash("toolu_0001", "touch marker"),), (Say(text="More."),)], watch, stop)
    assert not (project / "marker").exists()
    assert Say(text="More.") not in events
