"""``askfirst audit verify|list|show|stats``: on the store's file, and a witness where one is named."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askfirst.audit_port import parse_seen
from askfirst.cli.audit_options import Agent, Decision, Person, RequestId, Rule, Since, Store, Types, Until, wanted
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import EXIT_NO, console, print_json, sentences, stderr
from askfirst.cli.store_file import kept_store_file
from askfirst.errors import InputError
from askfirst.visible import visible

if TYPE_CHECKING:
    from askfirst.cli.parts import LogReader, Parts, VerifyReport

Keys = Annotated[list[str] | None, typer.Option(metavar="VKEY", help="The log's key as you know it.")]
Checkpoint = Annotated[Path | None, typer.Option(help="A signed checkpoint that you kept.")]
Seen = Annotated[list[str] | None, typer.Option(metavar="SIZE:ROOT", help="As printed in a message; may be repeated.")]
Receipts = Annotated[list[Path] | None, typer.Option(help="A .tlog-proof file; may be repeated.")]
Range = Annotated[str, typer.Option("--range", metavar="FIRST-LAST", help="Only these entries, under the signed head.")]
Witnesses = Annotated[
    list[str] | None, typer.Option(metavar="VKEY", help="A witness that must have cosigned; may be repeated.")
]
WitnessUrls = Annotated[
    list[str] | None,
    typer.Option(metavar="URL", help="Ask the --witness there for what it cosigned last; may be repeated."),
]
Repositories = Annotated[
    list[str] | None, typer.Option(metavar="REPO[@REF]", help="A repository with `audit anchor` commits.")
]
Timestamps = Annotated[list[Path] | None, typer.Option(help="A .tsr file, its .checkpoint beside it; may be repeated.")]
Authorities = Annotated[Path | None, typer.Option(help="PEM file of certificates trusted for timestamps.")]


def add(app: typer.Typer, parts: Parts) -> typer.Typer:
    """Register the group; returns it for the commands of other modules."""
    group = typer.Typer(help="The audit log: verify it, read it, hand it on.", no_args_is_help=True)
    _add_verify(group, parts)
    _add_list(group, parts)
    _add_stats(group, parts)
    _add_show(group, parts)
    app.add_typer(group, name="audit")
    return group


def _add_verify(group: typer.Typer, parts: Parts) -> None:
    @group.command()
    def verify(
        *,
        key: Keys = None,
        checkpoint: Checkpoint = None,
        seen: Seen = None,
        receipt: Receipts = None,
        part: Range = "",
        witness: Witnesses = None,
        witness_url: WitnessUrls = None,
        git: Repositories = None,
        timestamp: Timestamps = None,
        authority: Authorities = None,
        store: Store = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Recompute the log from its stored bytes, check it against all evidence given, and say what that proves.

        Exit code 1: it does not verify.
        """
        with sentences(), stderr.status("verifying"):
            for each in seen or ():
                parse_seen(each)
            if witness_url and not witness:
                raise InputError("whose cosignature must be on what --witness-url says? give its key by --witness")
            log = log_of(parts, store, state_dir)
            if part:
                if any((checkpoint, seen, receipt, witness, witness_url, git, timestamp)):
                    raise InputError("a range is verified under the signed head alone; of the evidence give --key only")
                report = log.verify_range(*_range_of(part), vkeys=key or ())
            else:
                report = log.verify(
                    checkpoint=checkpoint,
                    seen=seen or (),
                    receipts=receipt or (),
                    vkeys=key or (),
                    witnesses=witness or (),
                    witness_urls=witness_url or (),
                    repositories=git or (),
                    timestamps=timestamp or (),
                    authorities=authority,
                )
        if as_json:
            print_json({"ok": report.ok, **_fields(report)})
        else:
            _show_report(report, "range" if part else "log")
        if not report.ok:
            raise typer.Exit(EXIT_NO)


def _range_of(text: str) -> tuple[int, int]:
    """First and last index of e.g. ``100-199``; one number is one entry.

    Raises:
        InputError: it is no range.
    """
    first, dash, last = text.partition("-")
    if not (first.isdecimal() and (last.isdecimal() or not dash)) or (dash and int(last) < int(first)):
        raise InputError(f"{text[:50]!r} is no range, expected FIRST-LAST, e.g. 100-199", field="range")
    return int(first), int(last or first)


def _add_list(group: typer.Typer, parts: Parts) -> None:
    @group.command("list")
    def list_(
        *,
        person: Person = "",
        agent: Agent = "",
        rule: Rule = "",
        decision: Decision = "",
        request: RequestId = "",
        types: Types = None,
        since: Since = "",
        until: Until = "",
        limit: Annotated[int, typer.Option("-n", "--limit", min=1, max=1_000_000, help="At most so many.")] = 100,
        store: Store = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """The newest entries that fit all filters, oldest first."""
        with sentences():
            filters = wanted(person, agent, rule, decision, request, types, since, until)
            show_entries(log_of(parts, store, state_dir).find(filters, limit), as_json=as_json)


def _add_stats(group: typer.Typer, parts: Parts) -> None:
    @group.command()
    def stats(
        *,
        person: Person = "",
        agent: Agent = "",
        rule: Rule = "",
        decision: Decision = "",
        request: RequestId = "",
        since: Since = "",
        until: Until = "",
        store: Store = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """How many requests, how decided and how fast: in all, by rule, by reviewer, by day."""
        with sentences():
            filters = wanted(person, agent, rule, decision, request, None, since, until)
            found = log_of(parts, store, state_dir).stats(filters)
            if as_json:
                print_json(found)
            else:
                _show_stats(found)


def _add_show(group: typer.Typer, parts: Parts) -> None:
    @group.command()
    def show(
        index: Annotated[int, typer.Argument(min=0, help="Index of the entry.")],
        store: Store = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """One entry in full, with its leaf hash and the payloads that stand apart from it."""
        with sentences():
            found = log_of(parts, store, state_dir).show(index)
            if as_json:
                print_json(found)
                return
            console.print(visible(json.dumps(found["entry"], indent=2, ensure_ascii=False)), markup=False)
            console.print(f"leaf {found['leaf']}", markup=False, soft_wrap=True)
            for sha256, payload in found["payloads"].items():
                told = "erased, or kept elsewhere" if payload is None else visible(payload)
                console.print(f"payload {sha256}: {told}", markup=False, soft_wrap=True)


def log_of(parts: Parts, store: Path | None, state_dir: Path | None) -> LogReader:
    """The log of the named store, or of the configured one, of which there may be a copy until the command ends.

    Raises:
        LogError: there is no such store.
    """
    return parts.log(kept_store_file(store, state_dir))


def _fields(report: VerifyReport) -> dict[str, Any]:
    assert is_dataclass(report)
    assert not isinstance(report, type)
    return asdict(report)


def _show_report(report: VerifyReport, subject: str) -> None:
    """What was found about the ``subject``: the log, or a range of it."""
    for problem in report.problems:
        since = f" (since {problem.time})" if problem.time else ""
        console.print(f"FAIL {problem.message}{since}", style="bold red", markup=False, soft_wrap=True)
    for proof in report.proofs:
        console.print(f"  ok {proof}", style="green", markup=False, soft_wrap=True)
    for meaning in report.meanings if report.ok else ():
        console.print(f"     {meaning}", style="dim", markup=False, soft_wrap=True)
    for limit in report.limits:
        console.print(f"note {limit}", style="dim", markup=False, soft_wrap=True)
    verdict = "verifies" if report.ok else "does not verify"
    console.print(f"the {subject} {verdict}: {report.size} entries, root {report.root[:16]}", markup=False)


def show_entries(entries: list[dict[str, Any]], *, as_json: bool) -> None:
    """Entries as lines, or as one document."""
    if as_json:
        print_json(entries)
        return
    for entry in entries:
        console.print(line_of(entry), markup=False, soft_wrap=True)


def line_of(entry: dict[str, Any]) -> str:
    """E.g. ``812 2026-11-25T18:22:01Z gate.decided local:ann via web denied 7XQ2KD git reset --hard``."""
    actor, decision = entry.get("actor", {}), entry.get("decision", {})
    channel = f" via {actor['channel']}" if actor.get("channel") else ""
    words = [
        str(entry["index"]),
        str(entry.get("t", "")),
        str(entry.get("type", "")),
        f"{actor.get('id', '')}{channel}",
        str(decision.get("verdict", "")),
        str(entry.get("req", ""))[-6:],
        str(entry.get("action", {}).get("summary", "")),
        "" if "data" not in entry else json.dumps(entry["data"], ensure_ascii=False),
        str(entry.get("unreadable", "")),
    ]
    return visible(" ".join(word for word in words if word)).replace("\n", "⏎")


def _show_stats(found: dict[str, Any]) -> None:
    from rich.table import Table  # noqa: PLC0415  # the only command here that draws one

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "asked", "approved", "denied", "expired", "rate", "median", "90 %"):
        table.add_column(name, justify="left" if not name else "right")
    groups = [("all", {"all": found["total"]})]
    groups += [(name, found[f"by_{name}"]) for name in ("rule", "reviewer", "day")]
    for name, rows in groups:
        if name != "all":
            table.add_row(f"[dim]by {name}[/]")
        for key, one in rows.items():
            rate = "–" if one["approve_rate"] is None else f"{one['approve_rate']:.0%}"
            times = ("–" if one[time] is None else f"{one[time]:.1f} s" for time in ("median_s", "p90_s"))
            counts = (str(one[count]) for count in ("asked", "approved", "denied", "expired"))
            table.add_row(visible(key).replace("[", r"\["), *counts, rate, *times)
    console.print(table)
