"""``askfirst backup`` and ``askfirst restore``: copy the store while brokers run; put a copy in place of a lost one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from askfirst.cli.loss import Evidence, Loss, loss_of
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import EXIT_NO, console, print_json, sentences, stderr
from askfirst.cli.store_file import store_file
from askfirst.errors import InputError
from askfirst.paths import config_file, state_paths

if TYPE_CHECKING:
    from sqlalchemy import URL

    from askfirst.cli.parts import Parts, VerifyReport
    from askfirst.paths import StatePaths


_SHOWN_MAX = 20


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the commands."""

    @app.command()
    def backup(
        file: Annotated[Path, typer.Argument(help="A file that does not exist yet.")],
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Copy the store to a file, while brokers go on. The keys are not in it: keep them apart."""
        with sentences():
            paths = state_paths(state_dir)
            with stderr.status("copying"):
                _backup(paths, file)
            if as_json:
                print_json({"file": str(file), "bytes": file.stat().st_size})
            else:
                console.print(f"the store is in {file}; keep {paths.root}/*.key apart from it", markup=False)

    @app.command()
    def restore(
        file: Annotated[Path | None, typer.Argument(help="What `askfirst backup` wrote.")] = None,
        in_place: Annotated[
            bool, typer.Option("--in-place", help="The store is back already, by pg_restore or a snapshot of the disk.")
        ] = False,
        old: Annotated[Path | None, typer.Option(help="The store that was lost, if it can still be read.")] = None,
        seen: Annotated[list[str] | None, typer.Option(help="A head that it had, SIZE:ROOT, as messages show.")] = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Put a backup in place of a store that is gone, and verify its log. Never overwrites a store.

        A broker then takes back every approval that is open in it, before it serves anybody: what ran after the backup
        is not known.
        """
        with sentences():
            if in_place == (file is not None):
                raise InputError("give either a file, or --in-place", field="file")
            with stderr.status("restoring"):
                evidence = Evidence(old, tuple(seen or ()))
                report, loss, unreadable = _restore(parts, state_paths(state_dir), file, state_dir, evidence)
            for problem in report.problems:
                stderr.print(f"FAIL {problem.message}", style="bold red", markup=False, soft_wrap=True)
            _warn_of(unreadable)
            if as_json:
                told = {"ok": report.ok, "entries": report.size, "root": report.root, **asdict(loss)}
                print_json({**told, "unreadable": unreadable})
            elif report.ok:
                for line in loss.told(report.size):
                    console.print(line, soft_wrap=True, markup=False)
            if not report.ok:
                raise typer.Exit(EXIT_NO)


def _backup(paths: StatePaths, out: Path) -> None:
    from askfirst.config import load_config  # noqa: PLC0415  # heavy, and other commands start without it
    from askfirst.store.backup import backup_postgres, backup_sqlite  # noqa: PLC0415  # SQLAlchemy takes half a second
    from askfirst.store.postgres import parse_url  # noqa: PLC0415

    if url := load_config(config_file()).store_url:
        backup_postgres(parse_url(url), out)
    else:
        backup_sqlite(paths.store, out)


def _restore(
    parts: Parts, paths: StatePaths, file: Path | None, state_dir: Path | None, evidence: Evidence
) -> tuple[VerifyReport, Loss, list[str]]:
    from askfirst.broker.server import broker_lock  # noqa: PLC0415  # only here
    from askfirst.config import load_config  # noqa: PLC0415  # heavy, and other commands start without it
    from askfirst.store.backup import require_no_store, restore_postgres, restore_sqlite  # noqa: PLC0415
    from askfirst.store.postgres import parse_url  # noqa: PLC0415

    if url := load_config(config_file()).store_url:
        if file is not None:
            restore_postgres(file, parse_url(url))
        with store_file(None, state_dir) as copy:
            return _verified(parts, copy, parse_url(url), evidence)
    with broker_lock(paths):
        if file is None:
            return _verified(parts, paths.store, paths.store, evidence)
        require_no_store(paths.store)
        copy = restore_sqlite(file, paths.root)
        try:
            report, loss, unreadable = _verified(parts, copy, copy, evidence)
            if report.ok:
                copy.rename(paths.store)
        finally:
            copy.unlink(missing_ok=True)
        return report, loss, unreadable


def _verified(parts: Parts, log: Path, store: Path | URL, evidence: Evidence) -> tuple[VerifyReport, Loss, list[str]]:
    """Verify a log, and mark the store that it is of as restored where it verifies; with what of it cannot be read."""
    from askfirst.store.backup import mark_restored  # noqa: PLC0415  # SQLAlchemy takes half a second
    from askfirst.store.damage import find_unreadable  # noqa: PLC0415
    from askfirst.store.restored import Restored  # noqa: PLC0415

    report = _verify(parts, log)
    if not report.ok:
        return report, Loss(), []
    head = f"{report.size}:{report.root}"
    at = str(parts.log(log).show(report.size - 1)["entry"]["t"])
    mark_restored(store, Restored(head=head, at=at))  # first of all: a shared database is in place by now
    loss = loss_of(parts, log, report.size, evidence)
    mark_restored(store, Restored(head=head, at=at, lost=loss.entries_lost))
    return report, loss, find_unreadable(store)


def _warn_of(unreadable: list[str]) -> None:
    if not unreadable:
        return
    shown = ", ".join(unreadable[:_SHOWN_MAX]) + (", …" if len(unreadable) > _SHOWN_MAX else "")
    told = (
        f"{len(unreadable)} of the requests that wait or are approved cannot be read, so they open nothing and nobody "
        f"can decide them: {shown}; an older backup may have them whole"
    )
    stderr.print(told, style="bold yellow", markup=False, soft_wrap=True)


def _verify(parts: Parts, path: Path) -> VerifyReport:
    return parts.log(path).verify(
        checkpoint=None,
        seen=(),
        receipts=(),
        vkeys=(),
        witnesses=(),
        witness_urls=(),
        repositories=(),
        timestamps=(),
        authorities=None,
    )
