"""All hosts, by the name that stands in the installed command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks.claude_code import ClaudeCode
from hooks.install_claude import ClaudeCodeSetup

if TYPE_CHECKING:
    from askfirst.host import HostAdapter
    from hooks.setup import HostSetup

HOSTS: dict[str, HostAdapter] = {
    ClaudeCode.name: ClaudeCode(),
}

SETUPS: dict[str, HostSetup] = {
    ClaudeCodeSetup.name: ClaudeCodeSetup(),
}
"""How to put our hooks into each host's settings."""
