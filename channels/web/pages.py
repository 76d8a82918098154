"""Pages as HTML: templates with autoescape always on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup
from starlette.responses import HTMLResponse

from askfirst.card import loss_of
from askfirst.evidence.words import Mark
from askfirst.visible import visible
from channels.web.view import beginning_of, ended_line

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

    from channels.web.sessions import Session

FOLDER = Path(__file__).parent


class Pages:
    """Renders templates.

    Args:
        machine: name of the machine, shown at the top.
    """

    def __init__(self, machine: str) -> None:
        self._env = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.filters.update(at=_at, span=_span)
        self._env.globals.update(
            machine=visible(machine),
            beginning_of=beginning_of,
            loss_of=loss_of,
            ended_line=ended_line,
            visible=visible,
            signal_tone=_signal_tone,
            signal_words=_signal_words,
        )

    def page(
        self, request: HttpRequest, name: str, *, status: int = 200, session: Session | None = None, **values: object
    ) -> HTMLResponse:
        """One page; ``session`` is None for whoever is not logged in."""
        base = request.scope.get("root_path", "")
        html = self._env.get_template(name).render(base=base, session=session, **values)
        return HTMLResponse(html, status)


def _signal_tone(mark: Mark) -> str:
    return {Mark.GOOD: "good", Mark.WARN: "warn", Mark.OPEN: "open"}[mark]


def _signal_words(mark: Mark) -> str:
    """The mark for people who hear the page."""
    return {Mark.GOOD: "speaks for it", Mark.WARN: "careful", Mark.OPEN: "not known"}[mark]


def _at(at_ms: int) -> Markup:
    """A moment as an element that scripts can turn into the reader's own time zone; without one it shows UTC."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return Markup('<time datetime="{}" data-at>{}</time>').format(
        moment.isoformat(timespec="milliseconds"), f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    )


def _span(duration_ms: int) -> str:
    """A duration in words: ``9 min``, ``40 s``."""
    seconds = max(0, duration_ms) // 1000
    for unit_s, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds // unit_s} {unit}"
    return f"{seconds} s"
