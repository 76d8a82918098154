"""What people would see of a request on each channel, on one page that needs nothing but itself.

Each channel's own page stands in a frame in which nothing runs: what agents wrote stays text.
"""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

from askfirst.broker.shown import case_out
from askfirst.card import card_of
from askfirst.cli.requests import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.engine import Case

_STYLE = """
:root { color-scheme: light dark }
body { margin: 0 auto; padding: 16px; max-width: 900px; font: 16px/1.4 system-ui, "Noto Sans", sans-serif }
h1 { font-size: 1.2rem } h2 { font-size: 1rem; margin: 24px 0 6px }
iframe { width: 100%; height: 620px; border: 1px solid #8886; border-radius: 8px; background: #fff; resize: both }
"""
_PLAIN = "<style>body{margin:12px;background:#fff;color:#111}pre{white-space:pre-wrap;overflow-wrap:anywhere}</style>"
_MACHINE = "laptop"


def preview_page(case: Case, now_ms: int) -> str:
    """The page, as HTML."""
    title = escape(f"Request {case.request.code}, as people see it")
    frames = "".join(
        f'<h2>{escape(name)}</h2><iframe sandbox title="{escape(name)}" srcdoc="{escape(preview(case, now_ms))}">'
        "</iframe>"
        for name, preview in PREVIEWS.items()
    )
    viewport = '<meta name="viewport" content="width=device-width">'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{viewport}<title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>{frames}</body></html>"
    )


def _terminal(case: Case, _now_ms: int) -> str:
    return f"{_PLAIN}<pre>{escape(chr(10).join(describe(case_out(case).model_dump())))}</pre>"


def _slack(case: Case, _now_ms: int) -> str:
    from channels.slack.controls import Sealer  # noqa: PLC0415  # only where it is looked at
    from channels.slack.preview import preview_html  # noqa: PLC0415
    from channels.slack.render import message_of  # noqa: PLC0415

    return preview_html(message_of(card_of(case, machine=_MACHINE), Sealer(bytes(32))))


def _email(case: Case, _now_ms: int) -> str:
    from channels.email.render import letter_of  # noqa: PLC0415  # only where it is looked at

    letter = letter_of(card_of(case, machine=_MACHINE))
    return f"{_PLAIN}<h3>{escape(letter.subject)}</h3><pre>{escape(letter.text)}</pre>"


def _webhook(case: Case, now_ms: int) -> str:
    from channels.webhook.wire import shown  # noqa: PLC0415  # only where it is looked at

    card = card_of(case, machine=_MACHINE)
    text = json.dumps(
        json.loads(shown(card, "request.created", "message-1", "webhook:pager", now_ms)), indent=2, ensure_ascii=False
    )
    return f"{_PLAIN}<pre>{escape(text)}</pre>"


def _telegram(case: Case, now_ms: int) -> str:
    from channels.telegram.card_message import View, card_message  # noqa: PLC0415  # only where it is looked at
    from channels.telegram.controls import Sealer  # noqa: PLC0415
    from channels.telegram.keyboards import Keys  # noqa: PLC0415
    from channels.telegram.preview import preview_html  # noqa: PLC0415

    card = card_of(case, machine=_MACHINE)
    return preview_html(card_message(card, View(now_ms=now_ms, keys=Keys(Sealer(b"preview"), 0))))


def _github(case: Case, _now_ms: int) -> str:
    from channels.github.preview import preview_html  # noqa: PLC0415  # only where it is looked at

    return preview_html(card_of(case, machine=_MACHINE))


PREVIEWS: dict[str, Callable[[Case, int], str]] = {
    "telegram": _telegram,
    "github": _github,
    "slack": _slack,
    "email": _email,
    "terminal": _terminal,
    "webhook": _webhook,
}
"""By the name of the channel. The web inbox has pages of its own; this shows what goes elsewhere."""
