"""A broker on another machine (T3): over TLS on a loopback address of its own, and the agent's machine asks it."""

from __future__ import annotations

import json
import os
import pwd
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from askfirst.client import connect
from askfirst.demo import scratch_repository
from askfirst.demo.claude_client import Session, SessionEnd, run
from askfirst.demo.script import Say, bash
from askfirst.demo.scripted_model import ScriptedModel
from askfirst.errors import BrokerUnavailableError
from askfirst.paths import state_paths
from askfirst.sdk.link import Address, Link
from askfirst.sdk.steps import Send
from askfirst.testing.certificates import Authority

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
ADDRESS = "127.0.77.3"
RESET = "git reset --hard HEAD~2 && echo run >> ../runs"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


@dataclass
class Laptop:
    """A machine with agents and no broker: its state folder, its settings, its relay."""

    far: Any
    url: str
    authority: Authority
    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.home / "state"

    @property
    def settings(self) -> Path:
        return self.home / ".claude" / "settings.json"

    def cli(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.far.command(*arguments),
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home,
            timeout=60,
        )

    def token(self, name: str = "laptop") -> dict[str, Any]:
        made: dict[str, Any] = self.far.client.call("POST", "/v1/tokens", json={"name": name, "scopes": ["ask"]})
        return made

    def install(self, *more: str, token: str = "") -> subprocess.CompletedProcess[str]:
        return self.cli(
            *("install", "--host", "claude-code", "--remote", self.url, "--token-file", "-"),
            *("--ca", str(self.authority.file), *more),
            stdin=token or self.token()["token"],
        )

    def hook(self, command: str, tool_use_id: str = "toolu_1", cwd: str = "/") -> subprocess.CompletedProcess[str]:
        """One call of the installed hook, as Claude Code makes it."""
        handlers = json.loads(self.settings.read_text())["hooks"]["PreToolUse"][0]["hooks"]
        payload = {
            "session_id": "s1",
            "cwd": cwd,
            "permission_mode": "default",
            "hook_event_name": "PreToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": command},
            "tool_use_id": tool_use_id,
        }
        return subprocess.run(
            ["sh", "-c", handlers[0]["command"]],
            env=self.environ,
            input=json.dumps(payload),
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )

    def refusal(self, command: str = "git status") -> str:
        done = self.hook(command)
        assert done.stdout, done.stderr
        answer = json.loads(done.stdout)["hookSpecificOutput"]
        assert answer["permissionDecision"] == "deny"
        return str(answer["permissionDecisionReason"])


@pytest.fixture
def laptop(broker: Any, tmp_path: Path) -> Iterator[Laptop]:
    """The laptop, and ``broker`` on another address by TLS; nothing is installed yet."""
    far = tmp_path / "far"
    far.mkdir()
    authority = Authority(far)
    chain, key = authority.issue(far, ADDRESS)
    port = free_port()
    listen = f'[listen]\naddress = "{ADDRESS}:{port}"\ncertificate = "{chain}"\nkey = "{key}"\n'
    broker.config.write_text(broker.config.read_text() + listen, encoding="utf-8")
    home = tmp_path / "laptop"
    home.mkdir()
    made = Laptop(far=broker, url=f"https://{ADDRESS}:{port}", authority=authority, home=home)
    made.environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "ASKFIRST_CONFIG": str(home / "config.toml"),
        "ASKFIRST_STATE_DIR": str(made.root),
    }
    broker.start()
    yield made
    made.cli("stop")


def test_the_token_is_kept_in_one_closed_file_and_no_broker_is_started(laptop: Laptop) -> None:
    token = laptop.token()["token"]
    done = laptop.install(token=token)
    assert done.returncode == 0, done.stderr
    assert "knows this machine as 'laptop'" in done.stderr
    kept = laptop.root / "remote.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert token not in laptop.settings.read_text()
    assert laptop.hook("git status").stdout == ""
    assert not (laptop.root / "askfirst.db").exists()
    holders = [each for each in laptop.home.rglob("*") if each.is_file() and token in each.read_text(errors="replace")]
    assert holders == [kept]


def test_the_real_client_is_denied_then_approved_and_runs_once(
    laptop: Laptop, person: Any, newest_claude: Path, tmp_path: Path
) -> None:
    assert laptop.install().returncode == 0
    repository = scratch_repository.make(tmp_path)
    turns = (
        (Say(text="Now."), bash("toolu_0001", RESET)),
        (Say(text="Again."), bash("toolu_0002", f"{RESET} ")),
        (Say(text="The end."),),
    )
    ends: list[SessionEnd] = []
    with ScriptedModel(turns) as model:
        session = Session(
            executable=newest_claude,
            project=repository.path,
            home=laptop.home,
            model_url=model.url,
            settings={**json.loads(laptop.settings.read_text()), "permissions": {"allow": ["Bash"]}},
            environ={name: laptop.environ[name] for name in ("ASKFIRST_STATE_DIR", "ASKFIRST_CONFIG")},
        )
        thread = threading.Thread(target=lambda: ends.append(run(session)))
        thread.start()
        first = laptop.far.pending()
        person.decide(first, "deny", "not from here")
        laptop.far.ended(first)
        assert not (tmp_path / "runs").exists()
        second = laptop.far.pending()
        shown = person.page(second)
        person.decide(second, "approve")
        thread.join(120)
    assert "not from here" in ends[0].result("toolu_0001").text
    assert not ends[0].result("toolu_0002").is_error
    assert len((tmp_path / "runs").read_text().splitlines()) == 1
    assert "this would run on laptop, another machine" in shown
    assert "on laptop · claude-code" in shown
    assert "2 commits that only main holds" in shown  # found out there, by the machine that has them
    assert "Found by laptop on its own disk" in shown
    assert "no undo: it would run on laptop" in shown
    assert laptop.far.types()[-5:] == ["review.cast", "gate.decided", "grant.issued", "gate.released", "gate.executed"]


def serving(answer: bytes = b"") -> tuple[socket.socket, str]:
    """A listener that takes connections and says nothing, or one thing."""
    listener = socket.create_server((ADDRESS, 0))

    def serve() -> None:
        held = []
        try:
            while True:
                connection, _ = listener.accept()
                held.append(connection)
                if answer:
                    connection.recv(65_536)
                    connection.sendall(answer)
        except OSError:
            for each in held:
                each.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener, f"https://{ADDRESS}:{listener.getsockname()[1]}"


def rewritten(laptop: Laptop, **changes: str) -> None:
    """The laptop with something else in its one file, and a relay that has read it."""
    kept = laptop.root / "remote.json"
    laptop.cli("stop")
    kept.write_text(json.dumps({**json.loads(kept.read_text()), **changes}))


def test_whatever_is_wrong_with_the_broker_blocks_with_a_sentence_and_starts_none(laptop: Laptop) -> None:
    """Even what is harmless is blocked: what the policy over there thinks of it is not known."""
    token = laptop.token()
    laptop.install(token=token["token"])
    assert laptop.hook("git status").stdout == ""
    laptop.far.client.call("POST", f"/v1/tokens/{token['id']}/revoke")
    assert "does not take this machine's token any more" in laptop.refusal()
    laptop.far.halt()
    said = laptop.refusal()
    assert said.startswith("Unavailable: not run")
    assert f"the broker at {laptop.url} cannot be reached" in said
    with pytest.raises(BrokerUnavailableError, match="cannot be reached") as caught:
        Link(Address(path=str(state_paths(laptop.root).socket))).send(Send(method="GET", path="/v1/requests/x"))
    assert caught.value.retry_after_s == 1
    silent, url = serving()
    rewritten(laptop, url=url)
    with silent:
        assert "does not answer in time" in laptop.refusal()
    talking, url = serving(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    rewritten(laptop, url=url)
    with talking:
        assert "does not speak TLS as expected" in laptop.refusal()
    laptop.cli("stop")
    (laptop.root / "remote.json").unlink()
    done = laptop.hook("git status")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the broker is on another machine and cannot be asked" in done.stderr
    assert not (laptop.root / "askfirst.db").exists()


def test_a_machine_with_another_certificate_is_not_believed(laptop: Laptop) -> None:
    """The agent's own variables do not change whom the relay trusts."""
    laptop.install()
    laptop.environ["SSL_CERT_FILE"] = str(laptop.authority.file)
    rewritten(laptop, ca="")
    assert "shows a certificate that is not trusted" in laptop.refusal()
    done = laptop.cli("install", "--remote", laptop.url, "--token-file", "-", stdin="askfirst_x")
    assert (done.returncode, "not trusted" in done.stderr) == (69, True)


def test_a_token_that_may_do_more_than_ask_is_refused(laptop: Laptop) -> None:
    made = laptop.far.client.call("POST", "/v1/tokens", json={"name": "laptop", "scopes": ["ask", "read"]})
    done = laptop.install(token=made["token"])
    assert done.returncode == 2
    assert "this token may do more than ask (read)" in done.stderr
    assert not (laptop.root / "remote.json").exists()
    assert not laptop.settings.exists()


def test_a_dry_run_writes_nothing_and_uninstall_forgets_broker_and_token(laptop: Laptop) -> None:
    tried = laptop.install("--dry-run")
    assert "would write" in tried.stderr
    assert "--relay" in tried.stdout
    assert not (laptop.root / "remote.json").exists()
    assert not laptop.settings.exists()
    laptop.install()
    laptop.hook("git status")
    done = laptop.cli("uninstall", "--remote", "--json")
    assert done.returncode == 0, done.stderr
    assert not (laptop.root / "remote.json").exists()
    assert not laptop.settings.exists() or "askfirst" not in laptop.settings.read_text()


def test_what_changes_while_people_decide_is_asked_anew(laptop: Laptop, person: Any, tmp_path: Path) -> None:
    laptop.install()
    repository = scratch_repository.make(tmp_path)
    answers: list[subprocess.CompletedProcess[str]] = []
    call = threading.Thread(
        target=lambda: answers.append(laptop.hook("git reset --hard HEAD~2", cwd=str(repository.path)))
    )
    call.start()
    first = laptop.far.pending()
    subprocess.run(["git", "commit", "-qam", "more"], cwd=repository.path, check=True)
    person.decide(first, "approve")
    laptop.far.ended(first)
    second = laptop.far.pending()
    person.decide(second, "deny")
    call.join(60)
    assert first["head"] != second["head"]
    assert json.loads(answers[0].stdout)["hookSpecificOutput"]["permissionDecision"] == "deny"


def test_an_approval_by_the_sdk_is_honoured_by_the_hook_once(laptop: Laptop, person: Any, tmp_path: Path) -> None:
    laptop.install()
    repository = scratch_repository.make(tmp_path)
    command = "git reset --hard HEAD~2"
    asked = {"command": command, "cwd": str(repository.path), "session": "s1", "host": "claude-code"}
    laptop.hook("git status")  # the relay runs
    client = connect(state_paths(laptop.root))
    try:
        request = client.call("POST", "/v1/requests", json=asked)
        assert request["machine"] == "laptop"
        assert len(request["head"]) == 40
        person.decide(request, "approve")
        done = laptop.hook(command, cwd=str(repository.path))
        assert json.loads(done.stdout)["hookSpecificOutput"]["permissionDecision"] == "allow"
        again = client.call(
            "POST",
            f"/v1/requests/{request['id']}/redeem",
            json={"action_digest": request["action_digest"], "attempt": "attempt-2"},
        )
        assert again["done"] is False
    finally:
        client.close()


def test_a_project_s_policy_on_the_laptop_tightens(laptop: Laptop, tmp_path: Path) -> None:
    laptop.install()
    project = tmp_path / "project"
    project.mkdir()
    assert laptop.hook("make lint", cwd=str(project)).stdout == ""
    (project / "askfirst.toml").write_text(
        '[[rule]]\nname = "no-make"\noutcome = "deny"\nreason = "not here"\nmatch = { command = "make *" }\n'
    )
    done = laptop.hook("make lint", cwd=str(project))
    assert "not here" in json.loads(done.stdout)["hookSpecificOutput"]["permissionDecisionReason"]


def test_hooks_that_are_taken_away_on_the_laptop_are_told_at_the_broker(laptop: Laptop, until: Any) -> None:
    laptop.install()
    laptop.hook("git status")

    def types() -> list[str]:
        return [each["type"] for each in laptop.far.entries()]

    until("the installation's entry", lambda: "hook.installed" in types())
    laptop.settings.write_text("{}")
    until("the entry of the missing hooks", lambda: "hook.missing" in types())
    entry = next(each for each in laptop.far.entries() if each["type"] == "hook.missing")
    assert entry["data"]["machine"] == "laptop"
    assert "our hooks are gone" in laptop.far.pending()["question"]


def test_a_broker_that_comes_back_finds_the_call_still_waiting(laptop: Laptop, person: Any) -> None:
    laptop.install()
    answers: list[subprocess.CompletedProcess[str]] = []
    call = threading.Thread(target=lambda: answers.append(laptop.hook("git push --force origin main")))
    call.start()
    asked = laptop.far.pending()
    laptop.far.kill()
    laptop.far.start()
    person.decide(asked, "approve")
    call.join(90)
    assert json.loads(answers[0].stdout)["hookSpecificOutput"]["permissionDecision"] == "allow"
    assert len(laptop.far.requests()) == 1


def test_doctor_proves_the_broker_elsewhere_with_the_real_client(laptop: Laptop, newest_claude: Path) -> None:
    laptop.install()
    laptop.environ["PATH"] = f"{newest_claude.parent}:{os.environ['PATH']}"

    def doctor() -> tuple[int, dict[str, str], str]:
        done = laptop.cli("doctor", "--host", "claude-code", "--json")
        found = json.loads(done.stdout)
        return done.returncode, {each["text"]: each["grade"] for each in found["findings"]}, found["level"]

    code, found, level = doctor()
    assert found["the canary was refused by the gate, driven by the real program"] == "ok"
    assert found[f"{laptop.url} answers and knows this machine as 'laptop'"] == "ok"
    own = (
        f"what listens at {laptop.url} is a process of yours on this machine: an agent of yours could end or replace it"
    )
    assert found[own] == "warn"  # here it is: the same user runs both
    assert (code, level) == (0, "T0")  # the hooks are the user's own
    laptop.far.halt()
    code, found, level = doctor()
    assert (code, level) == (1, "none")
    assert any("cannot be reached" in text and grade == "fail" for text, grade in found.items())


def test_a_broker_of_another_user_is_out_of_reach_and_decides(laptop: Laptop) -> None:
    if os.geteuid() != 0:
        pytest.fail("two users can only be had by root: run the tests as root, as CI does")
    laptop.install()
    laptop.hook("git status")
    agent = pwd.getpwnam("nobody")
    relay = laptop.root / "remote.json"
    stat = (laptop.far.paths.root.stat().st_mode & 0o777, laptop.far.paths.root.stat().st_uid)
    assert stat == (0o700, 0)
    for command in (
        ["cat", str(laptop.far.paths.api_token)],
        ["ls", str(laptop.far.paths.root)],
        ["kill", str(laptop.far.pid())],
    ):
        done = subprocess.run(
            command, user=agent.pw_uid, group=agent.pw_gid, extra_groups=[], capture_output=True, check=False
        )
        assert done.returncode != 0, command
    token = json.loads(relay.read_text())["token"]
    with httpx.Client(
        base_url=laptop.url,
        headers={"Authorization": f"Bearer {token}"},
        verify=ssl.create_default_context(cafile=str(laptop.authority.file)),
    ) as thief:
        asked = thief.post("/v1/requests", json={"command": "git push --force", "cwd": "/"}).json()
        review = {
            "decision_id": "12345678",
            "version": 1,
            "action_digest": asked["action_digest"],
            "verdict": "approve",
        }
        assert thief.post(f"/v1/requests/{asked['id']}/reviews", json=review).status_code == 403
        assert thief.post("/v1/tokens", json={"name": "x", "scopes": ["ask"]}).status_code == 403
        assert [thief.get(f"/v1/{each}").status_code for each in ("requests", "grants", "tokens")] == [403, 403, 403]
        assert thief.get("/inbox").status_code == 404
    assert laptop.far.request(asked["id"])["state"] == "pending"
