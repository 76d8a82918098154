"""Qwen Code: PreToolUse, PostToolUse and PostToolUseFailure; Stop and Notification for people who want to be told.

Measured with 0.24.4 against a scripted model:

- Deny is exit 2 with the reason on standard error, which reaches the model. An exit 2 that says nothing runs the
  command, and so does a line of text before a JSON answer.
- Allow says so. It cannot hand the approved input back: ``updatedInput`` is documented, and what ran was the old one.
- ``ask`` is a denial in headless runs: it is never sent.
- The model may name another folder by ``directory``; ``cwd`` stays that of the session.

From: https://qwenlm.github.io/qwen-code-docs/en/users/features/hooks/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, TypedDict, cast

from askfirst.call import ToolCall
from askfirst.host import (
    AfterTool,
    Agent,
    Allow,
    BeforeTool,
    HookAnswer,
    HookEvent,
    NoOpinion,
    Notice,
    TurnEnded,
    Verdict,
)
from hooks.calls import SHELL, arguments_of, before_tool, shell_call
from hooks.json_setup import JsonSetup, grouped, noticed
from hooks.setup import BRIEF_S
from hooks.wire import (
    MAX_CLAIM_CHARS,
    MAX_PATH_CHARS,
    cut,
    exit_code,
    milliseconds,
    misplaced_allow,
    read_object,
    refusal,
    text,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hooks.json_setup import Entries
    from hooks.setup import HookLine

SHELL_TOOL = "run_shell_command"
FILE_TOOLS = {"write_file": "Write", "edit": "Edit", "read_file": "Read", "notebook_edit": "NotebookEdit"}
"""Its tools for files, and what they are called behind the adapters."""

NOTICES: dict[str, Literal["prompt", "idle"]] = {"permission_prompt": "prompt", "idle_prompt": "idle"}
"""``notification_type`` by what it is about, as documented."""


class Payload(TypedDict, total=False):
    """Standard input of the hook, as far as we use it.

    ``{"session_id": "3fcb…", "cwd": "/home/u/p", "hook_event_name": "PreToolUse", "permission_mode": "yolo",
    "tool_name": "run_shell_command", "tool_input": {"command": "git status", "is_background": false},
    "tool_use_id": "toolu_1795…"}``
    """

    session_id: str
    cwd: str
    hook_event_name: str
    permission_mode: str
    tool_name: str
    tool_input: dict[str, object]
    tool_use_id: str
    agent_id: str
    error: str
    duration_ms: int
    last_assistant_message: str
    notification_type: str
    message: str


class Qwen:
    """The wire shapes of Qwen Code."""

    name = "qwen"
    environment: tuple[str, ...] = ()

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in ``payload``; None for events other than the five.

        Raises:
            InputError: it is not what Qwen Code sends.
        """
        del environ
        data = cast("Payload", read_object(payload))
        event = text(data, "hook_event_name")
        if event == "PreToolUse":
            return before_tool(_agent(data), _call(data), text(data, "tool_use_id"), can_rewrite=False)
        if event in {"PostToolUse", "PostToolUseFailure"}:
            call, failure = _call(data), _exit_line(data.get("error"))
            return AfterTool(
                agent=_agent(data),
                call=call,
                tool_use_id=text(data, "tool_use_id"),
                ok=event == "PostToolUse",
                detail=failure,
                exit_code=exit_code(failure) if call.tool == SHELL else None,
                duration_ms=milliseconds(data.get("duration_ms")),
            )
        cwd = text(data, "cwd", default="", max_chars=MAX_PATH_CHARS)
        if event == "Stop":
            return TurnEnded(agent=_agent(data), said=words(data.get("last_assistant_message")), cwd=cwd)
        if event == "Notification":
            return Notice(
                agent=_agent(data),
                about=NOTICES.get(text(data, "notification_type", default=""), "other"),
                text=words(data.get("message")),
                cwd=cwd,
            )
        return None

    def render(self, event: HookEvent | None, verdict: Verdict) -> HookAnswer:
        """The answer to ``event``, as the module's docstring says."""
        if isinstance(verdict, NoOpinion):
            return HookAnswer()
        if isinstance(verdict, Allow):
            return _allowed(verdict.reason) if isinstance(event, BeforeTool) else misplaced_allow()
        return refusal(verdict.reason)


def _allowed(reason: str) -> HookAnswer:
    output = {
        "hookEventName": "PreToolUse",
        "permissionDecision": "allow",
        "permissionDecisionReason": reason or "approved by a person",
    }
    return HookAnswer(stdout=json.dumps({"hookSpecificOutput": output}).encode("ascii") + b"\n")


def _exit_line(error: object) -> str:
    """How it ended, from a report of lines ``Command: …`` to ``Exit Code: 3``; the first is the command itself."""
    lines = error.splitlines() if isinstance(error, str) else []
    exits = [line for line in lines if line.startswith("Exit Code: ")]
    return cut((exits or lines or [""])[0], MAX_CLAIM_CHARS)


def _agent(data: Payload) -> Agent:
    return Agent(
        host=Qwen.name,
        session=text(data, "session_id"),
        subagent=text(data, "agent_id", default=""),
        mode=text(data, "permission_mode", default=""),
    )


def _call(data: Payload) -> ToolCall:
    tool, arguments = text(data, "tool_name"), arguments_of(data, "tool_input")
    cwd, session = text(data, "cwd", max_chars=MAX_PATH_CHARS), text(data, "session_id")
    if tool == SHELL_TOOL:
        return shell_call(arguments, cwd=cwd, session=session, folder_field="directory")
    return ToolCall(tool=FILE_TOOLS.get(tool, tool), arguments=arguments, cwd=cwd, session=session)


def _entries(hook: HookLine) -> Entries:
    """From 1000 on a timeout is read as milliseconds, below as seconds; so it is always written in milliseconds."""
    handler = {"type": "command", "name": "askfirst", "command": hook.line, "timeout": hook.timeout_s * 1000}
    notices = noticed(("Stop", "Notification"), hook.notice_line, BRIEF_S * 1000)
    return {**grouped(("PreToolUse", "PostToolUse", "PostToolUseFailure"), handler), **notices}


SETUP = JsonSetup(
    name=Qwen.name,
    title="Qwen Code",
    programs=("qwen",),
    paths={
        "user": lambda places: places.folder("QWEN_HOME", ".qwen") / "settings.json",
        "project": lambda places: places.project / ".qwen" / "settings.json",
        "managed": lambda places: places.root / "etc" / "qwen-code" / "settings.json",
    },
    entries=_entries,
    switches=((("disableAllHooks",), True),),
    firm=((("disableAllHooks",), False),),
)
