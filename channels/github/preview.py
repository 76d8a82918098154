"""What a comment looks like on GitHub, as one HTML page; pure, and for looking at only."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

from channels.github.render import text_of

if TYPE_CHECKING:
    from askfirst.card import Card

_STYLE: Final = """
body { margin: 0; padding: 24px; background: #f6f8fa; color: #1f2328;
  font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, "Noto Color Emoji", sans-serif }
article { max-width: 760px; margin: 0 auto 16px; background: #fff; border: 1px solid #d1d9e0; border-radius: 6px }
article > header { padding: 8px 16px; background: #f6f8fa; border-bottom: 1px solid #d1d9e0; color: #59636e;
  border-radius: 6px 6px 0 0 }
article > header b { color: #1f2328 }
article > div { padding: 4px 16px 12px }
h3 { font-size: 1.25em; margin: 16px 0 12px }
p, ul, pre, details { margin: 0 0 12px }
ul { padding-left: 2em }
code { font: 85% ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace; background: #818b981f;
  padding: .2em .4em; border-radius: 6px; white-space: break-spaces }
pre { padding: 16px; overflow: auto; background: #f6f8fa; border-radius: 6px; line-height: 1.45 }
pre code { background: none; padding: 0; font-size: 85%; white-space: pre }
@media (max-width: 480px) { body { padding: 8px } }
"""


def preview_html(card: Card, *, head: str = "", writer: str = "askfirst", note: str = "") -> str:
    """A page with all comments for this card, oldest first.

    Args:
        card: what to show.
        head: of the pull request, see ``channels.github.render.text_of``.
        writer: the account that writes for us.
        note: a warning of the channel.
    """
    text = text_of(card, head=head, note=note)
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    comments = "".join(
        f"<article><header><b>{escape(writer)}</b> commented</header><div>{markdown.render(each)}</div></article>"
        for each in (*text.parts, text.card)
    )
    viewport = '<meta name="viewport" content="width=device-width">'
    title = escape(f"{card.code} on GitHub")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{viewport}<title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>{comments}</body></html>"
    )
