"""OpenAI's Responses API, which Codex CLI speaks.

From: https://platform.openai.com/docs/api-reference/responses-streaming, observed with Codex CLI 0.169.0.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, assert_never

from askfirst.demo.apis.api import USAGE_TOKENS, Content, as_events, as_json, objects
from askfirst.demo.script import Call, Say, ToolResult, result_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from askfirst.demo.script import Turn

USAGE = {
    "input_tokens": USAGE_TOKENS,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": USAGE_TOKENS,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 2 * USAGE_TOKENS,
}


class OpenAiResponses:
    """``POST …/responses``."""

    def takes(self, path: str) -> bool:
        """Any path with that end."""
        return path.endswith("/responses")

    def is_agent(self, body: Mapping[str, object]) -> bool:
        """Whoever offers tools."""
        return bool(body.get("tools"))

    def history(self, body: Mapping[str, object]) -> object:
        """The input."""
        return body.get("input")

    def told(self, body: Mapping[str, object]) -> Iterator[ToolResult]:
        """The outputs of calls; this API has no place for whether one is an error."""
        for item in objects(body.get("input")):
            if str(item.get("type")).endswith("_call_output"):
                yield ToolResult(id=str(item.get("call_id")), text=result_text(item.get("output")), is_error=False)

    def answer(self, path: str, body: Mapping[str, object], turn: Turn, number: int) -> Content:
        """A response, streamed where that is asked for."""
        del path
        items = [_item(part, f"{number:04}_{index}") for index, part in enumerate(turn)]
        response = {
            "id": f"resp_{number:04}",
            "object": "response",
            "created_at": 0,
            "model": str(body.get("model", "scripted")),
            "status": "completed",
            "output": items,
            "usage": USAGE,
        }
        return as_events(_events(response, items), named=True) if body.get("stream") is True else as_json(response)


def _item(part: Say | Call, number: str) -> dict[str, object]:
    match part:
        case Say():
            content = {"type": "output_text", "text": part.text, "annotations": []}
            item = {"type": "message", "id": f"msg_{number}", "role": "assistant", "content": [content]}
        case Call():
            server, _, tool = part.tool.rpartition("__")  # an MCP server's tools are a namespace here
            item = {
                "type": "function_call",
                "id": f"fc_{number}",
                "call_id": part.id,
                "name": tool,
                "arguments": json.dumps(dict(part.arguments)),
                **({"namespace": server} if server else {}),
            }
        case _:
            assert_never(part)
    return {**item, "status": "completed"}


def _events(response: Mapping[str, object], items: Sequence[Mapping[str, object]]) -> Iterator[Mapping[str, object]]:
    yield {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}}
    for index, item in enumerate(items):
        yield {"type": "response.output_item.added", "output_index": index, "item": item}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": response}
