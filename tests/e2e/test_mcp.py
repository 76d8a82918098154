"""MCP against a real broker: the SDK's client in both eras, and the released Claude Code."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from askfirst.demo import scratch_repository
from askfirst.demo.claude_client import Session, SessionEnd, run
from askfirst.demo.hook_protocol import HookCommand, settings
from askfirst.demo.script import Call, Say, bash
from askfirst.demo.scripted_model import ScriptedModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
ERAS = ["legacy", "2026-07-28"]
RESET = "git reset --hard HEAD~2 && echo run >> ../runs"
ASK = {"action": "drop two commits", "command": RESET, "reason": "they were a mistake"}


@asynccontextmanager
async def stdio(broker: Any, era: str) -> AsyncIterator[Client]:
    command, *arguments = broker.command("mcp")
    parameters = StdioServerParameters(command=command, args=arguments, env=broker.environ)
    async with Client(parameters, mode=era) as client:
        yield client


@asynccontextmanager
async def http(broker: Any, era: str) -> AsyncIterator[Client]:
    url = json.loads(broker.paths.info.read_bytes())["web"]
    token = broker.paths.api_token.read_text(encoding="ascii").strip()
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=130) as session,
        Client(streamable_http_client(f"{url}/mcp", http_client=session), mode=era) as client,
    ):
        yield client


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("connect", [stdio, http])
def test_an_approval_and_a_denial_come_back_over_both_transports_in_both_eras(
    broker: Any, person: Any, connect: Callable[..., Any], era: str
) -> None:
    broker.start()
    verdicts = iter(["approve", "deny"])

    async def story() -> None:
        async with connect(broker, era) as client:
            listed = await client.list_tools()
            assert [each.name for each in listed.tools][:2] == ["request_approval", "ask_human"]
            assert all(each.annotations and each.annotations.read_only_hint for each in listed.tools)
            for action, status in (("deploy", "approved"), ("drop", "denied")):
                call = asyncio.create_task(
                    client.call_tool("request_approval", {"action": action, "reason": "because"})
                )
                await asyncio.to_thread(lambda: person.decide(broker.pending(), next(verdicts), "as you like"))
                result = await call
                assert result.is_error is False
                assert result.structured_content is not None
                assert (result.structured_content["status"], result.structured_content["comment"]) == (
                    status,
                    "as you like",
                )
            wrong = await client.call_tool("request_approval", {"action": "x"})
            assert wrong.is_error is True

    asyncio.run(asyncio.wait_for(story(), 60))


def test_http_needs_the_token_and_the_right_host(broker: Any) -> None:
    broker.start()
    url = json.loads(broker.paths.info.read_bytes())["web"] + "/mcp"
    token = broker.paths.api_token.read_text(encoding="ascii").strip()
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"Accept": "application/json, text/event-stream", "Authorization": f"Bearer {token}"}
    refused = httpx2.post(url, json=body)
    assert (refused.status_code, refused.headers["www-authenticate"][:6]) == (401, "Bearer")
    assert httpx2.post(url, json=body, headers=accept | {"Host": "evil.example"}).status_code == 421
    assert httpx2.post(url, json=body, headers=accept | {"Origin": "http://evil.example"}).status_code == 403


def test_the_stdio_server_starts_a_broker_when_none_runs(broker: Any) -> None:
    async def story() -> None:
        async with stdio(broker, "legacy") as client:
            found = await client.call_tool("request_approval", {"action": "x", "reason": "y", "wait": False})
            assert found.structured_content is not None
            assert found.structured_content["status"] == "pending"

    asyncio.run(asyncio.wait_for(story(), 60))
    assert broker.pending()["tool"] == "x"


def test_a_killed_broker_loses_no_waiting_call(broker: Any, person: Any) -> None:
    broker.start()

    async def story() -> None:
        async with stdio(broker, "legacy") as client:
            call = asyncio.create_task(client.call_tool("request_approval", {"action": "x", "reason": "y"}))
            first = await asyncio.to_thread(broker.pending)
            broker.kill()
            second = await asyncio.to_thread(broker.pending)
            assert second["id"] == first["id"]
            await asyncio.to_thread(lambda: person.decide(second, "approve"))
            result = await call
            assert result.structured_content is not None
            assert result.structured_content["status"] == "approved"

    asyncio.run(asyncio.wait_for(story(), 90))


def play(
    broker: Any,
    claude: Path,
    home: Path,
    repository: scratch_repository.ScratchRepository,
    tmp_path: Path,
    *calls: Call,
) -> tuple[threading.Thread, list[SessionEnd], ScriptedModel]:
    command, *arguments = broker.command("mcp")
    config = tmp_path / "mcp.json"
    server = {"command": command, "args": arguments, "env": broker.environ}
    config.write_text(json.dumps({"mcpServers": {"askfirst": server}}), encoding="utf-8")
    hook = HookCommand(line=broker.hook_line(), timeout_s=broker.wait_s + 30)
    events = ("PreToolUse", "PostToolUse", "PostToolUseFailure")
    model = ScriptedModel((*((Say(text="Next."), call) for call in calls), (Say(text="Done."),)))
    session = Session(
        executable=claude,
        project=repository.path,
        home=home,
        model_url=model.url,
        settings=settings(dict.fromkeys(events, hook)),
        environ={"ASKFIRST_STATE_DIR": str(broker.paths.root), "ASKFIRST_CONFIG": str(broker.config)},
        arguments=("--mcp-config", str(config), "--strict-mcp-config", "--allowedTools", "mcp__askfirst__*"),
    )
    ends: list[SessionEnd] = []
    thread = threading.Thread(target=lambda: ends.append(run(session, stop=threading.Event())), daemon=True)
    model.__enter__()
    thread.start()
    return thread, ends, model


def test_what_was_approved_by_mcp_passes_the_hook_once_and_is_not_asked_twice(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    repository = scratch_repository.make(tmp_path)
    ask = Call(id="toolu_0001", tool="mcp__askfirst__request_approval", arguments=ASK)
    again = bash("toolu_0003", RESET, "a second time")
    thread, ends, model = play(
        broker, claude, home, repository, tmp_path, ask, bash("toolu_0002", RESET, "as approved"), again
    )
    try:
        first = broker.pending()
        assert first["claim"]["reason"] == "they were a mistake"
        assert [each["rule"] for each in first["effects"]] == ["git.reset-hard"]
        person.decide(first, "approve", "go ahead")
        second = broker.pending()
        person.decide(second, "deny")
        thread.join(120)
    finally:
        model.__exit__(None, None, None)
    told = json.loads(ends[0].result("toolu_0001").text)
    assert (told["status"], told["comment"]) == ("approved", "go ahead")
    assert not ends[0].result("toolu_0002").is_error
    assert ends[0].result("toolu_0003").is_error
    assert len((repository.path.parent / "runs").read_text().splitlines()) == 1
    assert broker.request(first["id"])["grant"]["outcome"] == "ok"
    assert second["session"] == first["session"]


def test_a_question_is_answered_and_what_is_asked_back_is_amended(broker: Any, person: Any) -> None:
    broker.start()

    async def told(client: Client, name: str, **arguments: Any) -> dict[str, Any]:
        result = await client.call_tool(name, arguments)
        assert result.structured_content is not None
        return result.structured_content

    async def decided(call: asyncio.Task[dict[str, Any]], verdict: str, text: str) -> dict[str, Any]:
        await asyncio.to_thread(lambda: person.decide(broker.pending(), verdict, text))
        return await call

    async def story() -> None:
        async with stdio(broker, "legacy") as client:
            asking = asyncio.create_task(told(client, "ask_human", question="Where?", options=["left", "right"]))
            assert (await decided(asking, "answer", "right"))["answer"] == "right"
            asking = asyncio.create_task(told(client, "request_approval", **ASK))
            back = await decided(asking, "needs_info", "which branch?")
            assert (back["status"], "which branch?" in back["next"]) == ("needs_info", True)
            amended = await told(client, "amend_request", id=back["id"], reason="feature/x")
            assert amended["status"] == "pending"
            waiting = asyncio.create_task(told(client, "get_request", id=back["id"], wait_s=60))
            assert (await decided(waiting, "approve", ""))["status"] == "approved"

    asyncio.run(asyncio.wait_for(story(), 90))
