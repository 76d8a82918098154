"""Kiro CLI: preToolUse of a custom agent; from its documentation, not run.

- Deny is exit 2 with the reason on standard error; every other code lets the tool run, and the installed line has none.
- Nothing can be handed back: an allow is exit 0, and a person's change is answered with what to run instead.
- Neither sessions nor calls have ids. All calls of one folder count as one session, and an outcome is recognised by
  its arguments.
- Its hooks may be cached (``cache_ttl_seconds``), which would repeat an approval; the setup never sets it.

From: https://kiro.dev/docs/cli/hooks
"""

from __future__ import annotations

import hashlib
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

SHELL_TOOLS = frozenset({"execute_bash", "shell"})
FILE_TOOLS = {"fs_read": "Read", "read": "Read", "fs_write": "Write", "write": "Write"}


class Payload(TypedDict, total=False):
    """Standard input of the hook, as far as we use it.

    ``{"hook_event_name": "preToolUse", "cwd": "/home/u/p", "tool_name": "execute_bash",
    "tool_input": {"command": "git status"}}``; an MCP tool is called ``@server/tool``.
    """

    hook_event_name: str
    cwd: str
    session_id: str
    tool_name: str
    tool_input: dict[str, object]


class Kiro:
    """The wire shapes of Kiro CLI."""

    name = "kiro"
    environment: tuple[str, ...] = ()

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in ``payload``; None for other events.

        Raises:
            InputError: it is not what Kiro CLI sends.
        """
        del environ
        data = cast("Payload", read_object(payload))
        event = text(data, "hook_event_name")
        if event not in {"preToolUse", "postToolUse"}:
            return None
        cwd = text(data, "cwd", max_chars=MAX_PATH_CHARS)
        session = text(data, "session_id", default="") or hashlib.sha256(cwd.encode()).hexdigest()[:16]
        agent, call = Agent(host=Kiro.name, session=session), _call(data, cwd, session)
        if event == "postToolUse":
            return AfterTool(agent=agent, call=call, tool_use_id="", ok=None)
        return before_tool(agent, call, "", can_rewrite=False)

    def render(self, event: HookEvent | None, verdict: Verdict) -> HookAnswer:
        """The answer to ``event``, as the module's docstring says."""
        if isinstance(verdict, NoOpinion):
            return HookAnswer()
        if isinstance(verdict, Allow):
            return HookAnswer() if isinstance(event, BeforeTool) else misplaced_allow()
        return refusal(verdict.reason)


def _call(data: Payload, cwd: str, session: str) -> ToolCall:
    tool, arguments = text(data, "tool_name"), arguments_of(data, "tool_input")
    if tool in SHELL_TOOLS:
        return shell_call(arguments, cwd=cwd, session=session)
    server, separator, name = tool.removeprefix("@").partition("/")
    if tool.startswith("@") and separator:
        tool = mcp_name(server, name)
    return ToolCall(tool=FILE_TOOLS.get(tool, tool), arguments=arguments, cwd=cwd, session=session)


def _entries(hook: HookLine) -> Entries:
    """The timeout is in milliseconds; ``cache_ttl_seconds`` would repeat an approval."""
    handler = {"matcher": "*", "command": hook.line, "timeout_ms": hook.timeout_s * 1000}
    return flat(("preToolUse", "postToolUse"), handler)


SETUP = JsonSetup(
    name=Kiro.name,
    title="Kiro CLI",
    programs=("kiro-cli", "kiro"),
    paths={
        "user": lambda places: places.home / ".kiro" / "agents" / "askfirst.json",
        "project": lambda places: places.project / ".kiro" / "agents" / "askfirst.json",
    },
    entries=_entries,
    head={"name": "askfirst", "description": "An agent whose tools ask first", "tools": ["*"]},
    is_ours_alone=True,
)
"""Kiro has hooks in its agents only: this one is used by ``kiro-cli chat --agent askfirst``."""
