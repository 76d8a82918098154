"""The scripted model is certified with the released client: it plays, it is told, and the marker files say what ran."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from askfirst.demo import claude_client
from askfirst.demo.claude_client import EXECUTABLE_VARIABLE, Session, find, run
from askfirst.demo.hook_protocol import HookCommand, settings
from askfirst.demo.script import Say, ToolResult, bash
from askfirst.demo.scripted_model import ScriptedModel

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.demo.script import AgentEvent

LOOK = bash("toolu_0001", "git status --short; touch ran")
TURNS = ((Say(text="Looking."), LOOK), (Say(text="Done."),))


@pytest.mark.slow
def test_without_a_hook_the_call_runs_and_the_model_is_told_its_output(claude: Path, project: Path, home: Path) -> None:
    events: list[AgentEvent] = []
    call = bash("toolu_0001", "echo out; touch ran")
    with ScriptedModel(((Say(text="Looking."), call), (Say(text="Done."),))) as model:
        session = Session(executable=claude, project=project, home=home, model_url=model.url, settings=settings({}))
        end = run(session, events.append)
    result = ToolResult(id="toolu_0001", text="out", is_error=False)
    assert (project / "ran").exists()
    assert events == [Say(text="Looking."), call, result, Say(text="Done.")]
    assert tuple(events) == end.events
    assert model.results() == (result,)
    assert (end.exit_code, end.was_ended, model.is_overrun) == (0, False, False)


@pytest.mark.slow
def test_a_hook_that_exits_2_stops_the_call_and_its_words_reach_the_next_turn(
    claude: Path, project: Path, home: Path
) -> None:
    hooks = {"PreToolUse": HookCommand(line="echo the commits would be lost >&2; exit 2")}
    with ScriptedModel(TURNS) as model:
        session = Session(executable=claude, project=project, home=home, model_url=model.url, settings=settings(hooks))
        end = run(session)
    (told,) = model.results()
    assert told.is_error
    assert told.text.rstrip() == f"PreToolUse:Bash hook error: [{hooks['PreToolUse'].line}]: the commits would be lost"
    assert not (project / "ran").exists()
    assert end.result("toolu_0001") == told
    assert not model.is_overrun


@pytest.mark.slow
def test_the_client_knows_nothing_of_the_persons_set_up(
    newest_claude: Path, project: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-real")
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", "/nonexistent")
    call = bash("toolu_0001", "env")
    with ScriptedModel(((call,), (Say(text="Done."),))) as model:
        environ = {"EXTRA": "kept"}
        end = run(
            Session(
                executable=newest_claude,
                project=project,
                home=home,
                model_url=model.url,
                settings=settings({}),
                environ=environ,
            )
        )
    lines = end.result("toolu_0001").text.splitlines()
    assert {f"HOME={home}", f"CLAUDE_CONFIG_DIR={home}/.claude", "EXTRA=kept"} <= set(lines)
    assert "sk-real" not in end.result("toolu_0001").text


@pytest.mark.slow
def test_a_stopped_client_is_ended_with_its_hook_and_the_call_has_not_run(
    newest_claude: Path, project: Path, home: Path
) -> None:
    stop = threading.Event()
    hooks = {"PreToolUse": HookCommand(line="exec sleep 60")}
    with ScriptedModel(TURNS) as model:
        session = Session(
            executable=newest_claude, project=project, home=home, model_url=model.url, settings=settings(hooks)
        )
        end = run(session, lambda event: stop.set() if event == LOOK else None, stop)
    assert end.was_ended
    assert end.exit_code != 0
    assert not (project / "ran").exists()
    with pytest.raises(LookupError, match="no result for toolu_0001"):
        end.result("toolu_0001")


def test_the_named_client_comes_before_the_one_on_path(tmp_path: Path) -> None:
    on_path, named = tmp_path / "bin" / "claude", tmp_path / "named"
    on_path.parent.mkdir()
    for file in (on_path, named):
        file.write_text("#!/bin/sh\n", encoding="utf-8")
        file.chmod(0o755)
    path = str(on_path.parent)
    assert find({"PATH": path, EXECUTABLE_VARIABLE: str(named)}) == named
    assert find({"PATH": path, EXECUTABLE_VARIABLE: str(tmp_path / "absent")}) == on_path
    assert find({"PATH": path}) == on_path
    assert find({"PATH": str(tmp_path / "empty")}) is None


@pytest.mark.parametrize(
    "message",
    [
        {"type": "system", "message": {"content": [{"type": "text", "text": "x"}]}},
        {"type": "assistant"},
        {"type": "assistant", "message": {"content": "text"}},
        {"type": "assistant", "message": {"content": ["x", {"type": "thinking"}, {"type": "tool_use", "id": 1}]}},
        {"type": "user", "message": {"content": [{"type": "text", "text": "not the agent's"}]}},
    ],
)
def test_messages_that_are_no_steps_are_passed_over(message: dict[str, object]) -> None:
    assert list(claude_client.agent_events(message)) == []
