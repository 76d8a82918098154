"""Windsurf: Cascade's hooks before commands, MCP tools, reads and writes; from its documentation, not run.

- Deny is exit 2 with the reason on standard error. Nothing can be allowed or handed back: an allow is exit 0, and a
  person's change is answered with what to run instead.
- Any other exit code lets the action go on, which the installed line never has.
- Calls have no ids; an outcome is recognised by its arguments.

From: https://docs.windsurf.com/windsurf/cascade/hooks
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, cast

from askfirst.call import ToolCall
from askfirst.host import AfterTool, Agent, Allow, BeforeTool, HookAnswer, HookEvent, NoOpinion, Verdict
from hooks.calls import arguments_of, before_tool, mcp_name, shell_call
from hooks.json_setup import JsonSetup, flat
from hooks.wire import MAX_PATH_CHARS, misplaced_allow, read_object, refusal, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hooks.json_setup import Entries
    from hooks.setup import HookLine

EVENTS = {
    "run_command": "Bash",
    "mcp_tool_use": "",
    "write_code": "Edit",
    "read_code": "Read",
}
"""What comes after ``pre_`` and ``post_`` -> the tool; the MCP tool names itself."""


class Payload(TypedDict, total=False):
    """Standard input of the hook, as far as we use it.

    ``{"agent_action_name": "pre_run_command", "trajectory_id": "t1", "execution_id": "e1",
    "tool_info": {"command_line": "git status", "cwd": "/home/u/p"}}``
    """

    agent_action_name: str
    trajectory_id: str
    tool_info: dict[str, object]


class Windsurf:
    """The wire shapes of Windsurf."""

    name = "windsurf"
    environment: tuple[str, ...] = ()

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in ``payload``; None for events that are about no tool.

        Raises:
            InputError: it is not what Windsurf sends.
        """
        del environ
        data = cast("Payload", read_object(payload))
        when, _, action = text(data, "agent_action_name").partition("_")
        if action not in EVENTS or when not in {"pre", "post"}:
            return None
        session = text(data, "trajectory_id")
        agent, call = (
            Agent(host=Windsurf.name, session=session),
            _call(action, arguments_of(data, "tool_info"), session),
        )
        if when == "post":
            return AfterTool(agent=agent, call=call, tool_use_id="", ok=None)
        return before_tool(agent, call, "", can_rewrite=False)

    def render(self, event: HookEvent | None, verdict: Verdict) -> HookAnswer:
        """The answer to ``event``, as the module's docstring says."""
        if isinstance(verdict, NoOpinion):
            return HookAnswer()
        if isinstance(verdict, Allow):
            return HookAnswer() if isinstance(event, BeforeTool) else misplaced_allow()
        return refusal(verdict.reason)


def _call(action: str, info: Mapping[str, object], session: str) -> ToolCall:
    cwd = text(info, "cwd", default="", max_chars=MAX_PATH_CHARS)
    if action == "run_command":
        return shell_call({"command": info.get("command_line")}, cwd=cwd, session=session)
    if action == "mcp_tool_use":
        tool = mcp_name(text(info, "mcp_server_name"), text(info, "mcp_tool_name"))
        return ToolCall(tool=tool, arguments=arguments_of(info, "mcp_tool_arguments"), cwd=cwd, session=session)
    return ToolCall(tool=EVENTS[action], arguments=info, cwd=cwd, session=session)


def _entries(hook: HookLine) -> Entries:
    events = ("pre_run_command", "pre_mcp_tool_use", "pre_write_code", "pre_read_code", "post_run_command")
    return flat((*events, "post_mcp_tool_use"), {"command": hook.line, "show_output": False})


SETUP = JsonSetup(
    name=Windsurf.name,
    title="Windsurf",
    programs=("windsurf",),
    paths={
        "user": lambda places: places.home / ".codeium" / "windsurf" / "hooks.json",
        "project": lambda places: places.project / ".windsurf" / "hooks.json",
        "managed": lambda places: places.root / "etc" / "windsurf" / "hooks.json",
    },
    entries=_entries,
    timeout_s=60,
)
"""Its own timeout is not documented: after less than a minute the call is refused as pending, and passes later."""
