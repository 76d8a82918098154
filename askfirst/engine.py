"""The request engine: who may move a request or its grant where, as one table of pure functions.

``step(case, event, now_ms)`` looks up ``(state, event)`` in ``MOVES`` and returns the new case, what to write to the
audit log and what to tell the actor. Nothing here reads a clock, a file or a random number.

Rules kept here (DESIGN §4):

- I1 only a review that counts, the deadline or the requester's cancel moves a request out of ``pending``.
- I2 a review counts for the version and the action digest that its author was shown, and for no other.
- I4 the deadline is checked before every review; a late approve becomes a short single-use grant.
- I5 deny beats approve until the grant is redeemed; distinct people make a quorum; the requester never counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from askfirst.audit_port import EntryType
from askfirst.request import (
    End,
    Grant,
    GrantState,
    Request,
    RequestKind,
    RequestState,
    Review,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from askfirst.audit_port import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that the engine knows about one request."""

    request: Request
    reviews: tuple[Review, ...] = ()
    grant: Grant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """A person has reviewed; ``requesters`` are those who may not decide on this request."""

    review: Review
    grant_id: str
    requesters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A timer says that something may be due; it decides nothing by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The requester withdraws."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeem:
    """A hook is about to let exactly this action run."""

    action_digest: str
    attempt: str
    tool_use_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """The host reports how it went; ``action_digest`` is of what really ran."""

    action_digest: str
    outcome: str
    detail: str = ""


Event = Cast | Deadline | Cancel | Redeem | Executed


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One entry for the audit log: its type and what is particular to it."""

    type: EntryType
    actor: str
    actor_type: Literal["agent", "human", "policy", "system"]
    channel: str = ""
    assurance: int | None = None
    decision: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What an event did.

    Attributes:
        case: afterwards.
        log: entries to append, in order.
        done: whether the actor got what they wanted; a refusal leaves the request as it was.
        note: one sentence for the actor.
    """

    case: Case
    log: tuple[LogLine, ...] = ()
    done: bool = True
    note: str = ""


def step(case: Case, event: Event, now_ms: int) -> Step:
    """Apply one event.

    Returns:
        the outcome; an event that has no move from this state is refused with a sentence and changes nothing.
    """
    case, expiry = _expire(case, now_ms)
    move = MOVES.get((case.request.state, type(event)))
    if move is None:
        return Step(case=case, log=expiry, done=False, note=f"the request is {_ended(case.request)}")
    result = move(case, event, now_ms)
    return replace(result, log=(*expiry, *result.log))


def next_due_ms(case: Case) -> int | None:
    """When the engine wants to be asked again with ``Deadline``; None when nothing is pending."""
    if case.request.state is RequestState.PENDING:
        return case.request.terms.approval_expires_at_ms
    if case.grant is not None and case.grant.state is GrantState.ISSUED:
        return case.grant.expires_at_ms
    return None


def _expire(case: Case, now_ms: int) -> tuple[Case, tuple[LogLine, ...]]:
    """Let the clock have its say before anybody else: nobody gains by a sweeper that lags (I4)."""
    request, grant = case.request, case.grant
    if request.state is RequestState.PENDING and now_ms >= request.terms.approval_expires_at_ms:
        ended = replace(request, state=RequestState.EXPIRED, end=End(at_ms=now_ms, by="deadline"))
        line = LogLine(
            type=EntryType.GATE_TIMEOUT, actor="deadline", actor_type="system", decision={"verdict": "expired"}
        )
        return replace(case, request=ended), (line,)
    if grant is not None and grant.state is GrantState.ISSUED and now_ms >= grant.expires_at_ms:
        lapsed = replace(grant, state=GrantState.LAPSED, ended_at_ms=now_ms)
        line = _timer_line(EntryType.GRANT_LAPSED, {"grant": grant.id})
        return replace(case, grant=lapsed), (line,)
    return case, ()


def _timer_line(entry_type: EntryType, decision: Mapping[str, Value]) -> LogLine:
    return LogLine(type=entry_type, actor="deadline", actor_type="system", decision=decision)


def _deadline(case: Case, _event: Event, _now_ms: int) -> Step:
    return Step(case=case)


def _cancel(case: Case, event: Event, now_ms: int) -> Step:
    assert isinstance(event, Cancel)  # the table pairs it so
    end = End(at_ms=now_ms, by="agent", text=event.reason)
    request = replace(case.request, state=RequestState.CANCELLED, end=end)
    line = LogLine(
        type=EntryType.GATE_CANCELLED,
        actor="agent",
        actor_type="agent",
        decision={"verdict": "cancelled", "reason": event.reason},
    )
    return Step(case=replace(case, request=request), log=(line,), note="withdrawn")


def _cast(case: Case, event: Event, now_ms: int) -> Step:
    """A review of a pending request."""
    assert isinstance(event, Cast)
    refusal = _refusal(case, event)
    if refusal:
        return _not_counted(case, event.review, EntryType.REVIEW_REJECTED, refusal)
    review = replace(event.review, counted=True)
    match review.verdict:
        case Verdict.DENY:
            return _end(_with(case, review), review, RequestState.DENIED, now_ms)
        case Verdict.ANSWER:
            return _end(_with(case, review), review, RequestState.ANSWERED, now_ms)
        case Verdict.APPROVE:
            return _approve(_with(case, review), review, event.grant_id, now_ms)


def _approve(case: Case, review: Review, grant_id: str, now_ms: int) -> Step:
    people = _approvers(case)
    needed = case.request.terms.approvals_needed
    if len(people) < needed:
        note = f"counted: {len(people)} of {needed} approvals"
        return Step(case=case, log=(_review_line(review, EntryType.REVIEW_CAST),), note=note)
    ended = _end(case, review, RequestState.APPROVED, now_ms)
    granted = _issue(ended.case, grant_id, now_ms, late=False)
    return replace(ended, case=granted.case, log=(*ended.log, *granted.log))


def _approvers(case: Case) -> set[str]:
    return {each.person for each in case.reviews if each.counted and each.verdict is Verdict.APPROVE}


def _end(case: Case, review: Review, state: RequestState, now_ms: int) -> Step:
    end = End(at_ms=now_ms, by=review.person, channel=review.channel, decision_id=review.decision_id, text=review.text)
    request = replace(case.request, state=state, end=end)
    by = tuple(sorted({each.person for each in case.reviews if each.counted and each.verdict is review.verdict}))
    decided = LogLine(
        type=EntryType.QUESTION_ANSWERED if state is RequestState.ANSWERED else EntryType.GATE_DECIDED,
        actor=review.person,
        actor_type="human",
        channel=review.channel,
        decision={
            "verdict": state.value,
            "by": by,
            "rule": request.terms.rule,
            "policy_sha256": request.terms.policy_digest,
            "latency_ms": now_ms - request.created_at_ms,
        },
    )
    log = (_review_line(review, EntryType.REVIEW_CAST), decided)
    return Step(case=replace(case, request=request), log=log, note=f"{state.value}")


def _cast_after_approval(case: Case, event: Event, now_ms: int) -> Step:
    """Deny beats approve until the grant is redeemed (I5); everything else comes too late."""
    assert isinstance(event, Cast)
    refusal = _refusal(case, event)
    if refusal:
        return _not_counted(case, event.review, EntryType.REVIEW_REJECTED, refusal)
    grant = case.grant
    if event.review.verdict is not Verdict.DENY or grant is None or grant.state is not GrantState.ISSUED:
        return _not_counted(case, event.review, EntryType.REVIEW_LATE, f"already {_ended(case.request)}")
    review = replace(event.review, counted=True, note="revoked the approval before it was used")
    revoked = replace(grant, state=GrantState.REVOKED, ended_at_ms=now_ms)
    ended = _end(_with(replace(case, grant=revoked), review), review, RequestState.DENIED, now_ms)
    line = LogLine(
        type=EntryType.GRANT_REVOKED,
        actor=review.person,
        actor_type="human",
        channel=review.channel,
        decision={"grant": grant.id},
    )
    return replace(ended, log=(*ended.log, line), note="denied; the approval was revoked before it was used")


def _cast_late(case: Case, event: Event, now_ms: int) -> Step:
    """A review after the deadline is answered as late; an approve opens a short grant for the next attempt (I4)."""
    assert isinstance(event, Cast)
    refusal = _refusal(case, event)
    if refusal:
        return _not_counted(case, event.review, EntryType.REVIEW_REJECTED, refusal)
    if event.review.verdict is Verdict.DENY:
        return _deny_late(case, event.review, now_ms)
    terms = case.request.terms
    if event.review.verdict is not Verdict.APPROVE or case.grant is not None or terms.late_grant_ttl_ms == 0:
        return _not_counted(case, event.review, EntryType.REVIEW_LATE, f"already {_ended(case.request)}")
    people = _approvers(case) | {event.review.person}
    if len(people) < terms.approvals_needed:
        note = f"late: the request had expired; {len(people)} of {terms.approvals_needed} approvals"
        review = replace(event.review, counted=True, note=note)
        return Step(case=_with(case, review), log=(_review_line(review, EntryType.REVIEW_LATE),), note=note)
    note = "late: the request had expired; the same command may run once if the agent tries it again soon"
    review = replace(event.review, counted=True, note=note)
    granted = _issue(_with(case, review), event.grant_id, now_ms, late=True)
    return replace(granted, log=(_review_line(review, EntryType.REVIEW_LATE), *granted.log), note=note)


def _deny_late(case: Case, review: Review, now_ms: int) -> Step:
    """Nothing ran and nothing will: a late deny is recorded, and takes back a late grant that is still unused."""
    grant = case.grant
    if grant is None or grant.state is not GrantState.ISSUED:
        return _not_counted(case, review, EntryType.REVIEW_LATE, f"already {_ended(case.request)}")
    counted = replace(review, counted=True, note="took back the late approval before it was used")
    revoked = replace(grant, state=GrantState.REVOKED, ended_at_ms=now_ms)
    line = LogLine(
        type=EntryType.GRANT_REVOKED,
        actor=review.person,
        actor_type="human",
        channel=review.channel,
        decision={"grant": grant.id},
    )
    log = (_review_line(counted, EntryType.REVIEW_LATE), line)
    return Step(case=_with(replace(case, grant=revoked), counted), log=log, note=counted.note)


def _cast_closed(case: Case, event: Event, _now_ms: int) -> Step:
    assert isinstance(event, Cast)
    return _not_counted(case, event.review, EntryType.REVIEW_LATE, f"already {_ended(case.request)}")


def _redeem(case: Case, event: Event, now_ms: int) -> Step:
    """One grant, one run: the second attempt is refused, the same attempt hears the same answer again."""
    assert isinstance(event, Redeem)
    grant = case.grant
    if grant is None or event.action_digest != grant.action_digest:
        return Step(case=case, done=False, note="no grant for this action")
    if grant.state is GrantState.REDEEMED and grant.attempt == event.attempt:
        return Step(case=case, note="redeemed before by this same attempt")
    if grant.state is not GrantState.ISSUED:
        return Step(case=case, done=False, note=f"the grant is {grant.state.value}")
    redeemed = replace(
        grant,
        state=GrantState.REDEEMED,
        attempt=event.attempt,
        tool_use_id=event.tool_use_id,
        redeemed_at_ms=now_ms,
    )
    line = LogLine(type=EntryType.GATE_RELEASED, actor="gate", actor_type="system", decision={"grant": grant.id})
    return Step(case=replace(case, grant=redeemed), log=(line,), note="released")


def _executed(case: Case, event: Event, now_ms: int) -> Step:
    assert isinstance(event, Executed)
    grant = case.grant
    if grant is None or grant.state is not GrantState.REDEEMED:
        return Step(case=case, done=False, note="nothing was released")
    as_approved = event.action_digest == grant.action_digest
    detail = event.detail if as_approved else f"what ran differs from what was approved; {event.detail}".rstrip("; ")
    ended = replace(grant, state=GrantState.EXECUTED, ended_at_ms=now_ms, outcome=event.outcome, detail=detail)
    line = LogLine(
        type=EntryType.GATE_EXECUTED,
        actor="host",
        actor_type="agent",
        decision={"grant": grant.id, "outcome": event.outcome, "as_approved": as_approved, "detail": detail},
    )
    return Step(case=replace(case, grant=ended), log=(line,), note=event.outcome)


def _issue(case: Case, grant_id: str, now_ms: int, *, late: bool) -> Step:
    terms = case.request.terms
    ttl_ms = terms.late_grant_ttl_ms if late else terms.grant_ttl_ms
    grant = Grant(
        id=grant_id,
        request_id=case.request.id,
        action_digest=case.request.action_digest,
        state=GrantState.ISSUED,
        issued_at_ms=now_ms,
        expires_at_ms=now_ms + ttl_ms,
        late=late,
    )
    decision: dict[str, Value] = {"grant": grant_id, "expires_at_ms": grant.expires_at_ms, "late": late}
    line = LogLine(type=EntryType.GRANT_ISSUED, actor="gate", actor_type="system", decision=decision)
    return Step(case=replace(case, grant=grant), log=(line,))


_KINDS = {RequestKind.APPROVAL: "an approval", RequestKind.QUESTION: "a question"}


def _refusal(case: Case, event: Cast) -> str:
    """Why this review may not count, or ``""``."""
    request, review = case.request, event.review
    wanted = Verdict.ANSWER if request.kind is RequestKind.QUESTION else Verdict.APPROVE
    checks = (
        (review.version != request.version, f"made for version {review.version}, now it is {request.version}"),
        (review.action_digest != request.action_digest, "made for another action"),
        (review.person in event.requesters, "whoever asks cannot decide"),
        (
            review.assurance < request.terms.assurance_min,
            f"this request needs assurance {request.terms.assurance_min}, {review.channel} gives {review.assurance}",
        ),
        (review.verdict not in {wanted, Verdict.DENY}, f"{_KINDS[request.kind]} takes {wanted.value} or deny"),
        (
            any(
                each.counted and each.person == review.person and each.verdict == review.verdict
                for each in case.reviews
            ),
            "counted before",
        ),
    )
    return next((sentence for failed, sentence in checks if failed), "")


def _not_counted(case: Case, review: Review, entry_type: EntryType, note: str) -> Step:
    kept = replace(review, counted=False, note=note)
    return Step(case=_with(case, kept), log=(_review_line(kept, entry_type),), done=False, note=note)


def _with(case: Case, review: Review) -> Case:
    return replace(case, reviews=(*case.reviews, review))


def _review_line(review: Review, entry_type: EntryType) -> LogLine:
    return LogLine(
        type=entry_type,
        actor=review.person,
        actor_type="human",
        channel=review.channel,
        assurance=review.assurance,
        decision={
            "decision_id": review.decision_id,
            "verdict": review.verdict.value,
            "version": review.version,
            "act": review.action_digest,
            "counted": review.counted,
            **({"text": review.text} if review.text else {}),
            **({"note": review.note} if review.note else {}),
        },
    )


def _ended(request: Request) -> str:
    """E.g. ``denied by local:ann via web``."""
    if request.end is None:
        return request.state.value
    via = f" via {request.end.channel}" if request.end.channel else ""
    by = "" if request.end.by == "deadline" else f" by {request.end.by}"
    return f"{request.state.value}{by}{via}"


_S = RequestState
MOVES: dict[tuple[RequestState, type[Event]], Callable[[Case, Event, int], Step]] = {
    (_S.PENDING, Cast): _cast,
    (_S.PENDING, Deadline): _deadline,
    (_S.PENDING, Cancel): _cancel,
    (_S.APPROVED, Cast): _cast_after_approval,
    (_S.APPROVED, Deadline): _deadline,
    (_S.APPROVED, Redeem): _redeem,
    (_S.APPROVED, Executed): _executed,
    (_S.EXPIRED, Cast): _cast_late,
    (_S.EXPIRED, Deadline): _deadline,
    (_S.EXPIRED, Redeem): _redeem,
    (_S.EXPIRED, Executed): _executed,
    (_S.DENIED, Cast): _cast_closed,
    (_S.ANSWERED, Cast): _cast_closed,
    (_S.CANCELLED, Cast): _cast_closed,
    (_S.SUPERSEDED, Cast): _cast_closed,
    (_S.DENIED, Deadline): _deadline,
    (_S.ANSWERED, Deadline): _deadline,
    (_S.CANCELLED, Deadline): _deadline,
    (_S.SUPERSEDED, Deadline): _deadline,
}
