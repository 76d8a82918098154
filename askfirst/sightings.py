"""Which agent made a call of our own MCP tools, as the hook of its host saw it a moment before.

Most MCP clients do not say which session they call for. Where their host has our hook, the hook has seen the same call
with the same arguments; so the permission that is asked for by MCP is bound to the session whose hook will look for it.
Two sessions that make the very same call at once cannot be told apart, and neither is named.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.clock import Clock
    from askfirst.host import Agent, BeforeTool

KEPT_MAX = 500
FRESH_MS = 60_000
"""How long before an MCP call its hook may have seen it: hosts call at once, but people are asked by other hooks."""
_OWN = re.compile(r"mcp__(?:plugin_)?askfirst(?:_askfirst)?__(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A call of one of our MCP tools."""

    digest: str
    at_ms: int
    agent: Agent
    cwd: str


class Sightings:
    """The latest ones, in memory: they are of use for a moment only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: deque[Sighting] = deque(maxlen=KEPT_MAX)

    def note(self, event: BeforeTool) -> None:
        """Remember the call if it is one of ours."""
        own = _OWN.fullmatch(event.call.tool)
        if own:
            digest = _digest(own[1], event.call.arguments)
            at_ms = self._clock.now_ms()
            self._kept.append(Sighting(digest=digest, at_ms=at_ms, agent=event.agent, cwd=event.call.cwd))

    def of(self, tool: str, arguments: Mapping[str, object]) -> Sighting | None:
        """The sighting of this call, None where there is none or more than one session made it."""
        since_ms, digest = self._clock.now_ms() - FRESH_MS, _digest(tool, arguments)
        found = [each for each in self._kept if each.digest == digest and each.at_ms >= since_ms]
        sessions = {(each.agent.host, each.agent.session) for each in found}
        return found[-1] if len(sessions) == 1 else None


def _digest(tool: str, arguments: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps([tool, dict(arguments)], sort_keys=True).encode()).hexdigest()
