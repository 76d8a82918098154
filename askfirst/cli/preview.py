"""``askfirst preview``: what people see of a request on each channel."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from askfirst.cli.options import StateDir
from askfirst.cli.output import connected, console, sentences
from askfirst.cli.requests import find
from askfirst.clock import SystemClock
from askfirst.errors import InputError
from askfirst.paths import state_paths

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts

EXAMPLES = ("high", "critical", "long", "hostile", "question", "denied")


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the command."""

    @app.command()
    def preview(
        card: Annotated[str, typer.Argument(help=f"A request's code, or an example: {', '.join(EXAMPLES)}.")],
        out: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("askfirst-preview.html"),
        open_browser: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
        state_dir: StateDir = None,
    ) -> None:
        """Write a page that shows a request as each channel shows it."""
        with sentences():
            html = _html(parts, card, state_dir)
            try:
                out.write_text(html, encoding="utf-8")
            except OSError as error:
                raise InputError(f"cannot write {out}: {error.strerror}") from error
            console.print(f"wrote {out}", markup=False, soft_wrap=True)
        if open_browser:
            webbrowser.open(out.absolute().as_uri())


def _html(parts: Parts, card: str, state_dir: Path | None) -> str:
    now_ms = SystemClock().now_ms()
    if card in EXAMPLES:
        from askfirst.example_cases import example_case  # noqa: PLC0415  # the engine, for no other command

        return parts.preview(example_case(card, now_ms), now_ms)
    client = connected(state_paths(state_dir))
    request = find(client, card)
    html: str = client.call("GET", f"/v1/requests/{request['id']}/preview")["html"]
    return html
