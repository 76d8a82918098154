"""Commands that are for people refuse to run in the shell of an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.errors import NotAllowedError

if TYPE_CHECKING:
    from collections.abc import Mapping

AGENTS = ("CLAUDECODE", "CODEX_SANDBOX", "GEMINI_CLI", "CURSOR_AGENT", "OPENCODE")
"""Variables that hosts set in the shells of their agents. Who takes them out is stopped by the gate, not by this."""


def require_person(environ: Mapping[str, str]) -> None:
    """Go on in a person's shell only.

    Raises:
        NotAllowedError: this is the shell of an agent.
    """
    named = next((name for name in AGENTS if environ.get(name)), None)
    if named is not None:
        raise NotAllowedError(f"this is the shell of an agent ({named} is set); people do this in a shell of theirs")
