"""``askfirst audit tail``: the end of the log, and what comes after it."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from askfirst.cli.audit import line_of, log_of, show_entries
from askfirst.cli.audit_options import Agent, Decision, Person, RequestId, Rule, Since, Store, Types, Until, wanted
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import sentences
from askfirst.cli.store_file import is_shared
from askfirst.errors import InputError, LogError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from askfirst.cli.parts import LogReader, Parts

_PAUSE_S: Final = 1.0
_MOST: Final = 1_000_000


def add(group: typer.Typer, parts: Parts) -> None:
    """Register the command."""

    @group.command()
    def tail(
        *,
        person: Person = "",
        agent: Agent = "",
        rule: Rule = "",
        decision: Decision = "",
        request: RequestId = "",
        types: Types = None,
        since: Since = "",
        until: Until = "",
        count: Annotated[int, typer.Option("-n", min=1, max=100_000, help="So many entries.")] = 20,
        follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is added, until Ctrl-C.")] = False,
        store: Store = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """The newest entries, oldest first. With --follow and --json one document a line."""
        with sentences():
            filters = wanted(person, agent, rule, decision, request, types, since, until)
            if not follow:
                show_entries(log_of(parts, store, state_dir).find(filters, count), as_json=as_json)
                return
            if is_shared(store):
                raise InputError(
                    "what is added to a shared database is followed by `[[notify]]` or /v1/events, not here"
                )
            try:
                for entry in followed(log_of(parts, store, state_dir), filters, count):
                    text = json.dumps(entry, ensure_ascii=False) if as_json else line_of(entry)
                    sys.stdout.write(f"{text}\n")
                    sys.stdout.flush()
            except KeyboardInterrupt:
                return


def followed(
    log: LogReader, filters: Mapping[str, object], count: int, *, pause_s: float = _PAUSE_S
) -> Iterator[dict[str, Any]]:
    """The newest entries that fit, then those that are added, without an end.

    Raises:
        LogError: the log has become shorter, which an append-only one never does.
    """
    end = _end(log)  # first: what comes while we look is not passed over
    entries = log.find(filters, count)
    last = max([end, *(int(entry["index"]) for entry in entries)])
    yield from entries
    while True:
        time.sleep(pause_s)
        end = _end(log)
        if end < last:
            raise LogError(f"the log ends at entry {end}, and had {last}: run `askfirst audit verify`")
        for entry in log.find(filters, _MOST, after=last) if end > last else ():
            last = int(entry["index"])
            yield entry
        last = max(last, end)


def _end(log: LogReader) -> int:
    """The index of the last entry; -1 when there is none."""
    return next((int(entry["index"]) for entry in log.find({}, 1)), -1)
