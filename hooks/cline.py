"""Cline: the hooks PreToolUse and PostToolUse, which are programs in a folder.

Measured with CLI 3.0.65 against a scripted model:

- The exit code means nothing. A denial is ``{"cancel": true, "errorMessage": …}``, and it ends the whole run of the
  agent; the message is in Cline's own log, and no answer beside a cancel reaches the model. Whatever fails has to print
  one, too: the line that the setup writes does.
- What does reach the model, an ``overrideInput`` that fails with the reason and its ``context``, is no denial: of
  several hooks the last rewrite runs, so another hook's would let the command run. Nor is ``review``: it ran.
- ``overrideInput`` runs in place of the input.
- One call has a list of commands, each run by a shell of its own; so each is shown as one, by ``bash -c`` where there
  are several, and a ``cd`` of one is not believed by the next.

From: https://docs.cline.bot/features/hooks/hook-reference
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, TypedDict, cast

from askfirst.call import ToolCall
from askfirst.errors import InputError
from askfirst.host import AfterTool, Agent, Allow, BeforeTool, HookAnswer, HookEvent, NoOpinion, Verdict
from hooks.calls import arguments_of, before_tool, shell_call
from hooks.wire import MAX_PATH_CHARS, MAX_REASON_CHARS, cut, kind, milliseconds, read_object, text

if TYPE_CHECKING:
    from collections.abc import Mapping

SHELL_TOOL = "run_commands"
FILE_TOOLS = {"editor": "Edit", "read_files": "Read"}
"""Its tools for files, and what they are called behind the adapters."""


class Payload(TypedDict, total=False):
    """Standard input of the hook, as far as we use it.

    ``{"taskId": "conv_1", "hookName": "tool_call", "workspaceRoots": ["/home/u/p"], "agent_id": "agent_1",
    "parent_agent_id": null, "tool_call": {"id": "call_1", "name": "run_commands", "input": {"commands":
    ["git status"]}}}``; after the call ``tool_result`` stands in place of ``tool_call``, with ``output`` and
    ``durationMs``.
    """

    taskId: str
    hookName: str
    workspaceRoots: list[str]
    workspaceInfo: dict[str, object]
    agent_id: str
    parent_agent_id: str | None
    tool_call: dict[str, object]
    tool_result: dict[str, object]


class Cline:
    """The wire shapes of Cline."""

    name = "cline"
    environment: tuple[str, ...] = ()

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in ``payload``; None for events other than the two.

        Raises:
            InputError: it is not what Cline sends.
        """
        del environ
        data = cast("Payload", read_object(payload))
        event = text(data, "hookName")
        if event == "tool_call":
            found = arguments_of(data, "tool_call")
            return before_tool(_agent(data), _call(data, found), text(found, "id"), can_rewrite=True)
        if event == "tool_result":
            found = arguments_of(data, "tool_result")
            failure = _failure(found.get("output"))
            return AfterTool(
                agent=_agent(data),
                call=_call(data, found),
                tool_use_id=text(found, "id"),
                ok=not failure,
                detail=failure,
                duration_ms=milliseconds(found.get("durationMs")),
            )
        return None

    def render(self, event: HookEvent | None, verdict: Verdict) -> HookAnswer:
        """The answer to ``event``, as the module's docstring says."""
        if isinstance(verdict, NoOpinion):
            return HookAnswer()
        if isinstance(verdict, Allow):
            if not isinstance(event, BeforeTool):
                return _cancel("askfirst: an allow without a tool call to allow; this is a bug of askfirst")
            return _allowed(event.call, verdict)
        return _cancel(verdict.reason)


def _cancel(reason: str) -> HookAnswer:
    said = cut(reason, MAX_REASON_CHARS).strip() or "askfirst: this call is blocked"
    return HookAnswer(stdout=json.dumps({"cancel": True, "errorMessage": said}).encode("ascii") + b"\n")


def _allowed(call: ToolCall, verdict: Allow) -> HookAnswer:
    """Silence for what the agent asked for; a person's change of it goes back as the input."""
    if dict(verdict.arguments) == dict(call.arguments):
        return HookAnswer()
    changed = {key: value for key, value in verdict.arguments.items() if key != "commands"}
    if call.command:
        changed["commands"] = [changed.pop("command")]
    return HookAnswer(stdout=json.dumps({"overrideInput": changed}).encode("ascii") + b"\n")


def _failure(output: object) -> str:
    """How a call failed, ``""`` when it did not: the first of its results that says ``success: false``."""
    for result in output if isinstance(output, list) else [output]:
        if isinstance(result, dict) and result.get("success") is False:
            return cut(str(result.get("error") or "failed").partition("\n")[0], 200)
    return ""


def _agent(data: Payload) -> Agent:
    is_subagent = bool(data.get("parent_agent_id"))
    subagent = text(data, "agent_id") if is_subagent else ""
    return Agent(host=Cline.name, session=text(data, "taskId"), subagent=subagent)


def _call(data: Payload, found: Mapping[str, object]) -> ToolCall:
    tool, arguments = text(found, "name"), arguments_of(found, "input")
    session = text(data, "taskId")
    if tool == SHELL_TOOL:
        return shell_call({"command": _command(arguments.get("commands"))}, cwd=_cwd(data), session=session)
    return ToolCall(tool=FILE_TOOLS.get(tool, tool), arguments=arguments, cwd=_cwd(data), session=session)


def _command(commands: object) -> str:
    """One text for a list of commands that run one after another, each in a shell of its own.

    Raises:
        InputError: it is no list of texts.
    """
    commands = [commands] if isinstance(commands, str) else commands
    if not isinstance(commands, list) or not commands or not all(isinstance(each, str) for each in commands):
        raise InputError(f"commands is {kind(commands)}, expected a list of texts", field="commands")
    return commands[0] if len(commands) == 1 else "\n".join(f"bash -c {shlex.quote(each)}" for each in commands)


def _cwd(data: Payload) -> str:
    """The folder where commands run: the first of the workspace.

    Raises:
        InputError: there is none.
    """
    roots = data.get("workspaceRoots")
    if isinstance(roots, list) and roots:
        return text({"workspaceRoots": roots[0]}, "workspaceRoots", max_chars=MAX_PATH_CHARS)
    return text(arguments_of(data, "workspaceInfo"), "rootPath", max_chars=MAX_PATH_CHARS)
