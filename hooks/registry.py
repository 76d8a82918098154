"""All hosts, by the name that stands in the installed command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks.claude_code import ClaudeCode

if TYPE_CHECKING:
    from askfirst.host import HostAdapter

HOSTS: dict[str, HostAdapter] = {
    ClaudeCode.name: ClaudeCode(),
}
