"""The Gemini API, which Gemini CLI speaks.

From: https://ai.google.dev/api/generate-content, observed with Gemini CLI 0.61.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from askfirst.demo.apis.api import USAGE_TOKENS, Content, as_events, as_json, objects
from askfirst.demo.script import Call, Say, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from askfirst.demo.script import Turn

_METHODS = (":generateContent", ":streamGenerateContent")


class Gemini:
    """``POST …/models/NAME:generateContent`` and its streamed form."""

    def takes(self, path: str) -> bool:
        """Any path with one of the ends."""
        return path.endswith(_METHODS)

    def is_agent(self, body: Mapping[str, object]) -> bool:
        """Whoever offers tools."""
        return bool(body.get("tools"))

    def history(self, body: Mapping[str, object]) -> object:
        """The contents."""
        return body.get("contents")

    def told(self, body: Mapping[str, object]) -> Iterator[ToolResult]:
        """The responses of functions."""
        for content in objects(body.get("contents")):
            for part in objects(content.get("parts")):
                found = part.get("functionResponse")
                if not isinstance(found, dict):
                    continue
                response = found.get("response")
                said = response if isinstance(response, dict) else {}
                text = said.get("error") or said.get("output") or ""
                yield ToolResult(id=str(found.get("id")), text=str(text), is_error="error" in said)

    def answer(self, path: str, body: Mapping[str, object], turn: Turn, number: int) -> Content:
        """One candidate, as the only event where the path asks for a stream."""
        del body
        candidate = {
            "index": 0,
            "content": {"role": "model", "parts": [_part(part) for part in turn]},
            "finishReason": "STOP",
        }
        usage = {"promptTokenCount": USAGE_TOKENS, "candidatesTokenCount": USAGE_TOKENS, "totalTokenCount": 2}
        whole = {"responseId": f"r{number:04}", "candidates": [candidate], "usageMetadata": usage}
        return as_events([whole]) if ":streamGenerateContent" in path else as_json(whole)


def _part(part: Say | Call) -> dict[str, object]:
    match part:
        case Say():
            return {"text": part.text}
        case Call():
            return {"functionCall": {"id": part.id, "name": part.tool, "args": dict(part.arguments)}}
        case _:
            assert_never(part)
