"""All adapters: recorded payloads are read, hostile ones refused, and every answer is one that its host obeys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from askfirst.call import ToolCall
from askfirst.errors import InputError
from askfirst.host import AfterTool, Agent, Allow, BeforeTool, Deny, HookAnswer, NoOpinion, Notice, TurnEnded
from hooks.registry import HOSTS
from hooks.support import TABLE

BLANKS = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
"""What JavaScript's ``trim`` takes off. From: https://tc39.es/ecma262/#sec-white-space."""
PAYLOADS = Path(__file__).parent / "payloads"
CWD = "/home/user/project"
RESET = "git reset --hard HEAD~1"
OTHERS = sorted(set(HOSTS) - {"claude-code"})
DOCUMENTED: dict[str, dict[str, Any]] = {
    "cursor": {
        "hook_event_name": "beforeShellExecution",
        "conversation_id": "conv-1",
        "generation_id": "gen-1",
        "workspace_roots": [CWD],
        "model": "gpt-5",
        "command": RESET,
        "cwd": CWD,
    },
    "goose": {
        "event": "PreToolUse",
        "session_id": "s1",
        "tool_name": "developer__shell",
        "tool_input": {"command": RESET},
        "working_dir": CWD,
        "tool_call_id": "call_1",
    },
    "kiro": {
        "hook_event_name": "preToolUse",
        "cwd": CWD,
        "tool_name": "execute_bash",
        "tool_input": {"command": RESET},
    },
    "windsurf": {
        "agent_action_name": "pre_run_command",
        "trajectory_id": "t1",
        "execution_id": "e1",
        "tool_info": {"command_line": RESET, "cwd": CWD},
    },
    "droid": {
        "session_id": "s1",
        "cwd": CWD,
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": "Execute",
        "tool_input": {"command": RESET},
    },
}
"""Payloads of the hosts that were not run, as their documentation has them."""
RECORDED = {
    "cline": "cline-3.0.65-tool_call-run_commands",
    "codex": "codex-0.169.0-PreToolUse-Bash",
    "copilot": "copilot-1.0.102-preToolUse-bash",
    "gemini": "gemini-0.61.0-BeforeTool-run_shell_command",
    "opencode": "opencode-1.18.33-tool.execute.before-bash",
    "qwen": "qwen-0.24.4-PreToolUse-run_shell_command",
}


def recorded(name: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_bytes())
    return payload


def shell_payload(host: str) -> dict[str, Any]:
    return DOCUMENTED[host] if host in DOCUMENTED else recorded(RECORDED[host])


def parsed(host: str, payload: object) -> BeforeTool | AfterTool | None:
    return HOSTS[host].parse(json.dumps(payload).encode(), {})


def before(host: str, payload: object) -> BeforeTool:
    event = parsed(host, payload)
    assert isinstance(event, BeforeTool)
    return event


def after(host: str, payload: object) -> AfterTool:
    event = parsed(host, payload)
    assert isinstance(event, AfterTool)
    return event


@pytest.mark.parametrize("host", OTHERS)
def test_every_shell_is_bash_with_the_command_and_the_folder(host: str) -> None:
    event = before(host, shell_payload(host))
    assert event.agent.host == host
    assert event.agent.session
    assert (event.call.tool, event.call.cwd, event.call.session) == ("Bash", CWD, event.agent.session)
    assert event.call.command.endswith(RESET) or shlexed(RESET) in event.call.command


def shlexed(command: str) -> str:
    return f"bash -c '{command}'"


@pytest.mark.parametrize(
    ("name", "tool", "call_id"),
    [
        ("codex-0.169.0-PreToolUse-mcp", "mcp__gate__request_approval", "call_1_7d103f"),
        ("gemini-0.61.0-BeforeTool-mcp", "mcp__gate__client_info", ""),
        ("gemini-0.61.0-BeforeTool-write_file", "Write", ""),
        ("copilot-1.0.102-preToolUse-mcp", "mcp__gate__client_info", ""),
        ("copilot-1.0.102-preToolUse-create", "Write", ""),
        ("qwen-0.24.4-PreToolUse-write_file", "Write", "toolu_1795"),
        ("cline-3.0.65-tool_call-editor", "Edit", "call_2"),
    ],
)
def test_other_tools_have_one_name_for_all_hosts(name: str, tool: str, call_id: str) -> None:
    event = before(name.partition("-")[0], recorded(name))
    assert event.call.tool == tool
    assert event.tool_use_id.startswith(call_id)


@pytest.mark.parametrize(
    ("name", "ok", "code", "detail"),
    [
        ("codex-0.169.0-PostToolUse-Bash", None, None, ""),
        ("codex-0.169.0-PostToolUse-Bash-failed", None, None, ""),
        ("gemini-0.61.0-AfterTool-run_shell_command", True, 0, ""),
        ("gemini-0.61.0-AfterTool-run_shell_command-failed", False, 3, "Exit Code: 3"),
        ("gemini-0.61.0-AfterTool-write_file", True, None, ""),
        ("qwen-0.24.4-PostToolUse-run_shell_command", True, 0, ""),
        ("qwen-0.24.4-PostToolUseFailure-run_shell_command-failed", False, 3, "Exit Code: 3"),
        ("copilot-1.0.102-postToolUse-bash", True, 0, ""),
        ("copilot-1.0.102-postToolUse-bash-failed", False, 3, "Exit code 3"),
        ("copilot-1.0.102-postToolUse-create", True, None, ""),
        ("cline-3.0.65-tool_result-run_commands", True, None, ""),
        ("cline-3.0.65-tool_result-run_commands-failed", False, None, "Command exited with code 3"),
        ("cline-3.0.65-tool_result-editor", True, None, ""),
    ],
)
def test_outcomes_say_what_the_host_says_and_no_more(name: str, ok: bool | None, code: int | None, detail: str) -> None:
    event = after(name.partition("-")[0], recorded(name))
    assert (event.ok, event.exit_code, event.detail) == (ok, code, detail)


SAID = "All done.\nShall I push?"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("qwen-0.24.4-Stop", ("stop", SAID)),
        ("qwen-0.24.4-Notification-auth_success", ("other", "Successfully authenticated with openai")),
        ("gemini-0.61.0-AfterAgent", ("stop", f"n\n{SAID}")),
    ],
)
def test_what_hosts_only_tell_is_read(name: str, expected: tuple[str, str]) -> None:
    host = name.partition("-")[0]
    event = HOSTS[host].parse(json.dumps(recorded(name)).encode(), {})
    assert isinstance(event, TurnEnded | Notice)
    found = ("stop", event.said) if isinstance(event, TurnEnded) else (event.about, event.text)
    assert (*found, event.cwd, event.agent.host) == (*expected, CWD, host)
    assert HOSTS[host].render(event, NoOpinion()) == HookAnswer()


@pytest.mark.parametrize(
    ("host", "kind", "about"),
    [
        ("gemini", "ToolPermission", "prompt"),
        ("gemini", "Other", "other"),
        ("qwen", "permission_prompt", "prompt"),
        ("qwen", "idle_prompt", "idle"),
    ],
)
def test_documented_notifications_say_what_they_are_about(host: str, kind: str, about: str) -> None:
    payload = {"hook_event_name": "Notification", "session_id": "s", "notification_type": kind, "message": "m"}
    event = HOSTS[host].parse(json.dumps(payload).encode(), {})
    assert isinstance(event, Notice)
    assert (event.agent, event.about, event.text) == (Agent(host=host, session="s"), about, "m")


@pytest.mark.parametrize(
    ("host", "field", "folder", "cwd"),
    [
        ("gemini", "dir_path", "sub", f"{CWD}/sub"),
        ("gemini", "dir_path", "/srv", "/srv"),
        ("qwen", "directory", "/srv", "/srv"),
        ("opencode", "workdir", "../other", f"{CWD}/../other"),
    ],
)
def test_a_folder_that_the_model_names_is_where_the_command_runs(host: str, field: str, folder: str, cwd: str) -> None:
    payload = shell_payload(host)
    payload["tool_input"][field] = folder
    assert before(host, payload).call.cwd == cwd
    payload["tool_input"][field] = ["/srv"]
    with pytest.raises(InputError, match=f"{field} is a JSON list"):
        parsed(host, payload)


def test_cline_s_commands_are_shells_of_their_own() -> None:
    payload = recorded("cline-3.0.65-tool_call-run_commands")
    assert before("cline", payload).call.command == "bash -c 'git reset --hard HEAD~1'\nbash -c 'echo b'"
    payload["tool_call"]["input"]["commands"] = ["cd 'x y'"]
    assert before("cline", payload).call.command == "cd 'x y'"


def test_in_cursor_each_call_is_judged_in_one_event_only() -> None:
    base = DOCUMENTED["cursor"]
    generic = {**base, "hook_event_name": "preToolUse", "tool_name": "Shell", "tool_input": {"command": "x"}}
    mcp = {**base, "hook_event_name": "beforeMCPExecution", "tool_name": "MCP:db:drop", "tool_input": '{"table": "t"}'}
    write = {**generic, "tool_name": "Write", "tool_input": {"file_path": "/x", "content": "y"}}
    assert parsed("cursor", generic) is None
    assert parsed("cursor", {**generic, "tool_name": "MCP:db:drop"}) is None
    call = before("cursor", mcp).call
    assert (call.tool, call.arguments) == ("mcp__db__drop", {"table": "t"})
    assert before("cursor", write).call.tool == "Write"
    with pytest.raises(InputError, match="no JSON"):
        parsed("cursor", {**mcp, "tool_input": "{"})
    with pytest.raises(InputError, match="tool_input names 'table' twice"):
        parsed("cursor", {**mcp, "tool_input": '{"table": "t", "table": "u"}'})


@pytest.mark.parametrize(
    ("host", "payload", "tool"),
    [
        ("goose", {**DOCUMENTED["goose"], "tool_name": "db__drop"}, "mcp__db__drop"),
        ("goose", {**DOCUMENTED["goose"], "tool_name": "developer__text_editor"}, "developer__text_editor"),
        ("kiro", {**DOCUMENTED["kiro"], "tool_name": "@db/drop"}, "mcp__db__drop"),
        ("kiro", {**DOCUMENTED["kiro"], "tool_name": "fs_write"}, "Write"),
        ("droid", {**DOCUMENTED["droid"], "tool_name": "Create"}, "Write"),
        (
            "windsurf",
            {
                **DOCUMENTED["windsurf"],
                "agent_action_name": "pre_mcp_tool_use",
                "tool_info": {"mcp_server_name": "db", "mcp_tool_name": "drop", "mcp_tool_arguments": {}},
            },
            "mcp__db__drop",
        ),
        (
            "windsurf",
            {
                **DOCUMENTED["windsurf"],
                "agent_action_name": "pre_write_code",
                "tool_info": {"file_path": "/x", "edits": []},
            },
            "Edit",
        ),
        (
            "opencode",
            {**recorded(RECORDED["opencode"]), "tool_name": "my_db_drop", "mcp_server": "my_db"},
            "mcp__my_db__drop",
        ),
    ],
)
def test_names_of_documented_tools(host: str, payload: object, tool: str) -> None:
    assert before(host, payload).call.tool == tool


EVENT_FIELDS = ("hook_event_name", "event", "agent_action_name", "hookName")


@pytest.mark.parametrize("host", sorted(set(OTHERS) - {"copilot"}))
def test_other_events_need_no_answer(host: str) -> None:
    payload = shell_payload(host)
    [field] = [each for each in EVENT_FIELDS if each in payload]
    assert parsed(host, {**payload, field: "SomethingElse"}) is None


@pytest.mark.parametrize("host", OTHERS)
def test_whatever_is_missing_or_of_another_shape_is_refused_or_ignored_never_guessed(host: str) -> None:
    payload = shell_payload(host)
    good = before(host, payload)
    for field in payload:
        for bad in (None, 7, [], {}, "", "a\0b", "x" * 5000):
            try:
                event = parsed(host, {**payload, field: bad})
            except InputError:
                continue
            if isinstance(event, BeforeTool):
                assert event.call.command == good.call.command or (field, event.call.command) == ("command", bad)


@pytest.mark.parametrize("host", OTHERS)
@given(
    payload=st.binary()
    | st.builds(lambda v: json.dumps(v).encode(), st.dictionaries(st.sampled_from(EVENT_FIELDS), st.text() | st.none()))
)
def test_no_payload_breaks_a_parser(host: str, payload: bytes) -> None:
    try:
        HOSTS[host].parse(payload, {})
    except InputError:
        return


BASH = BeforeTool(
    agent=Agent(host="x", session="s"),
    call=ToolCall(tool="Bash", arguments={"command": RESET, "description": "d"}, cwd=CWD, session="s"),
    tool_use_id="t",
)
CHANGED = {"command": "git stash"}


def json_of(answer: HookAnswer) -> dict[str, Any]:
    assert (answer.exit_code, answer.stderr) == (0, b"")
    assert answer.stdout.isascii()
    output: dict[str, Any] = json.loads(answer.stdout)
    return output


def is_json(text: bytes) -> bool:
    """Whether a host, which is JavaScript, reads it as JSON: unlike Python it takes no ``NaN`` for a number."""
    try:
        json.loads(text, parse_constant=int)
    except ValueError:
        return False
    return True


BLOCKED = HookAnswer(exit_code=2, stderr=b"no\n")
BY_EXIT = sorted({"codex", "gemini", "qwen", "opencode", "goose", "kiro", "windsurf", "droid"})
DENIALS: dict[str, dict[str, Any]] = {
    "copilot": {"permissionDecision": "deny", "permissionDecisionReason": "no"},
    "cline": {"cancel": True, "errorMessage": "no"},
    "cursor": {"permission": "deny", "user_message": "no", "agent_message": "no"},
}
HANDED_BACK: dict[str, dict[str, Any]] = {
    "codex": {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "allow",
            "updatedInput": CHANGED,
        }
    },
    "gemini": {"decision": "allow", "hookSpecificOutput": {"hookEventName": "BeforeTool", "tool_input": CHANGED}},
    "qwen": {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "allow",
            "permissionDecisionReason": "fine",
        }
    },
    "copilot": {"permissionDecision": "allow", "permissionDecisionReason": "fine", "modifiedArgs": CHANGED},
    "cline": {"overrideInput": {"commands": ["git stash"]}},
    "opencode": {"args": CHANGED},
    "cursor": {"permission": "allow"},
}
HANDED_BACK["droid"] = {"hookSpecificOutput": HANDED_BACK["qwen"]["hookSpecificOutput"] | {"updatedInput": CHANGED}}


def test_denials_are_put_as_each_host_understands_them() -> None:
    assert {host: HOSTS[host].render(BASH, Deny(reason="no")) for host in BY_EXIT} == dict.fromkeys(BY_EXIT, BLOCKED)
    assert {host: json_of(HOSTS[host].render(BASH, Deny(reason="no"))) for host in DENIALS} == DENIALS
    assert {*BY_EXIT, *DENIALS} == set(OTHERS)


def test_an_allow_hands_back_what_was_approved_where_the_host_takes_it() -> None:
    allow = Allow(arguments=CHANGED, reason="fine")
    assert {host: json_of(HOSTS[host].render(BASH, allow)) for host in HANDED_BACK} == HANDED_BACK
    for host in set(OTHERS) - set(HANDED_BACK):
        assert HOSTS[host].render(BASH, allow) == HookAnswer()


@pytest.mark.parametrize("host", OTHERS)
def test_only_hosts_that_take_other_arguments_say_so(host: str) -> None:
    seen = {"codex", "gemini", "opencode", "copilot", "cline"}  # tests/e2e/test_hosts.py
    assert before(host, shell_payload(host)).can_rewrite is (host in seen)
    assert {row.name: row.hands_back for row in TABLE}[host] is (host in seen)


@pytest.mark.parametrize("host", OTHERS)
def test_no_opinion_is_silence(host: str) -> None:
    for event in (BASH, None):
        assert HOSTS[host].render(event, NoOpinion()) == HookAnswer()


@pytest.mark.parametrize("host", OTHERS)
@given(reason=st.text() | st.sampled_from(['{"decision":"allow"}', "7", "0\x1f", "\ufeff7", "true\xa0", " null "]))
@example(reason="0\x1f")
@example(reason="\ufeff7")
@example(reason="NaN")
def test_a_deny_always_blocks_whatever_its_reason(host: str, reason: str) -> None:
    for event in (BASH, None):
        answer = HOSTS[host].render(event, Deny(reason=reason))
        if answer.exit_code == 2:
            assert answer.stdout == b""
            assert answer.stderr.strip()
            assert host != "gemini" or not is_json(answer.stderr.decode().strip(BLANKS).encode())
        else:
            denied = json_of(answer)
            assert denied.get("cancel") is True or "deny" in denied.values()


@pytest.mark.parametrize("host", OTHERS)
def test_an_allow_that_is_about_no_call_blocks(host: str) -> None:
    answer = HOSTS[host].render(None, Allow(arguments={}))
    assert answer.exit_code == 2 or json_of(answer)["cancel"] is True


def test_cline_keeps_silent_about_what_was_asked_for() -> None:
    assert HOSTS["cline"].render(BASH, Allow(arguments=BASH.call.arguments)) == HookAnswer()


def test_a_long_reason_is_cut() -> None:
    for host in OTHERS:
        answer = HOSTS[host].render(BASH, Deny(reason="x" * 20_000))
        assert len(answer.stdout) + len(answer.stderr) < 20_000


def test_the_registry_knows_every_adapter_by_its_name() -> None:
    assert {name: adapter.name for name, adapter in HOSTS.items()} == {name: name for name in HOSTS}
    assert len(HOSTS) == 12
