"""``askfirst hook``: what hosts' settings need, and the gate without a broker."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from askfirst import answers
from askfirst.cli.install import show
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import EXIT_USAGE, fail, print_json, sentences
from askfirst.errors import Error, InputError
from askfirst.host import BeforeTool, Deny, HookAnswer, NoOpinion
from askfirst.originals import forget, keep, restored
from askfirst.paths import config_file, state_paths
from askfirst.settings_change import SettingsChange

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts
    from askfirst.host import HostAdapter, Verdict

_PAYLOAD_MAX_BYTES = 16 * 1024 * 1024
Host = Annotated[str, typer.Argument(help="The host, e.g. claude-code.")]
Settings = Annotated[
    Path | None, typer.Option(help="The host's settings file.", show_default="~/.claude/settings.json")
]


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the group."""
    group = typer.Typer(help="Connect a host's hooks to the gate.", no_args_is_help=True)
    _add_install(group, parts)
    _add_uninstall(group, parts)
    _add_command(group, parts)
    _add_judge(group, parts)
    app.add_typer(group, name="hook")


def _add_install(group: typer.Typer, parts: Parts) -> None:
    @group.command()
    def install(
        host: Host = "claude-code",
        settings: Settings = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the change.")] = False,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Add our hooks to a host's settings; nothing else in them is touched."""
        with sentences():
            _merge(parts, host, settings, state_dir, remove=False, dry_run=dry_run, as_json=as_json)


def _add_uninstall(group: typer.Typer, parts: Parts) -> None:
    @group.command()
    def uninstall(
        host: Host = "claude-code",
        settings: Settings = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the change.")] = False,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Remove exactly our hooks from a host's settings."""
        with sentences():
            _merge(parts, host, settings, state_dir, remove=True, dry_run=dry_run, as_json=as_json)


def _add_command(group: typer.Typer, parts: Parts) -> None:
    @group.command()
    def command(
        host: Host = "claude-code",
        notice: Annotated[bool, typer.Option("--notice", help="For events that let nothing run.")] = False,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Print the command line that a host's settings need."""
        with sentences():
            line = parts.hook_command(host, state_paths(state_dir), gates=not notice)
            if as_json:
                print_json({"host": host, "command": line})
            else:
                sys.stdout.write(line + "\n")


def _add_judge(group: typer.Typer, parts: Parts) -> None:
    @group.command(hidden=True)
    def judge(host: Host) -> None:
        """Judge one payload on standard input without a broker: what would be asked is denied."""
        raise typer.Exit(_judge(parts, host))


def _merge(
    parts: Parts,
    host: str,
    settings: Path | None,
    state_dir: Path | None,
    *,
    remove: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    path = settings or Path.home() / ".claude" / "settings.json"
    paths = state_paths(state_dir)
    before, after = parts.install(host, path, paths, remove)
    change = SettingsChange(host=host, title=host, path=path.absolute(), before=before, after=after)
    if remove:
        change = restored(paths, change)
    if not dry_run and change.is_needed:
        if not remove and not parts.fingerprint(host, path):
            keep(paths, change)
        change.write()
        if remove:
            forget(paths, change)
        change.note(paths, is_installed=not remove, ours=parts.fingerprint(host, path))
    if as_json:
        print_json({"settings": str(path), "changed": change.is_needed, "written": change.is_needed and not dry_run})
        return
    show(change, dry_run=dry_run)


def _judge(parts: Parts, host: str) -> int:
    adapter = parts.adapters().get(host)
    if adapter is None:
        raise fail(f"no such host {host!r}; known: {', '.join(sorted(parts.adapters()))}", EXIT_USAGE)
    answer = _answer(adapter)
    sys.stderr.buffer.write(answer.stderr)
    sys.stdout.buffer.write(answer.stdout)
    return answer.exit_code


def _answer(adapter: HostAdapter) -> HookAnswer:
    event = None
    try:
        payload = sys.stdin.buffer.read(_PAYLOAD_MAX_BYTES + 1)
        if len(payload) > _PAYLOAD_MAX_BYTES:
            raise InputError(f"more than {_PAYLOAD_MAX_BYTES} bytes")
        event = adapter.parse(payload, os.environ)
        return adapter.render(event, _alone(event) if isinstance(event, BeforeTool) else NoOpinion())
    except Error as error:
        return adapter.render(event, Deny(reason=answers.unavailable(str(error))))


def _alone(event: BeforeTool) -> Verdict:
    """Nobody can be asked, so what would be asked is denied."""
    from askfirst.analyst import DiskAnalyst  # noqa: PLC0415  # heavy, and needed by this command only
    from askfirst.config import load_config  # noqa: PLC0415  # the same
    from askfirst.disk import Disk  # noqa: PLC0415  # the same
    from askfirst.policy.question import Question  # noqa: PLC0415  # the same
    from askfirst.policy.ruler import Ruler  # noqa: PLC0415  # the same
    from askfirst.policy.ruling import Outcome  # noqa: PLC0415  # the same
    from askfirst.policy.source import open_source  # noqa: PLC0415  # the same
    from askfirst.request import Claim  # noqa: PLC0415  # the same

    ruling = Ruler(open_source(load_config(config_file())), Disk).rule_on(
        Question(
            call=event.call,
            classification=DiskAnalyst().classify(event.call),
            agent=event.agent,
            at=datetime.now(UTC),
            claim=Claim(reason=event.justification),
        )
    )
    match ruling.outcome:
        case Outcome.ALLOW:
            return NoOpinion()
        case Outcome.DENY:
            return Deny(reason=answers.by_policy(event.call, ruling))
        case _:
            return Deny(
                reason=answers.unavailable("no broker answers and none could be started, so nobody can be asked")
            )
