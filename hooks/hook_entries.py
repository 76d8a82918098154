"""Our entries in a host's JSON settings: pure functions from settings to settings.

Most hosts have the shape of Claude Code, ``{"hooks": {EVENT: [{"matcher": "*", "hooks": [HANDLER]}]}}``, some put the
handlers into the event's list themselves. Both are read here, and nothing but our handlers is touched.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MARK = "askfirst-hook.pl"
"""Stands in every command line of ours, whatever its paths: entries are known again by it."""

Settings = dict[str, object]


def parsed(text: str, path: Path) -> Settings:
    """The settings in a file's text, empty when there is no file.

    Raises:
        InputError: it is no JSON object. Comments, which some hosts allow, would be lost, so they are no JSON here.
    """
    if not text.strip():
        return {}
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON ({error}); mend it, or take its comments out, and try again") from error
    if not isinstance(settings, dict):
        raise InputError(f"{path} is a JSON {type(settings).__name__}, expected an object")
    return settings


def rendered(settings: Settings) -> str:
    """The text of a settings file."""
    return json.dumps(settings, indent=2, ensure_ascii=False) + "\n"


def installed(settings: Settings, entries: Mapping[str, Mapping[str, object]]) -> Settings:
    """The settings with our entries at the end of their events' lists, in place of any that were there.

    Args:
        settings: what the file holds.
        entries: by the event's name.

    Raises:
        InputError: the hooks in the settings have a shape that the host would not read either.
    """
    result = removed(settings)
    hooks = _hooks(result)
    for event, entry in entries.items():
        hooks[event] = [*_entries(hooks, event), dict(entry)]
    result["hooks"] = hooks
    return result


def removed(settings: Settings) -> Settings:
    """The settings without our handlers, and without lists and objects that are empty because of that.

    Raises:
        InputError: as in ``installed``.
    """
    result = copy.deepcopy(settings)
    hooks = _hooks(result)
    for event in list(hooks):
        entries = _entries(hooks, event)
        kept = [entry for entry in map(_without_ours, entries) if entry is not None]
        if kept or not entries:
            hooks[event] = kept
        else:
            del hooks[event]
    if hooks:
        result["hooks"] = hooks
    elif settings.get("hooks"):
        del result["hooks"]
    return result


def ours(settings: Settings) -> dict[str, object]:
    """What of ``hooks`` is ours, by event.

    Raises:
        InputError: as in ``installed``.
    """
    found: dict[str, object] = {}
    hooks = _hooks(settings)
    for event in hooks:
        kept = [own for own in map(_only_ours, _entries(hooks, event)) if own is not None]
        if kept:
            found[event] = kept
    return found


def _only_ours(entry: dict[str, object]) -> dict[str, object] | None:
    if _is_ours(entry):
        return entry
    handlers = entry.get("hooks", [])
    kept = [handler for handler in handlers if _is_ours(handler)] if isinstance(handlers, list) else []
    return {**entry, "hooks": kept} if kept else None


def _without_ours(entry: dict[str, object]) -> dict[str, object] | None:
    """The entry without our handlers; None when it is one, or held no others."""
    if _is_ours(entry):
        return None
    handlers = entry.get("hooks", [])
    if not isinstance(handlers, list):
        raise InputError("a hook group whose hooks are no list; mend the settings file", field="hooks")
    kept = [handler for handler in handlers if not _is_ours(handler)]
    if len(kept) == len(handlers):
        return entry
    return {**entry, "hooks": kept} if kept else None


def _is_ours(handler: object) -> bool:
    return isinstance(handler, dict) and any(isinstance(value, str) and MARK in value for value in handler.values())


def _hooks(settings: Settings) -> dict[str, object]:
    hooks = settings.get("hooks", {})
    if not isinstance(hooks, dict):
        raise InputError(
            f"hooks is a JSON {type(hooks).__name__}, expected an object; mend the settings file", field="hooks"
        )
    return hooks


def _entries(hooks: dict[str, object], event: str) -> list[dict[str, object]]:
    entries = hooks.get(event, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"hooks.{event} is no list of objects; mend the settings file", field=f"hooks.{event}")
    return entries
