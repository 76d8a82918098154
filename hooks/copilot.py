"""GitHub Copilot CLI: preToolUse and postToolUse, in its own camel case form.

Measured with 1.0.102 against a scripted model:

- Deny is JSON with exit 0: on exit 2 the call is blocked as surely, but the model reads only "hook exited with code 2".
  Claude Code's ``hookSpecificOutput`` is ignored here, and the command runs.
- Allow skips Copilot's own prompt, and hands the approved input back as ``modifiedArgs``.
- ``ask`` is a denial in headless runs: it is never sent.
- A hook that exits with another code, or dies, blocks; one that does not end in time, or prints something else, runs
  the command.
- Calls have no ids; an outcome is recognised by its arguments.
- An MCP tool is called ``server-tool``.

From: https://docs.github.com/en/copilot/reference/hooks-configuration
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypedDict, cast

from askfirst.call import ToolCall
from askfirst.host import AfterTool, Agent, Allow, BeforeTool, Deny, HookAnswer, HookEvent, NoOpinion, Verdict
from hooks.calls import SHELL, arguments_of, before_tool, mcp_name, shell_call
from hooks.json_setup import JsonSetup, flat
from hooks.wire import MAX_PATH_CHARS, MAX_REASON_CHARS, cut, misplaced_allow, read_object, refusal, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hooks.json_setup import Entries
    from hooks.setup import HookLine

SHELL_TOOL = "bash"
FILE_TOOLS = {"create": "Write", "edit": "Edit", "view": "Read"}
"""Its tools for files, and what they are called behind the adapters."""
_EXIT = re.compile(r"<shellId: \S+ completed with exit code (\d{1,3})>\s*\Z")


class Payload(TypedDict, total=False):
    """Standard input of the hook, as far as we use it.

    ``{"sessionId": "399e…", "cwd": "/home/u/p", "toolName": "bash",
    "toolArgs": {"command": "git status", "description": "Look"}}``; after the call with
    ``"toolResult": {"resultType": "success", "textResultForLlm": "…"}``
    """

    sessionId: str
    cwd: str
    toolName: str
    toolArgs: dict[str, object]
    toolResult: dict[str, object]


class Copilot:
    """The wire shapes of GitHub Copilot CLI."""

    name = "copilot"
    environment: tuple[str, ...] = ()

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in ``payload``, which does not name itself: only an outcome has a result.

        Raises:
            InputError: it is not what Copilot CLI sends.
        """
        del environ
        data = cast("Payload", read_object(payload))
        agent = Agent(host=Copilot.name, session=text(data, "sessionId"))
        if "toolResult" in data:
            return _after_tool(agent, _call(data), arguments_of(data, "toolResult"))
        return before_tool(agent, _call(data), "", can_rewrite=True)

    def render(self, event: HookEvent | None, verdict: Verdict) -> HookAnswer:
        """The answer to ``event``, as the module's docstring says."""
        if isinstance(verdict, NoOpinion):
            return HookAnswer()
        if isinstance(event, BeforeTool):
            return HookAnswer(stdout=_decision(verdict))
        return refusal(verdict.reason) if isinstance(verdict, Deny) else misplaced_allow()


def _decision(verdict: Verdict) -> bytes:
    output: dict[str, object]
    if isinstance(verdict, Allow):
        output = {"permissionDecision": "allow", "modifiedArgs": dict(verdict.arguments)}
    else:
        output = {"permissionDecision": "deny"}
    reason = "" if isinstance(verdict, NoOpinion) else verdict.reason
    output["permissionDecisionReason"] = cut(reason, MAX_REASON_CHARS) or "askfirst"
    return json.dumps(output).encode("ascii") + b"\n"


def _after_tool(agent: Agent, call: ToolCall, result: Mapping[str, object]) -> AfterTool:
    """How a call went; a command's exit code stands at the end of the text for the model."""
    kind = result.get("resultType")
    ended = _EXIT.search(str(result.get("textResultForLlm", ""))[-200:]) if call.tool == SHELL else None
    code = int(ended[1]) if ended else None
    is_ok = kind == "success" and not code
    detail = "" if is_ok else f"Exit code {code}" if code else cut(str(kind), 200)
    return AfterTool(agent=agent, call=call, tool_use_id="", ok=is_ok, detail=detail, exit_code=code)


def _call(data: Payload) -> ToolCall:
    tool, arguments = text(data, "toolName"), arguments_of(data, "toolArgs")
    cwd, session = text(data, "cwd", max_chars=MAX_PATH_CHARS), text(data, "sessionId")
    if tool == SHELL_TOOL:
        return shell_call(arguments, cwd=cwd, session=session)
    if tool.count("-") == 1:  # with more of them nobody can say where the server's name ends
        tool = mcp_name(*tool.split("-"))
    return ToolCall(tool=FILE_TOOLS.get(tool, tool), arguments=arguments, cwd=cwd, session=session)


def _entries(hook: HookLine) -> Entries:
    """The timeout is in seconds; the default of 30 is shorter than any person."""
    return flat(("preToolUse", "postToolUse"), {"type": "command", "bash": hook.line, "timeoutSec": hook.timeout_s})


SETUP = JsonSetup(
    name=Copilot.name,
    title="GitHub Copilot CLI",
    programs=("copilot",),
    paths={
        "user": lambda places: places.folder("COPILOT_HOME", ".copilot") / "hooks" / "askfirst.json",
        "project": lambda places: places.project / ".github" / "hooks" / "askfirst.json",
    },
    entries=_entries,
    head={"version": 1},
    is_ours_alone=True,
)
"""In headless runs the project's file is read only with COPILOT_ALLOW_ALL=true."""
