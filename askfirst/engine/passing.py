"""An approval that reaches further: it approves a later request, as its reviewer chose that it should.

A hook uses such a grant itself. Whoever asks by a request of their own is answered by one that is approved at once,
with a grant for its own action alone, which lapses no later than the one that it was passed on from, and opens nothing
once that one has been taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.audit_port import EntryType
from askfirst.engine.case import LogLine, Step
from askfirst.engine.events import Cover, Event, PassOn
from askfirst.engine.grants import forged, issue
from askfirst.engine.scopes import covers, is_used_up
from askfirst.replacing import replace
from askfirst.request import End, GrantState, RequestState, Verdict

if TYPE_CHECKING:
    from askfirst.engine.case import Case


def pass_on(case: Case, event: Event, now_ms: int) -> Step:
    """Count one use of the grant, for another request."""
    assert isinstance(event, PassOn)  # the table pairs it so
    grant, content = case.grant, event.content
    if grant is None or not covers(grant, case.request, content.action.digest(), content, event.terms):
        return Step(case=case, done=False, note="no grant for this action")
    if not event.is_genuine:
        return forged(case, now_ms)
    if grant.state is not GrantState.ISSUED or not grant.pattern:
        return Step(case=case, done=False, note=f"the grant is {grant.state.value}")
    after = replace(grant, passed_on=(*grant.passed_on, event.request_id))
    state = GrantState.REDEEMED if is_used_up(after) else GrantState.ISSUED
    return Step(case=replace(case, grant=replace(after, state=state)), note="passed on")


def cover(case: Case, event: Event, now_ms: int) -> Step:
    """Approve by what was approved before."""
    assert isinstance(event, Cover)
    before = event.by
    grant, end = before.grant, before.request.end
    if grant is None or end is None or case.request.id not in grant.passed_on:
        return Step(case=case, done=False, note="no approval was passed on to this request")
    people = tuple(each.person for each in before.counted() if each.verdict is Verdict.APPROVE)
    text = f"by the approval of {before.request.code} for commands like {grant.pattern}"
    over = replace(
        case.request,
        state=RequestState.APPROVED,
        end=End(at_ms=now_ms, by=end.by, channel=end.channel, text=text),
    )
    granted = issue(replace(case, request=over), now_ms, until_ms=grant.expires_at_ms, under=grant.id)
    decided = LogLine(
        type=EntryType.GATE_DECIDED,
        actor=end.by,
        actor_type="human",
        channel=end.channel,
        decision={
            "verdict": "approved",
            "by": people,
            "under": grant.id,
            "pattern": grant.pattern,
            "latency_ms": now_ms - case.request.created_at_ms,
        },
    )
    return replace(granted, log=(decided, *granted.log), note="approved before")
