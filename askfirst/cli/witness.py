"""``askfirst witness serve|watch|key``: be a witness of other logs. Run it on another machine than the log's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import console, print_json, sentences, stderr
from askfirst.paths import state_paths

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts

Folder = Annotated[
    Path | None, typer.Option(help="What the witness knows.", show_default="witness in the state folder")
]
Name = Annotated[str, typer.Option(help="Name of a new key, e.g. witness.example/1.", show_default="a random one")]


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the group."""
    group = typer.Typer(
        help="Be a witness of other logs, so that nobody can rewrite them unseen.", no_args_is_help=True
    )
    _add_serve(group, parts)
    _add_watch(group, parts)
    _add_key(group, parts)
    app.add_typer(group, name="witness")


def _add_serve(group: typer.Typer, parts: Parts) -> None:
    @group.command()
    def serve(
        folder: Folder = None,
        name: Name = "",
        host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=0, max=65535, help="Port.")] = 7434,
        state_dir: StateDir = None,
    ) -> None:
        """Cosign heads by C2SP tlog-witness until interrupted. Give it TLS by a proxy in front of it."""
        with sentences():
            witness = parts.witness(_folder(folder, state_dir))
            stderr.print(f"witness {witness.vkey(name)} on http://{host}:{port}", markup=False, soft_wrap=True)
            raise typer.Exit(witness.serve(name=name, host=host, port=port))


def _add_watch(group: typer.Typer, parts: Parts) -> None:
    @group.command()
    def watch(
        vkey: Annotated[list[str], typer.Argument(help="Key of a log, the line in its log.vkey.")],
        folder: Folder = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Watch a log, too; also for the new key of one that is watched. A running witness need not be restarted."""
        with sentences():
            logs = parts.witness(_folder(folder, state_dir)).watch(vkey)
            if as_json:
                print_json({"logs": logs})
            else:
                console.print(f"{len(logs)} keys of logs are watched", markup=False)


def _add_key(group: typer.Typer, parts: Parts) -> None:
    @group.command()
    def key(folder: Folder = None, name: Name = "", state_dir: StateDir = None, as_json: AsJson = False) -> None:
        """Print the witness's public key, for the policies of logs and verifiers; made when there is none."""
        with sentences():
            vkey = parts.witness(_folder(folder, state_dir)).vkey(name)
            if as_json:
                print_json({"vkey": vkey})
            else:
                typer.echo(vkey)


def _folder(folder: Path | None, state_dir: Path | None) -> Path:
    return folder or state_paths(state_dir).root / "witness"
