"""What ``askfirst doctor`` makes of what it has found: pure, from findings to a level and what would raise it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Grade(enum.StrEnum):
    """How a finding stands."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing is broken."""
    WARN = "warn"
    """Weaker than it could be."""
    FAIL = "fail"
    """The gate does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        area: e.g. ``broker`` or ``claude-code``.
        text: what was found.
        fix: what to do about it, a command where there is one; ``""``: nothing.
    """

    area: str
    grade: Grade
    text: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """How this machine is set up, as far as it decides the level.

    Attributes:
        scopes: for each agent that is here, the scopes of the settings that have our hooks.
        broker_uid: of the broker, None when none answers.
        own_uid: of whoever asks, as the agents are taken to be.
        is_remote: whether the broker is on another machine.
        terminal_decisions: whether this machine's terminal may decide.
    """

    scopes: Mapping[str, frozenset[str]]
    broker_uid: int | None
    own_uid: int
    is_remote: bool = False
    terminal_decisions: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How far the gate can be trusted (README, «How far to trust it»).

    Attributes:
        name: ``T0`` to ``T3``, or ``none``.
        improve: the one command that raises it.
    """

    name: str
    improve: str


def level_of(found: Arrangement, findings: Sequence[Finding]) -> Level:
    """The level that holds for every agent on this machine: the weakest decides."""
    open_agents = sorted(host for host, scopes in found.scopes.items() if not scopes)
    if open_agents or not found.scopes:
        host = f" --host {open_agents[0]}" if open_agents else ""
        return Level(name="none", improve=f"askfirst install{host}")
    broken = next((each for each in findings if each.grade is Grade.FAIL), None)
    if broken is not None:
        return Level(name="none", improve=broken.fix or "mend what failed, and run `askfirst doctor` again")
    if any("managed" not in scopes for scopes in found.scopes.values()):
        return Level(name="T0", improve="sudo askfirst install --scope managed")
    if found.terminal_decisions and found.broker_uid == found.own_uid:
        return Level(name="T0", improve="set `terminal_decisions = false` under [policy] in the configuration")
    if found.is_remote:
        return Level(name="T3", improve="let the broker hold the credential of what is critical (T4)")
    if found.broker_uid == found.own_uid:
        return Level(name="T1", improve="sudo askfirst install --service")
    return Level(name="T2", improve="askfirst install --remote URL, with a broker on another machine")


def is_healthy(findings: Sequence[Finding], level: Level) -> bool:
    """Whether the gate holds."""
    return level.name != "none" and all(each.grade is not Grade.FAIL for each in findings)
