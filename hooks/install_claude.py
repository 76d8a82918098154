"""Puts our hooks into Claude Code's settings, and takes them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, TypedDict

from askfirst.errors import InputError
from hooks import hook_entries
from hooks.claude_rules import ask_rules
from hooks.hook_entries import MARK, Settings, removed
from hooks.setup import BRIEF_S, LONG_S

if TYPE_CHECKING:
    from pathlib import Path

    from hooks.setup import HookLine, Places, Scope

GATED = ("PreToolUse", "PermissionRequest", "PostToolUse", "PostToolUseFailure", "ConfigChange")
"""Events that something runs, or changes, after."""
NOTICES = ("SessionStart", "Stop", "Notification")
"""Events after which nothing runs that did not anyway."""
EVENTS = (*GATED, *NOTICES)


class Handler(TypedDict):
    """One hook of a settings file; ``timeout`` is in seconds.

    ``onFailure`` makes a hook that fails block, from 2.1.295 on; older versions ignore the key. A ``timeout`` that is
    no positive integer makes them drop the whole file.
    """

    type: str
    command: str
    timeout: int
    onFailure: NotRequired[str]
    asyncRewake: NotRequired[bool]


class ClaudeCodeSetup:
    """The settings of Claude Code. From: https://code.claude.com/docs/en/settings."""

    name = "claude-code"
    title = "Claude Code"
    programs: tuple[str, ...] = ("claude",)
    scopes: tuple[Scope, ...] = ("user", "project", "managed")
    timeout_s = LONG_S

    def files(self, scope: Scope, places: Places) -> tuple[Path, ...]:
        """``settings.json`` of the person or the repository, or the machine's managed settings."""
        if scope == "managed":
            return (places.root / "etc" / "claude-code" / "managed-settings.json",)
        folder = places.folder("CLAUDE_CONFIG_DIR", ".claude") if scope == "user" else places.project / ".claude"
        return (folder / "settings.json",)

    def merged(self, path: Path, before: str, hook: HookLine | None) -> str:
        """The settings with our hooks, or without them."""
        settings = hook_entries.parsed(before, path)
        changed = removed(_without_rules(settings)) if hook is None else installed(settings, hook)
        if hook is not None and hook.second_line:
            changed = _with_rules(changed)
        if changed == settings:
            return before
        return hook_entries.rendered(changed) if changed else ""

    def obstacles(self, path: Path, text: str) -> tuple[str, ...]:
        """The switch that turns all hooks off."""
        settings = hook_entries.parsed(text, path)
        return (f"{path} has disableAllHooks, so no hook runs",) if settings.get("disableAllHooks") else ()


def installed(settings: Settings, hook: HookLine) -> Settings:
    """The settings with our hooks in them once, in place of any that were there.

    Raises:
        InputError: the hooks in the settings have a shape that Claude Code would not read either, or the command is
            not one of ours.
    """
    if MARK not in hook.line or MARK not in (hook.notice_line or MARK):
        raise InputError(f"a command without {MARK}, expected the line of hook_command", field="command")
    if type(hook.timeout_s) is not int or hook.timeout_s < 1:
        raise InputError(f"a timeout of {hook.timeout_s!r}, expected whole seconds, at least 1", field="timeout_s")
    return hook_entries.installed(settings, entries(hook))


def _with_rules(settings: Settings) -> Settings:
    permissions = _permissions(settings)
    ask = permissions.get("ask", [])
    if not isinstance(ask, list):
        raise InputError("permissions.ask is no list; mend the settings file", field="permissions.ask")
    missing = [each for each in ask_rules() if each not in ask]
    return {**settings, "permissions": {**permissions, "ask": [*ask, *missing]}} if missing else settings


def _without_rules(settings: Settings) -> Settings:
    """The settings without the rules that we write; what is empty because of that goes, too."""
    permissions = _permissions(settings)
    ask = permissions.get("ask")
    if not isinstance(ask, list) or not ask:
        return settings
    ours = set(ask_rules())
    kept = [each for each in ask if each not in ours]
    rest = {name: value for name, value in permissions.items() if name != "ask"}
    permissions = {**permissions, "ask": kept} if kept else rest
    result = {**settings, "permissions": permissions}
    return result if permissions else {name: value for name, value in settings.items() if name != "permissions"}


def _permissions(settings: Settings) -> dict[str, object]:
    permissions = settings.get("permissions", {})
    if not isinstance(permissions, dict):
        raise InputError("permissions is no object; mend the settings file", field="permissions")
    return permissions


def entries(hook: HookLine) -> dict[str, dict[str, object]]:
    """What stands under ``hooks``, by event.

    A stopped agent is woken by a hook that waits in the background (``asyncRewake``); what only tells us something is
    not waited for long.
    """
    gate = Handler(type="command", command=hook.line, timeout=hook.timeout_s, onFailure="block")
    brief = Handler(type="command", command=hook.notice_line, timeout=min(BRIEF_S, hook.timeout_s))
    stop = Handler(type="command", command=hook.notice_line, timeout=hook.timeout_s, asyncRewake=True)
    notices = {"SessionStart": brief, "Stop": stop, "Notification": brief} if hook.notice_line else {}
    handlers = {**dict.fromkeys(GATED, gate), **notices}
    return {event: {"matcher": "*", "hooks": [handler]} for event, handler in handlers.items()}
