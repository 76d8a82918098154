"""``askfirst undo``: put back what was there before an approved command ran."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askfirst.cli.agent_shell import require_person
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import EXIT_NO, connected, console, end_with, fail, print_json, sentences
from askfirst.cli.requests import find
from askfirst.errors import NotAllowedError
from askfirst.paths import state_paths
from askfirst.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(undo)


def undo(
    request: Annotated[str, typer.Argument(help="The request's code, or its id.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be restored.")] = False,
    state_dir: StateDir = None,
    as_json: AsJson = False,
    use: Annotated[int, typer.Option("--use", min=0, help="Which of its runs, from 1; 0: the newest.")] = 0,
) -> None:
    """Put back what was there before an approved command ran; the same again takes that back.

    Newer work in the same places is put aside first, so that nothing is lost. Where it ran more than once the newest
    run is meant, and all of them are listed for --use.
    """
    with sentences():
        require_person(os.environ)
        client = connected(state_paths(state_dir))
        found = find(client, request)
        preview = client.call("GET", f"/v1/requests/{found['id']}/undo?use={use}")
        if dry_run:
            print_json(preview) if as_json else _show(found, preview)
            if preview["problems"]:
                raise typer.Exit(EXIT_NO)
            return
        if preview["problems"]:
            raise fail(f"{found['code']}: {visible('; '.join(preview['problems']))}", EXIT_NO)
        if not yes:
            _confirm(found, preview)
        chosen = {"turn": preview["turn"], "use": preview["use"]}
        step = client.call("POST", f"/v1/requests/{found['id']}/undo", json=chosen)
        end_with(step, found["code"], as_json=as_json)


def _confirm(found: Mapping[str, Any], preview: Mapping[str, Any]) -> None:
    if not sys.stdin.isatty():
        raise NotAllowedError("nobody can be asked here; look with --dry-run, then say --yes")
    _show(found, preview)
    if not typer.confirm("Put it back?"):
        raise typer.Exit(EXIT_NO)


def _show(found: Mapping[str, Any], preview: Mapping[str, Any]) -> None:
    console.print(f"{found['code']}  {visible(found['command'] or found['tool'])}", markup=False, soft_wrap=True)
    for run in preview["runs"] if len(preview["runs"]) > 1 else []:
        console.print(_run_words(run, is_meant=run["use"] == preview["use"]), markup=False, soft_wrap=True)
    for title, lines in (
        ("not now", preview["problems"]),
        ("would be put back", preview["restores"]),
        ("would be put aside first", preview["puts_aside"]),
    ):
        if lines:
            console.print(f"{title}:", style="bold")
        for line in lines:
            console.print(f"  {visible(line)}", markup=False, soft_wrap=True)


def _run_words(run: Mapping[str, Any], *, is_meant: bool) -> str:
    at = datetime.fromtimestamp(run["at_ms"] / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    stands = {"undo": "can be undone", "redo": "is undone, which can be taken back"}.get(
        run["offer"], "cannot be undone"
    )
    return f"{'→' if is_meant else ' '} --use {run['use']}  {at}  {stands}  {visible(run['command'])}"
