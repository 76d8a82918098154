"""``POST /v1/actions`` on whatever JSON there is: an answer of ours, and never a looser one than a hook's."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from askfirst.asking import Asking
from askfirst.classify import classify
from askfirst.config import parse_config
from askfirst.errors import InputError
from askfirst.host import BeforeTool
from askfirst.policy.ruling import Outcome
from askfirst.testing.api import FixedAnalyst, api_client
from askfirst.testing.bench import Bench
from askfirst.testing.ladder_policy import ConfiguredPolicy
from hooks.claude_code import ClaudeCode

if TYPE_CHECKING:
    from askfirst.call import ToolCall
    from askfirst.effects import Classification

CWD = "/home/ann/project"
HEADERS = {"content-type": "application/json"}
_STRICTER = ("allow", "ask", "deny")


class RealAnalyst(FixedAnalyst):
    """Analyses, and knows nothing of a disk."""

    async def look(self, call: ToolCall) -> Classification:
        """The real classification."""
        return classify(call)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def search(value: str) -> str:
    """The body of a harmless action with this text of JSON as an argument."""
    return f'{{"action": "search", "context": {{"q": {value}}}}}'


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ('{"action": "Bash", "context": {"command": ["rm", "-rf", "/"]}}', 422, "the command of Bash is a JSON list"),
        ('{"action": "Bash", "context": {"command": 5}}', 422, "the command of Bash is a JSON int"),
        ('{"action": "Bash", "context": {"command": null}}', 422, "the command of Bash is missing"),
        ('{"action": "Bash", "context": {"cmd": "ls"}}', 422, "the command of Bash is missing"),
        ('{"action": "Monitor", "context": {"command": {}}}', 422, "the command of Bash is a JSON dict"),
        ('{"action": "Ba\\u0000sh", "context": {"command": "ls"}}', 422, "action: string should match pattern"),
        ('{"action": "Bash\\ud800", "context": {"command": "ls"}}', 422, "action: input should be a valid string"),
        ('{"action": "search", "context": {"q": "\\ud800"}}', 422, "not canonical JSON"),
        ('{"action": "search", "context": {"\\ud800": 1}}', 422, "not canonical JSON"),
        ('{"action": "search", "context": {"q": NaN}}', 422, "not canonical JSON"),
        ('{"action": "search", "context": {"q": 1e999}}', 422, "not canonical JSON"),
        (search("9" * 400), 422, "not canonical JSON"),
        (search("9" * 5000), 400, "the body has a whole number of more than 4,300 digits, which is not read"),
        (search(nested(400)), 422, "nested deeper than 128"),
        (
            search(nested(100_000)),
            400,
            "the body is nested too deeply to be read: arguments may be nested 128 deep",
        ),
        (b'{"action": "\xff"}', 400, "the body is no text in UTF-8"),
        (
            '{"action": "Bash", "context": {"command": "ls", "command": "rm -rf /srv"}}',
            400,
            "the body names 'command' twice in one object",
        ),
        (search('"' + "x" * (2 << 20) + '"'), 413, "the body is too long: at most 2,097,152 bytes are accepted"),
    ],
)
def test_arguments_that_nobody_can_read_are_refused_in_a_sentence(
    desk_bench: Bench, body: str | bytes, status: int, detail: str
) -> None:
    async def story() -> None:
        async with api_client(desk_bench, analyst=RealAnalyst(), raises=False) as http:
            answer = await http.post(
                "/v1/actions", content=body if isinstance(body, bytes) else body.encode(), headers=HEADERS
            )
        assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (status, detail)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("body", "decision"),
    [
        ('{"action": "shell", "context": {"command": ["rm", 5]}}', "ask"),
        ('{"action": "sh", "context": {"command": "rm -rf /srv"}}', "ask"),
        (search(nested(100)), "ask"),
        ('{"action": "search", "context": {"' + ("k" * 100_000) + '": 1}}', "allow"),
        ('{"action": "search", "context": {"q": "\\u0000"}}', "allow"),
    ],
)
def test_odd_arguments_that_can_be_read_are_ruled_on(desk_bench: Bench, body: str, decision: str) -> None:
    async def story() -> None:
        async with api_client(desk_bench, analyst=RealAnalyst(), raises=False) as http:
            answer = await http.post("/v1/actions", content=body.encode(), headers=HEADERS)
        assert answer.json()["decision"] == decision

    asyncio.run(story())


def test_a_request_about_a_shell_whose_command_is_no_text_is_refused(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            answer = await http.post("/v1/requests", json={"tool": "Bash", "arguments": {"command": ["ls"]}})
        assert answer.status_code == 422

    asyncio.run(story())


TOOLS = st.sampled_from(
    "Bash Monitor bash shell sh Read Write Edit WebFetch PowerShell apply_patch search delete_user "
    "mcp__pg__query mcp__box__run_command local_shell execute_command".split()
)
TEXTS = st.sampled_from(
    ["ls", "rm -rf /srv", "git reset --hard", "DROP TABLE users", "/home/ann/.ssh/id_rsa", "file:///home/ann/.env", "x"]
) | st.text(max_size=8)
KEYS = st.sampled_from("command cmd commands script input file_path url sql path".split()) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


async def by_hook(asking: Asking, tool: str, arguments: dict[str, object]) -> str:
    """What a hook of Claude Code is answered, before any grant."""
    payload = {
        "hook_event_name": "PreToolUse",
        "session_id": "s",
        "cwd": CWD,
        "tool_name": tool,
        "tool_input": arguments,
        "tool_use_id": "toolu_1",
    }
    try:
        event = ClaudeCode().parse(json.dumps(payload).encode(), {})
        assert isinstance(event, BeforeTool)
        outcome = (await asking.look(event.call, event.agent)).ruling.outcome
    except InputError:
        return "deny"
    return "allow" if outcome is Outcome.SHADOW else outcome.value


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(tool=TOOLS, arguments=st.dictionaries(KEYS, VALUES, max_size=4))
def test_an_action_is_never_answered_looser_than_the_hook_of_a_host(
    desk_bench: Bench, tool: str, arguments: dict[str, object]
) -> None:
    policy = ConfiguredPolicy(config=parse_config(b"", source="defaults"))
    asking = Asking(analyst=RealAnalyst(), ruler=policy, clock=desk_bench.clock)
    body = json.dumps({"action": tool, "context": arguments}).encode()

    async def story() -> None:
        async with api_client(desk_bench, analyst=RealAnalyst(), raises=False) as http:
            answer = await http.post(f"/v1/actions?cwd={CWD}&host=claude-code", content=body, headers=HEADERS)
            if "location" in answer.headers:  # or too many would wait
                await http.post(f"{answer.headers['location']}/cancel", json={})
        assert answer.status_code < 500, answer.text
        told = answer.json()["decision"] if answer.status_code == 200 else "deny"
        assert _STRICTER.index(told) >= _STRICTER.index(await by_hook(asking, tool, arguments))

    asyncio.run(story())
