"""The released Claude Code against a real broker: what runs, what does not, and what the model is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from askfirst.demo import scratch_repository
from askfirst.demo.claude_client import Session, SessionEnd, run
from askfirst.demo.hook_protocol import HookCommand, settings
from askfirst.demo.script import Call, Say, ToolResult, bash
from askfirst.demo.scripted_model import ScriptedModel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    # brokers are killed under open connections on purpose; httpx leaves such a socket to the garbage collector
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
EVENTS = ("PreToolUse", "PostToolUse", "PostToolUseFailure")
RESET = "git reset --hard HEAD~2 && echo run >> ../runs"


@dataclass
class Play:
    """A client at work in a scratch repository; ``end`` is there once it has ended."""

    repository: scratch_repository.ScratchRepository
    thread: threading.Thread
    ends: list[SessionEnd]

    @property
    def runs(self) -> int:
        """How often the gated command really ran."""
        marks = self.repository.path.parent / "runs"
        return len(marks.read_text().splitlines()) if marks.exists() else 0

    def result(self, call_id: str = "toolu_0001") -> ToolResult:
        self.thread.join(150)
        assert self.ends, "the client has not ended"
        return self.ends[0].result(call_id)


@contextmanager
def playing(
    broker: Any, claude: Path, home: Path, tmp_path: Path, *calls: Call, arguments: tuple[str, ...] = ()
) -> Iterator[Play]:
    repository = scratch_repository.make(tmp_path)
    hook = HookCommand(line=broker.hook_line(), timeout_s=broker.wait_s + 30)
    turns = (*((Say(text="Next."), call) for call in calls), (Say(text="Done."),))
    ends: list[SessionEnd] = []
    stop = threading.Event()
    with ScriptedModel(turns) as model:
        session = Session(
            executable=claude,
            project=repository.path,
            home=home,
            model_url=model.url,
            settings=settings(dict.fromkeys(EVENTS, hook)),
            environ={"ASKFIRST_STATE_DIR": str(broker.paths.root), "ASKFIRST_CONFIG": str(broker.config)},
            arguments=arguments,
        )
        thread = threading.Thread(target=lambda: ends.append(run(session, stop=stop)), daemon=True)
        thread.start()
        try:
            yield Play(repository=repository, thread=thread, ends=ends)
        finally:
            stop.set()
            thread.join(30)


def test_a_harmless_call_passes_and_asks_nobody(broker: Any, claude: Path, home: Path, tmp_path: Path) -> None:
    broker.start()
    with playing(broker, claude, home, tmp_path, bash("toolu_0001", "git status --short")) as play:
        assert play.result().text.strip() == "M notes.md"
    assert broker.requests() == []


def test_an_approved_call_runs_exactly_once_and_its_outcome_is_recorded(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    with playing(broker, claude, home, tmp_path, bash("toolu_0001", RESET)) as play:
        person.decide(broker.pending(), "approve")
        assert not play.result().is_error
        assert (play.runs, play.repository.unpushed()) == (1, ())
    assert broker.types() == [
        "gate.requested",
        "review.cast",
        "gate.decided",
        "grant.issued",
        "gate.released",
        "gate.executed",
    ]
    [executed] = [each for each in broker.entries() if each["type"] == "gate.executed"]
    assert executed["decision"]["as_approved"] is True
    assert "the log verifies" in broker.cli("audit", "verify").stdout


def test_a_denied_call_does_not_run_and_the_model_is_told_why(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    with playing(broker, claude, home, tmp_path, bash("toolu_0001", RESET)) as play:
        person.decide(broker.pending(), "deny", "two commits are not pushed")
        told = play.result()
        assert told.is_error
        assert "two commits are not pushed" in told.text
        assert "was denied by a person" in told.text
        assert (play.runs, len(play.repository.unpushed())) == (0, 2)
    assert "gate.bypassed" not in broker.types()


def test_bypass_mode_does_not_pass_the_gate(broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path) -> None:
    broker.start()
    bypass = ("--dangerously-skip-permissions",)
    with playing(broker, claude, home, tmp_path, bash("toolu_0001", RESET), arguments=bypass) as play:
        person.decide(broker.pending(), "deny")
        assert play.result().is_error
        assert play.runs == 0


def test_a_failing_command_is_recorded_as_failed(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    with playing(broker, claude, home, tmp_path, bash("toolu_0001", "git reset --hard no-such-commit")) as play:
        person.decide(broker.pending(), "approve")
        assert play.result().is_error
    [request] = broker.requests()
    assert broker.request(request["id"])["grant"]["outcome"] == "failed"


def test_when_nobody_decides_in_time_a_late_approval_lets_the_identical_retry_pass(
    broker: Any, person: Any, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    with broker.config.open("a", encoding="utf-8") as config:
        config.write("[policy]\napproval_timeout_s = 2\n")
    broker.start()
    go_on = tmp_path / "go-on"
    between = bash("toolu_0002", f"until [ -e {go_on} ]; do sleep 0.1; done")
    calls = (bash("toolu_0001", RESET, "clean up"), between, bash("toolu_0003", RESET, "clean up, second try"))
    with playing(broker, newest_claude, home, tmp_path, *calls) as play:
        request = broker.pending()
        broker.ended(request)
        person.decide(request, "approve")
        go_on.touch()
        assert "this is not a denial" in play.result("toolu_0001").text
        assert not play.result("toolu_0003").is_error
        assert play.runs == 1
    assert broker.types()[1:4] == ["gate.timeout", "review.late", "grant.issued"]


def test_a_broker_that_is_killed_while_a_hook_waits_costs_nothing(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    """The request survives, the hook starts the next broker and joins it: one decision, one run."""
    broker.start()
    with playing(broker, claude, home, tmp_path, bash("toolu_0001", RESET)) as play:
        first = broker.pending()
        killed = broker.kill()
        second = broker.pending()
        assert second["id"] == first["id"]
        assert broker.pid() not in {None, killed}
        person.decide(second, "approve")
        assert not play.result().is_error
        assert play.runs == 1
    assert len(broker.requests()) == 1
    assert broker.types().count("gate.released") == 1
    assert "the log verifies" in broker.cli("audit", "verify").stdout


def test_without_a_broker_the_hook_starts_one(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    with playing(broker, claude, home, tmp_path, bash("toolu_0001", RESET)) as play:
        person.decide(broker.pending(), "deny")
        assert play.result().is_error
        assert play.runs == 0


def test_where_no_broker_can_be_started_the_harmless_passes_and_the_rest_is_blocked(
    broker: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.config.write_text("[polcy]\n", encoding="utf-8")
    calls = (bash("toolu_0001", RESET), bash("toolu_0002", "git status --short"))
    with playing(broker, claude, home, tmp_path, *calls) as play:
        assert play.result("toolu_0001").is_error
        assert play.runs == 0


def test_a_store_that_cannot_be_read_blocks(broker: Any, claude: Path, home: Path, tmp_path: Path) -> None:
    broker.paths.store.write_bytes(b"this is no database" * 100)
    with playing(broker, claude, home, tmp_path, bash("toolu_0001", RESET)) as play:
        assert play.result().is_error
        assert play.runs == 0


def test_an_uninstalled_hook_blocks(broker: Any, claude: Path, home: Path, tmp_path: Path) -> None:
    line = broker.hook_line()
    broker.hook_line = lambda: line.replace("askfirst-hook.pl", "gone.pl").replace("client.py", "gone.py")
    with playing(broker, claude, home, tmp_path, bash("toolu_0001", RESET)) as play:
        assert play.result().is_error
        assert play.runs == 0
