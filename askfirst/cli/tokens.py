"""``askfirst tokens``: who may call the API over the network, and to do what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from askfirst.access import NEEDS_APPROVAL, AccessScope
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, print_json, sentences, stderr
from askfirst.cli.people import approved
from askfirst.paths import state_paths
from askfirst.visible import visible


def add(app: typer.Typer) -> None:
    """Register the group."""
    group = typer.Typer(help="Tokens of the API: who may ask, read, decide or administer.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(list_tokens)
    group.command("revoke")(revoke)
    app.add_typer(group, name="tokens")


def create(  # noqa: PLR0917  # the options of a command
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[AccessScope], typer.Option(help="What it may do; may be given several times.")],
    person: Annotated[str, typer.Option(help="With `decide`: in whose name, e.g. local:ann.")] = "",
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it holds.")] = 90,
    assurance: Annotated[
        int, typer.Option(min=0, max=1, help="With `decide`: 1 where no agent can read the token, else 0.")
    ] = 0,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Issue a token. Its secret is printed once. One that may decide or administer waits for a person's approval."""
    with sentences():
        client = connected(state_paths(state_dir))
        wanted: dict[str, Any] = {
            "name": name,
            "scopes": sorted({each.value for each in scope}),
            "person": person,
            "assurance": assurance,
            "days": days,
        }
        if NEEDS_APPROVAL.isdisjoint(scope):
            token = client.call("POST", "/v1/tokens", json=wanted)
        else:
            asked = approved(client, client.call("POST", "/v1/tokens/asked", json=wanted))
            token = client.call("POST", f"/v1/tokens/issued/{asked['request']}", json={"claim": asked["claim"]})
        if as_json:
            print_json(token)
            return
        stderr.print("This is shown once; keep it where no agent can read it:", style="dim")
        console.print(token["token"], markup=False, soft_wrap=True)


def list_tokens(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """All tokens without their secrets, newest first."""
    with sentences():
        found = connected(state_paths(state_dir)).call("GET", "/v1/tokens")["tokens"]
        if as_json:
            print_json(found)
            return
        console.print(_table(found) if found else "no tokens")


def revoke(
    token: Annotated[str, typer.Argument(help="Its id.")], state_dir: StateDir = None, as_json: AsJson = False
) -> None:
    """Take a token back: from now on it opens nothing."""
    with sentences():
        gone = connected(state_paths(state_dir)).call("POST", f"/v1/tokens/{token}/revoke")
        if as_json:
            print_json(gone)
        else:
            console.print(f"revoked {gone['name']} ({gone['id']})", markup=False)


def _table(found: list[dict[str, Any]]) -> Table:
    made = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("id", "name", "scopes", "person", "until"):
        made.add_column(column, overflow="fold")
    for each in found:
        until = datetime.fromtimestamp(each["expires_at_ms"] / 1000, UTC).astimezone()
        state = "revoked" if each["revoked_at_ms"] is not None else f"{until:%Y-%m-%d}"
        name = visible(each["name"]).replace("[", r"\[")
        made.add_row(each["id"], name, " ".join(each["scopes"]), visible(each["person"]), state)
    return made
