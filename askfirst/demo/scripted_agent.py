"""A small agent without a model: it plays a script, calls the hooks as Claude Code does, and runs what they let pass.

It stands in where the real client is not installed. It gates nothing by itself; like the real one with an allow rule
it runs every command that no hook stops.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.demo.hook_protocol import HookCommand, HookCommands, Ruling, rule
from askfirst.demo.process_group import Finished, Program, run_group
from askfirst.demo.script import Call, Say, ToolResult, Turn, Watch

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COMMAND_TIMEOUT_S = 60.0
MAX_RESULT_CHARS = 30_000
"""What the model is told of a command's output, as in Claude Code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedAgent:
    """The agent in one project.

    Attributes:
        project: where it works; absolute.
        hooks: the hook command of each event.
        environ: the whole environment of hooks and commands.
        session: its session id.
    """

    project: Path
    hooks: HookCommands
    environ: Mapping[str, str]
    session: str = field(default_factory=lambda: str(uuid.uuid4()))

    def play(self, turns: Sequence[Turn], watch: Watch, stop: threading.Event | None = None) -> None:
        """Play all turns, or fewer when a hook or ``stop`` ends the run; ``watch`` is told every step."""
        for block in (block for turn in turns for block in turn):
            if stop is not None and stop.is_set():
                return
            watch(block)
            if isinstance(block, Say):
                continue
            ruling, result = self._attempt(block, stop)
            watch(result)
            if ruling.ends_run:
                return

    def _attempt(self, call: Call, stop: threading.Event | None) -> tuple[Ruling, ToolResult]:
        if call.tool != "Bash":
            text = f"No such tool available: {call.tool}"
            return Ruling(runs=False), ToolResult(id=call.id, text=text, is_error=True)
        ruling = self._ask_hook(call, stop)
        if not ruling.runs:
            return ruling, ToolResult(id=call.id, text=_joined(ruling.reason, ruling.context), is_error=True)
        arguments = call.arguments if ruling.arguments is None else ruling.arguments
        done, duration_ms = self._run(str(arguments.get("command", "")), stop)
        self._report(call, arguments, done, duration_ms)
        text = _joined(told(done), ruling.context)[:MAX_RESULT_CHARS]
        return ruling, ToolResult(id=call.id, text=text, is_error=done.exit_code != 0)

    def _ask_hook(self, call: Call, stop: threading.Event | None) -> Ruling:
        hook = self.hooks.get("PreToolUse")
        if hook is None:
            return Ruling(runs=True)
        payload = self._payload("PreToolUse", call, call.arguments)
        return rule(hook, call.tool, self._call_hook(hook, payload, stop))

    def _report(self, call: Call, arguments: Mapping[str, object], done: Finished, duration_ms: int) -> None:
        """Tell the outcome to the hook for it; nothing that this hook answers changes anything."""
        event = "PostToolUse" if done.exit_code == 0 else "PostToolUseFailure"
        hook = self.hooks.get(event)
        if hook is None:
            return
        payload = {**self._payload(event, call, arguments), "duration_ms": duration_ms}
        if done.exit_code == 0:
            streams = {"stdout": done.stdout, "stderr": done.stderr}
            payload["tool_response"] = {**streams, "interrupted": False, "isImage": False, "noOutputExpected": False}
        else:
            payload |= {"error": told(done), "is_interrupt": done.was_ended}
        self._call_hook(hook, payload, None)

    def _payload(self, event: str, call: Call, arguments: Mapping[str, object]) -> dict[str, object]:
        return {
            "session_id": self.session,
            "transcript_path": str(self.project / f".{self.session}.jsonl"),
            "cwd": str(self.project),
            "permission_mode": "default",
            "hook_event_name": event,
            "tool_name": call.tool,
            "tool_input": dict(arguments),
            "tool_use_id": call.id,
        }

    def _call_hook(self, hook: HookCommand, payload: Mapping[str, object], stop: threading.Event | None) -> Finished:
        marks = {
            "CLAUDECODE": "1",
            "CLAUDE_CODE_ENTRYPOINT": "sdk-cli",
            "CLAUDE_CODE_SESSION_ID": self.session,
            "CLAUDE_PROJECT_DIR": str(self.project),
        }
        program = Program(
            command=("sh", "-c", hook.line),
            cwd=self.project,
            environ={**self.environ, **marks},
            timeout_s=hook.timeout_s,
            stdin=json.dumps(payload).encode(),
        )
        return run_group(program, stop=stop)

    def _run(self, command: str, stop: threading.Event | None) -> tuple[Finished, int]:
        program = Program(
            command=("bash", "-c", command), cwd=self.project, environ=self.environ, timeout_s=COMMAND_TIMEOUT_S
        )
        start_ns = time.monotonic_ns()
        done = run_group(program, stop=stop)
        return done, (time.monotonic_ns() - start_ns) // 1_000_000


def told(done: Finished) -> str:
    """A command's outcome in the words that the model gets."""
    output = _joined(done.stdout.strip("\n"), done.stderr.strip("\n"))
    if done.exit_code == 0:
        return output
    return _joined(f"Exit code {done.exit_code}", output)


def _joined(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
