"""What people's earlier denials mean for what an agent tries next, told from the requests that were denied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.engine.scopes import said_alike
from askfirst.likeness import alike
from askfirst.replacing import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.effects import Effect
    from askfirst.request import Action, Request
    from askfirst.terms import Terms

_SHOWN_MAX = 3
_SPELLED_MAX_CHARS = 4_096
"""Longer commands are not compared word by word with each denial: others wait for the store meanwhile."""


def stop_of(denied: Sequence[Request], machine: str, window_s: int, now_ms: int) -> Request | None:
    """The denial that told this session to stop; one that is called the same on another machine is another one."""
    stops = (each for each in denied if each.end is not None and each.end.stop and each.action.machine == machine)
    return next((each for each in stops if _is_recent(each, window_s, now_ms)), None)


def of_same(denied: Sequence[Request], act: str) -> list[Request]:
    """The denials of this very action, by its digest."""
    return [each for each in denied if each.action_digest == act]


def answer_of(denied: Sequence[Request], reason: str, act: str, window_s: int, now_ms: int) -> Request | None:
    """The denial that answers the same action again; None after one alone, if the agent now gives a new reason."""
    same = of_same(denied, act)
    if len(same) == 1 and reason and reason != same[0].claim.reason:
        return None
    return next((each for each in same if _is_recent(each, window_s, now_ms)), None)


def similar_denials(
    action: Action, act: str, effects: Sequence[Effect], denied: Sequence[Request], now_ms: int
) -> tuple[str, ...]:
    """What people should know when this action (of digest ``act``) was denied, or what comes to the same.

    By its digest and its words, too: in what a rule of the policy alone has asked, there may be no effect to tell.
    """
    found = [
        each
        for each in denied
        if each.action_digest == act
        or alike(effects, each.effects)
        or (_is_short(action, each.action) and _is_in_other_words(action, each.action))
    ]
    return tuple(
        f"{each.end.by} denied something equivalent {(now_ms - each.end.at_ms) // 60_000} min ago: "
        f"{(each.action.command or each.action.tool)[:200]} ({each.code})"
        for each in found[:_SHOWN_MAX]
        if each.end is not None
    )


def doubt_of_silence(request: Request, denied: Sequence[Request], now_ms: int) -> str:
    """Why nobody's word is no consent to this request, where it, or what comes to the same, has been denied; ``""``."""
    similar = similar_denials(request.action, request.action_digest, request.effects, denied, now_ms)
    return f"its deadline does not approve it any more: {'; '.join(similar)}" if similar else ""


def in_other_words(action: Action, denied: Sequence[Request]) -> Request | None:
    """The denial of this command as it was spelled otherwise, or at another HEAD of its repository."""
    return next((each for each in denied if _is_in_other_words(action, each.action)), None)


def _is_in_other_words(one: Action, other: Action) -> bool:
    is_same_place = (one.tool, one.cwd, one.machine) == (other.tool, other.cwd, other.machine)
    return is_same_place and bool(one.command) and said_alike(one.command, other.command)


def _is_short(one: Action, other: Action) -> bool:
    return max(len(one.command), len(other.command)) <= _SPELLED_MAX_CHARS


def without_consent_by_silence(terms: Terms) -> Terms:
    """The terms with a deadline that does not approve."""
    return replace(terms, on_timeout="reject") if terms.on_timeout == "approve" else terms


def _is_recent(request: Request, window_s: int, now_ms: int) -> bool:
    return request.end is not None and now_ms - request.end.at_ms < window_s * 1000
