"""Several agents of several hosts at once on one machine: each hears of its own, and of nothing else."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
DANGEROUS = "git push --force origin main"
AGENTS = [("claude-code", "s1"), ("claude-code", "s2"), ("codex", "s1"), ("qwen", "s3")]


def hook(broker: Any, host: str, session: str, command: str) -> subprocess.CompletedProcess[str]:
    payload = {
        "session_id": session,
        "cwd": "/",
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": "run_shell_command" if host == "qwen" else "Bash",
        "tool_input": {"command": command},
        "tool_use_id": f"{host}-{session}",
    }
    line = broker.hook_line(host)
    return subprocess.run(
        ["sh", "-c", line], input=json.dumps(payload), env=broker.environ, capture_output=True, text=True, check=False
    )


def test_the_same_command_of_four_sessions_is_four_requests_and_each_decision_is_its_own(
    broker: Any, person: Any, until: Any, tmp_path: Path
) -> None:
    broker.start()
    with ThreadPoolExecutor() as pool:
        calls = {each: pool.submit(hook, broker, *each, DANGEROUS) for each in AGENTS}
        until("four requests", lambda: len(broker.requests()) == len(AGENTS))
        found = {(each["host"], each["session"]): each for each in broker.requests()}
        assert sorted(found) == sorted(AGENTS)
        done = broker.cli("sessions", "--waiting", "--json", "--state-dir", str(broker.paths.root))
        waiting = {(each["host"], each["session"]): len(each["waiting"]) for each in json.loads(done.stdout)}
        assert waiting == dict.fromkeys(AGENTS, 1)
        person.decide(found["claude-code", "s2"], "approve")
        first = calls["claude-code", "s2"].result(60)
        assert json.loads(first.stdout)["hookSpecificOutput"]["permissionDecision"] == "allow"
        assert not any(calls[each].done() for each in AGENTS if each != ("claude-code", "s2"))
        assert hook(broker, "claude-code", "s1", "git status").stdout == ""  # nor does a wait hold up the others
        for each in AGENTS:
            if each != ("claude-code", "s2"):
                person.decide(found[each], "deny", f"not {each[0]} {each[1]}")
        for host, session in AGENTS:
            answer = calls[host, session].result(60)
            if (host, session) != ("claude-code", "s2"):
                assert f"not {host} {session}" in answer.stdout + answer.stderr
    assert broker.types().count("gate.released") == 1
