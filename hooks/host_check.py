"""What a host's doctor finds out beside its settings files: its version, what overrides hooks, and the canary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.diagnosis import Finding
    from hooks.setup import Places, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """Where our hooks are.

    Attributes:
        program: the host's executable.
        scopes: whose settings have our hooks.
        places: where settings are.
    """

    program: Path
    scopes: frozenset[Scope]
    places: Places


class HostCheck(Protocol):
    """One host's further checks."""

    name: str

    def overrides(self, installed: Installed) -> list[Finding]:
        """What weakens our hooks or switches them off: versions, other settings files, variables; nothing runs long."""
        ...

    def canary(self, installed: Installed) -> Finding:
        """Drive the real program with its real settings against a scripted model, and see the canary refused."""
        ...
