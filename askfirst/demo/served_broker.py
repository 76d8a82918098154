"""The demo's broker: a real ``askfirst serve`` on a state folder that goes away with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.client import START_TIMEOUT_S, Client
from askfirst.demo.hook_protocol import HookCommand
from askfirst.demo.parts import DemoError, Gate, Shown
from askfirst.demo.screen import LABEL_WIDTH
from askfirst.errors import BrokerUnavailableError
from askfirst.paths import StatePaths, state_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HOST = "claude-code"
EVENTS = ("PreToolUse", "PostToolUse", "PostToolUseFailure")
HOOK_TIMEOUT_S = 86_400
"""Longer than the hook's own deadline: it is the hook that gives up, never the host."""
CONFIG = "[web]\nport = 0  # beside the person's own broker\n"
REPORTS = (("requests", "list"), ("audit", "tail"), ("audit", "verify"))
MIN_COLUMNS = 100
STOP_WAIT_S = 10
POLL_S = 0.05


class ServedBroker:
    """Starts and stops a broker process of its own.

    Args:
        hook_command: the command line that a host's settings need, for a host and a state folder.
        login_link: a one-time link to the web inbox of the broker on this state folder.
    """

    def __init__(
        self, *, hook_command: Callable[[str, StatePaths], str], login_link: Callable[[StatePaths], str]
    ) -> None:
        self._hook_command = hook_command
        self._login_link = login_link
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Gate:
        """Start it and come back when it answers."""
        self._folder = tempfile.TemporaryDirectory(prefix="askfirst-broker-", ignore_cleanup_errors=True)
        self._config.write_text(CONFIG, encoding="utf-8")
        paths = self._paths
        with paths.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command("serve"),
                env=self._environ(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._await(Client(paths), self._process)
        line = self._hook_command(HOST, paths)
        return Gate(
            link=self._login_link(paths),
            hooks={event: HookCommand(line=line, timeout_s=HOOK_TIMEOUT_S) for event in EVENTS},
            environ={"ASKFIRST_STATE_DIR": str(paths.root)},
        )

    def report(self) -> Sequence[Shown]:
        """The timeline and the verification of the log."""
        return [self._run(*arguments) for arguments in REPORTS]

    def stop(self) -> None:
        """Stop it and wait until it has gone."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    @property
    def _root(self) -> Path:
        assert self._folder is not None  # start comes first
        return Path(self._folder.name).resolve()

    @property
    def _config(self) -> Path:
        return self._root / "config.toml"

    @property
    def _paths(self) -> StatePaths:
        return state_paths(self._root / "state")

    def _environ(self) -> dict[str, str]:
        own = {"ASKFIRST_CONFIG": str(self._config), "ASKFIRST_STATE_DIR": str(self._paths.root)}
        columns = max(shutil.get_terminal_size().columns - LABEL_WIDTH - 2, MIN_COLUMNS)
        return {**os.environ, **own, "COLUMNS": str(columns)}

    def _command(self, *arguments: str) -> tuple[str, ...]:
        return (sys.executable, "-I", "-m", "askfirst.entry", *arguments)

    def _await(self, client: Client, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(BrokerUnavailableError):
                client.call("GET", "/healthz", timeout=START_TIMEOUT_S)
                return
            time.sleep(POLL_S)
        log = self._paths.log.read_text(encoding="utf-8", errors="replace").strip()
        raise DemoError(f"the broker did not start: {log or 'it said nothing'}")

    def _run(self, *arguments: str) -> Shown:
        command = self._command(*arguments)
        done = subprocess.run(
            command,
            env=self._environ(),
            cwd=self._root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        typed = " ".join(("askfirst", *arguments))
        if done.returncode != 0:
            raise DemoError(f"`{typed}` ended with code {done.returncode}: {done.stdout}{done.stderr}")
        return Shown(command=typed, output=done.stdout)
