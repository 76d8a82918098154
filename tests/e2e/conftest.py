"""Real brokers on state folders of their own, and a person who decides in the web inbox."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from askfirst import HumanLayer
from askfirst.client import Client
from askfirst.entry import outer_packages
from askfirst.errors import BrokerUnavailableError
from askfirst.paths import StatePaths, state_paths
from channels.web.logins import new_login_link
from hooks.command_line import hook_command
from hooks.install_claude import installed
from hooks.registry import SETUPS
from hooks.setup import HookLine, Places

PATIENCE_S = 20.0
CONFIG = '[web]\nport = 0\n[[people]]\nid = "local:ann"\n[[people]]\nid = "local:bob"\n'


def until(what: str, found: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """The first true value of ``found``; a test that waits longer than ``patience_s`` fails."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {patience_s} s for {what}")


@dataclass
class BrokerProcess:
    """A broker that can be started, killed and asked; the hook finds or starts it by the same state folder."""

    paths: StatePaths
    config: Path
    environ: dict[str, str]
    wait_s: int = 60
    patience_s: float = PATIENCE_S
    prefix: tuple[str, ...] = ()
    client_dir: Path = Path(outer_packages(), "hooks")
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = Client(self.paths)

    def start(self) -> None:
        command = [*self.command("serve"), "--background", "--state-dir", str(self.paths.root)]
        with self.paths.log.open("ab") as log:
            self._processes.append(
                subprocess.Popen(command, env=self.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
            )
        until("the broker", self.pid)

    def pid(self) -> int | None:
        try:
            return int(self.client.call("GET", "/healthz")["pid"])
        except BrokerUnavailableError:
            return None

    def _listens(self) -> bool:
        """Knock only: a request to a broker that stops can be refused inside httpx, which then leaks its socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            try:
                knock.connect(str(self.paths.socket))
            except OSError:
                return False
        return True

    def kill(self) -> int:
        """SIGKILL, as a crash would; returns the pid that was."""
        pid = self.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        for process in self._processes:
            if process.pid == pid:
                process.wait()
        return pid

    def halt(self) -> None:
        """SIGTERM; it can be started again."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            until("the broker's end", lambda: not self._listens())
        for process in self._processes:
            process.wait(PATIENCE_S)

    def stop(self) -> None:
        self.halt()
        self.client.close()

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-I", "-m", "askfirst.entry", *arguments]

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), env=self.environ, capture_output=True, text=True, check=False, cwd="/"
        )

    def limit_file_size(self, limit_bytes: int) -> None:
        """Every broker from now on hits EFBIG at this size, as it would hit ENOSPC on a full disk (setrlimit(2))."""
        self.prefix = ("sh", "-c", f'ulimit -f {limit_bytes // 512}; exec "$@"', "sh")

    def claude_hooks(self) -> dict[str, object]:
        """The hooks as they are installed, as a settings file's content."""
        hook = HookLine(line=self.hook_line(), timeout_s=self.wait_s + 30, notice_line=self.hook_line(gates=False))
        return installed({}, hook)

    def hook_line(self, host: str = "claude-code", *, gates: bool = True) -> str:
        return hook_command(
            host,
            python=Path(sys.executable),
            socket=self.paths.socket,
            client_dir=self.client_dir,
            wait_s=self.wait_s,
            host_timeout_s=self.wait_s + 30,
            broker=(*self.prefix, *self.command("serve"), "--background", "--state-dir", str(self.paths.root)),
            gates=gates,
        )

    @staticmethod
    def shell_call(command: str, tool_use_id: str) -> bytes:
        """What Claude Code hands to a hook before it runs a shell command."""
        payload = {
            "session_id": "session-1",
            "cwd": "/",
            "permission_mode": "default",
            "hook_event_name": "PreToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": command},
            "tool_use_id": tool_use_id,
        }
        return json.dumps(payload).encode()

    def call_hook(self, command: str, tool_use_id: str) -> dict[str, Any]:
        """What Claude Code would read of the installed line's answer about a shell command."""
        done = subprocess.run(
            ["sh", "-c", self.hook_line()],
            input=self.shell_call(command, tool_use_id),
            env=self.environ,
            capture_output=True,
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout).get("hookSpecificOutput", {}) if done.stdout else {}
        return answer

    def gated_program(self, contact_channel: str, ran: list[str]) -> Callable[[str], bool]:
        """A function of a program that asks on this channel; what it did is in ``ran``."""
        layer = HumanLayer(url=f"unix:{self.paths.socket}")

        @layer.require_approval(contact_channel=contact_channel, timeout=60)
        def delete_user(user_id: str) -> bool:
            """Delete a user account permanently."""
            ran.append(user_id)
            return True

        return delete_user

    def install(self, host: str, environ: Mapping[str, str]) -> None:
        """Puts our hooks into the person's settings of a host, as the command does."""
        places = Places(home=Path(environ["HOME"]), project=Path("/"), environ=environ)
        notice = self.hook_line(host, gates=False)
        hook = HookLine(line=self.hook_line(host), timeout_s=self.wait_s + 30, notice_line=notice)
        for path in SETUPS[host].files("user", places):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(SETUPS[host].merged(path, "", hook), encoding="utf-8")
            path.chmod(0o700)

    def requests(self) -> list[dict[str, Any]]:
        """Newest last."""
        found: list[dict[str, Any]] = self.client.call("GET", "/v1/requests", params={"limit": 1000})["requests"]
        return found[::-1]

    def request(self, request_id: str) -> dict[str, Any]:
        return self.client.call("GET", f"/v1/requests/{request_id}")

    def pending(self, kind: str = "") -> dict[str, Any]:
        """The request that waits, as soon as there is one; of this kind, where the gate may tell something, too."""

        def waiting() -> dict[str, Any] | None:
            with contextlib.suppress(BrokerUnavailableError):
                found = (each for each in self.requests() if each["state"] == "pending")
                return next((each for each in found if kind in {"", each["kind"]}), None)
            return None

        found: dict[str, Any] = until("a pending request", waiting, self.patience_s)
        return found

    def ended(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request once it is no longer pending."""

        def found() -> dict[str, Any] | None:
            case = self.request(request["id"])
            return None if case["state"] == "pending" else case

        case: dict[str, Any] = until("the request's end", found)
        return case

    def entries(self) -> list[dict[str, Any]]:
        done = self.cli("audit", "tail", "-n", "10000", "--json")
        assert done.returncode == 0, done.stderr
        entries: list[dict[str, Any]] = json.loads(done.stdout)
        return entries

    def types(self) -> list[str]:
        """The types of the entries about requests, in order; deliveries left out."""
        return [each["type"] for each in self.entries() if each.get("req") and not each["type"].startswith("channel.")]


class _Form(HTMLParser):
    """The named fields of a page's forms."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "input" and named.get("type") == "hidden" and named.get("name"):
            self.fields[str(named["name"])] = named.get("value") or ""


class WebPerson:
    """Logs in by a one-time link and decides on a request's page, as a browser without scripts would."""

    def __init__(self, broker: BrokerProcess, name: str = f"local:{getpass.getuser()}") -> None:
        self._broker = broker
        self._name = name
        self._http = httpx.Client(follow_redirects=True)
        self._base = ""

    def decide(self, request: Mapping[str, Any], verdict: str, comment: str = "", edit: str = "") -> httpx.Response:
        self._log_in()
        url = f"{self._base}/requests/{request['id']}"
        form = _Form()
        form.feed(self._http.get(url).text)
        data = {**form.fields, "verdict": verdict, "comment": comment, "code": request["code"], "edit": edit}
        return self._http.post(url, data=data, headers={"Origin": self._base})

    def page(self, request: Mapping[str, Any]) -> str:
        """What the person reads of a request."""
        self._log_in()
        return self._http.get(f"{self._base}/requests/{request['id']}").text

    def undo_page(self, request: Mapping[str, Any]) -> str:
        """What the person reads before an undo."""
        self._log_in()
        return self._http.get(f"{self._base}/requests/{request['id']}/undo").text

    def undo(self, request: Mapping[str, Any], **changes: str) -> httpx.Response:
        """Press the button of an undo."""
        self._log_in()
        url = f"{self._base}/requests/{request['id']}/undo"
        form = _Form()
        form.feed(self._http.get(url).text)
        return self._http.post(url, data={**form.fields, **changes}, headers={"Origin": self._base})

    def bearer(self, request: Mapping[str, Any]) -> httpx.Response:
        """The same by a program with the broker's own token."""
        base = json.loads(self._broker.paths.info.read_bytes())["web"]
        token = self._broker.paths.api_token.read_text(encoding="ascii")
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.post(f"{base}/v1/requests/{request['id']}/undo", json={"turn": 0}, headers=headers)

    def close(self) -> None:
        self._http.close()

    def _log_in(self) -> None:
        base = json.loads(self._broker.paths.info.read_bytes())["web"]
        if base != self._base:
            self._base = base
            link = new_login_link(self._broker.paths.root, base, self._name)
            self._http.post(link, data={"x": "y"}, headers={"Origin": base}).raise_for_status()


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BrokerProcess]:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("ASKFIRST_CONFIG", str(config))  # for brokers that a hook starts
    made = BrokerProcess(paths=state_paths(tmp_path / "state"), config=config, environ={})
    made.environ = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "ASKFIRST_CONFIG": str(config),
        "ASKFIRST_STATE_DIR": str(made.paths.root),
    }
    yield made
    made.stop()


@pytest.fixture
def person(broker: BrokerProcess) -> Iterator[WebPerson]:
    with contextlib.closing(WebPerson(broker)) as made:
        yield made


@pytest.fixture
def other_person(broker: BrokerProcess) -> Iterator[WebPerson]:
    with contextlib.closing(WebPerson(broker, "local:bob")) as made:
        yield made


@pytest.fixture(name="until")
def _until() -> Callable[[str, Callable[[], Any]], Any]:
    """``until`` for modules of tests, which cannot import this one."""
    return until
