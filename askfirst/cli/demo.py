"""``askfirst demo``: the main job from beginning to end, on a state folder that goes away with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from askfirst.cli.output import EXIT_NO, console, sentences

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts
    from askfirst.demo.parts import Person


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the command."""

    @app.command()
    def demo(
        auto: Annotated[bool, typer.Option("--auto", help="Let a headless browser play the person.")] = False,
        client: Annotated[
            Path | None,
            typer.Option(help="The Claude Code executable.", show_default="the one on PATH, else a scripted stand-in"),
        ] = None,
    ) -> None:
        """Play the main job from beginning to end: an agent is stopped, a person decides, the log proves it."""
        with sentences():
            if not _play(parts, client, auto=auto):
                raise typer.Exit(EXIT_NO)


def _play(parts: Parts, client: Path | None, *, auto: bool) -> bool:
    from askfirst.demo.claude_client import find  # noqa: PLC0415  # needed by nobody else
    from askfirst.demo.run import Cast, run_demo  # noqa: PLC0415
    from askfirst.demo.screen import Screen  # noqa: PLC0415
    from askfirst.demo.served_broker import ServedBroker  # noqa: PLC0415

    client = client.resolve() if client else find(os.environ)
    if client is None:
        console.print("Claude Code is not installed here; a scripted agent calls the same hook instead")
    broker = ServedBroker(hook_command=parts.hook_command, login_link=parts.login_link)
    return run_demo(Cast(broker=broker, person=_person(auto=auto), client=client), Screen(console))


def _person(*, auto: bool) -> Person:
    if auto:
        from askfirst.demo.headless_person import Decision, HeadlessPerson  # noqa: PLC0415  # wants playwright

        return HeadlessPerson(
            (Decision(approve=False, comment="not now: two commits would be lost"), Decision(approve=True))
        )
    from askfirst.demo.person import PersonAtScreen  # noqa: PLC0415

    return PersonAtScreen()
