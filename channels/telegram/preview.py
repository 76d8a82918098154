"""A message as an HTML page in Telegram's look, to see a card without an account; pure.

All text is escaped; entities become elements in the order that the server keeps them, outer before inner.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channels.telegram.payload import Payload
    from channels.telegram.rich import Entity, Rich

_TAGS = {
    "bold": ("<b>", "</b>"),
    "italic": ("<i>", "</i>"),
    "code": ("<code>", "</code>"),
    "pre": ("<pre>", "</pre>"),
    "blockquote": ("<blockquote>", "</blockquote>"),
    "expandable_blockquote": ('<blockquote class="expandable">', "</blockquote>"),
    "date_time": ('<time class="moment">', "</time>"),
}
_BLOCKS = frozenset({"pre", "blockquote", "expandable_blockquote"})
_NEWLINE = "\n".encode("utf-16-le")
_STYLE = """
:root { color-scheme: light dark; --page: #d5e3c1; --bubble: #fff; --text: #000; --dim: #707579; --accent: #3390ec;
  --quote: #3390ec1a; --code: #3390ec1a; --button: #5c7a4f80; --success: #3fa34dcc; --danger: #d9534fcc; }
@media (prefers-color-scheme: dark) { :root { --page: #0f1a12; --bubble: #212121; --text: #fff; --dim: #aaa;
  --accent: #8774e1; --quote: #8774e126; --code: #8774e126; --button: #ffffff2b; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 12px 10px 24px; background: var(--page); font: 16px/1.32 "Roboto", "Noto Sans", sans-serif; }
.message { max-width: 30rem; }
.bubble { background: var(--bubble); color: var(--text); border-radius: 15px 15px 15px 6px; padding: 6px 10px 8px;
  overflow-wrap: anywhere; white-space: pre-wrap; box-shadow: 0 1px 2px #0003; }
.file { display: flex; gap: 10px; align-items: center; margin-bottom: 4px; white-space: normal; }
.file-message { margin-bottom: 6px; }
.file b { display: block; font-weight: 500; }
.disc { width: 44px; height: 44px; border-radius: 50%; background: var(--accent); flex: none; color: #fff;
  display: grid; place-items: center; font-size: 20px; }
.dim { color: var(--dim); font-size: 13px; }
code, pre { font: 14px/1.35 "Roboto Mono", "DejaVu Sans Mono", monospace; }
code { color: var(--accent); }
pre { background: var(--code); border-left: 3px solid var(--accent); border-radius: 6px; padding: 6px 8px;
  margin: 3px 0;  white-space: pre-wrap; }
blockquote { display: block; margin: 2px 0; padding: 3px 8px; border-left: 3px solid var(--accent); border-radius: 6px;
  background: var(--quote); font-size: 15px; }
.moment { color: var(--accent); text-decoration: none; }
.row { display: flex; gap: 4px; margin-top: 4px; }
.button { flex: 1; text-align: center; padding: 10px 6px; border-radius: 10px; background: var(--button); color: #fff;
  font-weight: 500; font-size: 15px; }
.success { background: var(--success); } .danger { background: var(--danger); } .primary { background: var(--accent); }
"""


def preview_html(payload: Payload) -> str:
    """The page; it needs nothing but itself."""
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Telegram</title><style>{_STYLE}</style></head>\n"
        f'<body>{_file(payload)}<div class="message"><div class="bubble">{_text(payload.rich)}</div>'
        f"{''.join(_rows(payload))}</div></body></html>\n"
    )


def _file(payload: Payload) -> str:
    file = payload.attachment
    if file is None:
        return ""
    size = f"{len(file.content) / 1024:.1f} KB"
    name = f'<div><b>{escape(file.name)}</b><span class="dim">{size}</span></div>'
    caption = f"<div>{escape(file.caption)}</div>"
    head = f'<div class="file"><span class="disc">📄</span>{name}</div>'
    return f'<div class="message file-message"><div class="bubble">{head}{caption}</div></div>'


def _rows(payload: Payload) -> Iterator[str]:
    for row in payload.keyboard:
        buttons = "".join(f'<div class="button {escape(each.style)}">{escape(each.label)}</div>' for each in row)
        yield f'<div class="row">{buttons}</div>'
    if payload.asks:
        yield f'<div class="row"><div class="button">↩ {escape(payload.asks)}</div></div>'


def _text(rich: Rich) -> str:
    """The text with its entities, which lie within or beside each other."""
    raw = rich.text.encode("utf-16-le", "surrogatepass")
    starts = sorted(rich.entities, key=lambda each: (each.offset, -each.length))
    parts: list[str] = []
    open_: list[Entity] = []
    at = 0

    def write(until: int) -> None:
        nonlocal at
        parts.append(escape(raw[2 * at : 2 * until].decode("utf-16-le", "replace")))
        at = until

    def close(until: int) -> None:
        nonlocal at
        while open_ and open_[-1].offset + open_[-1].length <= until:
            ended = open_.pop()
            write(ended.offset + ended.length)
            parts.append(_TAGS[ended.kind][1])
            if ended.kind in _BLOCKS and raw[2 * at : 2 * at + 2] == _NEWLINE:
                at += 1  # a block ends its line by itself

    for entity in starts:
        close(entity.offset)
        write(entity.offset)
        parts.append(_TAGS[entity.kind][0])
        open_.append(entity)
    close(len(raw) // 2)
    write(len(raw) // 2)
    return "".join(parts)
