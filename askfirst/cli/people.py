"""``askfirst people``: who may decide, and what channels know them by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

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
    group = typer.Typer(
        help="Who may decide. Adding somebody, and linking a channel to them, waits for a person's approval.",
        no_args_is_help=True,
    )
    group.command("add")(add_person)
    group.command("link")(link)
    group.command("list")(list_people)
    group.command("remove")(remove)
    app.add_typer(group, name="people")


def add_person(
    person: Annotated[str, typer.Argument(help="Their name, e.g. bob; their id is then local:bob.")],
    role: Annotated[list[str] | None, typer.Option(help="A role; may be given several times.")] = None,
    team: Annotated[list[str] | None, typer.Option(help="A team; may be given several times.")] = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody decide, or give them these roles and teams. Waits for a person's approval."""
    with sentences():
        client = connected(state_paths(state_dir))
        wanted = {"person": full_id(person), "roles": role or [], "teams": team or []}
        asked = approved(client, client.call("POST", "/v1/people", json=wanted))
        made = client.call("POST", f"/v1/people/added/{asked['request']}", json={"claim": asked["claim"]})
        if as_json:
            print_json(made)
            return
        console.print(f"{made['person']} may decide; `askfirst people link {made['person']}` links a channel to them")


def link(
    person: Annotated[str, typer.Argument(help="Whom, e.g. bob or local:bob.")],
    channel: Annotated[str, typer.Option(help="Only on this channel, e.g. telegram.")] = "",
    assurance: Annotated[int, typer.Option(min=0, max=3, help="The most that their word there is worth.")] = 3,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Print a code that links an account on a channel to somebody: once, within ten minutes. Waits for approval."""
    with sentences():
        client = connected(state_paths(state_dir))
        wanted = {"person": full_id(person), "scheme": channel, "assurance": assurance}
        asked = approved(client, client.call("POST", "/v1/people/links", json=wanted))
        code = client.call("POST", f"/v1/people/links/{asked['request']}", json={"claim": asked["claim"]})
        if as_json:
            print_json(code)
            return
        until = datetime.fromtimestamp(code["expires_at_ms"] / 1000, UTC).astimezone()
        stderr.print(
            f"To be sent by {code['person']} to the bot of the channel, until {until:%H:%M} (docs/channels.md):",
            style="dim",
            markup=False,
            soft_wrap=True,
        )
        console.print(code["code"], markup=False)


def list_people(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """Everybody who may decide, and what channels know them by."""
    with sentences():
        found = connected(state_paths(state_dir)).call("GET", "/v1/people")["people"]
        if as_json:
            print_json(found)
            return
        console.print(_table(found))


def remove(
    name: Annotated[str, typer.Argument(help="A person (bob), or one account (telegram:12345).")],
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody, or one account of theirs, decide nothing any more. Takes no approval."""
    with sentences():
        gone = connected(state_paths(state_dir)).call("POST", "/v1/people/remove", json={"name": full_id(name)})
        if as_json:
            print_json(gone)
        else:
            console.print(f"removed {', '.join(visible(each) for each in gone['removed'])}", markup=False)


def full_id(name: str) -> str:
    """The id of somebody by their short name: of this machine."""
    return name if ":" in name else f"local:{name}"


def approved(client: Client, asked: dict[str, Any], *, inbox: str = "") -> dict[str, Any]:
    """The same, once a person has approved it.

    Args:
        client: of the broker.
        asked: what waits.
        inbox: a one-time link to the web inbox, where a terminal shows it to a person.

    Raises:
        NotAllowedError: nobody did.
    """
    stderr.print(
        f"waiting for a person to approve request {asked['code']} (web inbox: {inbox or '`askfirst inbox --open`'})",
        style="dim",
        markup=False,
        soft_wrap=True,
    )
    state, end = asked["state"], None
    while state == "pending":
        request = client.call("GET", f"/v1/requests/{asked['request']}/wait", params={"timeout_s": _WAIT_S})
        state, end = request["state"], request["end"]
    if state != "approved":
        why = (end or {}).get("text", "")
        raise NotAllowedError(f"nothing was changed: {state}{f' ({visible(why)})' if why else ''}")
    return asked


def _table(found: list[dict[str, Any]]) -> Table:
    made = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("person", "roles and teams", "known as", "named in"):
        made.add_column(column, overflow="fold")
    for each in found:
        groups = [f"role:{role}" for role in each["roles"]] + [f"team:{team}" for team in each["teams"]]
        known = "\n".join(f"{visible(one['id'])} (up to {one['assurance']})" for one in each["identities"])
        source = "configuration" if each["is_configured"] else "askfirst people add"
        cells = (each["person"], " ".join(groups), known, source)
        made.add_row(*(visible(cell).replace("[", r"\[") for cell in cells))
    return made
