"""The real broker, the real command line and the released Claude Code over the fake Bot API server."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from askfirst.demo import scratch_repository
from askfirst.demo.claude_client import Session, SessionEnd, run
from askfirst.demo.hook_protocol import HookCommand, settings
from askfirst.demo.script import Say, bash
from askfirst.demo.scripted_model import ScriptedModel
from askfirst.testing.telegram import FakeTelegram, User
from askfirst.testing.terminal import Terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
RESET = "git reset --hard HEAD~2 && echo run >> ../runs"


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram() as made:
        yield made


@pytest.fixture
def ann(fake: FakeTelegram) -> User:
    return fake.user("Ann")


def connected(broker: Any, fake: FakeTelegram, user: User) -> None:
    """A broker that knows the bot and its reviewer by the configuration."""
    token = broker.config.with_name("telegram-token")
    token.write_text(fake.token)
    token.chmod(0o600)
    with broker.config.open("a", encoding="utf-8") as config:
        config.write(f'identities = ["telegram:{user.id}"]\n')  # of the last person, bob
        config.write(f'[telegram]\ntoken_file = "telegram-token"\napi_url = "{fake.url}"\n')
    broker.config.with_name("policy.toml").write_text(f'[routes]\ndefault = ["web:inbox", "telegram:{user.id}"]\n')


@contextmanager
def claude_session(broker: Any, claude: Path, home: Path, tmp_path: Path) -> Iterator[Any]:
    repository = scratch_repository.make(tmp_path)
    hook = HookCommand(line=broker.hook_line(), timeout_s=broker.wait_s + 30)
    ends: list[SessionEnd] = []
    stop = threading.Event()
    turns = ((Say(text="Next."), bash("toolu_0001", RESET)), (Say(text="Done."),))
    with ScriptedModel(turns) as model:
        session = Session(
            executable=claude,
            project=repository.path,
            home=home,
            model_url=model.url,
            settings=settings(dict.fromkeys(("PreToolUse", "PostToolUse", "PostToolUseFailure"), hook)),
            environ={"ASKFIRST_STATE_DIR": str(broker.paths.root), "ASKFIRST_CONFIG": str(broker.config)},
        )
        thread = threading.Thread(target=lambda: ends.append(run(session, stop=stop)), daemon=True)
        thread.start()
        try:
            yield repository, thread, ends
        finally:
            stop.set()
            thread.join(30)


def test_claude_code_waits_for_a_press_and_runs_what_was_approved(
    broker: Any, newest_claude: Path, home: Path, tmp_path: Path, fake: FakeTelegram, ann: User
) -> None:
    connected(broker, fake, ann)
    broker.start()
    with claude_session(broker, newest_claude, home, tmp_path) as (repository, thread, ends):
        fake.wait_for("sendMessage")
        [card] = fake.messages(ann.id)
        assert card["text"].splitlines()[1] == f"$ {RESET}"
        query = fake.press(ann, card, "Approve")
        thread.join(100)
        assert not ends[0].result("toolu_0001").is_error
        assert repository.unpushed() == ()
        assert (repository.path.parent / "runs").read_text() == "run\n"
    assert fake.answers(query)[0]["text"] == "approved"
    fake.wait_for("editMessageText", 2)
    assert "ran exactly what was approved" in fake.messages(ann.id)[0]["text"]
    assert fake.token.partition(":")[2] not in broker.paths.log.read_text()


def test_setup_connects_a_bot_links_a_person_and_sends_requests_there(
    broker: Any, person: Any, fake: FakeTelegram, ann: User, tmp_path: Path
) -> None:
    """Scripted from end to end: token, approval in the inbox, one press on Start; far below two minutes."""
    broker.start()
    token = tmp_path / "given-token"
    token.write_text(fake.token)
    token.chmod(0o600)
    command = broker.command(
        "telegram", "setup", "--token-file", str(token), "--api-url", fake.url, "--json", "--state-dir",
        str(broker.paths.root),
    )  # fmt: skip
    setup = subprocess.Popen(command, env=broker.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert setup.stderr is not None
    try:
        for line in setup.stderr:
            if "waiting for a person to approve" in line:
                person.decide(broker.pending(), "approve")
            if "https://t.me/askfirst_test_bot?start=" in line:
                fake.say(ann, ann, f"/start {line.split('?start=')[1].split()[0]}")
                break
        out, err = setup.communicate(timeout=60)
    finally:
        setup.kill()
    assert setup.returncode == 0, err
    done = json.loads(out)
    assert done == {
        "bot": "askfirst_test_bot",
        "identity": f"telegram:{ann.id}",
        "recipients": [f"telegram:{ann.id}"],
        "is_routed": True,
    }
    assert fake.messages(ann.id)[0]["text"].startswith("🔗")
    again = subprocess.run(command, env=broker.environ, capture_output=True, text=True, check=False)
    assert (again.returncode, json.loads(again.stdout)) == (0, done), "a second time changes nothing"
    assert (broker.config.with_name("telegram-token").stat().st_mode & 0o777) == 0o600


def test_the_first_run_in_a_terminal_connects_an_agent_and_pairs_a_phone(
    broker: Any, person: Any, fake: FakeTelegram, ann: User, tmp_path: Path
) -> None:
    """A newcomer answers what is asked: the way to the inbox is shown where it is needed."""
    folder = tmp_path / "newcomer"
    folder.mkdir()
    broker.start()
    environ = broker.environ | {"HOME": str(folder), "ASKFIRST_POLICY": str(folder / "policy.toml"), "TERM": "xterm"}
    words = ("init", "--host", "claude-code", "--telegram-api-url", fake.url)
    with Terminal(broker.command(*words), cwd=folder, environ=environ) as terminal:
        terminal.wait_for("ConnectClaudeCodeso?")
        assert "dry-run" not in terminal.text
        terminal.press("y\n")
        terminal.wait_for("DecidefromTelegram,too?")
        terminal.press("y\n")
        terminal.wait_for("Tokenofthebot")
        terminal.press_unseen(f"{fake.token}\n")
        at = terminal.wait_for("waitingforapersontoapprove")
        terminal.wait_for("(webinbox:http://", after=at)
        person.decide(broker.pending(), "approve")
        at = terminal.wait_for("(orsendthebot:/start")
        terminal.wait_for(")", after=at)
        fake.say(ann, ann, f"/start {terminal.text[at:].split(')')[0]}")
        terminal.wait_for("atestrequestwaitsforyou")
        person.decide(broker.pending(), "answer", "It reached me")
        terminal.wait_for("itreachedyou")
    assert "askfirst-hook.pl" in (folder / ".claude" / "settings.json").read_text(encoding="utf-8")
    assert f"telegram:{ann.id}" in (folder / "policy.toml").read_text(encoding="utf-8")
    assert any("Did this reach you?" in each["text"] for each in fake.messages(ann.id))


@pytest.mark.parametrize(
    ("webhook", "token", "sentence"),
    [
        ("https://other.example/x", None, "serves another program, which is told at other.example"),
        ("", "7000000001:AAWrongTokenForTestsOnly-0123456789abc", "Telegram does not know this token"),
        ("", "hello", "no token of a Telegram bot"),
    ],
)
def test_setup_refuses_a_bot_that_is_not_free_and_changes_nothing(
    broker: Any, fake: FakeTelegram, tmp_path: Path, webhook: str, token: str | None, sentence: str
) -> None:
    fake.call(lambda: setattr(fake.world.webhook, "url", webhook))
    file = tmp_path / "given-token"
    file.write_text(token or fake.token)
    file.chmod(0o600)
    before = broker.config.read_text()
    done = broker.cli("telegram", "setup", "--token-file", str(file), "--api-url", fake.url)
    assert (done.returncode, sentence in done.stderr.replace("\n", " ")) == (78, True), done.stderr
    assert broker.config.read_text() == before
    assert not broker.config.with_name("telegram-token").exists()
    assert fake.call(lambda: fake.world.webhook.url) == webhook
