"""A message as an HTML page in Slack's look, to see a card without an account; pure. All text is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channels.slack.blocks import Block
    from channels.slack.render import Message

_STYLE = """
body { margin: 0; padding: 14px; background: #fff; color: #1d1c1d; font: 15px/1.46 "Lato", "Noto Sans", sans-serif;
  max-width: 36rem; overflow-wrap: anywhere; white-space: pre-wrap }
h3 { margin: 0 0 8px; font-size: 18px } div { margin: 6px 0 }
pre { background: #1d1c1d0a; border: 1px solid #1d1c1d21; border-radius: 4px; padding: 8px; white-space: pre-wrap;
  font: 12px/1.5 "DejaVu Sans Mono", monospace }
blockquote { margin: 6px 0; padding-left: 12px; border-left: 4px solid #ddd }
.button { display: inline-block; margin: 4px 8px 0 0; padding: 6px 12px; border: 1px solid #1d1c1d4d;
  border-radius: 4px; font-weight: 700; font-size: 13px }
.primary { background: #007a5a; color: #fff } .danger { color: #e01e5a }
"""
_TAGS = {"rich_text_preformatted": "pre", "rich_text_quote": "blockquote"}


def preview_html(message: Message) -> str:
    """The page; it needs nothing but itself."""
    parts = "".join(f"<hr>{''.join(map(_block, part))}" for part in message.parts)
    return f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style>{''.join(map(_block, message.blocks))}{parts}"


def _block(block: Block) -> str:
    if block["type"] == "header":
        return f"<h3>{escape(block['text']['text'])}</h3>"
    if block["type"] == "actions":
        buttons = (
            f'<span class="button {escape(each.get("style", ""))}">{escape(each["text"]["text"])}</span>'
            for each in block["elements"]
        )
        return f"<div>{''.join(buttons)}</div>"
    return "".join(map(_element, block["elements"]))


def _element(element: Block) -> str:
    tag = _TAGS.get(element["type"], "div")
    text = "".join(
        f"<b>{escape(each['text'])}</b>" if each.get("style", {}).get("bold") else escape(each["text"])
        for each in element["elements"]
    )
    return f"<{tag}>{text}</{tag}>"
