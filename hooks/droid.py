"""Factory Droid: PreToolUse and PostToolUse; from its documentation, not run.

- Deny is exit 2 with the reason on standard error. Allow says so in JSON and hands the approved input back as
  ``updatedInput``; as long as nobody has seen that run, a person's change is answered with what to run instead.
- Droid takes the first decision of several hooks, not the strictest.
- Calls have no ids in the documented payload; where one comes it is used, else an outcome is recognised by its
  arguments.

From: https://docs.factory.ai/reference/hooks-reference
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypedDict, cast

from askfirst.call import ToolCall
from askfirst.host import AfterTool, Agent, Allow, BeforeTool, HookAnswer, HookEvent, NoOpinion, Verdict
from hooks.calls import arguments_of, before_tool, shell_call
from hooks.json_setup import JsonSetup, grouped
from hooks.wire import MAX_PATH_CHARS, misplaced_allow, read_object, refusal, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hooks.json_setup import Entries
    from hooks.setup import HookLine

SHELL_TOOL = "Execute"
FILE_TOOLS = {"Create": "Write"}


class Payload(TypedDict, total=False):
    """Standard input of the hook, as far as we use it.

    ``{"session_id": "s1", "cwd": "/home/u/p", "permission_mode": "default", "hook_event_name": "PreToolUse",
    "tool_name": "Execute", "tool_input": {"command": "git status"}}``
    """

    session_id: str
    cwd: str
    permission_mode: str
    hook_event_name: str
    tool_name: str
    tool_input: dict[str, object]
    tool_use_id: str


class Droid:
    """The wire shapes of Factory Droid."""

    name = "droid"
    environment: tuple[str, ...] = ()

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in ``payload``; None for events other than the two.

        Raises:
            InputError: it is not what Droid sends.
        """
        del environ
        data = cast("Payload", read_object(payload))
        event = text(data, "hook_event_name")
        if event not in {"PreToolUse", "PostToolUse"}:
            return None
        agent = Agent(host=Droid.name, session=text(data, "session_id"), mode=text(data, "permission_mode", default=""))
        call_id = text(data, "tool_use_id", default="")
        if event == "PostToolUse":
            return AfterTool(agent=agent, call=_call(data), tool_use_id=call_id, ok=None)
        return before_tool(agent, _call(data), call_id, can_rewrite=False)

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
        "permissionDecisionReason": verdict.reason or "approved by a person",
        "updatedInput": dict(verdict.arguments),
    }
    return HookAnswer(stdout=json.dumps({"hookSpecificOutput": output}).encode("ascii") + b"\n")


def _call(data: Payload) -> ToolCall:
    tool, arguments = text(data, "tool_name"), arguments_of(data, "tool_input")
    cwd, session = text(data, "cwd", max_chars=MAX_PATH_CHARS), text(data, "session_id")
    if tool == SHELL_TOOL:
        return shell_call(arguments, cwd=cwd, session=session)
    return ToolCall(tool=FILE_TOOLS.get(tool, tool), arguments=arguments, cwd=cwd, session=session)


def _entries(hook: HookLine) -> Entries:
    """The timeout is in seconds."""
    handler = {"type": "command", "command": hook.line, "timeout": hook.timeout_s}
    return grouped(("PreToolUse", "PostToolUse"), handler)


SETUP = JsonSetup(
    name=Droid.name,
    title="Factory Droid",
    programs=("droid",),
    paths={
        "user": lambda places: places.home / ".factory" / "hooks.json",
        "project": lambda places: places.project / ".factory" / "hooks.json",
    },
    entries=_entries,
)
