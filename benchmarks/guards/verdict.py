"""What a guard's answer means, read as Claude Code reads its hooks; one run of a guard."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from guards.peer import PROJECT, environment

if TYPE_CHECKING:
    from guards.peer import Peer

TIMEOUT_S = 10


class Verdict(NamedTuple):
    """One answer.

    Attributes:
        stopped: the command does not simply run.
        crashed: no proper answer, so the host lets the command run.
        ms: wall time of the whole process.
    """

    stopped: bool
    crashed: bool
    ms: float


def ask(peer: Peer, command: str) -> Verdict:
    """Run the guard once."""
    given = command if peer.speaks == "text" else payload(command)
    start = time.perf_counter()
    try:
        done = subprocess.run(
            peer.argv(peer.command),
            input=given.encode("utf-8", "surrogatepass"),
            capture_output=True,
            cwd=PROJECT,
            env=environment(),
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Verdict(stopped=False, crashed=True, ms=TIMEOUT_S * 1000)
    ms = (time.perf_counter() - start) * 1000
    stopped, crashed = (
        read_text(peer, done.stdout) if peer.speaks == "text" else read_claude(done.returncode, done.stdout)
    )
    return Verdict(stopped, crashed, ms)


def payload(command: str) -> str:
    """A PreToolUse payload."""
    return json.dumps(
        {
            "session_id": "bench",
            "transcript_path": str(PROJECT.parent / "bench.jsonl"),
            "cwd": str(PROJECT),
            "permission_mode": "default",
            "hook_event_name": "PreToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": command, "description": "Run a command"},
            "tool_use_id": "toolu_bench",
        }
    )


def read_claude(code: int, output: bytes) -> tuple[bool, bool]:
    """Stopped and crashed, by exit code and JSON; exit 2 beats JSON, any other code but 0 lets the command run.

    From: https://code.claude.com/docs/en/hooks
    """
    if code == 2:
        return True, False
    if code != 0:
        return False, True
    try:
        answer = json.loads(output)
    except ValueError:
        return False, False  # text is shown to the person, and the command runs
    if not isinstance(answer, dict):
        return False, False
    specific = answer.get("hookSpecificOutput")
    decision = specific.get("permissionDecision") if isinstance(specific, dict) else None
    return decision in {"deny", "ask"} or answer.get("decision") == "block", False


def read_text(peer: Peer, output: bytes) -> tuple[bool, bool]:
    """Stopped and crashed, by the guard's own JSON."""
    try:
        return json.loads(output)[peer.answer] in peer.stops, False
    except (ValueError, KeyError, TypeError):
        return False, True
