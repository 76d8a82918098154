"""opencode: what our plugin (``opencode-plugin.js``) sends and understands.

opencode has no command hooks. The plugin stands in ``tool.execute.before``, where an exception blocks the call and its
text reaches the model, and in ``tool.execute.after``. It runs the hook's command line with this payload, throws on
every exit code but 0, and lays the arguments of an allow over the model's. So the wire between the two is our own.
Measured with 1.18.33 against a scripted model.

From: https://opencode.ai/docs/plugins/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypedDict, cast

from askfirst.call import ToolCall
from askfirst.host import AfterTool, Agent, Allow, BeforeTool, HookAnswer, HookEvent, NoOpinion, Verdict
from hooks.calls import arguments_of, before_tool, mcp_name, shell_call
from hooks.wire import MAX_PATH_CHARS, misplaced_allow, read_object, refusal, text

if TYPE_CHECKING:
    from collections.abc import Mapping

SHELL_TOOL = "bash"
FILE_TOOLS = {"write": "Write", "edit": "Edit", "read": "Read"}
"""Its tools for files, and what they are called behind the adapters."""


class Payload(TypedDict, total=False):
    """What the plugin sends; ``mcp_server`` names the configured server whose prefix the tool's name has.

    ``{"hook_event_name": "tool.execute.before", "tool_name": "bash", "tool_input": {"command": "git status"},
    "session_id": "ses_1", "tool_use_id": "call_1", "cwd": "/home/u/p", "mcp_server": ""}``; after the call with
    ``exit_code``, a number where there is one.
    """

    hook_event_name: str
    tool_name: str
    tool_input: dict[str, object]
    session_id: str
    tool_use_id: str
    cwd: str
    mcp_server: str
    exit_code: int | None


class OpenCode:
    """The wire shapes of the plugin."""

    name = "opencode"
    environment: tuple[str, ...] = ()

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in ``payload``; None for events other than the two.

        Raises:
            InputError: it is not what the plugin sends.
        """
        del environ
        data = cast("Payload", read_object(payload))
        event = text(data, "hook_event_name")
        agent = Agent(host=OpenCode.name, session=text(data, "session_id"))
        if event == "tool.execute.before":
            return before_tool(agent, _call(data), text(data, "tool_use_id"), can_rewrite=True)
        if event == "tool.execute.after":
            return _after_tool(agent, data)
        return None

    def render(self, event: HookEvent | None, verdict: Verdict) -> HookAnswer:
        """The answer to ``event``: exit 2 and a sentence, or the arguments of an allow, or silence."""
        if isinstance(verdict, NoOpinion):
            return HookAnswer()
        if isinstance(verdict, Allow):
            if not isinstance(event, BeforeTool):
                return misplaced_allow()
            return HookAnswer(stdout=json.dumps({"args": dict(verdict.arguments)}).encode("ascii") + b"\n")
        return refusal(verdict.reason)


def _after_tool(agent: Agent, data: Payload) -> AfterTool:
    code = data.get("exit_code")
    known = type(code) is int
    return AfterTool(
        agent=agent,
        call=_call(data),
        tool_use_id=text(data, "tool_use_id"),
        ok=code == 0 if known else None,
        detail=f"Exit code {code}" if known and code != 0 else "",
        exit_code=code if known else None,
    )


def _call(data: Payload) -> ToolCall:
    tool, arguments = text(data, "tool_name"), arguments_of(data, "tool_input")
    cwd, session = text(data, "cwd", max_chars=MAX_PATH_CHARS), text(data, "session_id")
    server = text(data, "mcp_server", default="")
    if server:
        tool = mcp_name(server, tool.removeprefix(f"{server}_"))
    elif tool == SHELL_TOOL:
        return shell_call(arguments, cwd=cwd, session=session, folder_field="workdir")
    return ToolCall(tool=FILE_TOOLS.get(tool, tool), arguments=arguments, cwd=cwd, session=session)
