"""The Anthropic Messages API, which Claude Code speaks.

Whatever goes to a small model, or offers no tools, is a side job: titles, quota probes, summaries.

From: https://docs.anthropic.com/en/api/messages-streaming (the order of events), observed with Claude Code 2.1.332.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, assert_never

from askfirst.demo.apis.api import USAGE_TOKENS, Content, as_events, as_json, objects
from askfirst.demo.script import Call, Say, ToolResult, result_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from askfirst.demo.script import Turn

SMALL_MODEL = "haiku"
"""Part of the name of the model that clients use for small side jobs."""
USAGE = {"input_tokens": USAGE_TOKENS, "output_tokens": USAGE_TOKENS}


class AnthropicMessages:
    """``POST /v1/messages``."""

    def takes(self, path: str) -> bool:
        """That path alone."""
        return path == "/v1/messages"

    def is_agent(self, body: Mapping[str, object]) -> bool:
        """Tools for a large model, or a thread that the server keeps: there neither tools nor messages come again."""
        thread = body.get("thread")
        continues = isinstance(thread, dict) and thread.get("type") == "continue"
        return bool(body.get("tools") or continues) and SMALL_MODEL not in str(body.get("model"))

    def history(self, body: Mapping[str, object]) -> object:
        """The messages."""
        return [body.get("messages"), body.get("thread")]

    def told(self, body: Mapping[str, object]) -> Iterator[ToolResult]:
        """The ``tool_result`` blocks."""
        for message in objects(body.get("messages")):
            for block in objects(message.get("content")):
                if block.get("type") == "tool_result":
                    yield ToolResult(
                        id=str(block.get("tool_use_id")),
                        text=result_text(block.get("content")),
                        is_error=block.get("is_error") is True,
                    )

    def answer(self, path: str, body: Mapping[str, object], turn: Turn, number: int) -> Content:
        """A message, streamed where that is asked for."""
        del path
        whole = _message(turn, str(body.get("model", "scripted")), number)
        if body.get("stream") is True:
            return as_events(_events(whole), named=True)
        return as_json(whole)


def _message(turn: Turn, model: str, number: int) -> dict[str, object]:
    return {
        "id": f"msg_{number:04}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [_block(part) for part in turn],
        "stop_reason": "tool_use" if any(isinstance(part, Call) for part in turn) else "end_turn",
        "stop_sequence": None,
        "usage": USAGE,
    }


def _block(part: Say | Call) -> dict[str, object]:
    match part:
        case Say():
            return {"type": "text", "text": part.text}
        case Call():
            return {"type": "tool_use", "id": part.id, "name": part.tool, "input": dict(part.arguments)}
        case _:
            assert_never(part)


def _events(whole: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    yield {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
    for index, block in enumerate(objects(whole["content"])):
        if block["type"] == "text":
            start, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            text = json.dumps(block["input"])
            start, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": text}
        yield {"type": "content_block_start", "index": index, "content_block": start}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": USAGE}
    yield {"type": "message_stop"}
