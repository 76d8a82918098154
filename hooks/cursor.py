"""Cursor: beforeShellExecution, beforeMCPExecution and preToolUse; from its documentation, not run.

- A call of the shell or of an MCP tool fires its own event and preToolUse as well. It is judged in its own one, which
  every version with hooks has, and gets no opinion in the other.
- Deny is JSON with both messages, since reports differ on which of them the model reads. ``failClosed`` in the settings
  makes a hook that fails block; without it Cursor goes on.
- Allow says ``allow``, which may skip Cursor's own prompt. The shell's event can hand no input back, so a person's
  change is answered with what to run instead.
- Nothing says which call an outcome belongs to; it is recognised by its arguments.

From: https://cursor.com/docs/agent/hooks
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypedDict, cast

from askfirst.call import ToolCall
from askfirst.errors import InputError
from askfirst.host import AfterTool, Agent, Allow, BeforeTool, HookAnswer, HookEvent, NoOpinion, Verdict
from askfirst.unique_names import TwiceNamedError, read_json
from hooks.calls import SHELL, arguments_of, before_tool, mcp_name, shell_call
from hooks.json_setup import JsonSetup, flat
from hooks.wire import MAX_PATH_CHARS, MAX_REASON_CHARS, cut, milliseconds, misplaced_allow, read_object, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hooks.json_setup import Entries
    from hooks.setup import HookLine

JUDGED_ELSEWHERE = frozenset({"Shell", "Bash", "run_terminal_cmd"})
"""What preToolUse calls the shell; MCP tools begin with ``MCP:`` there."""


class Payload(TypedDict, total=False):
    """Standard input of the hook, as far as we use it.

    ``{"hook_event_name": "beforeShellExecution", "conversation_id": "conv-1", "generation_id": "gen-1",
    "workspace_roots": ["/home/u/p"], "model": "gpt-5", "command": "git status", "cwd": "/home/u/p"}``;
    ``beforeMCPExecution`` has ``tool_name`` and ``tool_input`` as a JSON text, and preToolUse as an object.
    """

    hook_event_name: str
    conversation_id: str
    workspace_roots: list[str]
    model: str
    command: str
    cwd: str
    tool_name: str
    tool_input: dict[str, object] | str
    tool_use_id: str
    server: str
    duration: int


class Cursor:
    """The wire shapes of Cursor."""

    name = "cursor"
    environment: tuple[str, ...] = ()

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in ``payload``; None for other events and for what another event judges.

        Raises:
            InputError: it is not what Cursor sends.
        """
        del environ
        data = cast("Payload", read_object(payload))
        event = text(data, "hook_event_name")
        agent = Agent(host=Cursor.name, session=text(data, "conversation_id"), model=text(data, "model", default=""))
        call_id = text(data, "tool_use_id", default="")
        if event in {"beforeShellExecution", "beforeMCPExecution", "preToolUse"}:
            call = _call(event, data)
            return before_tool(agent, call, call_id, can_rewrite=False) if call is not None else None
        if event in {"afterShellExecution", "afterMCPExecution"}:
            call = _call(event, data)
            duration_ms = milliseconds(data.get("duration"))
            return AfterTool(agent=agent, call=call, tool_use_id="", ok=None, duration_ms=duration_ms) if call else None
        return None

    def render(self, event: HookEvent | None, verdict: Verdict) -> HookAnswer:
        """The answer to ``event``, as the module's docstring says."""
        if isinstance(verdict, NoOpinion):
            return HookAnswer()
        if isinstance(verdict, Allow):
            return _answer({"permission": "allow"}) if isinstance(event, BeforeTool) else misplaced_allow()
        reason = cut(verdict.reason, MAX_REASON_CHARS).strip() or "askfirst: this call is blocked"
        return _answer({"permission": "deny", "user_message": reason, "agent_message": reason})


def _answer(output: Mapping[str, object]) -> HookAnswer:
    return HookAnswer(stdout=json.dumps(output).encode("ascii") + b"\n")


def _call(event: str, data: Payload) -> ToolCall | None:
    """The call of an event, None where another event judges it."""
    session, cwd = text(data, "conversation_id"), _cwd(data)
    if event.endswith("ShellExecution"):
        return shell_call({"command": data.get("command")}, cwd=cwd, session=session)
    tool = text(data, "tool_name")
    if event.endswith("MCPExecution"):
        return ToolCall(tool=_mcp(tool, data), arguments=_mcp_arguments(data), cwd=cwd, session=session)
    if tool in JUDGED_ELSEWHERE or tool.startswith("MCP:") or tool == SHELL:
        return None
    return ToolCall(tool=tool, arguments=arguments_of(data, "tool_input"), cwd=cwd, session=session)


def _mcp(tool: str, data: Payload) -> str:
    """``mcp__server__tool`` of ``MCP:server:tool``, or of a bare name and the server beside it."""
    parts = tool.split(":")
    if len(parts) == 3 and parts[0] == "MCP":
        return mcp_name(parts[1], parts[2])
    return mcp_name(text(data, "server", default="") or "unknown", parts[-1])


def _mcp_arguments(data: Payload) -> dict[str, object]:
    arguments = data.get("tool_input")
    if not isinstance(arguments, str):
        return arguments_of(data, "tool_input")
    try:
        found = read_json(arguments)
    except TwiceNamedError as error:
        raise InputError(f"tool_input {error}", field="tool_input") from None
    except (ValueError, RecursionError):
        raise InputError("tool_input is a text that is no JSON", field="tool_input") from None
    return arguments_of({"tool_input": found}, "tool_input")


def _cwd(data: Payload) -> str:
    """The folder of the call; the first of the workspace where the event does not say."""
    cwd = text(data, "cwd", default="", max_chars=MAX_PATH_CHARS)
    roots = data.get("workspace_roots")
    if cwd or not (isinstance(roots, list) and roots):
        return cwd
    return text({"workspace_roots": roots[0]}, "workspace_roots", max_chars=MAX_PATH_CHARS)


def _entries(hook: HookLine) -> Entries:
    """The documentation does not say in which unit the timeout is; ``failClosed`` blocks when it is over."""
    events = ("beforeShellExecution", "beforeMCPExecution", "preToolUse", "afterShellExecution", "afterMCPExecution")
    return flat(events, {"command": hook.line, "timeout": hook.timeout_s, "failClosed": True})


SETUP = JsonSetup(
    name=Cursor.name,
    title="Cursor",
    programs=("cursor-agent", "cursor"),
    paths={
        "user": lambda places: places.home / ".cursor" / "hooks.json",
        "project": lambda places: places.project / ".cursor" / "hooks.json",
    },
    entries=_entries,
    head={"version": 1},
)
