"""``askfirst serve`` and ``askfirst stop``: run the broker, end it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import console, print_json, sentences
from askfirst.errors import ConfigError
from askfirst.paths import state_paths

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the commands."""

    @app.command()
    def serve(
        state_dir: StateDir = None,
        port: Annotated[
            int | None, typer.Option(min=0, max=65535, help="Port of the web inbox; 0: any.", show_default="configured")
        ] = None,
        socket: Annotated[
            Path | None,
            typer.Option(
                "--socket", help="A socket that other users' agents reach, too; their uid says what they may."
            ),
        ] = None,
        relay: Annotated[
            bool, typer.Option("--relay", hidden=True, help="Never be a broker, only a relay to one.")
        ] = False,
        background: Annotated[bool, typer.Option("--background", hidden=True)] = False,
    ) -> None:
        """Run the broker until it is interrupted. On a terminal it prints a one-time link to the web inbox.

        Where the broker is on another machine (`askfirst install --remote`), the relay to it runs instead.
        """
        with sentences():
            paths = state_paths(state_dir, shared_socket=socket)
            code = parts.relay(paths, background)
            if code is None and relay:
                raise ConfigError(f"{paths.remote} is gone, so the broker elsewhere cannot be asked; install it again")
            raise typer.Exit(parts.serve(paths, port, background) if code is None else code)

    @app.command()
    def stop(state_dir: StateDir = None, as_json: AsJson = False) -> None:
        """Stop the broker gracefully. Pending requests stay; a waiting hook starts the next broker."""
        with sentences():
            from askfirst.client import stop_broker  # noqa: PLC0415  # httpx: not for the broker

            pid = stop_broker(state_paths(state_dir))
            if as_json:
                print_json({"stopped": pid})
            else:
                console.print("no broker was running" if pid is None else f"stopped the broker (pid {pid})")
