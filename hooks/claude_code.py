"""Claude Code: PreToolUse, PostToolUse and PostToolUseFailure.

How a verdict is put, and why; measured with 2.1.197, 2.1.330 and 2.1.332 against a scripted model:

- Deny is JSON on standard output with exit 0. Both versions block on it in every permission mode, and the model reads
  the bare reason. Exit 2 blocks as surely, but shows the model the hook's whole command line before the reason.
  The price of JSON is that noise around it, or a missing ``hookEventName``, lets the command run: so standard output is
  written once and whole by the clients, or not at all, and the shape is built here from one table.
- What could not be read is exit 2 with a sentence on standard error and an empty standard output: we do not know which
  event it is, and on 2.1.197 an exit 2 with JSON of the wrong shape lets the command run.
- Allow hands the approved input back as ``updatedInput``. Claude Code lets the last of several hooks rewrite the input,
  so without it another hook's rewrite of an approved command would run instead.
- No opinion is exit 0 and silence.
- ``ask``, ``defer`` and ``continue: false`` are never sent: the first is an immediate denial in headless runs, the
  second runs the command in interactive ones, and with the third the tool still runs.

From: https://code.claude.com/docs/en/hooks
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypedDict, assert_never, cast

from askfirst.call import ToolCall
from askfirst.errors import InputError
from askfirst.host import AfterTool, Agent, Allow, BeforeTool, Deny, HookAnswer, HookEvent, NoOpinion, Verdict
from hooks.wire import (
    MAX_CLAIM_CHARS,
    MAX_PATH_CHARS,
    cut,
    kind,
    milliseconds,
    misplaced_allow,
    read_object,
    refusal,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_REASON_CHARS = 9_000
"""Claude Code cuts a hook's strings at 10,000 characters."""
_EXIT_CODE = re.compile(r"Exit code ([0-9]{1,3})\b", re.ASCII)
SHELL_TOOLS = frozenset({"Bash", "Monitor"})
"""Tools that run ``command`` in a shell. With matcher ``*`` the newer versions call one of them Monitor."""


class Payload(TypedDict, total=False):
    """Standard input of the hook, as far as we use it.

    ``{"session_id": "6f…", "cwd": "/home/u/p", "permission_mode": "default", "hook_event_name": "PreToolUse",
    "tool_name": "Bash", "tool_input": {"command": "git status"}, "tool_use_id": "toolu_01…"}``
    """

    session_id: str
    cwd: str
    permission_mode: str
    hook_event_name: str
    tool_name: str
    tool_input: dict[str, object]
    tool_use_id: str
    agent_id: str
    error: str
    duration_ms: int


class PreToolUseDecision(TypedDict, total=False):
    """``hookSpecificOutput`` of our answer."""

    hookEventName: str
    permissionDecision: str
    permissionDecisionReason: str
    updatedInput: Mapping[str, object]


class ClaudeCode:
    """The wire shapes of Claude Code."""

    name = "claude-code"
    environment: tuple[str, ...] = ("CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SESSION_ATTENDED")

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in ``payload``; None for events other than the three.

        Raises:
            InputError: it is not what Claude Code sends.
        """
        data = cast("Payload", read_object(payload))
        event = text(data, "hook_event_name")
        if event == "PreToolUse":
            return _before_tool(data, environ)
        if event in {"PostToolUse", "PostToolUseFailure"}:
            return _after_tool(data, environ, ok=event == "PostToolUse")
        return None

    def render(self, event: HookEvent | None, verdict: Verdict) -> HookAnswer:
        """The answer to ``event``, as the module's docstring says."""
        if isinstance(verdict, NoOpinion):
            return HookAnswer()
        if isinstance(event, BeforeTool):
            return HookAnswer(stdout=_decision(verdict))
        if isinstance(verdict, Deny):
            return refusal(verdict.reason, MAX_REASON_CHARS)
        return misplaced_allow()


def _decision(verdict: Allow | Deny) -> bytes:
    output: PreToolUseDecision
    match verdict:
        case Allow():
            output = {"permissionDecision": "allow", "updatedInput": verdict.arguments}
        case Deny():
            output = {"permissionDecision": "deny"}
        case _ as never:
            assert_never(never)
    output["hookEventName"] = "PreToolUse"
    output["permissionDecisionReason"] = cut(verdict.reason, MAX_REASON_CHARS) or "askfirst"
    return json.dumps({"hookSpecificOutput": output}, separators=(",", ":")).encode("ascii") + b"\n"


def _before_tool(data: Payload, environ: Mapping[str, str]) -> BeforeTool:
    call = _call(data)
    claim = call.arguments.get("description", "") if call.tool == "Bash" else ""
    return BeforeTool(
        agent=_agent(data, environ),
        call=call,
        tool_use_id=text(data, "tool_use_id"),
        justification=cut(claim, MAX_CLAIM_CHARS) if isinstance(claim, str) else "",
        can_rewrite=True,  # `updatedInput`
    )


def _after_tool(data: Payload, environ: Mapping[str, str], *, ok: bool) -> AfterTool:
    call = _call(data)
    return AfterTool(
        agent=_agent(data, environ),
        call=call,
        tool_use_id=text(data, "tool_use_id"),
        ok=ok,
        detail=_detail(data, call),
        duration_ms=milliseconds(data.get("duration_ms")),
        exit_code=_exit_code(data, call, ok=ok),
    )


def _exit_code(data: Payload, call: ToolCall, *, ok: bool) -> int | None:
    """Of a shell command that has ended; a failure begins with ``Exit code 3``."""
    if call.tool != "Bash" or call.arguments.get("run_in_background") is True:
        return None
    error: object = data.get("error", "")
    found = _EXIT_CODE.match(error) if isinstance(error, str) else None
    return int(found[1]) if found is not None and not ok else 0 if ok else None


def _detail(data: Payload, call: ToolCall) -> str:
    """The first line of a failure; of a background command that it began, since the host reports no end of it."""
    error: object = data.get("error", "")
    if isinstance(error, str) and error:
        return cut(error.partition("\n")[0], MAX_CLAIM_CHARS)
    return "started in the background" if call.arguments.get("run_in_background") is True else ""


def _agent(data: Payload, environ: Mapping[str, str]) -> Agent:
    return Agent(
        host=ClaudeCode.name,
        session=text(data, "session_id"),
        subagent=text(data, "agent_id", default=""),
        mode=text(data, "permission_mode", default=""),
        interactive=_is_interactive(environ),
    )


def _is_interactive(environ: Mapping[str, str]) -> bool:
    attended = environ.get("CLAUDE_CODE_SESSION_ATTENDED")
    if attended is not None:
        return attended == "1"
    return environ.get("CLAUDE_CODE_ENTRYPOINT") == "cli"


def _call(data: Payload) -> ToolCall:
    tool = text(data, "tool_name")
    arguments = data.get("tool_input")
    if not isinstance(arguments, dict):
        raise InputError(f"tool_input is {kind(arguments)}, expected an object", field="tool_input")
    if tool in SHELL_TOOLS:
        tool = "Bash"
        if not isinstance(arguments.get("command"), str):
            raise InputError(
                f"tool_input.command is {kind(arguments.get('command'))}, expected a text", field="command"
            )
    cwd = text(data, "cwd", max_chars=MAX_PATH_CHARS)
    return ToolCall(tool=tool, arguments=arguments, cwd=cwd, session=text(data, "session_id"))
