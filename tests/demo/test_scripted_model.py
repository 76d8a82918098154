"""The scripted model as a client sees it, over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
from typing import TYPE_CHECKING

import httpx
import pytest

from askfirst.demo.script import Say, ToolResult, bash
from askfirst.demo.scripted_model import MAX_REQUEST_BYTES, OVERRUN, SIDE_ANSWER, ScriptedModel

if TYPE_CHECKING:
    from collections.abc import Iterator

TURNS = ((Say(text="Looking."), bash("toolu_0001", "git status")), (Say(text="Done."),))
TOOLS = [{"name": "Bash", "input_schema": {"type": "object"}}]


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel(TURNS) as running:
        yield running


@pytest.fixture
def api(model: ScriptedModel) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=model.url, trust_env=False, timeout=5) as client:
        yield client


def ask(api: httpx.Client, text: str, **more: object) -> httpx.Response:
    body = {"model": "large", "max_tokens": 9, "tools": TOOLS, "messages": [{"role": "user", "content": text}], **more}
    return api.post("/v1/messages?beta=true", json=body)


def said(response: httpx.Response) -> list[object]:
    return [block.get("text") or block["id"] for block in response.json()["content"]]


def test_the_turns_are_played_in_order_and_then_it_says_that_the_script_is_over(
    model: ScriptedModel, api: httpx.Client
) -> None:
    first, second = ask(api, "one"), ask(api, "two")
    assert first.json()["stop_reason"] == "tool_use"
    assert first.json()["content"] == [
        {"type": "text", "text": "Looking."},
        {"type": "tool_use", "id": "toolu_0001", "name": "Bash", "input": {"command": "git status"}},
    ]
    assert (second.json()["stop_reason"], said(second)) == ("end_turn", ["Done."])
    assert not model.is_overrun
    assert said(ask(api, "three")) == [OVERRUN[0].text]
    assert model.is_overrun


def test_a_streamed_answer_holds_what_the_whole_one_holds(api: httpx.Client) -> None:
    response = ask(api, "one", stream=True)
    assert response.headers["content-type"] == "text/event-stream"
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    assert [event["type"] for event in events] == ["message_start", *block, *block, "message_delta", "message_stop"]
    assert events[2]["delta"] == {"type": "text_delta", "text": "Looking."}
    assert events[4]["content_block"] == {"type": "tool_use", "id": "toolu_0001", "name": "Bash", "input": {}}
    assert json.loads(events[5]["delta"]["partial_json"]) == {"command": "git status"}
    assert events[7]["delta"]["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    "side",
    [{"tools": []}, {"model": "claude-haiku-9"}, {"tools": None, "max_tokens": 1}],
    ids=["title", "small model", "quota probe"],
)
def test_a_side_request_uses_up_no_turn(model: ScriptedModel, api: httpx.Client, side: dict[str, object]) -> None:
    assert said(ask(api, "side", **side)) == [SIDE_ANSWER[0].text]
    assert said(ask(api, "one")) == ["Looking.", "toolu_0001"]
    assert [request.turn for request in model.requests] == [None, 0]


def test_a_request_repeated_word_for_word_gets_the_same_turn_again(api: httpx.Client) -> None:
    assert said(ask(api, "one")) == said(ask(api, "one")) == ["Looking.", "toolu_0001"]
    assert said(ask(api, "two")) == ["Done."]


def test_what_the_model_was_told_is_read_from_the_requests(model: ScriptedModel, api: httpx.Client) -> None:
    plain = {"type": "tool_result", "tool_use_id": "toolu_0001", "content": "no", "is_error": True}
    blocks = {"type": "tool_result", "tool_use_id": "toolu_0002", "content": [{"type": "text", "text": "yes"}]}
    messages = [{"role": "user", "content": [plain]}, {"role": "user", "content": [blocks, "odd", {"type": "text"}]}]
    ask(api, "", messages=messages)
    assert model.results() == (
        ToolResult(id="toolu_0001", text="no", is_error=True),
        ToolResult(id="toolu_0002", text="yes", is_error=False),
    )


def test_the_odds_and_ends_that_clients_ask_for_are_answered(model: ScriptedModel, api: httpx.Client) -> None:
    assert api.head("/").status_code == 200
    assert api.get("/v1/models").json() == {"data": [], "has_more": False}
    assert api.post("/v1/messages/count_tokens", json={}).json() == {"input_tokens": 1}
    assert api.post("/api/event", json={}).status_code == 404
    assert [request.path for request in model.requests] == [
        "/",
        "/v1/models",
        "/v1/messages/count_tokens",
        "/api/event",
    ]


@pytest.mark.parametrize("content", [b"{", b"[]", b"[" * 100_000], ids=["cut off", "no object", "deep"])
def test_a_body_that_is_no_json_object_is_refused(model: ScriptedModel, api: httpx.Client, content: bytes) -> None:
    assert api.post("/v1/messages", content=content).status_code == 400
    assert model.requests == ()


@pytest.mark.parametrize("length", [str(MAX_REQUEST_BYTES + 1), "-1", "x", ""])
def test_a_body_of_unusable_length_is_refused_unread(model: ScriptedModel, length: str) -> None:
    with contextlib.closing(http.client.HTTPConnection(model.url.removeprefix("http://"), timeout=5)) as connection:
        connection.putrequest("POST", "/v1/messages")
        connection.putheader("Content-Length", length)
        connection.endheaders()
        assert connection.getresponse().status == 413
    assert model.requests == ()


def test_credentials_are_not_recorded(model: ScriptedModel, api: httpx.Client) -> None:
    api.headers["x-api-key"] = "sk-secret"
    ask(api, "one")
    assert "sk-secret" not in repr(model.requests)
