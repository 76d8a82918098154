"""The whole way: a released agent's approved reset, the person who wants it back, and what the agent may not do."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from askfirst.demo import scratch_repository
from askfirst.demo.claude_client import Session, run
from askfirst.demo.hook_protocol import HookCommand, settings
from askfirst.demo.script import Say, bash
from askfirst.demo.scripted_model import ScriptedModel
from askfirst.testing.world import repository

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
EVENTS = ("PreToolUse", "PostToolUse", "PostToolUseFailure")
RESET = "git reset --hard HEAD~2"


class Hook:
    """The installed line, run as a host runs it."""

    def __init__(self, broker: Any, cwd: Path) -> None:
        self._broker = broker
        self._cwd = cwd

    def start(self, command: str) -> subprocess.Popen[bytes]:
        started = subprocess.Popen(
            ["sh", "-c", self._broker.hook_line()],
            env=self._broker.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert started.stdin is not None
        started.stdin.write(self._payload("PreToolUse", command))
        started.stdin.close()
        started.stdin = None
        return started

    def report(self, command: str) -> None:
        subprocess.run(
            ["sh", "-c", self._broker.hook_line()],
            env=self._broker.environ,
            input=self._payload("PostToolUse", command),
            check=True,
            capture_output=True,
        )

    def _payload(self, event: str, command: str) -> bytes:
        return json.dumps(
            {
                "session_id": "session-1",
                "cwd": str(self._cwd),
                "permission_mode": "default",
                "hook_event_name": event,
                "tool_name": "Bash",
                "tool_input": {"command": command},
                "tool_use_id": "toolu_1",
                "tool_response": {"stdout": ""},
                "duration_ms": 12,
            }
        ).encode()


def verdict(hook: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, err = hook.communicate(timeout=60)
    assert hook.returncode == 0, err
    decided: dict[str, Any] = json.loads(out)["hookSpecificOutput"]
    return decided


def test_an_approved_reset_of_the_released_client_is_undone_by_the_command_line(
    broker: Any, person: Any, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    scratch = scratch_repository.make(tmp_path)
    before = repository(scratch.path)
    hook = HookCommand(line=broker.hook_line(), timeout_s=broker.wait_s + 30)
    turns = ((Say(text="Next."), bash("toolu_0001", RESET)), (Say(text="Done."),))
    with ScriptedModel(turns) as model:
        session = Session(
            executable=newest_claude,
            project=scratch.path,
            home=home,
            model_url=model.url,
            settings=settings(dict.fromkeys(EVENTS, hook)),
            environ={"ASKFIRST_STATE_DIR": str(broker.paths.root), "ASKFIRST_CONFIG": str(broker.config)},
            arguments=(),
        )
        end = approved(session, broker, person)
    assert not end.result("toolu_0001").is_error
    assert scratch.unpushed() == ()
    [request] = broker.requests()
    code = request["code"]
    shown = broker.request(request["id"])
    assert shown["receipt"].startswith("ran exactly what was approved · ok · exit code 0 · ")
    assert shown["undo"]["offer"] == "undo"

    looked = broker.cli("undo", code, "--dry-run")
    assert looked.returncode == 0, looked.stderr
    assert "refs/heads/main at " in looked.stdout
    assert "notes.md" in looked.stdout
    assert broker.cli("undo", code).returncode == 1  # nobody to ask, and no --yes
    assert repository(scratch.path) != before

    done = broker.cli("undo", code, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["request"]["grant"]["state"] == "undone"
    assert repository(scratch.path) == before
    assert broker.types()[-2:] == ["gate.executed", "gate.undone"]
    assert "the log verifies" in broker.cli("audit", "verify").stdout

    again = broker.cli("undo", code, "--yes")
    assert again.returncode == 0, again.stderr
    assert scratch.unpushed() == ()


def approved(session: Session, broker: Any, person: Any) -> Any:
    stop = threading.Event()
    ends: list[Any] = []
    thread = threading.Thread(target=lambda: ends.append(run(session, stop=stop)), daemon=True)
    thread.start()
    try:
        person.decide(broker.pending(), "approve")
        thread.join(150)
    finally:
        stop.set()
        thread.join(30)
    return ends[0]


@pytest.fixture
def scratch(tmp_path: Path) -> scratch_repository.ScratchRepository:
    return scratch_repository.make(tmp_path)


def test_the_web_inbox_shows_what_comes_back_and_puts_it_back(
    broker: Any, person: Any, scratch: scratch_repository.ScratchRepository
) -> None:
    broker.start()
    before = repository(scratch.path)
    hook = Hook(broker, scratch.path)
    waiting = hook.start(RESET)
    request = broker.pending()
    assert "can be undone for 14 days: keeps every ref of" in person.page(request)
    person.decide(request, "approve")
    assert verdict(waiting)["permissionDecision"] == "allow"
    subprocess.run(RESET, shell=True, cwd=scratch.path, check=True, capture_output=True)
    hook.report(RESET)
    (scratch.path / "newer.txt").write_text("newer work", encoding="utf-8")
    page = person.undo_page(request)
    assert "refs/heads/main at " in page
    answer = person.undo(request)
    assert answer.status_code == 200
    assert "undid it via web" in answer.text
    assert (scratch.path / "newer.txt").read_text(encoding="utf-8") == "newer work"
    (scratch.path / "newer.txt").unlink()
    assert repository(scratch.path) == before
    assert person.undo(request, turn="0").status_code == 409


def test_what_was_promised_and_cannot_be_kept_is_not_released(
    broker: Any, person: Any, scratch: scratch_repository.ScratchRepository
) -> None:
    broker.start()
    hook = Hook(broker, scratch.path)
    waiting = hook.start(RESET)
    request = broker.pending()
    lock = scratch.path / ".git/index.lock"
    lock.touch()
    person.decide(request, "approve")
    decided = verdict(waiting)
    assert decided["permissionDecision"] == "deny"
    assert "Approved, but not run" in decided["permissionDecisionReason"]
    assert "index.lock" in decided["permissionDecisionReason"]
    lock.unlink()
    assert verdict(hook.start(RESET))["permissionDecision"] == "allow"  # the same approval


def test_an_agent_cannot_undo_and_a_program_with_the_token_cannot_either(
    broker: Any, person: Any, scratch: scratch_repository.ScratchRepository
) -> None:
    broker.start()
    hook = Hook(broker, scratch.path)
    waiting = hook.start(RESET)
    request = broker.pending()
    person.decide(request, "approve")
    verdict(waiting)
    broker.environ["CLAUDECODE"] = "1"
    refused = broker.cli("undo", request["code"], "--yes")
    assert refused.returncode == 1
    assert "this is the shell of an agent" in refused.stderr
    del broker.environ["CLAUDECODE"]
    answer = person.bearer(request)
    assert answer.status_code == 403


def test_the_trash_is_listed_copied_out_and_purged(
    broker: Any, person: Any, scratch: scratch_repository.ScratchRepository, tmp_path: Path
) -> None:
    broker.start()
    hook = Hook(broker, scratch.path)
    waiting = hook.start(RESET)
    request = broker.pending()
    person.decide(request, "approve")
    verdict(waiting)
    [snapshot] = json.loads(broker.cli("trash", "list", "--json").stdout)["snapshots"]
    assert snapshot["request"] == request["id"]
    assert RESET in broker.cli("trash", "list").stdout
    copied = broker.cli("trash", "restore", snapshot["id"], "--to", str(tmp_path / "out"))
    assert copied.returncode == 0, copied.stderr
    [notes] = (tmp_path / "out").rglob("notes.md")
    assert notes.read_bytes() == (scratch.path / "notes.md").read_bytes()
    assert broker.cli("trash", "restore", snapshot["id"], "--to", str(tmp_path / "out")).returncode == 2
    assert broker.cli("trash", "purge", snapshot["id"], "--yes").returncode == 0
    assert broker.cli("trash", "list").stdout == "nothing is kept\n"
    refs = subprocess.run(
        ["git", "for-each-ref", "refs/askfirst"], cwd=scratch.path, check=True, capture_output=True, text=True
    )
    assert refs.stdout == ""
    gone = broker.cli("undo", request["code"], "--yes")
    assert gone.returncode == 1
    assert "what was kept is no longer there" in gone.stderr
    [entry] = [each for each in broker.entries() if each["type"] == "trash.purged"]
    assert entry["data"]["snapshot"] == snapshot["id"]
    assert (entry["actor"]["channel"], entry["actor"]["assurance"]) == ("terminal", 0)
