"""Goose: PreToolUse of an open plugin; from its source, not run.

- Deny is exit 2 with the reason on standard error. ``on_failure: block`` in the plugin's file makes a hook that fails
  block; any other word there, and a bare ``*`` as matcher, silently disable it.
- Nothing can be handed back: an allow is exit 0, and a person's change is answered with what to run instead.
- No event after the call is used, so an outcome stays unknown.

From: https://github.com/block/goose (crates/goose/src/hooks)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, cast

from askfirst.call import ToolCall
from askfirst.host import Agent, Allow, BeforeTool, HookAnswer, HookEvent, NoOpinion, Verdict
from hooks.calls import arguments_of, before_tool, mcp_name, shell_call
from hooks.json_setup import JsonSetup, grouped
from hooks.wire import MAX_PATH_CHARS, misplaced_allow, read_object, refusal, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hooks.json_setup import Entries
    from hooks.setup import HookLine

SHELL_TOOL = "developer__shell"


class Payload(TypedDict, total=False):
    """Standard input of the hook, as far as we use it.

    ``{"event": "PreToolUse", "session_id": "20261125_1", "tool_name": "developer__shell",
    "tool_input": {"command": "git status"}, "working_dir": "/home/u/p", "tool_call_id": "call_1"}``
    """

    event: str
    session_id: str
    tool_name: str
    tool_input: dict[str, object]
    working_dir: str
    tool_call_id: str


class Goose:
    """The wire shapes of Goose."""

    name = "goose"
    environment: tuple[str, ...] = ()

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in ``payload``; None for other events.

        Raises:
            InputError: it is not what Goose sends.
        """
        del environ
        data = cast("Payload", read_object(payload))
        if text(data, "event") != "PreToolUse":
            return None
        agent = Agent(host=Goose.name, session=text(data, "session_id"))
        return before_tool(agent, _call(data), text(data, "tool_call_id"), can_rewrite=False)

    def render(self, event: HookEvent | None, verdict: Verdict) -> HookAnswer:
        """The answer to ``event``, as the module's docstring says."""
        if isinstance(verdict, NoOpinion):
            return HookAnswer()
        if isinstance(verdict, Allow):
            return HookAnswer() if isinstance(event, BeforeTool) else misplaced_allow()
        return refusal(verdict.reason)


def _call(data: Payload) -> ToolCall:
    tool, arguments = text(data, "tool_name"), arguments_of(data, "tool_input")
    cwd, session = text(data, "working_dir", max_chars=MAX_PATH_CHARS), text(data, "session_id")
    if tool == SHELL_TOOL:
        return shell_call(arguments, cwd=cwd, session=session)
    server, separator, name = tool.partition("__")
    if separator and server != "developer":  # its own tools for files keep their names
        tool = mcp_name(server, name)
    return ToolCall(tool=tool, arguments=arguments, cwd=cwd, session=session)


def _entries(hook: HookLine) -> Entries:
    """``.*`` as matcher: a bare ``*`` is no pattern, and the rule would be skipped."""
    handler = {"type": "command", "command": hook.line, "timeout": hook.timeout_s, "on_failure": "block"}
    return grouped(("PreToolUse",), handler, ".*")


SETUP = JsonSetup(
    name=Goose.name,
    title="Goose",
    programs=("goose",),
    paths={
        "user": lambda places: places.home / ".agents" / "plugins" / "askfirst" / "hooks" / "hooks.json",
        "project": lambda places: places.project / ".agents" / "plugins" / "askfirst" / "hooks" / "hooks.json",
    },
    entries=_entries,
    is_ours_alone=True,
)
