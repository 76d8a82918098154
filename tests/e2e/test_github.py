"""The released client is stopped, a person decides by a comment on the pull request, the command runs, or not.

Everything is a process of its own but the fake GitHub: broker, hook and client. The broker is killed at every moment.
"""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from askfirst.demo import scratch_repository
from askfirst.demo.claude_client import Session, SessionEnd, run
from askfirst.demo.hook_protocol import HookCommand, settings
from askfirst.demo.script import Say, bash
from askfirst.demo.scripted_model import ScriptedModel
from askfirst.errors import BrokerUnavailableError
from askfirst.testing.github import FakeGitHub
from askfirst.testing.github.world import Comment
from channels.github.marker import read_marker

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    # brokers are killed under open connections on purpose; httpx leaves such a socket to the garbage collector
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
EVENTS = ("PreToolUse", "PostToolUse", "PostToolUseFailure")
RESET = "git reset --hard HEAD~2 && echo run >> ../runs"
KILLS = 4


@pytest.fixture
def github(broker: Any) -> Iterator[FakeGitHub]:
    """Anna may write; the agent works for dev, who opened the pull request."""
    with FakeGitHub() as made:
        world = made.world
        world.account("anna", 583231)
        world.repository("acme/parser", {"anna": "write", "dev": "admin", "asker": "write", "reader": "read"})
        world.pull("acme/parser", author="dev", branch="main")
        token = broker.config.parent / "github-token"
        token.write_text(world.token("asker"))
        token.chmod(0o600)
        with broker.config.open("a", encoding="utf-8") as config:
            config.write(
                '[[people]]\nid = "local:anna"\nidentities = ["github:583231"]\n'
                f'[github]\ntoken_file = "github-token"\napi_url = "{made.url}"\npoll_s = 0.05\n'
            )
        routes = '[routes]\ndefault = ["github:pr"]\ncritical = ["github:pr"]\n'
        (broker.config.parent / "policy.toml").write_text(routes, encoding="utf-8")
        yield made
        if broker.pid() is not None:
            broker.halt()  # before GitHub goes away


@dataclass
class Play:
    """A client at work on a branch that has a pull request."""

    repository: scratch_repository.ScratchRepository
    thread: threading.Thread
    ends: list[SessionEnd]

    @property
    def runs(self) -> int:
        """How often the gated command really ran."""
        marks = self.repository.path.parent / "runs"
        return len(marks.read_text().splitlines()) if marks.exists() else 0

    def result(self) -> Any:
        self.thread.join(150)
        assert self.ends, "the client has not ended"
        return self.ends[0].result("toolu_0001")


@contextmanager
def playing(broker: Any, github: FakeGitHub, claude: Path, home: Path, folder: Path) -> Iterator[Play]:
    repository = a_checkout(github, folder)
    hook = HookCommand(line=broker.hook_line(), timeout_s=broker.wait_s + 30)
    turns = ((Say(text="Next."), bash("toolu_0001", RESET)), (Say(text="Done."),))
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
        )
        thread = threading.Thread(target=lambda: ends.append(run(session, stop=stop)), daemon=True)
        thread.start()
        try:
            yield Play(repository=repository, thread=thread, ends=ends)
        finally:
            stop.set()
            thread.join(30)


def a_checkout(github: FakeGitHub, folder: Path) -> scratch_repository.ScratchRepository:
    repository = scratch_repository.make(folder)
    url = f"{github.url}/acme/parser.git"
    subprocess.run(["git", "remote", "set-url", "origin", url], cwd=repository.path, check=True)
    return repository


def cards(github: FakeGitHub) -> list[Comment]:
    return [each for each in list(github.world.find("acme/parser").comments.values()) if read_marker(each.body)]


def test_an_approval_on_the_pull_request_lets_the_command_run_once(
    broker: Any, until: Callable[..., Any], github: FakeGitHub, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    with playing(broker, github, newest_claude, home, tmp_path) as play:
        [card] = until("the card", lambda: cards(github))
        code = broker.pending()["code"]
        assert RESET in card.body
        github.world.comment("acme/parser", 1, "reader", f"/approve {code}")
        github.world.comment("acme/parser", 1, "dev", f"/approve {code}")
        github.world.comment("acme/parser", 1, "anna", f"> /approve {code}")
        github.world.comment("acme/parser", 1, "anna", f"/approve {code}")
        assert not play.result().is_error
        assert (play.runs, play.repository.unpushed()) == (1, ())
    until("the outcome", lambda: "APPROVED" in cards(github)[-1].body)
    until("the status", lambda: github.world.find("acme/parser").statuses[-1]["state"] == "success")
    assert "the log verifies" in broker.cli("audit", "verify").stdout


def test_a_denial_on_the_pull_request_reaches_the_agent_with_its_reason(
    broker: Any, until: Callable[..., Any], github: FakeGitHub, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    with playing(broker, github, newest_claude, home, tmp_path) as play:
        until("the card", lambda: cards(github))
        code = broker.pending()["code"]
        github.world.comment("acme/parser", 1, "anna", f"/deny {code} two commits are not pushed")
        told = play.result()
        assert told.is_error
        assert "two commits are not pushed" in told.text
        assert play.runs == 0


def test_no_decision_is_lost_or_doubled_however_the_broker_is_killed(
    broker: Any, until: Callable[..., Any], github: FakeGitHub, tmp_path: Path
) -> None:
    """I3: from the look at GitHub to the thumb under the comment, SIGKILL at moments drawn by a seeded generator."""
    chance = random.Random(6)
    folder = str(a_checkout(github, tmp_path).path)
    broker.start()
    decided: dict[str, str] = {}
    for number in range(KILLS):
        request = ask(broker, folder, number)
        code = request["code"]
        until("the card", lambda code=code: [each for each in cards(github) if code in each.body])
        verb = chance.choice(["approve", "deny"])
        github.world.comment("acme/parser", 1, "anna", f"/{verb} {code}")
        decided[request["id"]] = {"approve": "approved", "deny": "denied"}[verb]
        time.sleep(chance.uniform(0, 0.4))
        broker.kill()
        broker.start()
    for request_id, state in decided.items():
        until("the decision", lambda request_id=request_id, state=state: in_state(broker, request_id, state))
    reviews = [each for each in broker.entries() if each["type"] == "review.cast"]
    assert len(reviews) == KILLS
    assert len({each["decision"]["decision_id"] for each in reviews}) == KILLS
    assert len(cards(github)) == KILLS
    assert "the log verifies" in broker.cli("audit", "verify").stdout


def ask(broker: Any, folder: str, number: int) -> dict[str, Any]:
    body = {
        "host": "tests",
        "session": f"session-{number}",
        "command": f"git reset --hard HEAD~2 && echo {number}",
        "cwd": folder,
    }
    made: dict[str, Any] = broker.client.call("POST", "/v1/requests", json=body)
    return made


def in_state(broker: Any, request_id: str, state: str) -> bool:
    try:
        return bool(broker.request(request_id)["state"] == state)
    except BrokerUnavailableError:
        return False
