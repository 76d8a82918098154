"""What the requester may do: withdraw, replace by another request, or amend into a new version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.audit_port import EntryType
from askfirst.engine.case import Case, LogLine, Step, system_line
from askfirst.engine.events import Amend, Cancel, Content, Event, Opine, Renew, Supersede
from askfirst.engine.grants import CHANGED
from askfirst.replacing import replace
from askfirst.request import End, GrantState, Request, RequestState
from askfirst.terms import narrowed

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
    amended = replace(
        after.request,
        claim=event.claim,
        terms=event.terms,
        notes=tuple(dict.fromkeys((*request.notes, *event.notes))),
        reminded=0,
        escalated=0,
        handovers=(),
    )
    line = _line(EntryType.GATE_AMENDED, _change(request, amended))
    return Step(
        case=replace(after, request=amended),
        log=(line,),
        note=f"version {amended.version} is before the reviewers",
        tell=event.terms.stages[0].recipients,
    )


def renew(case: Case, event: Event, now_ms: int) -> Step:
    """Let the grant lapse and ask anew: the same action would meet another state than people were shown."""
    assert isinstance(event, Renew)
    grant, request = case.open_grant, case.request
    if grant is None or grant.uses:
        return Step(case=case, done=False, note="nothing to ask anew: no grant is open and unused")
    lapsed = replace(grant, state=GrantState.LAPSED, ended_at_ms=now_ms)
    line = system_line(EntryType.GRANT_LAPSED, {"grant": grant.id, "uses": 0, "reason": CHANGED})
    if request.version >= VERSIONS_MAX:
        note = f"{CHANGED}, for the {VERSIONS_MAX}th time; ask again when nothing else works on it"
        return Step(case=replace(case, grant=lapsed), log=(line,), done=False, note=note)
    by = request.changed_by if request.is_edited else "state"
    after = next_version(replace(case, grant=lapsed), event.content, changed_by=by)
    anew = replace(
        after.request,
        state=RequestState.PENDING,
        end=None,
        terms=event.terms,
        reminded=0,
        escalated=0,
        handovers=(),
    )
    change = system_line(EntryType.GATE_AMENDED, {**_change(request, anew), "reason": CHANGED})
    return Step(
        case=replace(after, request=anew),
        log=(line, change),
        done=False,
        note=f"{CHANGED}; version {anew.version} is before the reviewers",
        tell=event.terms.stages[0].recipients,
    )


def opine(case: Case, event: Event, _now_ms: int) -> Step:
    """Note a language model's opinion: one for a version, and nothing moves by it."""
    assert isinstance(event, Opine)
    request, opinion = case.request, event.opinion
    if opinion.version != request.version or request.opinion is not None:
        return Step(case=case, done=False, note="there is another version by now, or an opinion already")
    line = LogLine(
        type=EntryType.OPINION_GIVEN,
        actor=opinion.model,
        actor_type="agent",
        decision={"version": opinion.version, "text": opinion.summary, "counted": False},
    )
    return Step(case=replace(case, request=replace(request, opinion=opinion)), log=(line,), note="noted")


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
        opinion=None,
        promise=content.promise,
        terms=request.terms if content.terms is None else narrowed(request.terms, content.terms),
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
        **({"state_before": before.evidence.state_digest} if before.evidence.state else {}),
        "policy_sha256": after.terms.policy_digest,
    }


def _line(entry_type: EntryType, decision: dict[str, Value]) -> LogLine:
    return LogLine(type=entry_type, actor="agent", actor_type="agent", decision=decision)
