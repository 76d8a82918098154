"""Our own guard in the comparison: its verdicts in one batch, its time as the hook that is installed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from guards.peer import CACHE, PROJECT, ROOT, environment
from guards.verdict import Verdict, payload
from hooks.command_line import PERL, hook_command

_STATE = CACHE / "broker"


def verdicts(commands: list[str]) -> list[Verdict]:
    """What ``askfirst check`` says of each, in one process; a missing line is a crash."""
    given = "".join(payload(command) + "\n" for command in commands).encode("utf-8", "surrogatepass")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("askfirst")), "check", "--stdin", "--json"],
        input=given,
        capture_output=True,
        cwd=PROJECT,
        env=environment(),
        check=True,
    )
    answers = [json.loads(line)["outcome"] for line in done.stdout.splitlines()]
    answers += [""] * (len(commands) - len(answers))
    return [Verdict(answer == "gate", not answer, 0.0) for answer in answers]


def times_ms(commands: list[str]) -> list[float]:
    """Wall time of the installed hook command with a running broker, for commands that run without a question."""
    _STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = hook_command(
        "claude-code",
        python=Path(sys.executable),
        socket=_STATE / "broker.sock",
        client_dir=ROOT / "hooks",
        wait_s=5,
        host_timeout_s=10,
        perl=PERL,
        broker=(sys.executable, "-I", "-m", "askfirst.entry", "serve", "--background", "--state-dir", str(_STATE)),
    )
    _hook(line, "ls")  # starts the broker
    if not (_STATE / "broker.json").exists():
        raise SystemExit(
            "no broker starts here, so the hook cannot be timed; run `askfirst serve` and read what it says"
        )
    try:
        return [_hook(line, command) for command in commands]
    finally:
        os.kill(json.loads((_STATE / "broker.json").read_bytes())["pid"], signal.SIGTERM)
        shutil.rmtree(_STATE, ignore_errors=True)


def _hook(line: str, command: str) -> float:
    start = time.perf_counter()
    subprocess.run(
        ["sh", "-c", line], input=payload(command).encode(), capture_output=True, env=environment(), check=False
    )
    return (time.perf_counter() - start) * 1000
