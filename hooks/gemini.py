"""Gemini CLI: BeforeTool and AfterTool; AfterAgent and Notification for people who want to be told.

Measured with 0.61.0 against a scripted model:

- Deny is exit 2 with the reason on standard error, which reaches the model. Gemini reads ``stdout || stderr`` as JSON
  and, if that can be read, forgets the exit code: so a reason that might be JSON is given a word before it. An
  exit 2 that says nothing runs the command.
- Allow hands the approved input back as ``tool_input``, which is laid over the model's.
- ``ask`` hangs in headless runs: it is never sent.
- The model may name another folder by ``dir_path``, below ``cwd`` or absolute.
- Calls have no ids; an outcome is recognised by its arguments.

From: https://geminicli.com/docs/hooks/reference/
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypedDict, cast

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
from hooks.calls import SHELL, arguments_of, before_tool, mcp_name, shell_call
from hooks.json_setup import JsonSetup, grouped, noticed
from hooks.setup import BRIEF_S
from hooks.wire import (
    MAX_CLAIM_CHARS,
    MAX_PATH_CHARS,
    cut,
    exit_code,
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

NAME = "askfirst"
"""What our hook is called in the settings."""
SHELL_TOOL = "run_shell_command"
FILE_TOOLS = {"write_file": "Write", "replace": "Edit", "read_file": "Read"}
"""Its tools for files, and what they are called behind the adapters."""
_IS_PROSE = re.compile(r"(?!(?:true|false|null)\W*\Z)[A-Za-z]", re.ASCII)
"""What no JSON begins like, whatever blanks somebody takes off: JavaScript's are others than Python's."""
_EXIT = re.compile(r"^Exit Code: (?!0$).*$", re.MULTILINE)


class Payload(TypedDict, total=False):
    """Standard input of the hook, as far as we use it.

    ``{"session_id": "5100…", "cwd": "/home/u/p", "hook_event_name": "BeforeTool",
    "tool_name": "run_shell_command", "tool_input": {"command": "git status"}}``
    """

    session_id: str
    cwd: str
    hook_event_name: str
    tool_name: str
    tool_input: dict[str, object]
    mcp_context: dict[str, object]
    tool_response: dict[str, object]
    prompt_response: str
    notification_type: str
    message: str


class Gemini:
    """The wire shapes of Gemini CLI."""

    name = "gemini"
    environment: tuple[str, ...] = ()

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in ``payload``; None for events other than the four.

        Raises:
            InputError: it is not what Gemini CLI sends.
        """
        del environ
        data = cast("Payload", read_object(payload))
        event = text(data, "hook_event_name")
        agent = Agent(host=Gemini.name, session=text(data, "session_id"))
        if event == "BeforeTool":
            return before_tool(agent, _call(data), "", can_rewrite=True)
        if event == "AfterTool":
            call, failure = _call(data), _failure(data.get("tool_response"))
            return AfterTool(
                agent=agent,
                call=call,
                tool_use_id="",
                ok=not failure,
                detail=failure,
                exit_code=exit_code(failure) if call.tool == SHELL else None,
            )
        cwd = text(data, "cwd", default="", max_chars=MAX_PATH_CHARS)
        if event == "AfterAgent":
            return TurnEnded(agent=agent, said=words(data.get("prompt_response")), cwd=cwd)
        if event == "Notification":  # as documented; headless runs have none
            return Notice(
                agent=agent,
                about="prompt" if data.get("notification_type") == "ToolPermission" else "other",
                text=words(data.get("message")),
                cwd=cwd,
            )
        return None

    def render(self, event: HookEvent | None, verdict: Verdict) -> HookAnswer:
        """The answer to ``event``, as the module's docstring says."""
        if isinstance(verdict, NoOpinion):
            return HookAnswer()
        if isinstance(verdict, Allow):
            return _allowed(verdict) if isinstance(event, BeforeTool) else misplaced_allow()
        return refusal(verdict.reason if _IS_PROSE.match(verdict.reason.strip()) else f"Denied: {verdict.reason}")


def _allowed(verdict: Allow) -> HookAnswer:
    output = {"hookEventName": "BeforeTool", "tool_input": dict(verdict.arguments)}
    answer = {"decision": "allow", "hookSpecificOutput": output}
    return HookAnswer(stdout=json.dumps(answer).encode("ascii") + b"\n")


def _failure(response: object) -> str:
    """How a call failed, ``""`` when it did not: ``error``, or the exit code's line in the text for the model."""
    if not isinstance(response, dict):
        return ""
    error, said = response.get("error"), response.get("llmContent")
    if error:
        message = error.get("message") if isinstance(error, dict) else error
        return cut(str(message).partition("\n")[0], MAX_CLAIM_CHARS) or "error"
    # What the command printed comes before the line, and cannot add a later one.
    found = _EXIT.findall(said) if isinstance(said, str) else []
    return cut(found[-1], MAX_CLAIM_CHARS) if found else ""


def _call(data: Payload) -> ToolCall:
    tool, arguments = text(data, "tool_name"), arguments_of(data, "tool_input")
    cwd, session = text(data, "cwd", max_chars=MAX_PATH_CHARS), text(data, "session_id")
    context = data.get("mcp_context")
    if context is not None:
        context = arguments_of(data, "mcp_context")
        tool = mcp_name(text(context, "server_name"), text(context, "tool_name"))
    elif tool == SHELL_TOOL:
        return shell_call(arguments, cwd=cwd, session=session, folder_field="dir_path")
    return ToolCall(tool=FILE_TOOLS.get(tool, tool), arguments=arguments, cwd=cwd, session=session)


def _entries(hook: HookLine) -> Entries:
    """The timeout is in milliseconds."""
    handler = {"type": "command", "name": NAME, "command": hook.line, "timeout": hook.timeout_s * 1000}
    notices = noticed(("AfterAgent", "Notification"), hook.notice_line, BRIEF_S * 1000)
    return {**grouped(("BeforeTool", "AfterTool"), handler), **notices}


SETUP = JsonSetup(
    name=Gemini.name,
    title="Gemini CLI",
    programs=("gemini",),
    paths={
        "user": lambda places: places.folder("GEMINI_CLI_HOME", "") / ".gemini" / "settings.json",
        "project": lambda places: places.project / ".gemini" / "settings.json",
        "managed": lambda places: places.root / "etc" / "gemini-cli" / "settings.json",
    },
    entries=_entries,
    switches=((("hooksConfig", "enabled"), False), (("hooksConfig", "disabled"), NAME)),
    firm=((("hooksConfig", "enabled"), True),),
)
"""Measured: any file may turn a hook off by its name, a managed one too; only the switch for all can be held."""
