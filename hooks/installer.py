"""What is to be changed on this machine to connect its agents, or to disconnect them: reads files, writes none."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from askfirst.errors import InputError
from askfirst.settings_change import SettingsChange
from hooks.install import read_settings, setup_of
from hooks.registry import SETUPS
from hooks.setup import HookLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hooks.setup import HostSetup, Places, Scope


def found(places: Places) -> tuple[str, ...]:
    """The hosts that are on this machine: a program of theirs is on PATH, or their folder is there."""
    return tuple(name for name, setup in SETUPS.items() if _is_here(setup, places))


def changes(
    hosts: Iterable[str],
    scope: Scope,
    places: Places,
    line_of: Callable[[str, bool], str] | None,
    *,
    second_line: bool = False,
) -> list[SettingsChange]:
    """What is to be done to each settings file.

    Args:
        hosts: registry names.
        scope: whose agents.
        places: where files are looked for.
        line_of: the command line for a host, and whether for events that something runs after; None to take ours out.
        second_line: with rules of the host's own beside our hooks, where it has any.

    Raises:
        InputError: a host is not known or has no such scope, or a file cannot be read.
    """
    result = []
    for host in hosts:
        setup = setup_of(host)
        if scope not in setup.scopes:
            known = ", ".join(setup.scopes)
            raise InputError(f"{setup.title} has no {scope} settings, expected {known}", field="scope")
        hook = None
        if line_of is not None:
            hook = HookLine(
                line=line_of(host, True),  # a part's shape
                timeout_s=setup.timeout_s,
                notice_line=line_of(host, False),  # the same
                second_line=second_line,
            )
        for path in setup.files(scope, places):
            before = read_settings(path)
            after = setup.merged(path, before, hook)
            result.append(SettingsChange(host=host, title=setup.title, path=path, before=before, after=after))
    return result


def _is_here(setup: HostSetup, places: Places) -> bool:
    path = places.environ.get("PATH")
    if any(shutil.which(program, path=path) for program in setup.programs):
        return True
    if "user" not in setup.scopes:
        return False
    return any(each.parent.is_dir() and each.parent != places.home for each in setup.files("user", places))
