"""``askfirst channels``: whether people can be reached."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, print_json, sentences, stderr
from askfirst.paths import state_paths
from askfirst.visible import visible

if TYPE_CHECKING:
    from askfirst.client import Client

_WAIT_S = 100


def add(app: typer.Typer) -> None:
    """Register the group."""
    group = typer.Typer(help="Whether people can be reached.", no_args_is_help=True)
    group.command("check")(check)
    group.command("test")(try_out)
    app.add_typer(group, name="channels")


def check(
    channel: Annotated[list[str] | None, typer.Argument(help="Only these; all by default.")] = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Ask each channel how it is, now; ends with 1 where one is not well."""
    with sentences():
        client = connected(state_paths(state_dir))
        found = client.call("POST", "/v1/channels/check", json={"schemes": channel or []})["channels"]
        if as_json:
            print_json(found)
        else:
            console.print(_table(found))
    if not all(each["ok"] for each in found):
        raise typer.Exit(1)


def try_out(
    recipient: Annotated[str, typer.Argument(help="Where to, e.g. telegram:12345 or web:inbox.")],
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Send a request that does nothing, and wait until somebody decides it."""
    with sentences():
        client = connected(state_paths(state_dir))
        asked = client.call("POST", "/v1/channels/test", json={"recipient": recipient})
        stderr.print(
            f"sent to {recipient} as request {asked['code']}; decide there (nothing runs, whatever you decide)",
            style="dim",
            markup=False,
            soft_wrap=True,
        )
        request = _decided(client, asked["request"])
        if as_json:
            print_json(request)
        else:
            end = request["end"] or {}
            by = f" by {visible(end['by'])} via {visible(end['channel'])}" if end.get("channel") else ""
            text = f": {visible(end['text'])}" if end.get("text") else ""
            console.print(f"{request['state']}{by}{text}", markup=False, soft_wrap=True)
    if request["state"] not in {"approved", "denied"}:
        raise typer.Exit(1)


def _decided(client: Client, request_id: str) -> dict[str, Any]:
    request = client.call("GET", f"/v1/requests/{request_id}")
    while request["state"] == "pending":
        request = client.call("GET", f"/v1/requests/{request_id}/wait", params={"timeout_s": _WAIT_S})
    return request


def _table(found: list[dict[str, Any]]) -> Table:
    made = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("channel", "", "since", "says"):
        made.add_column(column, overflow="fold")
    for each in found:
        since = datetime.fromtimestamp(each["since_ms"] / 1000, UTC).astimezone()
        state = "[green]ok[/green]" if each["ok"] else "[red]down[/red]"
        made.add_row(each["scheme"], state, f"{since:%Y-%m-%d %H:%M}", each["text"].replace("[", r"\["))
    return made
