"""``askfirst break-glass``: codes made beforehand, for when nobody who decides can be reached."""

from __future__ import annotations

import getpass
import os
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from askfirst.cli.agent_shell import require_person
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, print_json, sentences
from askfirst.cli.people import approved, full_id
from askfirst.cli.requests import describe, find
from askfirst.errors import InputError, NotAllowedError
from askfirst.paths import state_paths
from askfirst.visible import visible

if TYPE_CHECKING:
    from askfirst.client import Client

_SPAN = re.compile(r"([1-9]\d{0,4})\s*(s|m|min|h)?\Z")
_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600, None: 60}


def add(app: typer.Typer) -> None:
    """Register the group."""
    group = typer.Typer(
        help="Codes kept on paper, for when nobody who decides can be reached. Off unless the policy allows it.",
        no_args_is_help=True,
    )
    group.command("prepare")(prepare)
    group.command("list")(list_codes)
    group.command("revoke")(revoke)
    group.command("use")(use)
    app.add_typer(group, name="break-glass")


def prepare(
    person: Annotated[str, typer.Argument(help="For whom, e.g. bob or local:bob.")],
    days: Annotated[int, typer.Option(min=1, max=730, help="How long it can be used.")] = 180,
    state_dir: StateDir = None,
) -> None:
    """Print a code that works once, to be kept on paper. Waits for a person's approval; shown on a terminal only."""
    with sentences():
        require_person(os.environ)
        if not sys.stdout.isatty():
            raise NotAllowedError("a code is only shown on a terminal; run `askfirst break-glass prepare` in one")
        client = connected(state_paths(state_dir))
        wanted = {"person": full_id(person), "days": days}
        asked = approved(client, client.call("POST", "/v1/break-glass/codes", json=wanted))
        made = client.call("POST", f"/v1/break-glass/codes/{asked['request']}", json={"claim": asked["claim"]})
        console.print(f"For {visible(made['person'])}, until {_day(made['expires_at_ms'])}. Shown once:", markup=False)
        console.print(made["code"], markup=False, style="bold")
        console.print("Write it on paper, and keep it where no program can read it.", style="dim")


def list_codes(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """All codes, by their public names, and what became of them."""
    with sentences():
        found = connected(state_paths(state_dir)).call("GET", "/v1/break-glass")["codes"]
        if as_json:
            print_json(found)
            return
        console.print(_table(found) if found else "no codes")


def revoke(
    code: Annotated[str, typer.Argument(help="The code's public name, its first six characters.")],
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Take a code back, or close the window that it has opened. Takes no approval."""
    with sentences():
        gone = connected(state_paths(state_dir)).call("POST", "/v1/break-glass/revoke", json={"id": code[:6]})
        if as_json:
            print_json(gone)
        else:
            console.print(f"{gone['id']} opens nothing any more", markup=False)


def use(
    request: Annotated[str, typer.Argument(help="The request to release: its id or its code.")] = "",
    span: Annotated[str, typer.Option("--for", help="Instead of a request: open a window for so long, e.g. 10m.")] = "",
    reason: Annotated[str, typer.Option(help="Why. It is in the log, and everybody is told.")] = "",
    session: Annotated[str, typer.Option(help="With --for: only for this session of an agent.")] = "",
    state_dir: StateDir = None,
) -> None:
    """Release one request, or open a window, by a code. It is typed at a terminal; everybody is told at once."""
    with sentences():
        require_person(os.environ)
        if bool(request) == bool(span) or (session and not span):
            raise InputError("name a request to release, or a window with --for (and --session), not both")
        if not reason.strip():
            raise InputError("say why: --reason '…'; it is in the log, and everybody is told")
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise NotAllowedError("a code is typed at a terminal; run `askfirst break-glass use` in one")
        client = connected(state_paths(state_dir))
        if span:
            _open(client, seconds_of(span), session, reason)
        else:
            _release(client, find(client, request), reason)


def _open(client: Client, seconds: int, session: str, reason: str) -> None:
    whom = f"session {visible(session)}" if session else "every agent"
    console.print(f"For {seconds} s everything that {whom} asks is released, where its rule allows it.", markup=False)
    wanted = {"code": _typed(), "reason": reason, "seconds": seconds, "session": session}
    opened = client.call("POST", "/v1/break-glass/open", json=wanted)
    until = datetime.fromtimestamp(opened["until_ms"] / 1000, UTC).astimezone()
    console.print(
        f"open until {until:%H:%M:%S}; `askfirst break-glass revoke {opened['id']}` closes it. A call that waits "
        "already is released when the agent tries it again.",
        markup=False,
    )


def _release(client: Client, shown: dict[str, Any], reason: str) -> None:
    for line in describe(shown):
        console.print(line, markup=False, soft_wrap=True)
    wanted = {
        "code": _typed(),
        "reason": reason,
        "request": shown["id"],
        "version": shown["version"],
        "action_digest": shown["action_digest"],
    }
    done = client.call("POST", "/v1/break-glass/release", json=wanted)
    console.print(f"{shown['code']}: released by the code {done['id']} of {visible(done['person'])}", markup=False)


def _typed() -> str:
    """The code from the terminal, not echoed, and never from an argument: other programs can read those."""
    return getpass.getpass("break-glass code: ")


def seconds_of(span: str) -> int:
    """Seconds of e.g. ``90s``, ``10m`` or ``1h``; a bare number is minutes.

    Raises:
        InputError: it is no span of time.
    """
    match = _SPAN.match(span)
    if match is None:
        raise InputError(f"{span!r} is no span of time, expected e.g. 90s, 10m or 1h", field="for")
    return int(match[1]) * _UNITS_S[match[2]]


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone():%Y-%m-%d}"


def _table(found: list[dict[str, Any]]) -> Table:
    made = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("code", "person", "state", "until", "reason"):
        made.add_column(column, overflow="fold")
    for each in found:
        cells = (each["id"], each["person"], each["state"], _day(each["expires_at_ms"]), each["reason"])
        made.add_row(*(visible(cell).replace("[", r"\[") for cell in cells))
    return made
