"""Payloads recorded from Claude Code (paths and session ids are placeholders) and the answers to them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.call import ToolCall
from askfirst.errors import InputError
from askfirst.host import (
    AfterTool,
    Agent,
    Allow,
    Answered,
    AskHere,
    BeforeTool,
    ConfigChanged,
    Defer,
    Deny,
    HookAnswer,
    HookEvent,
    HostQuestion,
    NoOpinion,
    Notice,
    PromptShown,
    QuestionsShown,
    SessionStarted,
    Tell,
    TurnEnded,
    Verdict,
    Wake,
)
from hooks.claude_answers import MAX_REASON_CHARS
from hooks.claude_code import STREAMS_ONLY, ClaudeCode

PAYLOADS = Path(__file__).parent / "payloads"
SESSION = "8bdc4380-f98a-4bb7-8224-62aac915c44d"
CWD = "/home/user/project"
AGENT = Agent(host="claude-code", session=SESSION, mode="default")
TOUCH = {"command": "touch ran1", "description": "Make a file"}
WRITE = {"file_path": f"{CWD}/w.txt", "content": "hi\n"}
MONITOR = {"description": "watch", "timeout_ms": 2000, "command": "echo m"}

QUESTIONS = {
    "questions": [
        {
            "question": "Which?",
            "header": "Pick",
            "options": [{"label": "A", "description": "a"}, {"label": "B", "description": "b"}],
            "multiSelect": False,
        }
    ]
}
CLAUDE = ClaudeCode()


def call(tool: str, arguments: dict[str, object]) -> ToolCall:
    return ToolCall(tool=tool, arguments=arguments, cwd=CWD, session=SESSION)


BASH = BeforeTool(
    agent=AGENT, call=call("Bash", TOUCH), tool_use_id="toolu_0001", justification="Make a file", can_rewrite=True
)
RECORDED = {
    "PreToolUse-Bash": BASH,
    "PreToolUse-Write": BeforeTool(agent=AGENT, call=call("Write", WRITE), tool_use_id="toolu_0005", can_rewrite=True),
    "PreToolUse-Monitor": BeforeTool(
        agent=AGENT, call=call("Bash", MONITOR), tool_use_id="toolu_0007", justification="watch", can_rewrite=True
    ),
    "PostToolUse-Bash": AfterTool(
        agent=AGENT, call=call("Bash", TOUCH), tool_use_id="toolu_0001", ok=True, duration_ms=0, exit_code=0
    ),
    "PostToolUse-Write": AfterTool(
        agent=AGENT, call=call("Write", WRITE), tool_use_id="toolu_0005", ok=True, duration_ms=0
    ),
    "PostToolUse-Monitor": AfterTool(
        agent=AGENT, call=call("Bash", MONITOR), tool_use_id="toolu_0007", ok=True, duration_ms=0, exit_code=0
    ),
    "PermissionRequest-AskUserQuestion": QuestionsShown(
        agent=AGENT,
        call=call("AskUserQuestion", QUESTIONS),
        questions=(HostQuestion(text="Which?", options=("A", "B")),),
    ),
    "SessionStart": SessionStarted(agent=Agent(host="claude-code", session=SESSION)),
    "Stop": TurnEnded(agent=AGENT, said="Turnended.", cwd=CWD),
    "Notification-permission_prompt": Notice(
        agent=Agent(host="claude-code", session=SESSION), about="prompt", text="Claude needs your permission", cwd=CWD
    ),
    "Notification-idle_prompt": Notice(
        agent=Agent(host="claude-code", session=SESSION),
        about="idle",
        text="Claude is waiting for your input",
        cwd=CWD,
    ),
    "PostToolUseFailure-Bash": AfterTool(
        agent=AGENT,
        call=call("Bash", {"command": "exit 3"}),
        tool_use_id="toolu_0004",
        ok=False,
        detail="Exit code 3",
        duration_ms=0,
        exit_code=3,
    ),
}


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("claude-code-*.json")), ids=lambda path: path.stem)
def test_recorded_payloads_are_read(path: Path) -> None:
    _, _, name = path.stem.removeprefix("claude-code-").partition("-")
    payload = json.loads(path.read_bytes())
    payload = payload | ({"duration_ms": 0} if "duration_ms" in payload else {})
    payload = payload | ({"permission_mode": "default"} if "permission_mode" in payload else {})
    assert CLAUDE.parse(json.dumps(payload).encode(), {}) == RECORDED[name]


def bash(**changes: object) -> bytes:
    payload = json.loads((PAYLOADS / "claude-code-2.1.332-PreToolUse-Bash.json").read_bytes())
    return json.dumps(payload | changes).encode()


@pytest.mark.parametrize(
    ("environ", "interactive"),
    [
        ({}, False),
        ({"CLAUDE_CODE_ENTRYPOINT": "cli"}, True),
        ({"CLAUDE_CODE_ENTRYPOINT": "sdk-cli"}, False),
        ({"CLAUDE_CODE_ENTRYPOINT": "cli", "CLAUDE_CODE_SESSION_ATTENDED": "0"}, False),
        ({"CLAUDE_CODE_ENTRYPOINT": "sdk-ts", "CLAUDE_CODE_SESSION_ATTENDED": "1"}, True),
    ],
)
def test_whether_a_person_sits_there(environ: dict[str, str], interactive: bool) -> None:
    event = CLAUDE.parse(bash(), environ)
    assert isinstance(event, BeforeTool)
    assert event.agent.interactive is interactive
    assert set(environ) <= set(CLAUDE.environment)


def test_a_subagent_is_told_from_the_main_thread() -> None:
    event = CLAUDE.parse(bash(agent_id="a1", agent_type="Explore", permission_mode="bypassPermissions"), {})
    assert event is not None
    assert event.agent == Agent(host="claude-code", session=SESSION, subagent="a1", mode="bypassPermissions")


def test_other_tools_keep_their_names_and_arguments() -> None:
    event = CLAUDE.parse(bash(tool_name="mcp__db__drop", tool_input={"description": "x", "n": 1.5}), {})
    assert isinstance(event, BeforeTool)
    assert (event.call.tool, event.call.arguments) == ("mcp__db__drop", {"description": "x", "n": 1.5})
    assert event.justification == ""


def test_other_events_need_no_answer() -> None:
    assert CLAUDE.parse(bash(hook_event_name="PreCompact"), {}) is None


INTERACTIVE = {"CLAUDE_CODE_SESSION_ATTENDED": "1", "CLAUDE_PID": "4711"}
RUNNER = {"CLAUDE_CODE_SESSION_ATTENDED": "0", "ASKFIRST_RUN": "4712", STREAMS_ONLY: "1"}


@pytest.mark.parametrize(
    ("environ", "subagent", "can_ask_here", "runner_pid"),
    [
        (INTERACTIVE, "", True, 0),
        (INTERACTIVE, "a1", False, 0),
        (INTERACTIVE | {"ASKFIRST_RUN": "4712", STREAMS_ONLY: "1"}, "", True, 0),
        (RUNNER, "", False, 4712),
        (RUNNER, "a1", False, 0),
        (RUNNER | {STREAMS_ONLY: "0"}, "", False, 0),
        (RUNNER | {"ASKFIRST_RUN": "-1"}, "", False, 0),
        (RUNNER | {"ASKFIRST_RUN": "\u0664"}, "", False, 0),
        (RUNNER | {"ASKFIRST_RUN": "9" * 400}, "", False, 0),
        ({}, "", False, 0),
    ],
)
def test_how_a_host_can_wait(environ: dict[str, str], subagent: str, can_ask_here: bool, runner_pid: int) -> None:
    """`defer` runs the command in an interactive session, and after an answer that did not stream."""
    event = CLAUDE.parse(bash(agent_id=subagent), environ)
    assert isinstance(event, BeforeTool)
    assert (event.can_ask_here, event.runner_pid) == (can_ask_here, runner_pid)


def test_only_an_interactive_session_can_be_woken() -> None:
    """Headless the host waits for the hook, which would hold up the end of the run."""
    assert CLAUDE.parse(bash(hook_event_name="Stop"), {}) == TurnEnded(agent=AGENT, cwd=CWD)
    agent = replace(AGENT, interactive=True)
    assert CLAUDE.parse(bash(hook_event_name="Stop"), INTERACTIVE) == TurnEnded(agent=agent, can_wake=True, cwd=CWD)


def test_a_prompt_names_the_host_s_process() -> None:
    agent = replace(AGENT, interactive=True)
    assert CLAUDE.parse(bash(hook_event_name="PermissionRequest"), INTERACTIVE) == PromptShown(
        agent=agent, call=BASH.call, host_pid=4711
    )


def test_changed_settings_and_notices_are_read() -> None:
    assert CLAUDE.parse(bash(hook_event_name="ConfigChange", file_path="/p/s.json"), {}) == ConfigChanged(
        agent=AGENT, path="/p/s.json"
    )
    assert CLAUDE.parse(bash(hook_event_name="Notification", message="x" * 9000), {}) == Notice(
        agent=AGENT, about="other", text="x" * 1999 + "…", cwd=CWD
    )
    assert CLAUDE.parse(bash(hook_event_name="Notification", notification_type="new", message=7), {}) == Notice(
        agent=AGENT, about="other", text="", cwd=CWD
    )


@pytest.mark.parametrize("questions", [None, "x", ["x"], [{"question": 1}], [{"question": "q", "options": ["a"]}]])
def test_questions_of_another_shape_are_refused(questions: object) -> None:
    payload = bash(
        hook_event_name="PermissionRequest", tool_name="AskUserQuestion", tool_input={"questions": questions}
    )
    with pytest.raises(InputError, match="questions"):
        CLAUDE.parse(payload, {})


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"", "the hook's payload is not JSON"),
        (b"\xff", "the hook's payload is not JSON"),
        (b"{} {}", "the hook's payload is not JSON"),
        (b"[" * 100_000, "the hook's payload is not JSON"),
        (b'{"duration_ms": NaN}', "the hook's payload is not JSON: NaN is no JSON number"),
        (b'{"duration_ms": ' + b"9" * 5000 + b"}", "the hook's payload is not JSON"),
        (
            bash()[:-1] + b', "tool_input": {"command": "ls"}}',
            "the hook's payload names 'tool_input' twice in one object",
        ),
        (b"[]", "the hook's payload is a JSON list, expected an object"),
        (b"{}", "hook_event_name is missing, expected a text"),
        (bash(hook_event_name=1), "hook_event_name is a JSON int, expected a text"),
        (bash(tool_name=""), "tool_name is empty, expected a text"),
        (bash(tool_name="Ba\nsh"), "tool_name has control characters or more than 512 characters"),
        (bash(tool_name="B" * 513), "tool_name has control characters or more than 512 characters"),
        (bash(tool_use_id=None), "tool_use_id is missing, expected a text"),
        (bash(session_id="\ud800"), "session_id has control characters or more than 512 characters"),
        (bash(cwd="/x\0"), "cwd has control characters or more than 4096 characters"),
        (bash(agent_id=[]), "agent_id is a JSON list, expected a text"),
        (bash(tool_input="rm"), "tool_input is a JSON str, expected an object"),
        (bash(tool_input={}), "tool_input.command is missing, expected a text"),
        (bash(tool_input={"command": ["rm"]}), "tool_input.command is a JSON list, expected a text"),
        (bash(tool_name="Monitor", tool_input={}), "tool_input.command is missing, expected a text"),
    ],
)
def test_what_claude_code_does_not_send_is_refused(payload: bytes, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        CLAUDE.parse(payload, {})
    assert str(caught.value).startswith(sentence)


@given(st.binary() | st.builds(lambda v: json.dumps(v).encode(), st.dictionaries(st.text(), st.integers() | st.text())))
def test_no_payload_breaks_the_parser(payload: bytes) -> None:
    try:
        CLAUDE.parse(payload, {})
    except InputError:
        return


AFTER = RECORDED["PostToolUse-Bash"]
TURN = RECORDED["Stop"]
PROMPT = PromptShown(agent=AGENT, call=BASH.call)
CONFIG = ConfigChanged(agent=AGENT, path="/p/s.json")


def bug(tag: str) -> HookAnswer:
    sentence = f"askfirst: {tag} is no answer to this event; this is a bug of askfirst\n"
    return HookAnswer(exit_code=2, stderr=sentence.encode())


def output(event: str, **members: object) -> HookAnswer:
    text = json.dumps({"hookSpecificOutput": {"hookEventName": event, **members}}, separators=(",", ":"))
    return HookAnswer(stdout=text.encode() + b"\n")


def at_prompt(**decision: object) -> HookAnswer:
    return output("PermissionRequest", decision=decision)


@pytest.mark.parametrize(
    ("event", "verdict", "answer"),
    [
        (BASH, NoOpinion(), HookAnswer()),
        (AFTER, NoOpinion(), HookAnswer()),
        (None, NoOpinion(), HookAnswer()),
        (
            BASH,
            Allow(arguments=TOUCH, reason="approved by Ann"),
            HookAnswer(
                stdout=b'{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"allow",'
                b'"updatedInput":{"command":"touch ran1","description":"Make a file"},'
                b'"permissionDecisionReason":"approved by Ann"}}\n'
            ),
        ),
        (
            BASH,
            Deny(reason="two commits are lost\n\u202e"),
            HookAnswer(
                stdout=b'{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny",'
                b'"permissionDecisionReason":"two commits are lost\\n\\u202e"}}\n'
            ),
        ),
        (None, Deny(reason="unreadable"), HookAnswer(exit_code=2, stderr=b"unreadable\n")),
        (None, Deny(reason=""), HookAnswer(exit_code=2, stderr=b"askfirst: this call is blocked\n")),
        (AFTER, Deny(reason="another command ran"), HookAnswer(exit_code=2, stderr=b"another command ran\n")),
        (None, Allow(arguments={}), bug("allow")),
        (BASH, Tell(reason="x"), bug("tell")),
        (BASH, Wake(reason="x"), bug("wake")),
        (PROMPT, Defer(), bug("defer")),
        (TURN, Defer(), bug("defer")),
        (BASH, AskHere(reason="loss"), output("PreToolUse", permissionDecision="ask", permissionDecisionReason="loss")),
        (BASH, Defer(), output("PreToolUse", permissionDecision="defer")),
        (PROMPT, Allow(arguments=TOUCH), at_prompt(behavior="allow")),
        (PROMPT, Deny(reason="no"), at_prompt(behavior="deny", message="no")),
        (PROMPT, NoOpinion(), HookAnswer()),
        (
            RECORDED["PermissionRequest-AskUserQuestion"],
            Answered(answers={"Which?": "B"}),
            at_prompt(behavior="allow", updatedInput={**QUESTIONS, "answers": {"Which?": "B"}}),
        ),
        (RECORDED["SessionStart"], Tell(reason="gated"), output("SessionStart", additionalContext="gated")),
        (TURN, Wake(reason="request 4 is approved"), HookAnswer(exit_code=3, stderr=b"request 4 is approved\n")),
        (TURN, NoOpinion(), HookAnswer()),
        (CONFIG, Deny(reason="the gate is gone"), HookAnswer(exit_code=2, stderr=b"the gate is gone\n")),
    ],
)
def test_answers_are_put_as_both_versions_understand_them(
    event: HookEvent | None, verdict: Verdict, answer: HookAnswer
) -> None:
    assert CLAUDE.render(event, verdict) == answer


def test_a_background_command_has_only_begun() -> None:
    payload = json.loads((next(PAYLOADS.glob("claude-code-*-PostToolUse-Bash.json"))).read_bytes())
    payload["tool_input"]["run_in_background"] = True
    event = CLAUDE.parse(json.dumps(payload).encode(), {})
    assert isinstance(event, AfterTool)
    assert event.detail == "started in the background"


@given(st.text())
def test_a_deny_always_blocks(reason: str) -> None:
    output = json.loads(CLAUDE.render(BASH, Deny(reason=reason)).stdout)["hookSpecificOutput"]
    assert (output["hookEventName"], output["permissionDecision"]) == ("PreToolUse", "deny")
    assert output["permissionDecisionReason"]
    refusal = CLAUDE.render(None, Deny(reason=reason))
    assert (refusal.exit_code, refusal.stdout) == (2, b"")
    assert refusal.stderr.strip()


def test_a_long_reason_stays_below_the_host_s_limit() -> None:
    output = json.loads(CLAUDE.render(BASH, Deny(reason="x" * 20_000)).stdout)["hookSpecificOutput"]
    assert len(output["permissionDecisionReason"]) == MAX_REASON_CHARS


def test_what_is_allowed_comes_back_unchanged() -> None:
    arguments = {"command": "echo " + "x" * 20_000 + "\u2028\U0001f600", "timeout": 1e21}
    output = json.loads(CLAUDE.render(BASH, Allow(arguments=arguments)).stdout)["hookSpecificOutput"]
    assert output["updatedInput"] == arguments
