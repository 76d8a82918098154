"""The broker and the agent as two real users: what the agent's user can do is ask."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from askfirst.entry import outer_packages
from hooks.command_line import hook_command

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
AGENT = "nobody"
DANGEROUS = "git push --force origin main"


@pytest.fixture
def shared(broker: Any) -> Iterator[Any]:
    """A running broker whose socket other users reach; its folder is closed to them."""
    if os.geteuid() != 0:
        pytest.fail("two users can only be had by root: run the tests as root, as CI does")
    run = Path(tempfile.mkdtemp(prefix="afrun"))
    run.chmod(0o755)
    broker.paths = replace(broker.paths, shared_socket=run / "broker.sock")
    broker.client = type(broker.client)(broker.paths)
    command = broker.command
    broker.command = lambda *words: [
        *command(*words),
        *(("--socket", str(run / "broker.sock")) if words[:1] == ("serve",) else ()),
    ]
    broker.start()
    yield broker
    broker.halt()
    shutil.rmtree(run)


@pytest.fixture
def clients() -> Iterator[Path]:
    """The hook's programs where every user can read them, as an installation for all has them."""
    folder = Path(tempfile.mkdtemp(prefix="afbin"))
    for name in ("askfirst-hook.pl", "client.py"):
        shutil.copy(Path(outer_packages(), "hooks", name), folder / name)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_agent(command: list[str], payload: str = "") -> subprocess.CompletedProcess[str]:
    who = pwd.getpwnam(AGENT)
    return subprocess.run(
        command,
        input=payload,
        user=who.pw_uid,
        group=who.pw_gid,
        extra_groups=[],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def hook_of(broker: Any, clients: Path) -> Callable[[str, str], dict[str, Any]]:
    line = hook_command(
        "claude-code",
        python=Path("/usr/bin/python3"),
        socket=broker.paths.socket,
        client_dir=clients,
        wait_s=30,
        host_timeout_s=60,
        broker=("/bin/false",),
    )

    def hook(command: str, tool_use_id: str) -> dict[str, Any]:
        done = as_agent(["sh", "-c", line], broker.shell_call(command, tool_use_id).decode())
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)["hookSpecificOutput"] if done.stdout else {}
        return answer

    return hook


def test_another_user_s_agent_is_gated_and_released_once(shared: Any, person: Any, clients: Path) -> None:
    hook = hook_of(shared, clients)
    assert hook("git status", "toolu_1") == {}
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(hook, DANGEROUS, "toolu_2")
        person.decide(shared.pending(), "approve")
        assert answer.result(60)["permissionDecision"] == "allow"
    assert shared.types().count("gate.released") == 1


CURL = """
import http.client, json, socket, sys
class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX); self.sock.connect(sys.argv[1])
connection = Unix("askfirst")
connection.request(sys.argv[2], sys.argv[3], sys.argv[4] or None, {"Content-Type": "application/json"})
print(connection.getresponse().status)
"""
REVIEW = json.dumps({"decision_id": "12345678", "version": 1, "action_digest": "0" * 64, "verdict": "approve"})
ASK = json.dumps({"command": DANGEROUS, "session": "s", "host": "h", "cwd": "/"})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/healthz", "", 200),
        ("POST", "/v1/requests", ASK, 201),
        ("GET", "/v1/requests", "", 403),
        ("GET", "/v1/grants", "", 403),
        ("GET", "/v1/events", "", 403),
        ("POST", "/v1/requests/x/reviews", REVIEW, 403),
    ],
)
def test_another_user_may_ask_and_no_more(shared: Any, method: str, path: str, body: str, status: int) -> None:
    done = as_agent(["/usr/bin/python3", "-c", CURL, str(shared.paths.socket), method, path, body])
    assert done.stdout.strip() == str(status), done.stderr


def test_another_user_reaches_neither_state_nor_process_nor_socket(shared: Any) -> None:
    pid, paths = shared.pid(), shared.paths
    assert paths.root.stat().st_mode & 0o777 == 0o700
    for command in (
        ["cat", str(paths.api_token)],
        ["ls", str(paths.root)],
        ["kill", str(pid)],
        ["rm", "-f", str(paths.socket)],
        ["mv", str(paths.socket), "/tmp/x.sock"],
    ):
        assert as_agent(command).returncode != 0, command
    assert shared.pid() == pid


def test_a_broker_that_is_gone_blocks_and_is_started_by_nobody(shared: Any, clients: Path) -> None:
    hook = hook_of(shared, clients)
    shared.kill()
    with pytest.raises(AssertionError):  # exit code 2: nothing could judge the call either
        hook(DANGEROUS, "toolu_1")
    assert shared.pid() is None
