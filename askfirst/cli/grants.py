"""``askfirst grants``: what approvals still open, and how to take it back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, end_with, print_json, sentences
from askfirst.errors import InputError
from askfirst.paths import state_paths
from askfirst.visible import visible


def add(app: typer.Typer) -> None:
    """Register the group."""
    group = typer.Typer(help="Look at what approvals still open, or take it back.", no_args_is_help=True)
    group.command("list")(list_grants)
    group.command("revoke")(revoke)
    app.add_typer(group, name="grants")


def list_grants(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """Every grant that still opens something, those that lapse first before the others."""
    with sentences():
        found = connected(state_paths(state_dir)).call("GET", "/v1/grants")["grants"]
        if as_json:
            print_json(found)
            return
        console.print(table(found) if found else "no open grants")


def revoke(
    grant: Annotated[str, typer.Argument(help="The code of its request, or its id.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Take a grant back: nothing more runs by it. What runs already is not stopped."""
    with sentences():
        client = connected(state_paths(state_dir))
        found = _named(client.call("GET", "/v1/grants")["grants"], grant)
        step = client.call("POST", f"/v1/grants/{found['request']}/revoke", json={"reason": reason})
        end_with(step, found["code"], as_json=as_json)


def table(found: list[dict[str, Any]]) -> Table:
    """Grants as a table."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("code", "scope", "uses", "until", "opens"):
        made.add_column(name, overflow="fold" if name == "opens" else "ellipsis", no_wrap=name != "opens")
    for each in found:
        opens = f"commands like {each['pattern']}" if each["pattern"] else each["command"] or each["tool"]
        until = datetime.fromtimestamp(each["expires_at_ms"] / 1000, UTC).astimezone()
        made.add_row(
            each["code"],
            each["scope"],
            f"{each['uses']} of {each['uses_max']}",
            f"{until:%H:%M:%S}",
            visible(opens).replace("[", r"\["),
        )
    return made


def _named(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The grant with this id, code, or unique beginning of a code.

    Raises:
        InputError: none, or more than one, is named so.
    """
    matches = [
        each
        for each in found
        if name and (name in {each["id"], each["request"]} or each["code"].lower().startswith(name.lower()))
    ]
    if len(matches) != 1:
        how_many = "no open grant" if not matches else f"{len(matches)} open grants"
        raise InputError(f"{how_many} named {name!r}; `askfirst grants list` shows the codes")
    return matches[0]
