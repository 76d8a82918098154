"""What the requester may do: withdraw, replace by another request, or amend into a new version."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.audit_port import EntryType
from askfirst.engine.case import Case, LogLine, Step
from askfirst.engine.events import Amend, Cancel, Content, Event, Supersede
from askfirst.request import End, Request, RequestState

if TYPE_CHECKING:
    from askfirst.audit_port import Value

VERSIONS_MAX = 10
"""Versions of one request: each gives people time anew, so that their number bounds how long it can wait."""


def cancel(case: Case, event: Event, now_ms: int) -> Step:
    """Withdraw."""
    assert isinstance(event, Cancel)  # the table pairs it so
    end = End(at_ms=now_ms, by="agent", text=event.reason)
    request = replace(case.request, state=RequestState.CANCELLED, end=end)
    line = _line(EntryType.GATE_CANCELLED, {"verdict": "cancelled", "reason": event.reason})
    return Step(case=replace(case, request=request), log=(line,), note="withdrawn")


def supersede(case: Case, event: Event, now_ms: int) -> Step:
    """Give way to another request."""
    assert isinstance(event, Supersede)
    end = End(at_ms=now_ms, by="agent", text=f"replaced by {event.code}")
    request = replace(case.request, state=RequestState.SUPERSEDED, end=end)
    line = _line(EntryType.GATE_SUPERSEDED, {"verdict": "superseded", "by": event.by})
    return Step(case=replace(case, request=request), log=(line,), note=f"replaced by {event.code}")


def amend(case: Case, event: Event, _now_ms: int) -> Step:
    """Make a new version; what people said about the one before no longer counts."""
    assert isinstance(event, Amend)
    request = case.request
    if event.content.action.digest() == request.action_digest and event.claim == request.claim:
        return Step(case=case, done=False, note="nothing was changed; say more, or withdraw the request")
    if request.version >= VERSIONS_MAX:
        note = f"there are {VERSIONS_MAX} versions already; withdraw the request and ask anew"
        return Step(case=case, done=False, note=note)
    after = next_version(case, event.content, changed_by="agent")
    amended = replace(after.request, claim=event.claim, terms=event.terms, reminded=0, escalated=0, handovers=())
    line = _line(EntryType.GATE_AMENDED, _change(request, amended))
    return Step(
        case=replace(after, request=amended),
        log=(line,),
        note=f"version {amended.version} is before the reviewers",
        tell=event.terms.stages[0].recipients,
    )


def next_version(case: Case, content: Content, *, changed_by: str) -> Case:
    """The case with a newer version of what would run; the one before is kept as superseded."""
    request = case.request
    newer = replace(
        request,
        version=request.version + 1,
        changed_by=changed_by,
        action=content.action,
        action_digest=content.action.digest(),
        effects=content.effects,
        risk=content.risk,
        expanded=content.expanded,
        evidence=content.evidence,
    )
    kept = replace(request, state=RequestState.SUPERSEDED)
    return replace(case, request=newer, earlier=(*case.earlier, kept))


def edit_line(before: Request, after: Request, person: str, channel: str) -> LogLine:
    """The entry of a version that a reviewer made."""
    return LogLine(
        type=EntryType.GATE_AMENDED,
        actor=person,
        actor_type="human",
        channel=channel,
        decision=_change(before, after),
    )


def _change(before: Request, after: Request) -> dict[str, Value]:
    return {
        "version": after.version,
        "act_before": before.action_digest,
        "rule": after.terms.rule,
        "policy_sha256": after.terms.policy_digest,
    }


def _line(entry_type: EntryType, decision: dict[str, Value]) -> LogLine:
    return LogLine(type=entry_type, actor="agent", actor_type="agent", decision=decision)
