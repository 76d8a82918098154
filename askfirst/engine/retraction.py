"""A review that no longer stands where it was made: a comment that was edited or deleted after it had counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.audit_port import EntryType
from askfirst.engine.case import Case, LogLine, Step, system_line
from askfirst.engine.events import Event, Retract
from askfirst.engine.grants import take_back
from askfirst.replacing import replace
from askfirst.request import RequestState, Verdict

if TYPE_CHECKING:
    from askfirst.audit_port import Value
    from askfirst.people import Electorate
    from askfirst.request import Review

_TAKEN_BACK = "taken back: "


def is_taken_back(review: Review) -> bool:
    """Whether this approval counted until it was taken back."""
    return not review.counted and review.note.startswith(_TAKEN_BACK)


def retract(case: Case, event: Event, now_ms: int) -> Step:
    """Take a counted approval back as long as nothing ran by it; whatever makes things safer stays as it is."""
    assert isinstance(event, Retract)  # the table pairs it so
    review = case.review(event.decision_id)
    if review is None or not review.counted:
        return Step(case=case, done=False, note="nothing to take back: it does not count")
    if review.verdict is not Verdict.APPROVE:
        return Step(case=case, done=False, note=f"the {review.verdict.value} stands; only an approval is taken back")
    is_open = case.open_grant is not None
    if case.request.state is not RequestState.PENDING and not is_open:
        return Step(case=case, done=False, note="too late to take it back: the request is over")
    kept = replace(review, counted=False, note=f"{_TAKEN_BACK}{event.reason}")
    after = replace(case, reviews=tuple(kept if each is review else each for each in case.reviews))
    log = [_line(EntryType.REVIEW_RETRACTED, event, {"decision_id": review.decision_id, "reason": event.reason})]
    if is_open:
        after, grant_id = take_back(after, now_ms)
        log.append(_line(EntryType.GRANT_REVOKED, event, {"grant": grant_id, "reason": event.reason}))
    return Step(case=after, log=tuple(log), note=kept.note)


def drop_unknown(case: Case, electorate: Electorate) -> tuple[Case, tuple[LogLine, ...]]:
    """The case without the approvals of people who have been removed since; what makes things safer stays."""
    gone = {
        each.decision_id: replace(each, counted=False, note=f"{_TAKEN_BACK}{each.person} is not known any more")
        for each in case.counted()
        if each.verdict is Verdict.APPROVE and electorate.find(each.person) is None
    }
    if not gone:
        return case, ()
    kept = tuple(gone.get(each.decision_id, each) for each in case.reviews)
    lines = tuple(
        system_line(EntryType.REVIEW_RETRACTED, {"decision_id": each.decision_id, "reason": each.note}, actor="people")
        for each in gone.values()
    )
    return replace(case, reviews=kept), lines


def _line(entry_type: EntryType, event: Retract, decision: dict[str, Value]) -> LogLine:
    return LogLine(type=entry_type, actor=event.by, actor_type="human", channel=event.channel, decision=decision)
