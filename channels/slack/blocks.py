"""Blocks of Block Kit whose text is literal: rich text and plain text parse no markup, so nothing has to be escaped.

From: https://docs.slack.dev/reference/block-kit/blocks, which has the limits.
"""

from __future__ import annotations

from typing import Any

HEADER_MAX = 150
BUTTON_MAX = 75
ACTIONS_MAX = 25
ELEMENT_MAX = 3_000
Block = dict[str, Any]


def header(text: str) -> Block:
    """The first line."""
    return {"type": "header", "text": {"type": "plain_text", "text": clipped(text, HEADER_MAX), "emoji": False}}


def paragraph(text: str, *, bold: str = "") -> Block:
    """A paragraph, ``bold`` before it."""
    start = [{"type": "text", "text": bold, "style": {"bold": True}}] if bold else []
    return _rich("rich_text_section", [*start, *_pieces(text)])


def preformatted(text: str) -> Block:
    """Text as it is, in a fixed width."""
    return _rich("rich_text_preformatted", _pieces(text))


def quote(text: str) -> Block:
    """Somebody else's words."""
    return _rich("rich_text_quote", _pieces(text))


def button(label: str, action_id: str, value: str, style: str = "") -> Block:
    """A button; ``style`` is ``primary`` or ``danger``."""
    text = {"type": "plain_text", "text": clipped(label, BUTTON_MAX), "emoji": False}
    styled = {"style": style} if style else {}
    return {"type": "button", "text": text, "action_id": action_id, "value": value, **styled}


def shown(blocks: object) -> str:
    """All text of these blocks but that of buttons, as a reader sees it; total."""
    return "\n".join(filter(None, map(_text_of, blocks))) if isinstance(blocks, list) else ""


def clipped(text: str, limit: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _text_of(block: object) -> str:
    if not isinstance(block, dict) or block.get("type") == "actions":
        return ""
    text = block.get("text")
    if block.get("type") == "emoji" or isinstance(text, str):
        return text if isinstance(text, str) else ""
    inner = text if isinstance(text, dict) else {}
    elements = block.get("elements")
    parts = [_text_of(each) for each in elements] if isinstance(elements, list) else []
    return str(inner.get("text", "")) + "".join(parts)


def _rich(kind: str, elements: list[Block]) -> Block:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": elements}]}


def _pieces(text: str) -> list[Block]:
    starts = range(0, len(text), ELEMENT_MAX)
    return [{"type": "text", "text": text[start : start + ELEMENT_MAX]} for start in starts]
