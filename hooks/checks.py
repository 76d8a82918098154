"""The hosts' further checks, by registry name; a host without any is judged by its files, and no canary is flown."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hooks.claude_check import ClaudeCodeCheck
from hooks.headless import CLIENTS
from hooks.headless_check import HeadlessCheck
from hooks.host_check import Installed
from hooks.install import setup_of

if TYPE_CHECKING:
    from askfirst.diagnosis import Finding
    from hooks.host_check import HostCheck
    from hooks.setup import Places, Scope

CHECKS: dict[str, HostCheck] = {
    ClaudeCodeCheck.name: ClaudeCodeCheck(),
    **{name: HeadlessCheck(name) for name in CLIENTS},
}


@dataclass(frozen=True, slots=True)
class OpenedCheck:
    """A host's checks on this machine."""

    _check: HostCheck
    _installed: Installed

    def overrides(self) -> list[Finding]:
        """What weakens our hooks, or switches them off."""
        return self._check.overrides(self._installed)

    def canary(self) -> Finding:
        """Whether the real program is stopped by the gate."""
        return self._check.canary(self._installed)


def opened(host: str, scopes: frozenset[Scope], places: Places) -> OpenedCheck | None:
    """The checks of a host whose program is on PATH; None where it is not, or where there are none."""
    check = CHECKS.get(host)
    path = places.environ.get("PATH")
    found = next((at for each in setup_of(host).programs if (at := shutil.which(each, path=path))), None)
    if check is None or found is None:
        return None
    return OpenedCheck(check, Installed(program=Path(found), scopes=scopes, places=places))
