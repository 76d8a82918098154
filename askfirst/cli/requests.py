"""``askfirst requests list|show|cancel``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, end_with, print_json, sentences
from askfirst.clock import SystemClock
from askfirst.effects import Risk
from askfirst.errors import InputError, RequestNotFoundError
from askfirst.paths import state_paths
from askfirst.request import RequestState
from askfirst.visible import visible, visible_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.client import Client

RISK_STYLE = {"low": "dim", "medium": "yellow", "high": "red", "critical": "bold white on red"}
STATE_STYLE = {"pending": "bold yellow", "approved": "green", "denied": "red", "expired": "dim"}

_LISTED_CHARS = 240
_LISTED_LINES = 4
"""What a list shows of a command at most."""


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
        console.print(table(found, now_ms=SystemClock().now_ms()) if found else "no requests")


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
        end_with(step, found["code"], as_json=as_json)


def find(client: Client, name: str) -> dict[str, Any]:
    """The request with this id, code, or unique beginning of a code.

    Raises:
        RequestNotFoundError: none is named so.
        InputError: more than one is.
    """
    if len(name) == 26:
        return client.call("GET", f"/v1/requests/{name.upper()}")
    page = client.call("GET", "/v1/requests", params={"limit": 1000})["requests"]
    return client.call("GET", f"/v1/requests/{only(page, name)['id']}")


def only(found: Iterable[dict[str, Any]], name: str) -> dict[str, Any]:
    """The one of these requests whose code is, or begins with, this name.

    Raises:
        RequestNotFoundError: none does.
        InputError: more than one does.
    """
    matches = [each for each in found if name and each["code"].lower().startswith(name.lower())]
    if not matches:
        raise RequestNotFoundError(f"no request is named {name!r} here; `askfirst requests list` shows the codes")
    if len(matches) > 1:
        raise InputError(f"{len(matches)} requests are named {name!r}; type more of the code")
    return matches[0]


def table(found: list[dict[str, Any]], *, now_ms: int) -> Table:
    """Requests as a table; of a long command the beginning, which says that it is one."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("code", "state", "risk", "command", "where"):
        made.add_column(name, overflow="fold" if name == "command" else "ellipsis", no_wrap=name != "command")
    for each in found:
        made.add_row(
            each["code"],
            Text(_state(each, now_ms), STATE_STYLE.get(each["state"], "dim")),
            Text(each["risk"], RISK_STYLE[each["risk"]]),
            _command(each),
            Text(visible_line(each["cwd"])),
        )
    return made


def is_listed_whole(found: dict[str, Any]) -> bool:
    """Whether ``table`` shows all of this request's command."""
    text = visible(found["command"] or found["tool"])
    return bool(found["command"]) and len(text) <= _LISTED_CHARS and text.count("\n") < _LISTED_LINES


def _command(found: dict[str, Any]) -> Text:
    """The command, or its beginning, and below it what would be lost."""
    text = visible(found["command"] or found["tool"])
    shown = "\n".join(text.split("\n")[:_LISTED_LINES])[:_LISTED_CHARS]
    made = Text(shown)
    if shown != text:
        made.append(f"… the beginning of {len(text):,} characters", "bold yellow")
    if found["state"] == "pending" and found["effects"]:
        worst = max(found["effects"], key=lambda effect: Risk.of(effect["risk"]))
        made.append(f"\n{visible_line(worst['loss'])}", "dim")
    return made


def _state(found: dict[str, Any], now_ms: int) -> str:
    if found["state"] != "pending":
        return str(found["state"])
    left_s = max(0, found["approval_expires_at_ms"] - now_ms) // 1000
    return f"{left_s // 60} min left" if left_s >= 60 else f"{left_s} s left"


def describe(found: dict[str, Any]) -> list[str]:
    """A request as lines of plain text, made visible; the command is never cut.

    A command of several lines has a margin, so that none of its lines looks like one of ours.
    """
    lines = [
        f"{found['code']}  {found['state']}  {found['risk']}",
        "",
        *_margined(found["command"] or f"{found['tool']} {found['arguments']}"),
        *(_under(f"runs as  {found['expanded']}") if found["expanded"] else []),
        "",
        f"where    {visible_line(found['cwd'])}",
        visible_line(f"who      {found['host']} {found['model']} session {found['session']}"),
        f"asked    {_time(found['created_at_ms'])}",
        *_end(found),
        f"rule     {found['rule']}",
    ]
    for effect in found["effects"]:
        lines.append(f"{effect['risk']:<9}{visible_line(effect['loss'])} ({effect['rule']})")
        if effect["suggestion"]:
            lines.append(f"safer    {visible_line(effect['suggestion'])}")
    lines.extend(evidence_lines(found["evidence"]))
    lines.extend(_claim_lines(found))
    for name, text in found["opinion"]:
        lines += _under(f"a language model's opinion, which never counts, {name}: {text}")
    lines.extend(
        f"review   {visible_line(each['person'])} via {each['channel']}: {each['verdict']} {visible_line(each['text'])}"
        + (f" ({visible_line(each['note'])})" if each["note"] else "")
        for each in found.get("reviews", [])
    )
    grant = found.get("grant")
    if grant:
        lines.append(f"grant    {grant['state']} {grant['outcome']} {visible_line(grant['detail'])}".rstrip())
    if found["log"]:
        lines.append(f"log      {found['log']}")
    return lines


def evidence_lines(evidence: dict[str, Any]) -> list[str]:
    """What the gate found, as lines of plain text; empty where nothing was looked at."""
    lines = [f"impact   {visible_line(evidence['impact'])}"] if evidence["impact"] else []
    lines += [f"   {each['mark']}     {visible_line(each['text'])}" for each in evidence["signals"]]
    for section in evidence["sections"]:
        lines += ["", visible_line(section["title"])]
        lines += [f"         {visible_line(row)}" for row in section["rows"]]
        lines += [f"         and {section['more']:,} more"] if section["more"] > 0 and section["rows"] else []
        lines += [f"         │ {line}" for line in visible(section["text"]).splitlines()]
    if evidence["rollback"]:
        lines += ["", "the way back"]
        lines += [f"         {visible_line(each)}" for each in evidence["rollback"]]
    return [*lines, *([f"found by the gate itself: {evidence['certainty']}"] if evidence["certainty"] else [])]


def _claim_lines(found: dict[str, Any]) -> list[str]:
    claim = found["claim"]
    confidence = "" if claim["confidence"] is None else f"{claim['confidence']:.0%}"
    rows = [
        ("reason", claim["reason"]),
        ("impact", claim["impact"]),
        ("rollback plan", claim["rollback_plan"]),
        ("confidence", confidence),
        ("signals", "; ".join(claim["signals"])),
    ]
    lines = [line for name, text in rows if text for line in _under(f"agent says (unverified), {name}: {text}")]
    return lines + [f"CONTRADICTED  {visible_line(each)}" for each in found["evidence"]["contradictions"]]


def _margined(text: str) -> list[str]:
    """A command; one of several lines with a margin."""
    lines = visible(text).split("\n")
    return lines if len(lines) == 1 else [f"│ {line}" for line in lines]


def _under(text: str) -> list[str]:
    """A line, and below it with a margin what more there is of it."""
    first, *others = visible(text).split("\n")
    return [first, *(f"         │ {line}" for line in others)]


def _end(found: dict[str, Any]) -> list[str]:
    """When it ends, or ended and by whom, as a line."""
    end = found["end"]
    if end is None:
        return [f"until    {_time(found['approval_expires_at_ms'])}, then it is refused as expired"]
    via = f" via {end['channel']}" if end["channel"] else ""
    text = f": {visible_line(end['text'])}" if end["text"] else ""
    return [f"ended    {_time(end['at_ms'])} by {visible_line(end['by'])}{via}{text}"]


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
