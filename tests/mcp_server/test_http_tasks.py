"""Tasks over streamable HTTP, as the SDK serves them: the same members as over stdio."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from askfirst.sdk import steps
from mcp_server import rpc
from mcp_server.http import OwnApi

VERSION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {"extensions": {rpc.TASKS: {}}},
}


def post(
    url: str, method: str, params: dict[str, Any], *, name: str, meta: dict[str, Any] = META, token: str = ""
) -> dict[str, Any]:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    headers = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": VERSION,
        "Mcp-Method": method,
        "Mcp-Name": name,
        **({"Authorization": f"Bearer {token}"} if token else {}),
    }
    answer = httpx.post(url, json=body, headers=headers, timeout=30)
    text = answer.text
    if answer.headers["content-type"].startswith("text/event-stream"):
        text = next(line for line in text.splitlines() if line.startswith("data: ")).removeprefix("data: ")
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.slow
def test_a_call_becomes_a_task_and_the_task_a_result(open_url: str) -> None:
    call = {"name": "request_approval", "arguments": {"action": "deploy", "reason": "because"}}
    made = post(open_url, "tools/call", call, name="request_approval")["result"]
    assert made["resultType"] == "task"
    task = {"taskId": made["taskId"]}
    assert made["status"] == "working"
    wait = {"name": "get_request", "arguments": {"id": made["taskId"], "wait_s": 100}}
    post(open_url, "tools/call", wait, name="get_request")
    ended = post(open_url, "tasks/get", task, name=made["taskId"])["result"]
    assert (ended["status"], ended["resultType"]) == ("completed", "complete")
    assert ended["result"]["content"]
    assert post(open_url, "tasks/cancel", task, name=made["taskId"])["result"]["resultType"] == "complete"


@pytest.mark.slow
def test_tasks_are_for_those_who_declare_them_and_are_known_by_their_id(open_url: str) -> None:
    plain = {**META, "io.modelcontextprotocol/clientCapabilities": {}}
    call = {"name": "request_approval", "arguments": {"action": "deploy", "reason": "because", "wait": False}}
    assert "taskId" not in post(open_url, "tools/call", call, name="request_approval", meta=plain)["result"]
    assert post(open_url, "tasks/get", {"taskId": "x"}, name="x", meta=plain)["error"]["code"] == -32021
    assert post(open_url, "tasks/get", {"taskId": "x"}, name="x")["error"]["code"] == -32602
    discovered = post(open_url, "server/discover", {}, name="")["result"]
    assert rpc.TASKS in discovered["capabilities"]["extensions"]


@pytest.mark.slow
def test_each_call_is_made_in_the_name_of_whoever_makes_it(open_url: str, callers: Any) -> None:
    """What they may, and on which machine they are, is theirs: a token of another machine must not borrow our disk."""
    call = {"name": "request_approval", "arguments": {"action": "deploy", "reason": "because", "wait": False}}
    for token in ("one", "two"):
        post(open_url, "tools/call", call, name="request_approval", token=token)
    assert callers.shown == ["Bearer one", "Bearer two"]


def test_the_own_api_hears_the_callers_header() -> None:
    async def echo(scope: Any, _receive: Any, send: Any) -> None:
        shown = dict(scope["headers"]).get(b"authorization", b"").decode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps({"shown": shown}).encode()})

    async def story() -> list[Any]:
        api = OwnApi(echo, lambda: 0)
        send = steps.Send(method="GET", path="/v1/requests/x")
        return [await api.called_by(f"Bearer {name}").send_async(send) for name in ("one", "two")]

    assert asyncio.run(story()) == [{"shown": "Bearer one"}, {"shown": "Bearer two"}]
