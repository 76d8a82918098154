"""The scripted model in the APIs of the other vendors, over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from askfirst.demo.script import Call, Say, ToolResult
from askfirst.demo.scripted_model import ScriptedModel

if TYPE_CHECKING:
    from collections.abc import Iterator

CALL = Call(id="call_1", tool="shell", arguments={"command": "git status"})
TURNS = ((Say(text="Looking."), CALL), (Say(text="Done."),))
CHAT, RESPONSES, GEMINI = "/v1/chat/completions", "/v1/responses", "/v1beta/models/m:generateContent"
STREAMED = "/v1beta/models/m:streamGenerateContent?alt=sse"


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel(TURNS) as running:
        yield running


@pytest.fixture
def api(model: ScriptedModel) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=model.url, trust_env=False, timeout=5) as client:
        yield client


def events(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.headers["content-type"] == "text/event-stream"
    data = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
    return [json.loads(each) for each in data if each != "[DONE]"]


def test_chat_completions_whole_and_streamed(api: httpx.Client) -> None:
    body = {"model": "m", "tools": [{}], "messages": [{"role": "user", "content": "hi"}]}
    [choice] = api.post(CHAT, json=body).json()["choices"]
    chunks = events(api.post(CHAT, json={**body, "stream": True}))
    function = {"name": "shell", "arguments": '{"command": "git status"}'}
    calls = [{"index": 0, "id": "call_1", "type": "function", "function": function}]
    assert choice["message"] == {"role": "assistant", "content": "Looking.", "tool_calls": calls}
    assert [each["delta"] for chunk in chunks for each in chunk["choices"]] == [choice["message"], {}]
    assert choice["finish_reason"] == chunks[1]["choices"][0]["finish_reason"] == "tool_calls"


def test_responses_whole_and_streamed(api: httpx.Client) -> None:
    body = {"model": "m", "tools": [{}], "input": "hi"}
    whole = api.post(RESPONSES, json=body).json()
    parts = events(api.post(RESPONSES, json={**body, "stream": True}))
    message, call = whole["output"]
    assert message["content"][0]["text"] == "Looking."
    assert (call["call_id"], call["name"], json.loads(call["arguments"])) == ("call_1", "shell", CALL.arguments)
    kinds = ["response.output_item.added", "response.output_item.done"] * 2
    assert [each["type"] for each in parts] == ["response.created", *kinds, "response.completed"]
    assert [each["type"] for each in parts[-1]["response"]["output"]] == ["message", "function_call"]


def test_gemini_whole_and_streamed(api: httpx.Client) -> None:
    body = {"tools": [{}], "contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    whole = api.post(GEMINI, json=body).json()
    [streamed] = events(api.post(STREAMED, json=body))
    assert whole["candidates"] == streamed["candidates"]
    called = {"id": "call_1", "name": "shell", "args": {"command": "git status"}}
    assert whole["candidates"][0]["content"]["parts"] == [{"text": "Looking."}, {"functionCall": called}]


TOLD = [
    (CHAT, {"messages": [{"role": "tool", "tool_call_id": "call_1", "content": "no"}]}, False),
    (RESPONSES, {"input": [{"type": "function_call_output", "call_id": "call_1", "output": "no"}]}, False),
    (
        GEMINI,
        {"contents": [{"parts": ["odd", {"functionResponse": {"id": "call_1", "response": {"error": "no"}}}]}]},
        True,
    ),
    (GEMINI, {"contents": [{"parts": [{"functionResponse": {"id": "call_1", "response": {"output": "no"}}}]}]}, False),
]


@pytest.mark.parametrize(("path", "body", "is_error"), TOLD)
def test_what_the_model_was_told_is_read_in_every_api(
    model: ScriptedModel, api: httpx.Client, path: str, body: dict[str, object], is_error: bool
) -> None:
    api.post(path, json={"tools": [{}], **body})
    assert model.results() == (ToolResult(id="call_1", text="no", is_error=is_error),)


@pytest.mark.parametrize(("path", "field"), [(CHAT, "messages"), (RESPONSES, "input"), (GEMINI, "contents")])
def test_side_requests_use_up_no_turn_and_repeated_ones_get_the_same(
    model: ScriptedModel, api: httpx.Client, path: str, field: str
) -> None:
    for body in ({field: ["title"]}, {field: ["a"], "tools": [{}]}, {field: ["a"], "tools": [{}]}):
        assert api.post(path, json=body).status_code == 200
    api.post(path, json={field: ["b"], "tools": [{}]})
    assert [request.turn for request in model.requests] == [None, 0, 0, 1]
