"""Finds the real Claude Code and runs it headless against a scripted model, apart from the person's own set-up.

It gets a home, a configuration and an environment of its own: no key, no login, no project of the person is in reach,
and it talks to nobody but the model's address on loopback.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.demo.process_group import Program, run_group
from askfirst.demo.script import AgentEvent, Call, Say, ToolResult, result_text

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping

    from askfirst.demo.script import Watch

EXECUTABLE_VARIABLE = "ASKFIRST_CLAUDE_CODE"
"""Names the client to use instead of the one on PATH."""

KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR")
"""All that the client inherits."""

OWN_VARIABLES = {
    "ANTHROPIC_API_KEY": "scripted",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
}


def find(environ: Mapping[str, str]) -> Path | None:
    """The client's executable: what ``ASKFIRST_CLAUDE_CODE`` names if it exists, else ``claude`` on PATH, else None."""
    named = environ.get(EXECUTABLE_VARIABLE, "")
    if named and os.access(named, os.X_OK):
        return Path(named)
    found = shutil.which("claude", path=environ.get("PATH", os.defpath))
    return Path(found) if found else None


def kept(environ: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that says how this machine works, without anything of the person's."""
    return {name: environ[name] for name in KEPT_VARIABLES if name in environ}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One headless run.

    Attributes:
        executable: the client.
        project: its working directory.
        home: an empty folder, its HOME; the configuration goes below it.
        model_url: base URL of the scripted model.
        settings: its user-level settings file, e.g. from ``hook_protocol.settings``.
        prompt: what it is told to do; the script decides what it does.
        arguments: more arguments, e.g. ``("--resume", id)``.
        environ: its environment beside what this module sets.
        timeout_s: seconds until it is ended.
    """

    executable: Path
    project: Path
    home: Path
    model_url: str
    settings: Mapping[str, object]
    prompt: str = "Go on."
    arguments: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnd:
    """How a run went.

    Attributes:
        exit_code: the client's code, or minus a signal.
        messages: what it printed as ``stream-json``, parsed, in order; lines that are no JSON object are left out.
        stderr: its errors.
        was_ended: whether it had to be ended.
    """

    exit_code: int
    messages: tuple[Mapping[str, object], ...]
    stderr: str
    was_ended: bool

    @property
    def events(self) -> tuple[AgentEvent, ...]:
        """The steps of the run."""
        return tuple(event for message in self.messages for event in agent_events(message))

    def result(self, call_id: str) -> ToolResult:
        """What the agent was told about a call.

        Raises:
            LookupError: nothing.
        """
        for event in self.events:
            if isinstance(event, ToolResult) and event.id == call_id:
                return event
        raise LookupError(f"no result for {call_id}: exit code {self.exit_code}, {self.stderr!r}")


def run(session: Session, watch: Watch | None = None, stop: threading.Event | None = None) -> SessionEnd:
    """Run the client to its end.

    Args:
        session: how.
        watch: is told every step as it happens.
        stop: when set, the client is ended.

    Raises:
        ProgramError: it cannot be started.
    """
    messages: list[Mapping[str, object]] = []

    def take(line: str) -> None:
        message = _object(line)
        if message is None:
            return
        messages.append(message)
        if watch is not None:
            for event in agent_events(message):
                watch(event)

    config = session.home / ".claude"
    config.mkdir(parents=True, exist_ok=True)
    (config / "settings.json").write_text(json.dumps(session.settings, indent=2), encoding="utf-8")
    done = run_group(_program(session, config), on_line=take, stop=stop)
    return SessionEnd(exit_code=done.exit_code, messages=tuple(messages), stderr=done.stderr, was_ended=done.was_ended)


def _program(session: Session, config: Path) -> Program:
    sandbox = {"IS_SANDBOX": "1"} if os.geteuid() == 0 else {}  # without it root may not skip permission prompts
    environ = {
        **kept(os.environ),
        **OWN_VARIABLES,
        **sandbox,
        "ANTHROPIC_BASE_URL": session.model_url,
        "CLAUDE_CODE_TMPDIR": str(session.home),
        "CLAUDE_CONFIG_DIR": str(config),
        "HOME": str(session.home),
        **session.environ,
    }
    output = ("--output-format", "stream-json", "--verbose")
    return Program(
        command=(session.executable, "-p", session.prompt, *output, *session.arguments),
        cwd=session.project,
        environ=environ,
        timeout_s=session.timeout_s,
    )


def _object(line: str) -> Mapping[str, object] | None:
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def agent_events(message: Mapping[str, object]) -> Iterator[AgentEvent]:
    """The steps in one message of the client's output; other kinds of message hold none."""
    role = message.get("type")
    if role not in {"assistant", "user"}:
        return
    inner = message.get("message")
    content = inner.get("content") if isinstance(inner, dict) else None
    for block in content if isinstance(content, list) else ():
        event = _event(block) if isinstance(block, dict) else None
        if event is not None and isinstance(event, ToolResult) == (role == "user"):
            yield event


def _event(block: Mapping[str, object]) -> AgentEvent | None:
    match block:
        case {"type": "text", "text": str(text)}:
            return Say(text=text)
        case {"type": "tool_use", "id": str(call_id), "name": str(tool), "input": dict(arguments)}:
            return Call(id=call_id, tool=tool, arguments=arguments)
        case {"type": "tool_result", "tool_use_id": str(call_id)}:
            text = result_text(block.get("content"))
            return ToolResult(id=call_id, text=text, is_error=block.get("is_error") is True)
        case _:
            return None
