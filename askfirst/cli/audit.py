"""``askfirst audit verify|tail|export``: all offline, on the store's file or on a copy of the shared log."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askfirst.card import visible
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import EXIT_NO, console, print_json, sentences, stderr
from askfirst.cli.store_file import store_file

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts, VerifyReport


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the group."""
    group = typer.Typer(help="The audit log: verify it, read it, hand it on.", no_args_is_help=True)

    @group.command()
    def verify(
        checkpoint: Annotated[
            Path | None, typer.Option(help="A signed checkpoint that you kept: the log must contain its tree.")
        ] = None,
        seen: Annotated[
            list[str] | None, typer.Option(help="SIZE:ROOTPREFIX as printed in a message; may be repeated.")
        ] = None,
        store: Annotated[Path | None, typer.Option(help="A store file other than the state folder's.")] = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Recompute the whole log from the stored bytes and check its signed head. Exit code 1: it does not verify."""
        with sentences(), store_file(store, state_dir) as path:
            with stderr.status("verifying"):
                report = parts.verify(path, checkpoint, tuple(seen or ()))
            if as_json:
                print_json({"ok": report.ok, **_fields(report)})
            else:
                _show(report)
            if not report.ok:
                raise typer.Exit(EXIT_NO)

    @group.command()
    def tail(
        count: Annotated[int, typer.Option("-n", min=1, max=100_000, help="So many entries.")] = 20,
        store: Annotated[Path | None, typer.Option(help="A store file other than the state folder's.")] = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """The newest entries, oldest first."""
        with sentences(), store_file(store, state_dir) as path:
            entries = parts.tail(path, count)
            if as_json:
                print_json(entries)
                return
            for entry in entries:
                console.print(_line(entry), markup=False, soft_wrap=True)

    @group.command()
    def export(
        out: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
        store: Annotated[Path | None, typer.Option(help="A store file other than the state folder's.")] = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Write entries, checkpoint and public key to a folder that a third party can verify without us."""
        with sentences(), store_file(store, state_dir) as path:
            with stderr.status("exporting"):
                count = parts.export(path, out)
            if as_json:
                print_json({"entries": count, "folder": str(out)})
            else:
                console.print(f"{count} entries in {out}", markup=False)

    app.add_typer(group, name="audit")


def _fields(report: VerifyReport) -> dict[str, Any]:
    assert is_dataclass(report)
    assert not isinstance(report, type)
    return asdict(report)


def _show(report: VerifyReport) -> None:
    for problem in report.problems:
        console.print(f"FAIL {problem.message}", style="bold red", markup=False, soft_wrap=True)
    for proof in report.proofs:
        console.print(f"  ok {proof}", style="green", markup=False, soft_wrap=True)
    for limit in report.limits:
        console.print(f"note {limit}", style="dim", markup=False, soft_wrap=True)
    verdict = "the log verifies" if report.ok else "the log does not verify"
    console.print(f"{verdict}: {report.size} entries, root {report.root[:16]}", markup=False)


def _line(entry: dict[str, Any]) -> str:
    """E.g. ``2026-11-25T18:22:01Z gate.decided local:ann via web denied 7XQ2KD git reset --hard``."""
    actor, decision = entry.get("actor", {}), entry.get("decision", {})
    channel = f" via {actor['channel']}" if actor.get("channel") else ""
    words = [
        str(entry.get("t", "")),
        str(entry.get("type", "")),
        f"{actor.get('id', '')}{channel}",
        str(decision.get("verdict", "")),
        str(entry.get("req", ""))[-6:],
        str(entry.get("action", {}).get("summary", "")),
        "" if "data" not in entry else json.dumps(entry["data"], ensure_ascii=False),
    ]
    return visible(" ".join(word for word in words if word)).replace("\n", "⏎")
