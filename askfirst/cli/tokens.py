"""``askfirst tokens``: who may call the API over the network, and to do what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from askfirst.access import NEEDS_APPROVAL, TOOL, AccessScope
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, print_json, sentences, stderr
from askfirst.errors import NotAllowedError
from askfirst.paths import state_paths
from askfirst.visible import visible

if TYPE_CHECKING:
    from askfirst.client import Client

_WAIT_S = 100


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
        if not NEEDS_APPROVAL.isdisjoint(scope):
            wanted["approval"] = _approval(client, wanted)
        token = client.call("POST", "/v1/tokens", json=wanted)
        if as_json:
            print_json(token)
            return
        stderr.print("This is shown once; keep it where no agent can read it:", style="dim")
        console.print(token["token"], markup=False, soft_wrap=True)


def _approval(client: Client, wanted: dict[str, Any]) -> str:
    """Id of the request by which a person has approved this token.

    Raises:
        NotAllowedError: nobody did.
    """
    request = client.call("POST", "/v1/requests", json={"tool": TOOL, "arguments": wanted, "host": "cli"})
    stderr.print(f"waiting for a person to approve request {request['code']}", style="dim", markup=False)
    while request["state"] == "pending":
        request = client.call("GET", f"/v1/requests/{request['id']}/wait", params={"timeout_s": _WAIT_S})
    if request["state"] != "approved":
        why = (request["end"] or {}).get("text", "")
        raise NotAllowedError(f"no token was issued: {request['state']}{f' ({visible(why)})' if why else ''}")
    approved: str = request["id"]
    return approved


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
