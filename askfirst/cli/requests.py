"""``askfirst requests list|show|cancel``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from askfirst.card import visible
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, print_json, sentences
from askfirst.errors import InputError
from askfirst.paths import state_paths
from askfirst.request import RequestState

if TYPE_CHECKING:
    from askfirst.client import Client

RISK_STYLE = {"low": "dim", "medium": "yellow", "high": "red", "critical": "bold white on red"}
STATE_STYLE = {"pending": "bold yellow", "approved": "green", "denied": "red", "expired": "dim"}


def add(app: typer.Typer) -> None:
    """Register the group."""
    group = typer.Typer(help="Look at requests, or withdraw one.", no_args_is_help=True)
    group.command("list")(list_requests)
    group.command("show")(show)
    group.command("cancel")(cancel)
    app.add_typer(group, name="requests")


def list_requests(
    state: Annotated[list[RequestState] | None, typer.Option(help="Only those in this state; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Requests, newest first."""
    with sentences():
        client = connected(state_paths(state_dir))
        states = [each.value for each in state or []]
        found = client.call("GET", "/v1/requests", params={"state": states, "limit": limit})["requests"]
        if as_json:
            print_json(found)
            return
        console.print(table(found) if found else "no requests")


def show(request: str, state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """One request: what would run, why it was stopped, what became of it. REQUEST is its id or its code."""
    with sentences():
        client = connected(state_paths(state_dir))
        found = find(client, request)
        if as_json:
            print_json(found)
            return
        for line in describe(found):
            console.print(line, markup=False, soft_wrap=True)


def cancel(
    request: str,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw a pending request, as its requester."""
    with sentences():
        client = connected(state_paths(state_dir))
        found = find(client, request)
        step = client.call("POST", f"/v1/requests/{found['id']}/cancel", json={"reason": reason})
        if as_json:
            print_json(step)
        else:
            console.print(f"{found['code']}: {step['note']}", markup=False)
        if not step["done"]:
            raise typer.Exit(1)


def find(client: Client, name: str) -> dict[str, Any]:
    """The request with this id, code, or unique beginning of a code.

    Raises:
        InputError: none, or more than one, is named so.
    """
    if len(name) == 26:
        return client.call("GET", f"/v1/requests/{name.upper()}")
    page = client.call("GET", "/v1/requests", params={"limit": 1000})["requests"]
    matches = [each for each in page if name and each["code"].lower().startswith(name.lower())]
    if len(matches) != 1:
        how_many = "no request" if not matches else f"{len(matches)} requests"
        raise InputError(f"{how_many} named {name!r} among the newest 1000; `askfirst requests list` shows the codes")
    return client.call("GET", f"/v1/requests/{matches[0]['id']}")


def table(found: list[dict[str, Any]]) -> Table:
    """Requests as a table."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("code", "state", "risk", "command", "where"):
        made.add_column(name, overflow="fold" if name == "command" else "ellipsis", no_wrap=name != "command")
    for each in found:
        made.add_row(
            each["code"],
            f"[{STATE_STYLE.get(each['state'], 'dim')}]{each['state']}[/]",
            f"[{RISK_STYLE[each['risk']]}]{each['risk']}[/]",
            _plain(visible(each["command"] or each["tool"])),
            _plain(visible(each["cwd"])),
        )
    return made


def describe(found: dict[str, Any]) -> list[str]:
    """A request as lines of plain text, made visible; the command is never cut."""
    lines = [
        f"{found['code']}  {found['state']}  {found['risk']}",
        "",
        visible(found["command"] or f"{found['tool']} {found['arguments']}"),
        "",
        f"where    {visible(found['cwd'])}",
        f"who      {visible(found['host'])} {visible(found['model'])} session {visible(found['session'])}",
        f"rule     {found['rule']}",
    ]
    if found["expanded"]:
        lines.insert(3, f"runs as  {visible(found['expanded'])}")
    for effect in found["effects"]:
        lines.append(f"{effect['risk']:<9}{visible(effect['loss'])} ({effect['rule']})")
        if effect["suggestion"]:
            lines.append(f"safer    {visible(effect['suggestion'])}")
    if found["claim"]["reason"]:
        lines.append(f"agent says (unverified): {visible(found['claim']['reason'])}")
    lines.extend(
        f"review   {visible(each['person'])} via {each['channel']}: {each['verdict']} {visible(each['text'])}"
        + (f" ({visible(each['note'])})" if each["note"] else "")
        for each in found.get("reviews", [])
    )
    grant = found.get("grant")
    if grant:
        lines.append(f"grant    {grant['state']} {grant['outcome']} {visible(grant['detail'])}".rstrip())
    return lines


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
