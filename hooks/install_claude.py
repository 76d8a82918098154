"""Puts our hooks into Claude Code's settings, and takes them out: pure functions from settings to settings.

Nothing else in the settings is touched. Reading and writing the file is the caller's.
"""

from __future__ import annotations

import copy
from typing import TypedDict

from askfirst.errors import InputError

EVENTS = ("PreToolUse", "PostToolUse", "PostToolUseFailure")
MARK = "askfirst-hook.pl"
"""Stands in every command line of ours, whatever its paths: entries are known again by it."""

Settings = dict[str, object]


class Handler(TypedDict):
    """One hook of a settings file; ``timeout`` is in seconds.

    ``onFailure`` makes a hook that fails block, from 2.1.295 on; older versions ignore the key. A ``timeout`` that is
    no positive integer makes them drop the whole file.
    """

    type: str
    command: str
    timeout: int
    onFailure: str


def installed(settings: Settings, command: str, *, timeout_s: int) -> Settings:
    """The settings with our hooks in them once, in place of any that were there.

    Args:
        settings: the content of a ``settings.json``.
        command: the line from ``hooks.command_line.hook_command``.
        timeout_s: the host timeout that the line was made for, seconds.

    Raises:
        InputError: the hooks in the settings have a shape that Claude Code would not read either, or the command is
            not one of ours.
    """
    if MARK not in command:
        raise InputError(f"a command without {MARK}, expected the line of hook_command", field="command")
    if type(timeout_s) is not int or timeout_s < 1:
        raise InputError(f"a timeout of {timeout_s!r}, expected whole seconds, at least 1", field="timeout_s")
    result = removed(settings)
    hooks = _hooks(result)
    for event in EVENTS:
        handler = Handler(type="command", command=command, timeout=timeout_s, onFailure="block")
        hooks[event] = [*_groups(hooks, event), {"matcher": "*", "hooks": [handler]}]
    result["hooks"] = hooks
    return result


def removed(settings: Settings) -> Settings:
    """The settings without our hooks, and without groups, events and ``hooks`` that are empty because of that.

    Raises:
        InputError: as in ``installed``.
    """
    result = copy.deepcopy(settings)
    hooks = _hooks(result)
    for event in list(hooks):
        groups = _groups(hooks, event)
        kept = [group for group in map(_without_ours, groups) if group is not None]
        if kept or not groups:
            hooks[event] = kept
        else:
            del hooks[event]
    if hooks:
        result["hooks"] = hooks
    elif settings.get("hooks"):
        del result["hooks"]
    return result


def is_installed(settings: Settings, command: str, *, timeout_s: int) -> bool:
    """Whether the settings hold exactly what ``installed`` would put there."""
    return installed(settings, command, timeout_s=timeout_s) == settings


def _without_ours(group: dict[str, object]) -> dict[str, object] | None:
    """The group without our handlers; None when there were no others."""
    handlers = group.get("hooks", [])
    if not isinstance(handlers, list):
        raise InputError("a hook group whose hooks are no list; mend the settings file", field="hooks")
    kept = [handler for handler in handlers if not _is_ours(handler)]
    if len(kept) == len(handlers):
        return group
    return {**group, "hooks": kept} if kept else None


def _is_ours(handler: object) -> bool:
    return isinstance(handler, dict) and MARK in str(handler.get("command", ""))


def _hooks(settings: Settings) -> dict[str, object]:
    hooks = settings.get("hooks", {})
    if not isinstance(hooks, dict):
        raise InputError(
            f"hooks is a JSON {type(hooks).__name__}, expected an object; mend the settings file", field="hooks"
        )
    return hooks


def _groups(hooks: dict[str, object], event: str) -> list[dict[str, object]]:
    groups = hooks.get(event, [])
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise InputError(f"hooks.{event} is no list of objects; mend the settings file", field=f"hooks.{event}")
    return groups
