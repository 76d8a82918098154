"""Silence: an agent that works while its hook says nothing.

A settings file can be untouched and its hooks not run all the same: with ``--safe-mode``, a switch in a repository, a
host's bug. But hosts write down themselves what their agents do. A deed in such a file whose session's hook was not
heard about it is silence. Pure but for what is handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from askfirst.clock import Clock
    from askfirst.host import BeforeTool

EARLY_MS = 5_000
"""How long before its host writes a deed down a hook may have called about it."""
LATE_MS = 20_000
"""How long a hook may take to call after that."""
_SESSIONS_MAX = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What an agent did, as its host has written it down.

    Attributes:
        host: registry name.
        session: the host's id of the session.
        tool: the host's name of it.
        at_ms: when, milliseconds since the Unix epoch.
        path: of the host's file.
    """

    host: str
    session: str
    tool: str
    at_ms: int
    path: str


class Silence:
    """Finds deeds that no hook called about.

    Args:
        deeds: what a host has written down since a time, milliseconds since the Unix epoch; may read files.
        clock: what was done before now is not looked at: nobody knows what was heard then.
    """

    def __init__(self, deeds: Callable[[str, int], Iterable[Deed]], clock: Clock) -> None:
        self._deeds = deeds
        self._clock = clock
        self._since_ms = clock.now_ms()
        self._heard: Recent[tuple[str, str], int] = Recent(_SESSIONS_MAX)
        self._told: Recent[tuple[str, str], int] = Recent(_SESSIONS_MAX)

    def heard(self, event: BeforeTool) -> None:
        """A hook has called."""
        self._heard[event.agent.host, event.agent.session] = self._clock.now_ms()

    def look(self, hosts: Collection[str]) -> list[Deed]:
        """The first deed of each session since the last look that no hook called about."""
        found: dict[tuple[str, str], Deed] = {}
        for host in sorted(hosts):
            for deed in self._deeds(host, self._since_ms):
                name = (deed.host, deed.session)
                if self._is_silent(deed) and name not in self._told:
                    found.setdefault(name, deed)
        for name, deed in found.items():
            self._told[name] = deed.at_ms
        return list(found.values())

    def _is_silent(self, deed: Deed) -> bool:
        heard_ms = self._heard.get((deed.host, deed.session), 0)
        return self._since_ms < deed.at_ms < self._clock.now_ms() - LATE_MS and heard_ms < deed.at_ms - EARLY_MS


def words(deed: Deed) -> str:
    """What people are told."""
    return (
        f"session {deed.session[:8]} of {deed.host} ran {deed.tool} and its hook did not call: nothing is gated there. "
        "Was it started with hooks switched off?"
    )
