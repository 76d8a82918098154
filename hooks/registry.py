"""All hosts, by the name that stands in the installed command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks import copilot, cursor, droid, gemini, goose, kiro, qwen, windsurf
from hooks.claude_code import ClaudeCode
from hooks.cline import Cline
from hooks.cline_setup import ClineSetup
from hooks.codex import Codex
from hooks.codex_setup import CodexSetup
from hooks.install_claude import ClaudeCodeSetup
from hooks.opencode import OpenCode
from hooks.opencode_setup import OpenCodeSetup

if TYPE_CHECKING:
    from askfirst.host import HostAdapter
    from hooks.setup import HostSetup

_ADAPTERS: tuple[HostAdapter, ...] = (
    ClaudeCode(),
    Codex(),
    gemini.Gemini(),
    OpenCode(),
    qwen.Qwen(),
    copilot.Copilot(),
    Cline(),
    cursor.Cursor(),
    goose.Goose(),
    kiro.Kiro(),
    windsurf.Windsurf(),
    droid.Droid(),
)
_SETUPS: tuple[HostSetup, ...] = (
    ClaudeCodeSetup(),
    CodexSetup(),
    gemini.SETUP,
    OpenCodeSetup(),
    qwen.SETUP,
    copilot.SETUP,
    ClineSetup(),
    cursor.SETUP,
    goose.SETUP,
    kiro.SETUP,
    windsurf.SETUP,
    droid.SETUP,
)

HOSTS: dict[str, HostAdapter] = {adapter.name: adapter for adapter in _ADAPTERS}
SETUPS: dict[str, HostSetup] = {setup.name: setup for setup in _SETUPS}
"""How to put our hooks into each host's settings."""
