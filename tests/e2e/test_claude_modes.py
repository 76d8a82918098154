"""The released Claude Code in all its permission modes, with subagents, batches and other people's hooks."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from askfirst.demo import scratch_repository
from askfirst.demo.claude_client import Session, SessionEnd, run
from askfirst.demo.script import Call, Say, ToolResult, Turn, bash
from askfirst.demo.scripted_model import ScriptedModel
from hooks.claude_rules import ask_rules

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
RESET = "git reset --hard HEAD~2 && echo run >> ../runs"
CHECKOUT = "git checkout -- . && echo run >> ../runs"
ALLOWED: Mapping[str, object] = {"permissions": {"allow": ["Bash", "Agent"]}}
END: Turn = (Say(text="The end."),)


@dataclass
class Play:
    """A headless client at work in a scratch repository."""

    model: ScriptedModel
    folder: Path
    thread: threading.Thread
    ends: list[SessionEnd] = field(default_factory=list)

    @property
    def runs(self) -> int:
        """How often a gated command really ran."""
        marks = self.folder / "runs"
        return len(marks.read_text().splitlines()) if marks.exists() else 0

    def results(self) -> list[ToolResult]:
        """What the models were told, of subagents too, once the client has ended."""
        self.thread.join(150)
        assert self.ends, "the client has not ended"
        return self.model.results()


@contextmanager
def playing(
    broker: Any,
    claude: Path,
    home: Path,
    tmp_path: Path,
    *turns: Turn,
    settings: Mapping[str, object] = ALLOWED,
    arguments: tuple[str, ...] = (),
) -> Iterator[Play]:
    repository = scratch_repository.make(tmp_path)
    stop = threading.Event()
    with ScriptedModel((*turns, END)) as model:
        session = Session(
            executable=claude,
            project=repository.path,
            home=home,
            model_url=model.url,
            settings=with_ours(broker, settings),
            environ={"ASKFIRST_STATE_DIR": str(broker.paths.root), "ASKFIRST_CONFIG": str(broker.config)},
            arguments=arguments,
        )
        ends: list[SessionEnd] = []
        thread = threading.Thread(target=lambda: ends.append(run(session, stop=stop)), daemon=True)
        thread.start()
        try:
            yield Play(model=model, folder=tmp_path, thread=thread, ends=ends)
        finally:
            stop.set()
            thread.join(30)


def with_ours(broker: Any, settings: Mapping[str, object]) -> dict[str, object]:
    """The settings with our hooks behind those that they have."""
    theirs = settings.get("hooks", {})
    assert isinstance(theirs, dict)
    ours = broker.claude_hooks()["hooks"]
    return {**settings, "hooks": {event: [*theirs.get(event, []), *entries] for event, entries in ours.items()}}


@pytest.mark.parametrize("mode", ["acceptEdits", "plan", "dontAsk", "auto", "bypassPermissions"])
def test_a_denial_holds_in_every_permission_mode(
    broker: Any, person: Any, newest_claude: Path, home: Path, tmp_path: Path, mode: str
) -> None:
    broker.start()
    turn: Turn = (Say(text="Now."), bash("toolu_0001", RESET))
    arguments = ("--permission-mode", mode)
    with playing(broker, newest_claude, home, tmp_path, turn, arguments=arguments) as play:
        person.decide(broker.pending(), "deny", "in no mode")
        [told] = play.results()
        assert "in no mode" in told.text
        assert play.runs == 0


@pytest.mark.parametrize("mode", ["acceptEdits", "dontAsk", "auto", "bypassPermissions"])
def test_an_approval_releases_once_in_the_modes_that_run_anything(
    broker: Any, person: Any, newest_claude: Path, home: Path, tmp_path: Path, mode: str
) -> None:
    broker.start()
    turn: Turn = (Say(text="Now."), bash("toolu_0001", RESET))
    arguments = ("--permission-mode", mode)
    with playing(broker, newest_claude, home, tmp_path, turn, arguments=arguments) as play:
        person.decide(broker.pending(), "approve")
        assert not play.results()[0].is_error
        assert play.runs == 1


def test_a_subagent_s_call_is_held_and_its_denial_reaches_the_subagent(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    arguments = {"description": "clean", "prompt": "Clean up.", "subagent_type": "general-purpose"}
    start = Call(id="toolu_0001", tool="Agent", arguments=arguments)
    turns: tuple[Turn, ...] = (
        (Say(text="I start one."), start),
        (Say(text="I am the subagent."), bash("toolu_0002", RESET)),
        (Say(text="The subagent ends."),),
    )
    with playing(broker, claude, home, tmp_path, *turns) as play:
        person.decide(broker.pending(), "deny", "not by a subagent either")
        told = {each.id: each for each in play.results()}
        assert "not by a subagent either" in told["toolu_0002"].text
        assert play.runs == 0


def test_calls_of_one_turn_are_decided_one_by_one(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    turn: Turn = (
        Say(text="All at once."),
        bash("toolu_0001", RESET),
        bash("toolu_0002", CHECKOUT),
        bash("toolu_0003", "git status --short"),
    )
    with playing(broker, claude, home, tmp_path, turn) as play:
        first = broker.pending()
        person.decide(first, "deny", "not that one")
        broker.ended(first)
        person.decide(broker.pending(), "approve")
        told = {each.id: each for each in play.results()}
        assert "not that one" in told["toolu_0001"].text
        assert not told["toolu_0002"].is_error
        assert not told["toolu_0003"].is_error
        assert play.runs == 1


def rewriter(after_s: float) -> dict[str, object]:
    """Somebody else's hook that turns every command into another one."""
    output = {"hookEventName": "PreToolUse", "updatedInput": {"command": "echo rewritten >> ../rewritten"}}
    line = f"sleep {after_s}; echo {shlex.quote(json.dumps({'hookSpecificOutput': output}))}"
    entry = {"matcher": "Bash", "hooks": [{"type": "command", "command": line, "timeout": 60}]}
    return {**ALLOWED, "hooks": {"PreToolUse": [entry]}}


def test_what_was_approved_runs_although_another_hook_rewrites_it(
    broker: Any, person: Any, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    turn: Turn = (Say(text="Now."), bash("toolu_0001", RESET))
    with playing(broker, newest_claude, home, tmp_path, turn, settings=rewriter(0)) as play:
        person.decide(broker.pending(), "approve")
        play.results()
        assert (play.runs, (tmp_path / "rewritten").exists()) == (1, False)


def test_a_rewrite_that_comes_after_the_approval_is_written_down(
    broker: Any, person: Any, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    """The host takes the last one; no hook can keep it from that."""
    broker.start()
    turn: Turn = (Say(text="Now."), bash("toolu_0001", RESET))
    with playing(broker, newest_claude, home, tmp_path, turn, settings=rewriter(8)) as play:
        person.decide(broker.pending(), "approve")
        play.results()
        assert (play.runs, (tmp_path / "rewritten").exists()) == (0, True)
    [executed] = [each for each in broker.entries() if each["type"] == "gate.executed"]
    assert executed["decision"]["as_approved"] is False


def test_settings_that_leave_the_gate_out_are_kept_out_of_the_running_session(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    """Somebody else rewrites them while a call runs; the next call is gated all the same."""
    broker.start()
    settings, go_on = home / ".claude" / "settings.json", tmp_path / "go-on"
    turns: tuple[Turn, ...] = (
        (
            Say(text="First."),
            bash("toolu_0001", f"touch ../started; until [ -e {go_on} ]; do sleep 0.1; done; sleep 2"),
        ),
        (Say(text="Then."), bash("toolu_0002", RESET)),
    )
    with playing(broker, claude, home, tmp_path, *turns) as play:
        while not (tmp_path / "started").exists():
            assert play.thread.is_alive()
        settings.write_text(json.dumps({**ALLOWED, "disableAllHooks": True}), encoding="utf-8")
        go_on.touch()
        alert = broker.pending()
        assert "disableAllHooks" in alert["question"]
        person.decide(alert, "answer", "I have seen this")
        broker.ended(alert)
        person.decide(broker.pending(), "deny", "still gated")
        told = {each.id: each for each in play.results()}
        assert "still gated" in told["toolu_0002"].text
        assert play.runs == 0
    assert "config.tamper" in [each["type"] for each in broker.entries()]


def test_the_second_line_passes_once_what_people_approve_headless(
    broker: Any, person: Any, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    ruled = {"permissions": {"allow": ["Bash"], "ask": ask_rules()}}
    push = "git push --force origin HEAD:main && echo run >> ../runs"
    turns: tuple[Turn, ...] = (
        (Say(text="Now."), bash("toolu_0001", push)),
        (Say(text="Again."), bash("toolu_0002", push)),
    )
    arguments = ("--dangerously-skip-permissions",)
    with playing(broker, newest_claude, home, tmp_path, *turns, settings=ruled, arguments=arguments) as play:
        first = broker.pending()
        person.decide(first, "approve")
        broker.ended(first)
        person.decide(broker.pending(), "deny", "once is enough")
        told = {each.id: each for each in play.results()}
        assert not told["toolu_0001"].is_error
        assert "once is enough" in told["toolu_0002"].text
        assert play.runs == 1


def test_the_second_line_blocks_where_no_hook_is_left(
    broker: Any, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.claude_hooks = lambda: {"hooks": {}}
    ruled = {"permissions": {"allow": ["Bash"], "ask": ask_rules()}}
    turn: Turn = (Say(text="Now."), bash("toolu_0001", "git push --force origin HEAD:main && echo run >> ../runs"))
    arguments = ("--dangerously-skip-permissions",)
    with playing(broker, newest_claude, home, tmp_path, turn, settings=ruled, arguments=arguments) as play:
        assert play.results()[0].is_error
        assert play.runs == 0


def test_a_hook_denies_by_itself_before_the_host_gives_it_up(
    broker: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.wait_s = 8
    broker.start()
    turn: Turn = (Say(text="Now."), bash("toolu_0001", RESET))
    with playing(broker, claude, home, tmp_path, turn) as play:
        [told] = play.results()
        assert told.is_error
        assert "Pending: " in told.text
        assert play.runs == 0
    assert broker.requests()[0]["state"] == "pending"
