"""``askfirst trash``: what was kept before approved commands ran."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, print_json, sentences
from askfirst.errors import InputError
from askfirst.paths import state_paths
from askfirst.visible import visible

_WHAT_CHARS = 200


def add(app: typer.Typer) -> None:
    """Register the group."""
    group = typer.Typer(
        help="What was kept before approved commands ran. `askfirst undo` puts it back in place.", no_args_is_help=True
    )
    group.command("list")(list_snapshots)
    group.command("restore")(restore)
    group.command("purge")(purge)
    app.add_typer(group, name="trash")


def list_snapshots(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """Every snapshot with its size and its end, oldest first, and the total size."""
    with sentences():
        found = connected(state_paths(state_dir)).call("GET", "/v1/trash")
        if as_json:
            print_json(found)
            return
        if not found["snapshots"]:
            console.print("nothing is kept")
            return
        for each in found["snapshots"]:
            _print(each)
        console.print(f"{found['size']} of {found['size_max']} in {len(found['snapshots'])} snapshots")


def restore(
    snapshot: Annotated[str, typer.Argument(help="Its id, or a unique beginning of it.")],
    to: Annotated[Path, typer.Option(help="A new folder for it.")],
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Copy the files of a snapshot into a new folder; nothing that is there is touched."""
    with sentences():
        client = connected(state_paths(state_dir))
        found = _named(client.call("GET", "/v1/trash")["snapshots"], snapshot)
        target = str(to.absolute())
        done = client.call("POST", f"/v1/trash/{found['id']}/restore", json={"to": target}, timeout=None)
        print_json(done) if as_json else console.print(f"{done['files']} files are in {visible(target)}", markup=False)


def purge(
    snapshot: Annotated[list[str] | None, typer.Argument(help="Ids, or unique beginnings of them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every snapshot.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Delete snapshots for good: what they were kept for can no longer be undone."""
    with sentences():
        client = connected(state_paths(state_dir))
        kept = client.call("GET", "/v1/trash")["snapshots"]
        if every == bool(snapshot):
            raise InputError("name snapshots, or say --all; `askfirst trash list` shows them")
        wanted = kept if every else [_named(kept, each) for each in snapshot or []]
        if wanted and not yes and not typer.confirm(f"Delete {len(wanted)} snapshots for good?"):
            raise typer.Exit(1)
        done = client.call("POST", "/v1/trash/purge", json={"snapshots": [each["id"] for each in wanted]})
        print_json(done) if as_json else console.print(f"{done['purged']} snapshots are gone")


def _named(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The snapshot with this id or beginning.

    Raises:
        InputError: none, or more than one, is named so.
    """
    matches = [each for each in found if name and each["id"].startswith(name.upper())]
    if len(matches) != 1:
        how_many = "no snapshot is" if not matches else f"{len(matches)} snapshots are"
        raise InputError(f"{how_many} named {name!r}; `askfirst trash list` shows them")
    return matches[0]


def _print(each: dict[str, Any]) -> None:
    """A snapshot: when and until when, before what, and what it holds."""
    line = f"{each['id']}  {_time(each['made_at_ms'])} until {_day(each['until_ms'])}  {each['size']}"
    console.print(line, style="bold", markup=False)
    for text in (each["what"][:_WHAT_CHARS], each["words"]):
        console.print(f"  {visible(text)}", markup=False, soft_wrap=True)


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone():%d %b %H:%M}"


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone():%d %b}"
