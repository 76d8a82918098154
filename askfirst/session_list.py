"""Agents' sessions, by what they have asked for: who waits, and how it went so far. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, as far as a list of sessions needs it."""

    host: str
    session: str
    cwd: str
    state: str
    id: str
    code: str
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """One session of an agent.

    Attributes:
        waiting: what waits for people, oldest first.
        states: how many requests stand in which state.
        last_ms: when it asked last.
    """

    host: str
    session: str
    cwd: str
    waiting: tuple[Asked, ...]
    states: Mapping[str, int]
    last_ms: int


def sessions(asked: Iterable[Asked]) -> list[SessionLine]:
    """The sessions of these requests: those that wait before the others, then those that asked last."""
    grouped: dict[tuple[str, str], list[Asked]] = {}
    for each in sorted(asked, key=lambda one: one.at_ms):
        grouped.setdefault((each.host, each.session), []).append(each)
    lines = [
        SessionLine(
            host=host,
            session=session,
            cwd=found[-1].cwd,
            waiting=tuple(each for each in found if each.state == "pending"),
            states=dict(sorted(Counter(each.state for each in found).items())),
            last_ms=found[-1].at_ms,
        )
        for (host, session), found in grouped.items()
    ]
    return sorted(lines, key=lambda line: (not line.waiting, -line.last_ms))
