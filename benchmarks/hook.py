"""Whole-process time of the hook on a harmless command, beside a bare shell and a bare interpreter in the same run.

    python benchmarks/hook.py            a fake broker that answers at once: what the clients cost
    python benchmarks/hook.py --real     a real broker with its analysis and log

Rounds are interleaved, so that a busy moment meets every row. Times are milliseconds from spawn to exit.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hooks.command_line import PERL, hook_command

ROOT = Path(__file__).parents[1]
CLIENTS = ROOT / "hooks"
PAYLOAD = {
    "session_id": "bench",
    "transcript_path": "/home/user/.claude/projects/p/bench.jsonl",
    "permission_mode": "default",
    "hook_event_name": "PreToolUse",
    "tool_name": "Bash",
    "tool_input": {"command": "git status --short && ls -la", "description": "Look around"},
    "tool_use_id": "toolu_bench",
}


def broker_command(folder: Path, *, real: bool) -> tuple[str, ...]:
    if real:
        return (sys.executable, "-I", "-m", "askfirst.entry", "serve", "--background", "--state-dir", str(folder))
    module = "askfirst.testing.hook_broker"
    return (sys.executable, "-m", module, str(folder / "broker.sock"), str(folder / "starts"))


def rows(folder: Path, broker: tuple[str, ...]) -> dict[str, list[str]]:
    python, socket = Path(sys.executable), folder / "broker.sock"

    def line(perl: str) -> str:
        return hook_command(
            "claude-code",
            python=python,
            socket=socket,
            client_dir=CLIENTS,
            wait_s=60,
            host_timeout_s=120,
            perl=perl,
            broker=broker,
        )

    client = shlex.split(line(PERL).partition(";")[0].removeprefix("set -- ").replace('"$PPID"', str(os.getpid())))
    return {
        "sh -c :": ["sh", "-c", ":"],
        "bash -c :": ["bash", "-c", ":"],
        "perl -e 1": [PERL, "-e", "1"],
        "python -I -S -c pass": [sys.executable, "-I", "-S", "-c", "pass"],
        "fast client": [PERL, "-fTC0", str(CLIENTS / "askfirst-hook.pl"), *client],
        "robust client": client,
        "hook, as installed": ["sh", "-c", line(PERL)],
        "hook, without perl": ["sh", "-c", line("/nonexistent/perl")],
    }


def measure(commands: dict[str, list[str]], payload: bytes, rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            start = time.perf_counter()
            result = subprocess.run(command, input=payload, capture_output=True, check=False)
            times[name].append((time.perf_counter() - start) * 1000)
            assert result.returncode == 0, (name, result)
    return times


def show(times: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"{'process':<22} {'median ms':>10} {'min ms':>8} {'x bash':>8} {'x python':>9}")
    for name, median in medians.items():
        of_bash, of_python = median / medians["bash -c :"], median / medians["python -I -S -c pass"]
        print(f"{name:<22} {median:10.2f} {min(times[name]):8.2f} {of_bash:8.2f} {of_python:9.2f}")


def end_broker(folder: Path) -> None:
    starts, info = folder / "starts", folder / "broker.json"
    pid = int(starts.read_text("ascii")) if starts.exists() else json.loads(info.read_bytes())["pid"]
    os.kill(pid, signal.SIGTERM)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", action="store_true", help="a real broker instead of a fake one")
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="af", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        commands = rows(folder, broker_command(folder, real=options.real))
        payload = json.dumps(PAYLOAD | {"cwd": name}).encode()
        subprocess.run(commands["hook, as installed"], input=payload, check=True)  # starts the broker
        try:
            show(measure(commands, payload, options.rounds))
        finally:
            end_broker(folder)


if __name__ == "__main__":
    main()
