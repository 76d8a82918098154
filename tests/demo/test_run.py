"""The demo's story over a broker that is a shell script: what is shown, what ends it, what is left behind."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from askfirst.demo.hook_protocol import HookCommand
from askfirst.demo.parts import DemoError, Gate, Shown
from askfirst.demo.person import PersonAtScreen
from askfirst.demo.run import Cast, run_demo
from askfirst.demo.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

DENY_ONCE = """
grep -q 'reset --hard' || exit 0
mkdir "$TRIED" 2>/dev/null && { echo "git.reset-hard: 2 commits would be lost" >&2; exit 2; }
exit 0
"""
HANG = "grep -q 'reset --hard' || exit 0; exec sleep 60"


@dataclass
class ShellBroker:
    """Denies the first reset and lets the second pass; remembers what was asked of it."""

    folder: Path
    hook: str = DENY_ONCE
    calls: list[str] = field(default_factory=list)

    def start(self) -> Gate:
        self.calls.append("start")
        (self.folder / "hook").write_text(self.hook, encoding="utf-8")
        return Gate(
            link="http://127.0.0.1:1/enter#once",
            hooks={"PreToolUse": HookCommand(line=f"sh {self.folder}/hook")},
            environ={"TRIED": str(self.folder / "tried")},
        )

    def report(self) -> Sequence[Shown]:
        self.calls.append("report")
        return [Shown(command="askfirst audit verify", output="7 entries, all in order\x1b[2J\n")]

    def stop(self) -> None:
        self.calls.append("stop")


class Decided:
    """Knows what it will decide, which is what the shell broker does."""

    def __init__(self, *decides: bool) -> None:
        self.decides: tuple[bool, ...] | None = decides

    @contextlib.contextmanager
    def at_inbox(self, link: str, give_up: Callable[[str], None]) -> Iterator[None]:
        yield


class Absent(PersonAtScreen):
    """Loses the browser at once."""

    @contextlib.contextmanager
    def at_inbox(self, link: str, give_up: Callable[[str], None]) -> Iterator[None]:
        give_up("the browser crashed")
        yield


@pytest.fixture
def broker(tmp_path: Path) -> ShellBroker:
    return ShellBroker(tmp_path)


def play(cast: Cast) -> tuple[bool, str]:
    page = io.StringIO()
    console = Console(file=page, width=120, force_terminal=False)
    return run_demo(cast, Screen(console)), page.getvalue()


def assert_told(text: str) -> None:
    for part in (
        "$ git status --short --branch",
        "## main...origin/main [ahead 2]",
        "git.reset-hard: 2 commits would be lost",
        "the command did not run; all 2 unpushed commits and the uncommitted change are still there",
        "the command ran exactly once; 0 of 2 unpushed commits are left",
        "$ askfirst audit verify",
        "7 entries, all in order\\u{1B}[2J",
        "what people decided is what happened",
    ):
        assert part in text


def test_the_stand_in_is_denied_once_and_runs_once(broker: ShellBroker) -> None:
    is_right, text = play(Cast(broker=broker, person=Decided(False, True), client=None))
    assert is_right
    assert "The agent: a scripted stand-in that runs the same hook" in text
    assert_told(text)
    assert broker.calls == ["start", "report", "stop"]


@pytest.mark.slow
def test_the_real_client_is_denied_once_and_runs_once(broker: ShellBroker, newest_claude: Path) -> None:
    is_right, text = play(Cast(broker=broker, person=PersonAtScreen(), client=newest_claude))
    assert is_right
    assert "The agent: Claude Code, the released client" in text
    assert_told(text)


def test_an_outcome_that_nobody_decided_is_called_wrong(broker: ShellBroker) -> None:
    is_right, text = play(Cast(broker=broker, person=Decided(False, False), client=None))
    assert not is_right
    assert "the person decided (False, False), the agent got (False, True)" in text


def assert_broken_off(broker: ShellBroker, client: Path | None) -> None:
    broker.hook = HANG
    with pytest.raises(DemoError, match="nobody decided: the browser crashed"):
        play(Cast(broker=broker, person=Absent(), client=client))
    assert broker.calls == ["start", "stop"]


def test_when_nobody_will_decide_the_stand_in_and_the_broker_are_stopped(broker: ShellBroker) -> None:
    assert_broken_off(broker, None)


@pytest.mark.slow
def test_when_nobody_will_decide_the_real_client_and_the_broker_are_stopped(
    broker: ShellBroker, newest_claude: Path
) -> None:
    assert_broken_off(broker, newest_claude)


@pytest.mark.slow
def test_a_person_who_never_comes_does_not_hold_it_up_for_ever(broker: ShellBroker, newest_claude: Path) -> None:
    broker.hook = HANG
    with pytest.raises(DemoError, match="it took too long"):
        play(Cast(broker=broker, person=PersonAtScreen(), client=newest_claude, timeout_s=2))
    assert broker.calls == ["start", "stop"]


def test_nothing_is_left_behind(broker: ShellBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    play(Cast(broker=broker, person=Decided(False, True), client=None))
    assert list(scratch.iterdir()) == []
