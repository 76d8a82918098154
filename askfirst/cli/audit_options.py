"""The filters that commands on the log share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Store = Annotated[Path | None, typer.Option(help="A store (or, for verify, an export) other than the state folder's.")]
Person = Annotated[str, typer.Option(help="Who acted or decided, e.g. telegram:12345.")]
Agent = Annotated[str, typer.Option(help="Name or session of the agent.")]
Rule = Annotated[str, typer.Option(help="Id of a rule that found something or decided.")]
Decision = Annotated[str, typer.Option(help="The verdict, e.g. denied.")]
RequestId = Annotated[str, typer.Option("--request", help="Id of a request, or its end.")]
Types = Annotated[
    list[str] | None, typer.Option("--type", help="Type of entry or its beginning, e.g. gate.; may be repeated.")
]
Since = Annotated[str, typer.Option(help="From this time on, e.g. 2026-11-25 or 2026-11-25T18:00:00Z.")]
Until = Annotated[str, typer.Option(help="Before this time.")]


def wanted(
    person: str,
    agent: str,
    rule: str,
    decision: str,
    request: str,
    types: list[str] | None,
    *times: str,
) -> dict[str, object]:
    """The filters that were given, as ``LogReader`` takes them; ``times`` are since and until."""
    since, until = times
    filters: dict[str, object] = {
        "person": person,
        "agent": agent,
        "rule": rule,
        "decision": decision,
        "request": request.rpartition("-")[0] or request,  # a code is the end of an id, a hyphen and a digest
        "types": tuple(types or ()),
        "since": since,
        "until": until,
    }
    return {name: value for name, value in filters.items() if value}
