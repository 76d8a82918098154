"""``askfirst grants``: what approvals still open, and how to take it back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, end_with, print_json, sentences
from askfirst.cli.requests import find
from askfirst.errors import InputError
from askfirst.paths import state_paths
from askfirst.visible import visible

if TYPE_CHECKING:
    from askfirst.client import Client


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
    grant: Annotated[str, typer.Argument(help="The code of its request, or its id.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Take a grant back: nothing more runs by it. What runs already is not stopped."""
    with sentences():
        if every == bool(grant):
            raise InputError("name a grant, or give --all", field="grant")
        client = connected(state_paths(state_dir))
        if every:
            _revoke_all(client, reason, as_json=as_json)
            return
        request, code = named(client, grant)
        step = client.call("POST", f"/v1/grants/{request}/revoke", json={"reason": reason})
        end_with(step, code, as_json=as_json)


def _revoke_all(client: Client, reason: str, *, as_json: bool) -> None:
    """Take back page after page, until none is left or none of a page could be."""
    revoked: list[str] = []
    while found := client.call("GET", "/v1/grants")["grants"]:
        steps = [client.call("POST", f"/v1/grants/{each['request']}/revoke", json={"reason": reason}) for each in found]
        done = [each["code"] for each, step in zip(found, steps, strict=True) if step["done"]]
        if not done:
            break
        revoked += done
    if as_json:
        print_json({"revoked": revoked})
    else:
        console.print(f"{len(revoked)} grants are revoked: they open nothing any more", markup=False)


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


def named(client: Client, name: str) -> tuple[str, str]:
    """Id and code of the request whose grant has this id, code, or unique beginning of a code.

    An open grant goes before all others; of these, one that is all passed on may still open something elsewhere.

    Raises:
        InputError: more than one is named so.
        RequestNotFoundError: none is.
    """
    found = client.call("GET", "/v1/grants")["grants"]
    matches = [each for each in found if name == each["request"] or each["code"].lower().startswith(name.lower())]
    if len(matches) > 1:
        raise InputError(f"{len(matches)} open grants named {name!r}; `askfirst grants list` shows the codes")
    if matches:
        return matches[0]["request"], matches[0]["code"]
    request = find(client, name)
    return request["id"], request["code"]
