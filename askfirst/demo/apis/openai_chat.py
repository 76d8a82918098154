"""OpenAI's chat completions, which opencode, Qwen Code, Copilot CLI and Cline speak to any provider.

From: https://platform.openai.com/docs/api-reference/chat-streaming, observed with the clients in ``tools/pins.env``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from askfirst.demo.apis.api import USAGE_TOKENS, Content, as_events, as_json, objects
from askfirst.demo.script import Call, Say, ToolResult, result_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from askfirst.demo.script import Turn

USAGE = {"prompt_tokens": USAGE_TOKENS, "completion_tokens": USAGE_TOKENS, "total_tokens": 2 * USAGE_TOKENS}


class OpenAiChat:
    """``POST …/chat/completions``."""

    def takes(self, path: str) -> bool:
        """Any path with that end."""
        return path.endswith("/chat/completions")

    def is_agent(self, body: Mapping[str, object]) -> bool:
        """Whoever offers tools."""
        return bool(body.get("tools"))

    def history(self, body: Mapping[str, object]) -> object:
        """The messages."""
        return body.get("messages")

    def told(self, body: Mapping[str, object]) -> Iterator[ToolResult]:
        """The messages of role ``tool``; this API has no place for whether one is an error."""
        for message in objects(body.get("messages")):
            if message.get("role") == "tool":
                text = result_text(message.get("content"))
                yield ToolResult(id=str(message.get("tool_call_id")), text=text, is_error=False)

    def answer(self, path: str, body: Mapping[str, object], turn: Turn, number: int) -> Content:
        """One choice, streamed where that is asked for."""
        del path
        head = {"id": f"chatcmpl-{number:04}", "created": 0, "model": str(body.get("model", "scripted"))}
        text = "".join(part.text for part in turn if isinstance(part, Say))
        calls = [_call(index, part) for index, part in enumerate(each for each in turn if isinstance(each, Call))]
        message: dict[str, object] = {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {})}
        reason = "tool_calls" if calls else "stop"
        if body.get("stream") is not True:
            choice: dict[str, object] = {"index": 0, "message": message, "finish_reason": reason}
            return as_json({**head, "object": "chat.completion", "choices": [choice], "usage": USAGE})
        head = {**head, "object": "chat.completion.chunk"}
        first = {"index": 0, "delta": message, "finish_reason": None}
        last = {"index": 0, "delta": {}, "finish_reason": reason}
        events = [{**head, "choices": [first]}, {**head, "choices": [last]}, {**head, "choices": [], "usage": USAGE}]
        return as_events(events, end="[DONE]")


def _call(index: int, call: Call) -> dict[str, object]:
    function = {"name": call.tool, "arguments": json.dumps(dict(call.arguments))}
    return {"index": index, "id": call.id, "type": "function", "function": function}
