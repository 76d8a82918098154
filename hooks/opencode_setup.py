"""Our plugin in opencode's folder of plugins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.errors import InputError
from hooks.hook_entries import MARK
from hooks.opencode import OpenCode
from hooks.setup import LONG_S

if TYPE_CHECKING:
    from hooks.setup import HookLine, Places, Scope

TEMPLATE = Path(__file__).with_name("opencode-plugin.js")


class OpenCodeSetup:
    """One file of ours; opencode has no timeout, so ours is that of other hosts."""

    name = OpenCode.name
    title = "opencode"
    programs: tuple[str, ...] = ("opencode",)
    scopes: tuple[Scope, ...] = ("user", "project")
    timeout_s = LONG_S

    def files(self, scope: Scope, places: Places) -> tuple[Path, ...]:
        """``plugin/askfirst.js`` in the person's or the repository's folder."""
        user = places.folder("XDG_CONFIG_HOME", ".config") / "opencode"
        return ((user if scope == "user" else places.project / ".opencode") / "plugin" / "askfirst.js",)

    def merged(self, path: Path, before: str, hook: HookLine | None) -> str:
        """The plugin with the hook's command line in it."""
        if before and MARK not in before:
            raise InputError(f"{path} is no plugin of ours; give it another name")
        if hook is None:
            return ""
        return TEMPLATE.read_text(encoding="utf-8").replace('"@LINE@"', json.dumps(hook.line), 1)

    def obstacles(self, path: Path, text: str) -> tuple[str, ...]:
        """None are known."""
        del path, text
        return ()
