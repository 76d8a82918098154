"""``askfirst install`` and ``uninstall``: connects the agents of this machine, and shows what that changes."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import platformdirs
import typer

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import EXIT_NO, EXIT_USAGE, console, fail, print_json, sentences, stderr
from askfirst.cli.remote import connect, disconnect, wanted
from askfirst.errors import InputError
from askfirst.originals import forget, keep, restored
from askfirst.paths import StatePaths, service_paths, state_paths
from askfirst.service import carry_out, has_user, setting_up, taking_down

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from askfirst.cli.parts import Parts
    from askfirst.service import Step
    from askfirst.settings_change import SettingsChange

Scope = Literal["user", "project", "managed"]
Hosts = Annotated[list[str] | None, typer.Option("--host", help="An agent, e.g. claude-code; once for each.")]
Scopes = Annotated[Scope, typer.Option(help="Whose agents: yours, this repository's, or all of the machine's (root).")]
Service = Annotated[
    bool, typer.Option("--service", help="Run the broker as a user of its own, for all of the machine (root).")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show the change.")]
SecondLine = Annotated[
    bool,
    typer.Option(
        "--second-line", help="Also write rules of the agent's own for critical commands, which hold without a hook."
    ),
]
RemoteUrl = Annotated[
    str, typer.Option("--remote", metavar="URL", help="The broker is on another machine, and none runs here.")
]
TokenFile = Annotated[Path | None, typer.Option(help="With --remote: a file with the token; `-`: standard input.")]
Authorities = Annotated[Path | None, typer.Option(help="With --remote: certificates to trust instead of the system's.")]
ForgetRemote = Annotated[bool, typer.Option("--remote", help="Forget the broker on another machine, too.")]


def add(app: typer.Typer, parts: Parts) -> None:
    """Register both commands."""
    _add_install(app, parts)
    _add_uninstall(app, parts)


def _add_install(app: typer.Typer, parts: Parts) -> None:
    @app.command()
    def install(
        *,
        host: Hosts = None,
        scope: Scopes = "user",
        dry_run: DryRun = False,
        second_line: SecondLine = False,
        service: Service = False,
        remote: RemoteUrl = "",
        token_file: TokenFile = None,
        ca: Authorities = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Connect the agents that are on this machine; nothing else in their settings is touched."""
        with sentences():
            if (token_file or ca) and not remote:
                raise InputError("--token-file and --ca go with --remote URL", field="remote")
            elsewhere = wanted(remote, token_file, ca) if remote else None
            if service:
                scope = "managed"
                _carry_out(_setting_up(), dry_run=dry_run)
            paths = service_paths() if service else _paths(state_dir)
            if elsewhere is not None:
                paths = connect(paths, elsewhere, dry_run=dry_run)
            hosts = host or list(parts.hosts_here(Path.cwd()))
            if not hosts:
                raise fail("no agent was found on this machine; name one with --host", EXIT_NO)
            fitting = _fitting(parts, hosts, scope, host)
            changes = parts.changes(fitting, scope, Path.cwd(), paths, second_line=second_line)
            _apply(parts, changes, paths, dry_run=dry_run, remove=False, as_json=as_json)


def _add_uninstall(app: typer.Typer, parts: Parts) -> None:
    @app.command()
    def uninstall(
        *,
        host: Hosts = None,
        scope: Scopes = "user",
        dry_run: DryRun = False,
        service: Service = False,
        remote: ForgetRemote = False,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Take exactly our part out of agents' settings; the log stays."""
        with sentences():
            if service:
                scope = "managed"
                _carry_out(taking_down(), dry_run=dry_run)
            paths = service_paths() if service else _paths(state_dir)
            hosts = host or list(parts.adapters())
            changes = parts.changes(_fitting(parts, hosts, scope, host), scope, Path.cwd(), paths, remove=True)
            ours = [restored(paths, each) for each in changes if host or each.is_needed]
            _apply(parts, ours, paths, dry_run=dry_run, remove=True, as_json=as_json)
            if remote:
                disconnect(paths, dry_run=dry_run)


def _setting_up() -> Iterator[Step]:
    program = shutil.which("askfirst") or f"{sys.executable} -I -m askfirst.entry"
    return setting_up(program, has_user=has_user(), has_config=Path("/etc/askfirst/config.toml").exists())


def _carry_out(steps: Iterator[Step], *, dry_run: bool) -> None:
    """The broker's own user, folders and unit; on standard error, so that ``--json`` stays one document."""
    if os.geteuid() != 0 and not dry_run:
        raise fail(f"only root can make a service; run: {_as_root()}", EXIT_NO)
    for step in steps:
        stderr.print(f"{'would ' if dry_run else ''}{step.text}", markup=False, soft_wrap=True)
        problem = "" if dry_run else carry_out(step)
        if problem:
            stderr.print(f"that failed ({problem}); do it by hand", style="yellow", markup=False, soft_wrap=True)


def _as_root() -> str:
    program = shutil.which("askfirst") or f"{sys.executable} -I -m askfirst.entry"
    return f"sudo {program} {' '.join(sys.argv[1:])}"


def show_diff(change: SettingsChange) -> None:
    """Print what would be another in a file."""
    for line in change.diff():
        console.print(line, markup=False, soft_wrap=True)


def show(change: SettingsChange, *, dry_run: bool) -> None:
    """Print one change as a diff, and what was done."""
    if not change.is_needed:
        console.print(f"{change.path} is as it should be", markup=False, soft_wrap=True)
        return
    show_diff(change)
    done = "not written (--dry-run)" if dry_run else f"written to {change.path}"
    console.print(done, markup=False, soft_wrap=True)


def _apply(
    parts: Parts, changes: Sequence[SettingsChange], paths: StatePaths, *, dry_run: bool, remove: bool, as_json: bool
) -> None:
    for change in changes:
        if change.is_needed and not dry_run:
            if not remove and paths.root.is_dir() and not parts.fingerprint(change.host, change.path):
                keep(paths, change)
            _write(change)
            if paths.root.is_dir():
                if remove:
                    forget(paths, change)
                change.note(paths, is_installed=not remove, ours=parts.fingerprint(change.host, change.path))
                _give_back(paths)
        if not as_json:
            show(change, dry_run=dry_run)
    if as_json:
        print_json(
            [
                {
                    "host": each.host,
                    "settings": str(each.path),
                    "changed": each.is_needed,
                    "written": each.is_needed and not dry_run,
                    "diff": each.diff(),
                }
                for each in changes
            ]
        )
    elif not changes:
        console.print("nothing of ours was found")
    elif not dry_run and not remove:
        console.print("`askfirst doctor` proves that it holds", markup=False)


def _write(change: SettingsChange) -> None:
    try:
        change.write()
    except PermissionError as error:
        raise fail(f"{change.path} can only be written by root; run: {_as_root()}", EXIT_NO) from error


def _fitting(parts: Parts, hosts: Sequence[str], scope: Scope, named: Sequence[str] | None) -> list[str]:
    """Without the hosts that have no such scope, unless they were named."""
    if named:
        return list(hosts)
    fitting = []
    for each in hosts:
        try:
            parts.changes([each], scope, Path.cwd(), StatePaths(Path("/")), remove=True)
        except InputError as error:
            if error.field == "scope":
                continue
        fitting.append(each)
    if not fitting:
        raise InputError(f"none of {', '.join(hosts)} has {scope} settings; choose another --scope", field="scope")
    return fitting


def _paths(state_dir: Path | None) -> StatePaths:
    """The state folder; under sudo that of the person who called it."""
    person = os.environ.get("SUDO_USER", "")
    if state_dir is not None or os.geteuid() != 0 or person in {"", "root"}:
        return state_paths(state_dir)
    try:
        home = Path(pwd.getpwnam(person).pw_dir)
    except KeyError:
        raise fail(f"no user {person!r}; name the state folder with --state-dir", EXIT_USAGE) from None
    own = Path(platformdirs.user_state_dir("askfirst")).relative_to(Path.home())
    paths = StatePaths(home / own)
    if not paths.root.is_dir():
        raise fail(
            f"{person} has not used askfirst yet ({paths.root} is missing); run `askfirst serve` as {person} once",
            EXIT_NO,
        )
    return paths


def _give_back(paths: StatePaths) -> None:
    """What root has left in a person's state folder becomes theirs."""
    owner = paths.root.stat()
    if owner.st_uid == os.geteuid():
        return
    for folder in (paths.hook_notes, paths.originals):
        for path in (folder, *folder.glob("*")) if folder.is_dir() else ():
            os.chown(path, owner.st_uid, owner.st_gid)
