"""The one table of moves: ``(state, event)`` to the function that makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.engine import break_glass, grants, passing, retraction, reviews, stopping, timers, undo, versions
from askfirst.engine.case import Step, ended
from askfirst.engine.events import (
    Amend,
    BreakGlass,
    Cancel,
    Cast,
    Cover,
    Deadline,
    Event,
    Executed,
    Halt,
    Opine,
    PassOn,
    Redeem,
    Renew,
    Retract,
    Revoke,
    Supersede,
    Undo,
    Unreachable,
)
from askfirst.replacing import replace
from askfirst.request import RequestState

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.engine.case import Case

_S = RequestState
_OVER = (_S.DENIED, _S.ANSWERED, _S.CANCELLED, _S.SUPERSEDED)

MOVES: dict[tuple[RequestState, type[Event]], Callable[[Case, Event, int], Step]] = {
    (_S.PENDING, Cast): reviews.cast,
    (_S.PENDING, Cover): passing.cover,
    (_S.PENDING, Deadline): timers.due,
    (_S.PENDING, Unreachable): timers.unreachable,
    (_S.PENDING, Cancel): versions.cancel,
    (_S.PENDING, Halt): stopping.halt,
    (_S.PENDING, Amend): versions.amend,
    (_S.PENDING, BreakGlass): break_glass.release,
    (_S.PENDING, Opine): versions.opine,
    (_S.PENDING, Supersede): versions.supersede,
    (_S.APPROVED, Cast): reviews.cast_after_approval,
    (_S.APPROVED, Deadline): timers.nothing_due,
    (_S.APPROVED, Redeem): grants.redeem,
    (_S.APPROVED, PassOn): passing.pass_on,
    (_S.APPROVED, Renew): versions.renew,
    (_S.APPROVED, Executed): grants.executed,
    (_S.APPROVED, Revoke): grants.revoke,
    (_S.APPROVED, Undo): undo.undo,
    (_S.EXPIRED, Cast): reviews.cast_late,
    (_S.EXPIRED, Deadline): timers.nothing_due,
    (_S.EXPIRED, Redeem): grants.redeem,
    (_S.EXPIRED, PassOn): passing.pass_on,
    (_S.EXPIRED, Renew): versions.renew,
    (_S.EXPIRED, Executed): grants.executed,
    (_S.EXPIRED, Revoke): grants.revoke,
    (_S.EXPIRED, Undo): undo.undo,
    **{(state, Retract): retraction.retract for state in RequestState},
    **{(state, Cast): reviews.cast_closed for state in _OVER},
    **{(state, Deadline): timers.nothing_due for state in _OVER},
}


def step(case: Case, event: Event, now_ms: int, *, doubt: str = "") -> Step:
    """Apply one event.

    Args:
        case: as it is.
        event: what happens.
        now_ms: when.
        doubt: why silence must not approve it, ``""`` for nothing; see ``timers.approves_by_silence``.

    Returns:
        the outcome; an event that has no move from this state is refused with a sentence and changes nothing.
    """
    before = timers.expire(case, now_ms, doubt=doubt)
    case = before.case
    move = MOVES.get((case.request.state, type(event)))
    if move is None:
        return replace(before, done=False, note=f"the request is {ended(case.request)}")
    result = move(case, event, now_ms)
    if not before.log:
        return result
    still_asked = before.tell if result.case.request.state is RequestState.PENDING else ()
    return replace(result, log=(*before.log, *result.log), tell=tuple(dict.fromkeys((*still_asked, *result.tell))))
