"""``askfirst run -- claude -p …``: a headless run that ends while people decide, and is taken up once they have.

While it waits, no program of the agent's runs and no request goes to a model; the runner itself may be ended, and the
session taken up later by hand. Two runners of one session cannot run its call twice: the gate releases it once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askfirst.cli.options import StateDir
from askfirst.cli.output import EXIT_NO, connected, fail, print_json, sentences, stderr
from askfirst.deferred import Deferred, Headless, deferred, headless, message_of
from askfirst.errors import BrokerUnavailableError
from askfirst.paths import state_paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from askfirst.cli.parts import Parts, Scope
    from askfirst.paths import StatePaths

HOST = "claude-code"
STREAMS_ONLY = "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK"
"""After a fallback to answers that do not stream, the host ignores that a call was deferred, and runs it."""
_WAIT_S = 100
_PAUSE_S = 2.0
_SCOPES: tuple[Scope, ...] = ("user", "project", "managed")
_OWN_HOOKS = ("--settings", "--plugin-dir")
"""Options that may bring our hooks along, so that settings files do not tell."""


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the command."""

    @app.command(context_settings={"ignore_unknown_options": True})
    def run(
        command: Annotated[list[str], typer.Argument(help='The run, behind --, e.g. claude -p "tidy up".')],
        state_dir: StateDir = None,
    ) -> None:
        """Run an agent headless; where people have to decide, it ends and is taken up again afterwards."""
        with sentences():
            wanted = headless(command)
            runner = _Runner(parts, state_paths(state_dir), wanted)
            raise typer.Exit(runner.run())


class _Runner:
    def __init__(self, parts: Parts, paths: StatePaths, wanted: Headless) -> None:
        self._parts = parts
        self._paths = paths
        self._wanted = wanted
        self._environ = {**os.environ, "ASKFIRST_RUN": str(os.getpid()), STREAMS_ONLY: "1"}

    def run(self) -> int:
        self._require_hooks("nothing was started")
        code, result = self._once(self._wanted.first(), stdin=None)
        while (call := deferred(result)) is not None:
            self._wait(call)
            self._require_hooks(f"session {call.session} was not taken up")
            code, result = self._once(self._wanted.next(call.session), stdin=subprocess.DEVNULL)
        self._tell(result)
        return code

    def _once(self, command: Sequence[str], *, stdin: int | None) -> tuple[int, Mapping[str, Any] | None]:
        """Run the program to its end; its exit code and its last message."""
        result: Mapping[str, Any] | None = None
        try:
            process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=subprocess.PIPE,
                env=self._environ,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise fail(f"{command[0]} cannot be started: {error.strerror}", EXIT_NO) from error
        with process, _passed_on(process):
            assert process.stdout is not None  # a pipe was asked for
            for line in process.stdout:
                message = message_of(line)
                if message is not None and message.get("type") == "result":
                    result = message
                self._forward(line, message)
        return process.returncode, result

    def _forward(self, line: str, message: Mapping[str, Any] | None) -> None:
        """Whoever reads the stream sees one run: a result in the middle of it is none."""
        if self._wanted.output == "stream-json" and deferred(message) is None:
            sys.stdout.write(line)
            sys.stdout.flush()

    def _tell(self, result: Mapping[str, Any] | None) -> None:
        if result is None or self._wanted.output == "stream-json":
            return
        if self._wanted.output == "json":
            print_json(result)
        else:
            sys.stdout.write(f"{result.get('result', '')}\n")

    def _wait(self, call: Deferred) -> None:
        stderr.print(f"askfirst: session {call.session} waits for a person; it goes on by itself", markup=False)
        while True:
            try:
                with closing(connected(self._paths)) as client:
                    waiting = client.call("GET", "/v1/requests", params={"state": "pending", "limit": 1000})["requests"]
                    mine = [each for each in waiting if each["session"] == call.session]
                    if not mine:
                        return
                    client.call("GET", f"/v1/requests/{mine[0]['id']}/wait", params={"timeout_s": _WAIT_S})
            except BrokerUnavailableError:
                time.sleep(_PAUSE_S)  # the request is on disk; the next broker has it

    def _require_hooks(self, otherwise: str) -> None:
        """Taken up without our hooks, the deferred call would run by any rule that allows it."""
        if any(each.partition("=")[0] in _OWN_HOOKS for each in self._wanted.command):
            return
        for scope in _SCOPES:
            for change in self._parts.changes([HOST], scope, Path.cwd(), self._paths):
                if self._parts.fingerprint(HOST, change.path) and not self._parts.obstacles(HOST, change.path):
                    return
        raise fail(f"our hooks are in none of {HOST}'s settings, so {otherwise}; run `askfirst install`", EXIT_NO)


class _passed_on:  # noqa: N801  # reads as the statement that it is
    """While it is open, signals that end us end the program first."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._pass)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _pass(self, number: int, _frame: object) -> None:
        self._process.send_signal(number)
        raise typer.Exit(128 + number)
