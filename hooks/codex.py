"""Codex CLI: PreToolUse and PostToolUse.

Measured with 0.169.0 against a scripted model:

- Deny is exit 2 with the reason on standard error, which reaches the model. Its JSON is refused whole, and the command
  runs, over a single key that it does not know; an exit 2 that says nothing runs the command, too.
- Allow hands the approved input back as ``updatedInput``. ``permissionDecision: allow`` without it is refused; then the
  call goes on as if we had said nothing, to Codex's own approval.
- ``ask`` and ``continue: false`` are "unsupported", and the command runs: they are never sent.
- ``cwd`` is the folder of the call, not of the session: ``workdir`` of ``exec_command`` is in it.
- After a call the output comes without the exit code, so how it ended is not known.
- Nobody asks us before ``write_stdin`` types into a terminal that runs a shell; the setup turns such terminals off.

From: https://developers.openai.com/codex/hooks, and the JSON schemas in the program.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypedDict, cast

from askfirst.call import ToolCall
from askfirst.host import AfterTool, Agent, Allow, BeforeTool, HookAnswer, HookEvent, NoOpinion, Verdict
from hooks.calls import SHELL, arguments_of, before_tool, shell_call
from hooks.wire import MAX_PATH_CHARS, misplaced_allow, read_object, refusal, text

if TYPE_CHECKING:
    from collections.abc import Mapping


class Payload(TypedDict, total=False):
    """Standard input of the hook, as far as we use it.

    ``{"session_id": "01a2…", "turn_id": "01a2…", "cwd": "/home/u/p", "hook_event_name": "PreToolUse", "model": "gpt-5",
    "permission_mode": "default", "tool_name": "Bash", "tool_input": {"command": "git status"},
    "tool_use_id": "call_1"}``
    """

    session_id: str
    cwd: str
    hook_event_name: str
    model: str
    permission_mode: str
    tool_name: str
    tool_input: dict[str, object]
    tool_use_id: str
    agent_id: str


class Codex:
    """The wire shapes of Codex CLI."""

    name = "codex"
    environment: tuple[str, ...] = ()

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in ``payload``; None for events other than the two.

        Raises:
            InputError: it is not what Codex sends.
        """
        del environ
        data = cast("Payload", read_object(payload))
        event = text(data, "hook_event_name")
        if event == "PreToolUse":
            return before_tool(_agent(data), _call(data), text(data, "tool_use_id"), can_rewrite=True)
        if event == "PostToolUse":
            return AfterTool(agent=_agent(data), call=_call(data), tool_use_id=text(data, "tool_use_id"), ok=None)
        return None

    def render(self, event: HookEvent | None, verdict: Verdict) -> HookAnswer:
        """The answer to ``event``, as the module's docstring says."""
        if isinstance(verdict, NoOpinion):
            return HookAnswer()
        if isinstance(verdict, Allow):
            return _allowed(verdict) if isinstance(event, BeforeTool) else misplaced_allow()
        return refusal(verdict.reason)


def _allowed(verdict: Allow) -> HookAnswer:
    output = {
        "hookEventName": "PreToolUse",
        "permissionDecision": "allow",
        "updatedInput": dict(verdict.arguments),
    }
    return HookAnswer(stdout=json.dumps({"hookSpecificOutput": output}).encode("ascii") + b"\n")


def _agent(data: Payload) -> Agent:
    return Agent(
        host=Codex.name,
        session=text(data, "session_id"),
        subagent=text(data, "agent_id", default=""),
        model=text(data, "model", default=""),
        mode=text(data, "permission_mode", default=""),
    )


def _call(data: Payload) -> ToolCall:
    tool, arguments = text(data, "tool_name"), arguments_of(data, "tool_input")
    cwd, session = text(data, "cwd", max_chars=MAX_PATH_CHARS), text(data, "session_id")
    if tool == SHELL:
        return shell_call(arguments, cwd=cwd, session=session)
    return ToolCall(tool=tool, arguments=arguments, cwd=cwd, session=session)
