"""Setups of the hosts whose hooks are entries in a JSON file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hooks import hook_entries
from hooks.setup import LONG_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hooks.setup import HookLine, Places, Scope

Entries = dict[str, dict[str, object]]
"""An entry for each event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSetup:
    """One host with hooks in a JSON file; a ``HostSetup``.

    Attributes:
        paths: the file of each scope.
        entries: what is put into it.
        head: what a file has besides, e.g. ``{"version": 1}``; it is added where it is missing.
        is_ours_alone: the file has a name of ours, so that it goes when our hooks go and nothing else is in it.
        switches: where hooks can be turned off: the path to a value, and the value, or item of a list, that does it.
        firm: the same paths with values that a managed file holds against everybody else's.
        timeout_s: as in ``HostSetup``.
    """

    name: str
    title: str
    programs: tuple[str, ...]
    paths: Mapping[Scope, Callable[[Places], Path]]
    entries: Callable[[HookLine], Entries]
    head: Mapping[str, object] = field(default_factory=dict)
    is_ours_alone: bool = False
    switches: tuple[tuple[tuple[str, ...], object], ...] = ()
    firm: tuple[tuple[tuple[str, ...], object], ...] = ()
    timeout_s: int = LONG_S

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes that the host has files for."""
        return tuple(self.paths)

    def files(self, scope: Scope, places: Places) -> tuple[Path, ...]:
        """The one file of a scope."""
        return (self.paths[scope](places),)

    def merged(self, path: Path, before: str, hook: HookLine | None) -> str:
        """The file with our entries, or without them."""
        settings = hook_entries.parsed(before, path)
        if hook is not None:
            changed = {**self.head, **hook_entries.installed(settings, self.entries(hook))}
            for where, value in self.firm if _is_managed(path) else ():
                changed = _with(changed, where, value)
        else:
            changed = hook_entries.removed(settings)
            for where, value in self.firm if _is_managed(path) and changed != settings else ():
                changed = _without(changed, where, value)
            if self.is_ours_alone and changed != settings and changed == dict(self.head):
                return ""
        return before if changed == settings else hook_entries.rendered(changed)

    def obstacles(self, path: Path, text: str) -> tuple[str, ...]:
        """The switches that are set."""
        settings = hook_entries.parsed(text, path)
        found = ((where, bad) for where, bad in self.switches if _is_off(_at(settings, where), bad))
        return tuple(
            f"{path} has {'.'.join(where)} = {str(bad).lower()}, so our hook does not run" for where, bad in found
        )


def _is_managed(path: Path) -> bool:
    """Whether it is the machine's file, ``/etc/HOST/settings.json``."""
    return path.parts[-3:-2] == ("etc",)


def _is_off(found: object, bad: object) -> bool:
    return bad in found if isinstance(found, list) else found == bad


def _with(settings: hook_entries.Settings, where: tuple[str, ...], value: object) -> hook_entries.Settings:
    key, *rest = where
    if not rest:
        return {**settings, key: value}
    inner = settings.get(key, {})
    return {**settings, key: _with(inner if isinstance(inner, dict) else {}, tuple(rest), value)}


def _without(settings: hook_entries.Settings, where: tuple[str, ...], value: object) -> hook_entries.Settings:
    """The settings without this value, and without objects that are empty because of that."""
    key, *rest = where
    inner = settings.get(key)
    if rest and isinstance(inner, dict):
        left: object = _without(inner, tuple(rest), value)
        is_gone = left == {} and inner != {}
    else:
        left, is_gone = inner, not rest and inner == value
    return {name: left if name == key else each for name, each in settings.items() if not (name == key and is_gone)}


def _at(settings: object, where: tuple[str, ...]) -> object:
    for key in where:
        settings = settings.get(key) if isinstance(settings, dict) else None
    return settings


def grouped(events: tuple[str, ...], handler: Mapping[str, object], matcher: str = "*") -> Entries:
    """Entries of the shape ``{"matcher": "*", "hooks": [HANDLER]}``."""
    return {event: {"matcher": matcher, "hooks": [dict(handler)]} for event in events}


def noticed(events: tuple[str, ...], line: str, timeout: int) -> Entries:
    """Entries of events that let nothing run; none where there is no line for them."""
    return grouped(events, {"type": "command", "name": "askfirst", "command": line, "timeout": timeout}) if line else {}


def flat(events: tuple[str, ...], handler: Mapping[str, object]) -> Entries:
    """Entries that are handlers themselves."""
    return {event: dict(handler) for event in events}
