"""What a host does with each answer of a hook: one table, true of the scripted agent and of the real client alike."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from askfirst.demo import claude_client
from askfirst.demo.hook_protocol import HookCommand, settings
from askfirst.demo.script import Say, ToolResult, bash
from askfirst.demo.scripted_agent import ScriptedAgent
from askfirst.demo.scripted_model import ScriptedModel

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.demo.script import AgentEvent

LINE = "sh ./hook"
ERROR = "PreToolUse:Bash hook error:"
RAN = "ran"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One answer of a hook: the shell text that gives it, and what the model is told; ``RAN`` when nothing stops it."""

    answer: str
    told: str
    fails_open: bool = False
    """Whether the command runs when the settings do not say ``onFailure: block``."""


def says(**output: object) -> str:
    return f"echo '{json.dumps({'hookSpecificOutput': {'hookEventName': 'PreToolUse', **output}})}'"


ROWS = {
    "silent": Row(answer=":", told=RAN),
    "exit2": Row(answer="echo no >&2; exit 2", told=f"{ERROR} [{LINE}]: no\n"),
    "exit2_mute": Row(answer="exit 2", told=f"{ERROR} [{LINE}]: No stderr output"),
    "exit2_allow": Row(
        answer=says(permissionDecision="allow") + "; echo no >&2; exit 2", told=f"{ERROR} [{LINE}]: no\n"
    ),
    "deny": Row(answer=says(permissionDecision="deny", permissionDecisionReason="no"), told=f"{ERROR} no"),
    "deny_exit1": Row(
        answer=says(permissionDecision="deny", permissionDecisionReason="no") + "; exit 1", told=f"{ERROR} no"
    ),
    "ask": Row(answer=says(permissionDecision="ask", permissionDecisionReason="sure?"), told="sure?"),
    "allow": Row(answer=says(permissionDecision="allow"), told=RAN),
    "legacy_block": Row(answer="""echo '{"decision": "block", "reason": "no"}'""", told=f"{ERROR} no"),
    "legacy_approve": Row(answer="""echo '{"decision": "approve"}'""", told=RAN),
    "extra_key": Row(answer="""echo '{"surplus": 1}'""", told=RAN),
    "cut_off": Row(answer="""echo '{"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDec'""", told=RAN),
    "text_before": Row(answer="echo hello; " + says(permissionDecision="deny"), told=RAN),
    "unknown_word": Row(answer=says(permissionDecision="nope"), told="", fails_open=True),
    "wrong_event": Row(
        answer="""echo '{"hookSpecificOutput": {"hookEventName": "Stop", "permissionDecision": "deny"}}'""",
        told="",
        fails_open=True,
    ),
    "exit1": Row(answer="exit 1", told="", fails_open=True),
    "killed": Row(answer="kill -9 $$", told="", fails_open=True),
    "missing": Row(answer="./absent", told="", fails_open=True),
}
IDS = {name: f"toolu_{name}" for name in ROWS}
TURNS = [(bash(IDS[name], f"echo {RAN}; touch ran_{name}"),) for name in ROWS] + [(Say(text="Done."),)]


@pytest.fixture
def gated(project: Path) -> Path:
    """A project with a hook that answers each call of the table as its row says."""
    for name, row in ROWS.items():
        (project / IDS[name]).write_text(row.answer, encoding="utf-8")
    pick = """id=$(sed -n 's/.*"tool_use_id": *"\\([a-z0-9_]*\\)".*/\\1/p')\n. "./$id"\n"""
    (project / "hook").write_text(pick, encoding="utf-8")
    return project


def outcome(project: Path, events: list[AgentEvent]) -> dict[str, tuple[bool, str]]:
    """By row: whether the command ran, and what the model was told."""
    told = {event.id: event.text for event in events if isinstance(event, ToolResult)}
    return {name: ((project / f"ran_{name}").exists(), told[IDS[name]]) for name in ROWS}


def expected(found: dict[str, tuple[bool, str]], *, blocks: bool) -> dict[str, tuple[bool, str]]:
    """The table, with the failures' wording taken from ``found``, since a failed hook has no words of its own."""
    table = {}
    for name, row in ROWS.items():
        if row.fails_open and blocks:
            table[name] = (False, found[name][1])
        else:
            runs = row.fails_open or row.told == RAN
            table[name] = (runs, RAN if runs else row.told)
    return table


@pytest.mark.parametrize("on_failure", ["block", "allow"])
def test_the_scripted_agent_obeys_the_table(gated: Path, on_failure: str) -> None:
    events: list[AgentEvent] = []
    hook = HookCommand(line=LINE, on_failure="block" if on_failure == "block" else "allow")
    environ = {"PATH": os.environ["PATH"]}
    ScriptedAgent(project=gated, hooks={"PreToolUse": hook}, environ=environ).play(TURNS, events.append)
    found = outcome(gated, events)
    assert found == expected(found, blocks=on_failure == "block")


@pytest.mark.slow
@pytest.mark.parametrize("on_failure", ["block", "allow"])
def test_the_real_client_obeys_the_table(gated: Path, home: Path, newest_claude: Path, on_failure: str) -> None:
    hook = HookCommand(line=LINE, on_failure="block" if on_failure == "block" else "allow")
    with ScriptedModel(TURNS) as model:
        end = claude_client.run(
            claude_client.Session(
                executable=newest_claude,
                project=gated,
                home=home,
                model_url=model.url,
                settings=settings({"PreToolUse": hook}),
            )
        )
    found = outcome(gated, list(end.events))
    assert found == expected(found, blocks=on_failure == "block")
    assert {result.id: result.text for result in model.results()} == {
        IDS[name]: told for name, (_, told) in found.items()
    }
