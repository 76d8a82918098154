"""``askfirst backup`` and ``askfirst restore``: copy the store while brokers run; put a copy in place of a lost one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import EXIT_NO, console, print_json, sentences, stderr
from askfirst.cli.store_file import store_file
from askfirst.paths import config_file, state_paths

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts, VerifyReport
    from askfirst.paths import StatePaths


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
        file: Annotated[Path, typer.Argument(help="What `askfirst backup` wrote.")],
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Put a backup in place of a store that is gone, and verify its log. Never overwrites a store."""
        with sentences():
            with stderr.status("restoring"):
                report = _restore(parts, state_paths(state_dir), file, state_dir)
            for problem in report.problems:
                stderr.print(f"FAIL {problem.message}", style="bold red", markup=False, soft_wrap=True)
            if as_json:
                print_json({"ok": report.ok, "entries": report.size, "root": report.root})
            elif report.ok:
                console.print(
                    f"restored; the log verifies: {report.size} entries. What was written after the backup is gone: "
                    "compare with a head that you have seen, `askfirst audit verify --seen SIZE:ROOT`",
                    soft_wrap=True,
                )
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


def _restore(parts: Parts, paths: StatePaths, file: Path, state_dir: Path | None) -> VerifyReport:
    from askfirst.broker.server import broker_lock  # noqa: PLC0415  # only here
    from askfirst.config import load_config  # noqa: PLC0415  # heavy, and other commands start without it
    from askfirst.store.backup import require_no_store, restore_postgres, restore_sqlite  # noqa: PLC0415
    from askfirst.store.postgres import parse_url  # noqa: PLC0415

    if url := load_config(config_file()).store_url:
        restore_postgres(file, parse_url(url))
        with store_file(None, state_dir) as copy:
            return _verify(parts, copy)
    with broker_lock(paths):
        require_no_store(paths.store)
        copy = restore_sqlite(file, paths.root)
        report = _verify(parts, copy)
        if report.ok:
            copy.rename(paths.store)
        else:
            copy.unlink()
        return report


def _verify(parts: Parts, path: Path) -> VerifyReport:
    return parts.log(path).verify(
        checkpoint=None,
        seen=(),
        receipts=(),
        vkeys=(),
        witnesses=(),
        repositories=(),
        timestamps=(),
        authorities=None,
    )
