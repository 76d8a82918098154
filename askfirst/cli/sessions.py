"""``askfirst sessions``: the agents that have asked, and what of theirs waits."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, print_json, sentences
from askfirst.paths import state_paths
from askfirst.session_list import Asked, SessionLine, sessions
from askfirst.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT_CHARS = 80


def add(app: typer.Typer) -> None:
    """Register the command."""

    @app.command("sessions")
    def list_sessions(
        waiting: Annotated[bool, typer.Option("--waiting", help="Only those that wait for people.")] = False,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """List agents' sessions, by what they asked for lately; those that wait come first."""
        with sentences(), closing(connected(state_paths(state_dir))) as client:
            recent = client.call("GET", "/v1/requests", params={"limit": 1000})["requests"]
            pending = client.call("GET", "/v1/requests", params={"limit": 1000, "state": "pending"})["requests"]
            rows = {each["id"]: each for each in (*recent, *pending)}
            found = [each for each in sessions(map(asked, rows.values())) if each.waiting or not waiting]
            if as_json:
                print_json([asdict(each) for each in found])
                return
            for line in found:
                _show(line)
            if not found:
                console.print("no agent has asked yet" if not waiting else "nobody waits")


def asked(request: Mapping[str, Any]) -> Asked:
    """A request of the API."""
    return Asked(
        host=request["host"],
        session=request["session"],
        cwd=request["cwd"],
        state=request["state"],
        id=request["id"],
        code=request["code"],
        text=request["question"] or request["command"] or request["tool"],
        at_ms=request["created_at_ms"],
    )


def _show(line: SessionLine) -> None:
    last = datetime.fromtimestamp(line.last_ms / 1000, UTC).astimezone().strftime("%d %b %H:%M")
    states = ", ".join(f"{count} {state}" for state, count in line.states.items())
    name = f"{line.host} {line.session[:8]}"
    console.print(visible(f"{name}  {line.cwd}"), style="bold", markup=False, soft_wrap=True)
    console.print(f"  {states}; last {last}", markup=False, soft_wrap=True)
    for each in line.waiting:
        text = each.text.replace("\n", "⏎")
        shown = text if len(text) <= _TEXT_CHARS else f"{text[:_TEXT_CHARS]} …"
        console.print(visible(f"  waits  {each.code}  {shown}"), style="yellow", markup=False, soft_wrap=True)
