"""From a person's decision to the waiting hook's answer, through a real broker: web form in, unix socket out.

Two durable commits lie between, the review's and the redemption's, so a bare fdatasync is measured in the same run, and
the ratio says what is ours.

    python benchmarks/bench_decision.py [ROUNDS]
"""

from __future__ import annotations

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

from askfirst.client import Client, stop_broker
from askfirst.paths import StatePaths, state_paths
from channels.web.logins import new_login_link


def fdatasync_ms(folder: Path, rounds: int) -> float:
    """Median of one small append and its fdatasync."""
    times = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(rounds):
            start = time.perf_counter()
            file.write(b"x" * 512)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def hook_request(number: int) -> bytes:
    payload = json.dumps(
        {
            "session_id": "bench",
            "cwd": "/",
            "hook_event_name": "PreToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": f"git push --force origin b{number}"},
            "tool_use_id": f"toolu_{number}",
        }
    ).encode()
    head = (
        f"POST /v1/hook/claude-code HTTP/1.1\r\nHost: a\r\nContent-Length: {len(payload)}\r\n"
        "Connection: close\r\nX-Askfirst-Wait-S: 30\r\n\r\n"
    )
    return head.encode() + payload


class Hook(threading.Thread):
    """Waits on the broker's socket as the hook does, and notes when the answer came."""

    def __init__(self, path: Path, number: int) -> None:
        super().__init__(daemon=True)
        self._path = path
        self._number = number
        self.answered = 0.0

    def run(self) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._path))
            connection.sendall(hook_request(self._number))
            answer = b""
            while part := connection.recv(65536):
                answer += part
                self.answered = time.perf_counter()
        assert b'"allow"' in answer, answer


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory(prefix="askfirst-bench-") as name:
        paths = state_paths(Path(name).resolve() / "state")
        config = paths.root / "config.toml"
        config.write_text('[web]\nport = 0\n[[people]]\nid = "local:bench"\n', encoding="utf-8")
        command = [
            sys.executable,
            "-I",
            "-m",
            "askfirst.entry",
            "serve",
            "--background",
            "--state-dir",
            str(paths.root),
        ]
        with paths.log.open("ab") as log:
            subprocess.Popen(command, env={**os.environ, "ASKFIRST_CONFIG": str(config)}, stdout=log, stderr=log)
        try:
            times = measure(paths, rounds)
        finally:
            stop_broker(paths)
        sync_ms = fdatasync_ms(paths.root, 500)
    p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[18]
    print(f"{'':<42}{'p50 ms':>8}{'p95 ms':>8}{'x fdatasync':>13}")
    print(f"{'write + fdatasync of 512 bytes':<42}{sync_ms:>8.2f}{'':>8}{1:>13.1f}")
    print(f"{f'decision (web form) -> hook answered, n={rounds}':<42}{p50:>8.2f}{p95:>8.2f}{p50 / sync_ms:>13.1f}")


def measure(paths: StatePaths, rounds: int) -> list[float]:
    client = Client(paths)
    while not paths.info.exists():
        time.sleep(0.05)
    base = json.loads(paths.info.read_bytes())["web"]
    http = httpx.Client(headers={"Origin": base})
    http.post(new_login_link(paths.root, base, "local:bench"), data={"x": "y"})
    times = []
    for number in range(rounds):
        hook = Hook(paths.socket, number)
        hook.start()
        while not (waiting := client.call("GET", "/v1/requests", params={"state": "pending"})["requests"]):
            time.sleep(0.002)
        url = f"{base}/requests/{waiting[0]['id']}"
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', http.get(url).text))
        data = {**fields, "verdict": "approve", "comment": "", "code": waiting[0]["code"]}
        start = time.perf_counter()
        http.post(url, data=data)
        hook.join(10)
        assert hook.answered, "the hook was not answered"
        times.append((hook.answered - start) * 1e3)
    client.close()
    http.close()
    return times


if __name__ == "__main__":
    main()
