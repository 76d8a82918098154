"""Cline's hooks: a program for each event, with a name that Cline knows, in a folder that it looks into.

Read in the source of CLI 3.0.65: every file called after an event is run, with no suffix or one of several, so ours
stands beside a person's own. After 120 s a hook is killed, and the command runs; this cannot be set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.errors import InputError
from hooks.cline import Cline
from hooks.hook_entries import MARK

if TYPE_CHECKING:
    from pathlib import Path

    from hooks.setup import HookLine, Places, Scope

BEFORE, AFTER = "PreToolUse.sh", "PostToolUse.sh"
_HEAD = "#!/bin/sh\n# The gate in Cline, put here by `askfirst install --host cline`.\n"


class ClineSetup:
    """The folder of hooks."""

    name = Cline.name
    title = "Cline"
    programs: tuple[str, ...] = ("cline",)
    scopes: tuple[Scope, ...] = ("user", "project")
    timeout_s = 120

    def files(self, scope: Scope, places: Places) -> tuple[Path, ...]:
        """Two programs."""
        folder = places.home / ".cline" / "hooks" if scope == "user" else places.project / ".clinerules" / "hooks"
        return (folder / BEFORE, folder / AFTER)

    def merged(self, path: Path, before: str, hook: HookLine | None) -> str:
        """The program; what comes after a call must not end the agent's run, whatever becomes of it."""
        if before and MARK not in before:
            if hook is None:
                return before
            raise InputError(f"{path} is a hook of somebody else; give it another suffix, Cline runs both")
        if hook is None:
            return ""
        line = hook.line if path.name == BEFORE else f"( {hook.line} ) >/dev/null 2>&1\nexit 0"
        return f"{_HEAD}{line}\n"

    def obstacles(self, path: Path, text: str) -> tuple[str, ...]:
        """None are known."""
        del path, text
        return ()
