"""What time alone does: reminders, escalation, the deadline, the end of a grant.

A broker that was down finds several moments behind it at once. It acts on each at most once: one reminder for however
many were missed, every escalation step that is due, and nothing of either once the deadline has passed. Where the rule
says that the deadline escalates, and those it goes on to were never told, the deadline has not passed: they have the
time that the rule gives them from now on, once.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from askfirst.audit_port import EntryType
from askfirst.effects import Risk
from askfirst.engine.case import Case, LogLine, Step, system_line
from askfirst.engine.events import Unreachable
from askfirst.engine.grants import issue, lapse
from askfirst.engine.quorum import current_stage, stage_at
from askfirst.replacing import replace
from askfirst.request import End, RequestKind, RequestState, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.audit_port import Value
    from askfirst.engine.events import Event

_NOTHING: Mapping[str, Value] = MappingProxyType({})


def next_due_ms(case: Case) -> int | None:
    """When the engine wants to be asked again with ``Deadline``; None when nothing is pending."""
    request = case.request
    if request.state is RequestState.PENDING:
        terms = request.terms
        reminders = terms.reminders_at_ms[request.reminded : request.reminded + 1]
        steps = [each.at_ms for each in terms.escalation[request.escalated : request.escalated + 1]]
        return min((terms.approval_expires_at_ms, *reminders, *steps))
    return None if case.open_grant is None else case.open_grant.expires_at_ms


def approves_by_silence(case: Case, now_ms: int) -> bool:
    """Whether its deadline is over and would approve it: only where the rule says so, and never at high risk."""
    request = case.request
    return (
        request.state is RequestState.PENDING
        and now_ms >= request.terms.approval_expires_at_ms
        and request.terms.on_timeout == "approve"
        and request.kind is RequestKind.APPROVAL
        and request.risk < Risk.HIGH
    )


def expire(case: Case, now_ms: int, *, doubt: str = "") -> Step:
    """Let the clock have its say before anybody else: nobody gains by a sweeper that lags (I4).

    Args:
        case: as it is.
        now_ms: when.
        doubt: why silence must not approve it; then it is over as where nobody decided.
    """
    request = case.request
    if request.state is not RequestState.PENDING or now_ms < request.terms.approval_expires_at_ms:
        after, log = lapse(case, now_ms)
        return Step(case=after, log=log)
    if request.terms.on_timeout == "escalate" and request.escalated < len(request.terms.escalation):
        return _escalate_late(case, now_ms)
    if approves_by_silence(case, now_ms):
        doubt = doubt or _objection(case)
        if not doubt:
            return _approve_by_rule(case, now_ms)
    over = replace(request, state=RequestState.EXPIRED, end=End(at_ms=now_ms, by="deadline", text=doubt))
    reason = {"reason": doubt} if doubt else {}
    line = system_line(EntryType.GATE_TIMEOUT, {"verdict": "expired", **reason}, actor="deadline")
    return Step(case=replace(case, request=over), log=(line,))


def _escalate_late(case: Case, now_ms: int) -> Step:
    """Tell those whom the deadline should have gone on to, and give them the time they should have had."""
    request, terms = case.request, case.request.terms
    expires_at_ms = now_ms + terms.approval_expires_at_ms - terms.escalation[-1].at_ms
    moved = replace(case, request=replace(request, terms=replace(terms, approval_expires_at_ms=expires_at_ms)))
    return _escalate_to(moved, len(terms.escalation), {"expires_at_ms": expires_at_ms})


def due(case: Case, _event: Event, now_ms: int) -> Step:
    """Remind and escalate what is due."""
    reminded = _remind(case, now_ms)
    escalated = _escalate(reminded.case, now_ms)
    tell = (*reminded.tell, *(each for each in escalated.tell if each not in reminded.tell))
    return replace(escalated, log=(*reminded.log, *escalated.log), tell=tell)


def nothing_due(case: Case, _event: Event, _now_ms: int) -> Step:
    """After the end there is nothing left but what ``expire`` does."""
    return Step(case=case)


def _remind(case: Case, now_ms: int) -> Step:
    request = case.request
    passed = sum(each <= now_ms for each in request.terms.reminders_at_ms)
    if passed <= request.reminded:
        return Step(case=case)
    after = replace(case, request=replace(request, reminded=passed))
    if case.asked_back is not None:
        return Step(case=after)  # it is the agent's turn, not the people's
    tell = stage_at(request, current_stage(case)).recipients
    line = system_line(EntryType.GATE_REMINDED, {"reminder": passed, "recipients": tell}, actor="deadline")
    return Step(case=after, log=(line,), tell=tell)


def unreachable(case: Case, event: Event, now_ms: int) -> Step:
    """Tell the next ones of the route at once; where there are none, end it: waiting would be in vain (I6)."""
    assert isinstance(event, Unreachable)  # the table pairs it so
    request = case.request
    if request.escalated < len(request.terms.escalation):
        return _escalate_to(case, request.escalated + 1)
    text = f"nobody could be told: {event.reason}"
    over = replace(request, state=RequestState.EXPIRED, end=End(at_ms=now_ms, by="gate", text=text))
    line = system_line(EntryType.GATE_TIMEOUT, {"verdict": "expired", "reason": text})
    return Step(case=replace(case, request=over), log=(line,), note=text)


def _escalate(case: Case, now_ms: int) -> Step:
    return _escalate_to(case, sum(each.at_ms <= now_ms for each in case.request.terms.escalation))


def _escalate_to(case: Case, passed: int, more: Mapping[str, Value] = _NOTHING) -> Step:
    request = case.request
    steps = request.terms.escalation[request.escalated : passed]
    lines = tuple(
        system_line(
            EntryType.GATE_ESCALATED,
            {"step": request.escalated + n, "reviewers": step.reviewers, "recipients": step.recipients, **more},
            actor="deadline",
        )
        for n, step in enumerate(steps, start=1)
    )
    tell = tuple(dict.fromkeys(each for step in steps for each in step.recipients))
    after = replace(case, request=replace(request, escalated=max(request.escalated, passed)))
    return Step(case=after, log=lines, tell=tell)


def _objection(case: Case) -> str:
    """What somebody has said of it, so that no deadline may take it for silence, or ``""``.

    A deny that did not end it speaks against each later version, too; a new version answers what was asked back.
    """
    denied = next((each for each in case.reviews if each.counted and each.verdict is Verdict.DENY), None)
    if denied is not None:
        return f"its deadline does not approve it any more: {denied.person} has denied it"
    if (asked := case.asked_back) is not None:
        return f"its deadline does not approve it yet: {asked.person} asked back and waits for the agent's new version"
    return ""


def _approve_by_rule(case: Case, now_ms: int) -> Step:
    request = case.request
    terms = request.terms
    over = replace(request, state=RequestState.APPROVED, end=End(at_ms=now_ms, by="deadline"))
    granted = issue(replace(case, request=over), now_ms)
    timeout = system_line(EntryType.GATE_TIMEOUT, {"verdict": "approved"}, actor="deadline")
    decided = LogLine(
        type=EntryType.GATE_DECIDED,
        actor=terms.rule,
        actor_type="policy",
        decision={
            "verdict": "approved",
            "by": (),
            "rule": terms.rule,
            "policy_sha256": terms.policy_digest,
            "latency_ms": now_ms - request.created_at_ms,
        },
    )
    return replace(granted, log=(timeout, decided, *granted.log))
