"""What a deny with a stop ends besides its own request: whatever else that session waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.audit_port import EntryType
from askfirst.engine.case import Step, person_line
from askfirst.engine.events import Event, Halt
from askfirst.replacing import replace
from askfirst.request import End, RequestState

if TYPE_CHECKING:
    from askfirst.engine.case import Case


def has_stopped(case: Case) -> bool:
    """Whether its denial has told its session to stop; not all can be told to."""
    request = case.request
    is_stop = request.state is RequestState.DENIED and request.end is not None and request.end.stop
    return is_stop and request.agent.can_be_stopped


def halt(case: Case, event: Event, now_ms: int) -> Step:
    """Withdraw it by the word of whoever has told its session to stop: nothing of it would be let run any more."""
    assert isinstance(event, Halt)  # the table pairs it so
    stopped = event.by.request
    assert stopped.end is not None  # it is what has stopped the session
    review = event.by.review(stopped.end.decision_id)
    assert review is not None  # the same
    reason = f"the session was told to stop by {review.person} (request {stopped.code})"
    end = End(at_ms=now_ms, by=review.person, channel=review.channel, text=reason, stop=True)
    line = person_line(EntryType.GATE_CANCELLED, review, {"verdict": "cancelled", "reason": reason, "stop": True})
    request = replace(case.request, state=RequestState.CANCELLED, end=end)
    return Step(case=replace(case, request=request), log=(line,), note="withdrawn")
