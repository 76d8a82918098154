"""Tasks over streamable HTTP, as the SDK serves them: the same members as over stdio."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from mcp_server import rpc

VERSION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {"extensions": {rpc.TASKS: {}}},
}


def post(url: str, method: str, params: dict[str, Any], *, name: str, meta: dict[str, Any] = META) -> dict[str, Any]:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    headers = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": VERSION,
        "Mcp-Method": method,
        "Mcp-Name": name,
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
