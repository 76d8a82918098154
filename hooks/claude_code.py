"""Claude Code: what its hooks send, as events. What it is answered is in ``hooks.claude_answers``.

From: https://code.claude.com/docs/en/hooks
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypedDict, cast

from askfirst.call import SHELLS, ToolCall
from askfirst.errors import InputError
from askfirst.host import (
    AfterTool,
    Agent,
    BeforeTool,
    ConfigChanged,
    HostQuestion,
    Notice,
    PromptShown,
    QuestionsShown,
    SessionStarted,
    TurnEnded,
)
from hooks.claude_answers import answer
from hooks.wire import MAX_CLAIM_CHARS, MAX_PATH_CHARS, cut, kind, milliseconds, read_object, text, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from askfirst.host import HookAnswer, HookEvent, Verdict

STREAMS_ONLY = "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK"
"""Set to 1 it keeps the host from falling back to answers that do not stream, after which ``defer`` of one call among
several is ignored and the call runs."""
MAX_PID_DIGITS = 11
_NOTICES: dict[str, Literal["prompt", "idle"]] = {
    "permission_prompt": "prompt",
    "worker_permission_prompt": "prompt",
    "elicitation_dialog": "prompt",
    "agent_needs_input": "prompt",
    "idle_prompt": "idle",
}
"""``notification_type`` by what it is about. The names stand in the program; the first and the last were recorded."""
_EXIT_CODE = re.compile(r"Exit code ([0-9]{1,3})\b", re.ASCII)


class Payload(TypedDict, total=False):
    """Standard input of the hook, as far as we use it.

    ``{"session_id": "6f…", "cwd": "/home/u/p", "permission_mode": "default", "hook_event_name": "PreToolUse",
    "tool_name": "Bash", "tool_input": {"command": "git status"}, "tool_use_id": "toolu_01…"}``
    """

    session_id: str
    cwd: str
    permission_mode: str
    hook_event_name: str
    tool_name: str
    tool_input: dict[str, object]
    tool_use_id: str
    agent_id: str
    error: str
    duration_ms: int
    message: str
    notification_type: str
    last_assistant_message: str
    file_path: str


class ClaudeCode:
    """The wire shapes of Claude Code."""

    name = "claude-code"
    environment: tuple[str, ...] = (
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_SESSION_ATTENDED",
        "CLAUDE_PID",
        "ASKFIRST_RUN",
        STREAMS_ONLY,
    )

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in ``payload``; None for events that we do not know.

        Raises:
            InputError: it is not what Claude Code sends.
        """
        data = cast("Payload", read_object(payload))
        event = text(data, "hook_event_name")
        read = _EVENTS.get(event)
        return None if read is None else read(data, environ)

    def render(self, event: HookEvent | None, verdict: Verdict) -> HookAnswer:
        """The answer to ``event``, in its shape."""
        return answer(event, verdict)


def _before_tool(data: Payload, environ: Mapping[str, str]) -> BeforeTool:
    call, agent = _call(data), _agent(data, environ)
    claim = call.arguments.get("description", "") if call.tool == "Bash" else ""
    return BeforeTool(
        agent=agent,
        call=call,
        tool_use_id=text(data, "tool_use_id"),
        justification=cut(claim, MAX_CLAIM_CHARS) if isinstance(claim, str) else "",
        can_rewrite=True,  # `updatedInput`
        can_ask_here=_can_ask_here(agent),
        runner_pid=0 if agent.interactive or agent.subagent else _runner_pid(environ),
    )


def _runner_pid(environ: Mapping[str, str]) -> int:
    """The runner's process, where a deferred call cannot run by a fallback that ignores ``defer``."""
    return _pid(environ.get("ASKFIRST_RUN", "")) if environ.get(STREAMS_ONLY) == "1" else 0


def _pid(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < MAX_PID_DIGITS else 0


def _prompt(data: Payload, environ: Mapping[str, str]) -> PromptShown | QuestionsShown:
    """A permission prompt; the agent's own questions come by the same event."""
    agent, call, host_pid = _agent(data, environ), _call(data), _pid(environ.get("CLAUDE_PID", ""))
    if call.tool == "AskUserQuestion":
        return QuestionsShown(agent=agent, call=call, questions=_questions(call.arguments), host_pid=host_pid)
    return PromptShown(agent=agent, call=call, host_pid=host_pid)


def _questions(arguments: Mapping[str, object]) -> tuple[HostQuestion, ...]:
    """``{"questions": [{"question": "Which?", "options": [{"label": "A"}, …], "multiSelect": false}, …]}``."""
    asked = arguments.get("questions")
    if not isinstance(asked, list) or not all(isinstance(each, dict) and _is_question(each) for each in asked):
        raise InputError("tool_input.questions is no list of questions", field="questions")
    return tuple(
        HostQuestion(
            text=cut(each["question"], MAX_CLAIM_CHARS),
            options=tuple(str(option["label"]) for option in each.get("options") or ()),
            several=each.get("multiSelect") is True,
        )
        for each in asked
    )


def _is_question(each: Mapping[str, object]) -> bool:
    options = each.get("options") or []
    return (
        isinstance(each.get("question"), str)
        and isinstance(options, list)
        and all(isinstance(option, dict) and isinstance(option.get("label"), str) for option in options)
    )


def _turn(data: Payload, environ: Mapping[str, str]) -> TurnEnded:
    agent = _agent(data, environ)
    return TurnEnded(
        agent=agent,
        can_wake=agent.interactive,  # by `asyncRewake`; headless, the hook would be waited for
        said=words(data.get("last_assistant_message")),
        cwd=text(data, "cwd", default="", max_chars=MAX_PATH_CHARS),
    )


def _notice(data: Payload, environ: Mapping[str, str]) -> Notice:
    return Notice(
        agent=_agent(data, environ),
        about=_NOTICES.get(text(data, "notification_type", default=""), "other"),
        text=words(data.get("message")),
        cwd=text(data, "cwd", default="", max_chars=MAX_PATH_CHARS),
    )


def _config(data: Payload, environ: Mapping[str, str]) -> ConfigChanged:
    path = text(data, "file_path", default="", max_chars=MAX_PATH_CHARS)
    return ConfigChanged(agent=_agent(data, environ), path=path)


def _after_tool(data: Payload, environ: Mapping[str, str], *, ok: bool) -> AfterTool:
    agent, call = _agent(data, environ), _call(data)
    return AfterTool(
        agent=agent,
        call=call,
        tool_use_id=text(data, "tool_use_id"),
        ok=ok,
        detail=_detail(data, call),
        duration_ms=milliseconds(data.get("duration_ms")),
        exit_code=_exit_code(data, call, ok=ok),
        can_ask_here=_can_ask_here(agent),
    )


def _can_ask_here(agent: Agent) -> bool:
    """Whether somebody sits at this session's prompt; a subagent's calls are held."""
    return agent.interactive and not agent.subagent


def _exit_code(data: Payload, call: ToolCall, *, ok: bool) -> int | None:
    """Of a shell command that has ended; a failure begins with ``Exit code 3``."""
    if call.tool != "Bash" or call.arguments.get("run_in_background") is True:
        return None
    error: object = data.get("error", "")
    found = _EXIT_CODE.match(error) if isinstance(error, str) else None
    return int(found[1]) if found is not None and not ok else 0 if ok else None


def _detail(data: Payload, call: ToolCall) -> str:
    """The first line of a failure; of a background command that it began, since the host reports no end of it."""
    error: object = data.get("error", "")
    if isinstance(error, str) and error:
        return cut(error.partition("\n")[0], MAX_CLAIM_CHARS)
    return "started in the background" if call.arguments.get("run_in_background") is True else ""


def _agent(data: Payload, environ: Mapping[str, str]) -> Agent:
    return Agent(
        host=ClaudeCode.name,
        session=text(data, "session_id"),
        subagent=text(data, "agent_id", default=""),
        mode=text(data, "permission_mode", default=""),
        interactive=_is_interactive(environ),
    )


def _is_interactive(environ: Mapping[str, str]) -> bool:
    attended = environ.get("CLAUDE_CODE_SESSION_ATTENDED")
    if attended is not None:
        return attended == "1"
    return environ.get("CLAUDE_CODE_ENTRYPOINT") == "cli"


def _call(data: Payload) -> ToolCall:
    tool = text(data, "tool_name")
    arguments = data.get("tool_input")
    if not isinstance(arguments, dict):
        raise InputError(f"tool_input is {kind(arguments)}, expected an object", field="tool_input")
    if tool in SHELLS:
        tool = "Bash"
        if not isinstance(arguments.get("command"), str):
            raise InputError(
                f"tool_input.command is {kind(arguments.get('command'))}, expected a text", field="command"
            )
    cwd = text(data, "cwd", max_chars=MAX_PATH_CHARS)
    return ToolCall(tool=tool, arguments=arguments, cwd=cwd, session=text(data, "session_id"))


_EVENTS: dict[str, Callable[[Payload, Mapping[str, str]], HookEvent]] = {
    "PreToolUse": _before_tool,
    "PermissionRequest": _prompt,
    "PostToolUse": lambda data, environ: _after_tool(data, environ, ok=True),
    "PostToolUseFailure": lambda data, environ: _after_tool(data, environ, ok=False),
    "SessionStart": lambda data, environ: SessionStarted(agent=_agent(data, environ)),
    "Stop": _turn,
    "Notification": _notice,
    "ConfigChange": _config,
}
