"""Puts our hooks into Claude Code's settings, and takes them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from askfirst.errors import InputError
from hooks import hook_entries
from hooks.hook_entries import MARK, Settings, removed
from hooks.setup import LONG_S

if TYPE_CHECKING:
    from pathlib import Path

    from hooks.setup import HookLine, Places, Scope

__all__ = ["EVENTS", "ClaudeCodeSetup", "Handler", "installed", "is_installed", "removed"]

EVENTS = ("PreToolUse", "PostToolUse", "PostToolUseFailure")


class Handler(TypedDict):
    """One hook of a settings file; ``timeout`` is in seconds.

    ``onFailure`` makes a hook that fails block, from 2.1.295 on; older versions ignore the key. A ``timeout`` that is
    no positive integer makes them drop the whole file.
    """

    type: str
    command: str
    timeout: int
    onFailure: str


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
        changed = removed(settings) if hook is None else installed(settings, hook.line, timeout_s=hook.timeout_s)
        return before if changed == settings else hook_entries.rendered(changed)

    def obstacles(self, path: Path, text: str) -> tuple[str, ...]:
        """The switch that turns all hooks off."""
        settings = hook_entries.parsed(text, path)
        return (f"{path} has disableAllHooks, so no hook runs",) if settings.get("disableAllHooks") else ()


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
    handler = Handler(type="command", command=command, timeout=timeout_s, onFailure="block")
    return hook_entries.installed(settings, {event: {"matcher": "*", "hooks": [handler]} for event in EVENTS})


def is_installed(settings: Settings, command: str, *, timeout_s: int) -> bool:
    """Whether the settings hold exactly what ``installed`` would put there."""
    return installed(settings, command, timeout_s=timeout_s) == settings
