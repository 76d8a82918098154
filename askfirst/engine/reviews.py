"""What a person's review does, by the state it finds: pending, approved, expired, or over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.audit_port import EntryType
from askfirst.effects import Risk
from askfirst.engine import quorum
from askfirst.engine.answer import answer_problem
from askfirst.engine.case import Case, LogLine, Step, ended, person_line, review_line, with_review
from askfirst.engine.events import Cast, Content, Event
from askfirst.engine.grants import can_be_taken_back, issue, take_back
from askfirst.engine.retraction import drop_unknown, is_taken_back
from askfirst.engine.scopes import chosen, key_of, offered
from askfirst.engine.versions import edit_line, next_version
from askfirst.policy.ruling import ONCE
from askfirst.replacing import replace
from askfirst.request import End, Handover, RequestKind, RequestState, Review, Verdict

if TYPE_CHECKING:
    from askfirst.people import Electorate
    from askfirst.policy.ruling import ScopeOffer
    from askfirst.request import Request

HANDOVERS_MAX = 10
CHANGES_OF_MIND_MAX = 20
"""How often one person may ask back, or take an approval back: each stays with the request for good."""
REFUSED_OF_PERSON_MAX = 10
REFUSED_MAX = 100
"""Reviews that do not count but are kept with the request, of one person and of all; the log has every one."""
_LOG_ONLY = "; so many reviews did not count before that only the log has this one"

_DECIDES = {RequestKind.APPROVAL: Verdict.APPROVE, RequestKind.QUESTION: Verdict.ANSWER}
_KINDS = {RequestKind.APPROVAL: "an approval", RequestKind.QUESTION: "a question"}
_ONE_EACH = frozenset({Verdict.APPROVE, Verdict.DENY, Verdict.ANSWER})


def cast(case: Case, event: Event, now_ms: int) -> Step:
    """A review of a pending request."""
    assert isinstance(event, Cast)  # the table pairs it so
    known, lines = drop_unknown(case, event.electorate)
    step = _cast(known, event, now_ms)
    return replace(step, log=(*lines, *step.log)) if lines else step


def _cast(case: Case, event: Cast, now_ms: int) -> Step:
    refusal = _refusal(case, event)
    if refusal:
        return _rejected(case, event, refusal)
    review = replace(event.review, counted=True, stage=quorum.current_stage(case))
    match review.verdict:
        case Verdict.DENY:
            return _deny(case, review, event, now_ms)
        case Verdict.ANSWER:
            return _end(with_review(case, review), review, RequestState.ANSWERED, now_ms)
        case Verdict.APPROVE:
            return _approve(case, review, event, now_ms)
        case Verdict.NEEDS_INFO:
            return _counted(case, review, "the agent is asked; whoever needs no answer may decide meanwhile")
        case Verdict.DELEGATE:
            return _delegate(case, review, event)


def cast_after_approval(case: Case, event: Event, now_ms: int) -> Step:
    """Deny beats approve until the grant is redeemed (I5); everything else comes too late."""
    assert isinstance(event, Cast)
    if event.review.verdict is not Verdict.DENY or case.grant is None or not can_be_taken_back(case, now_ms):
        return cast_closed(case, event, now_ms)
    refusal = _refusal(case, event)
    if refusal:
        return _rejected(case, event, refusal)
    used = len(case.grant.uses) + len(case.grant.passed_on)
    note = f"took the approval back after {used} uses" if used else "revoked the approval before it was used"
    review = replace(event.review, counted=True, note=note)
    revoked, grant_id = take_back(with_review(case, review), now_ms)
    line = person_line(EntryType.GRANT_REVOKED, review, {"grant": grant_id})
    if used:  # part of it has run: the approval stays on record, and ends here
        log = (review_line(review, EntryType.REVIEW_CAST), line)
        goes_on = "; the session was not told to stop: deny its next request with a stop" if review.stop else ""
        return Step(case=revoked, log=log, note=f"{note}; it opens nothing any more{goes_on}")
    step = _end(revoked, review, RequestState.DENIED, now_ms)
    return replace(step, log=(*step.log, line), note="denied; the approval was revoked before it was used")


def cast_late(case: Case, event: Event, now_ms: int) -> Step:
    """A review after the deadline is answered as late; an approve opens a short grant for the next attempt (I4)."""
    assert isinstance(event, Cast)
    refusal = _refusal(case, event)
    if refusal:
        return _rejected(case, event, refusal)
    if event.review.verdict is Verdict.DENY:
        return _deny_late(case, event.review, now_ms)
    case, lines = drop_unknown(case, event.electorate)
    is_approval = event.review.verdict is Verdict.APPROVE
    if not is_approval or event.edit or not _may_open_late(case):
        return cast_closed(case, event, now_ms)
    if denied := _denied_late(case):
        note = f"late: the request had expired, and {denied.person} has denied it since"
        return _not_counted(case, event.review, EntryType.REVIEW_LATE, note)
    step = _approve_late(case, event.review, now_ms)
    return replace(step, log=(*lines, *step.log))


def cast_closed(case: Case, event: Event, _now_ms: int) -> Step:
    """A review of something that is over."""
    assert isinstance(event, Cast)
    return _not_counted(case, event.review, EntryType.REVIEW_LATE, f"already {ended(case.request)}")


def _approve(case: Case, review: Review, event: Cast, now_ms: int) -> Step:
    edit = event.edit if event.edit and event.edit.action.digest() != case.request.action_digest else None
    if edit is not None:
        return _approve_edited(case, review, event, edit, now_ms)
    if needed := _needed_later(case, review, event.electorate):
        return _rejected(case, event, needed)
    return _count_approval(with_review(case, review), review, now_ms)


def _approve_edited(case: Case, review: Review, event: Cast, edit: Content, now_ms: int) -> Step:
    """The approval of what the reviewer has made of it, as the first review of a new version."""
    if refusal := _raises(case.request, edit):
        return _rejected(case, event, refusal)
    newer = next_version(case, edit, changed_by=review.person)
    if stranger := quorum.may_approve(newer, review.person, event.electorate):
        note = f"an edit begins with the first stage again, and {stranger}; deny it, and say what to do"
        return _rejected(case, event, note)
    if chosen(newer.request, review.scope) is None:
        note = f"for what you have made of it {_offers(newer.request)}; not {review.scope}"
        return _rejected(case, event, note)
    bound = replace(review, version=newer.request.version, action_digest=newer.request.action_digest)
    bound = replace(bound, stage=quorum.current_stage(newer), note="approved with changes")
    if needed := _needed_later(newer, bound, event.electorate):
        return _rejected(case, event, needed)
    step = _count_approval(with_review(newer, bound), bound, now_ms)
    return replace(step, log=(edit_line(case.request, newer.request, review.person, review.channel), *step.log))


def _needed_later(case: Case, review: Review, electorate: Electorate) -> str:
    """Why this approval would leave nobody for a later stage, so that the request could only expire; or ``""``."""
    stage = quorum.stranded(with_review(case, review), electorate)
    if stage is None or quorum.stranded(case, electorate) is not None:
        return ""
    name = f"its {stage.name}" if stage.name else "a later"
    return f"you are needed for {name} stage; let somebody else approve first"


def _count_approval(case: Case, review: Review, now_ms: int) -> Step:
    stage = quorum.current_stage(case)
    if stage < len(case.request.terms.stages):
        opened = stage > review.stage
        tell = case.request.terms.stages[stage].recipients if opened else ()
        step = _counted(case, None, f"counted: {quorum.progress(case)}")
        return replace(step, log=(review_line(review, EntryType.REVIEW_CAST),), tell=tell)
    over = _end(case, review, RequestState.APPROVED, now_ms)
    granted = issue(over.case, now_ms, scope=_agreed_scope(case))
    return replace(over, case=granted.case, log=(*over.log, *granted.log))


def _agreed_scope(case: Case) -> ScopeOffer:
    """What all approvers chose; once, where they did not choose the same."""
    keys = {each.scope for each in case.counted() if each.verdict is Verdict.APPROVE}
    return (chosen(case.request, keys.pop()) if len(keys) == 1 else None) or ONCE


def _raises(request: Request, edit: Content) -> str:
    """Why these edited arguments are worse than what was asked, or ``""``."""
    known = {effect.rule for effect in request.effects}
    new = [each for each in edit.effects if each.risk >= Risk.HIGH and each.rule not in known]
    if edit.risk > request.risk:
        return f"your edit raises the risk from {request.risk.label} to {edit.risk.label}; deny it, and say what to do"
    if new:
        return (
            f"your edit also {new[0].loss or 'does'} ({new[0].rule}), which was not asked; deny it, and say what to do"
        )
    return ""


def _deny(case: Case, review: Review, event: Cast, now_ms: int) -> Step:
    denied = with_review(case, review)
    if case.request.terms.deny_ends or review.stop or not quorum.can_still_pass(denied, event.electorate):
        return _end(denied, review, RequestState.DENIED, now_ms)
    return _counted(case, review, "counted; by its rule the request goes on until too few are left to approve it")


def _delegate(case: Case, review: Review, event: Cast) -> Step:
    to = event.electorate.find(review.to)
    assert to is not None  # `_refusal` has looked
    request = case.request
    handover = Handover(stage=review.stage, by=review.person, to=review.to)
    after = replace(case, request=replace(request, handovers=(*request.handovers, handover)))
    return replace(_counted(after, review, f"handed to {review.to}"), tell=to.recipients)


def _approve_late(case: Case, review: Review, now_ms: int) -> Step:
    review = replace(review, counted=True, scope="", stage=quorum.current_stage(case))
    after = with_review(case, review)
    stage = quorum.current_stage(after)
    if stage < len(case.request.terms.stages):
        note = f"late: the request had expired; {quorum.progress(after)}"
        kept = replace(review, note=note)
        tell = case.request.terms.stages[stage].recipients if stage > review.stage else ()
        log = (review_line(kept, EntryType.REVIEW_LATE),)
        return Step(case=with_review(case, kept), log=log, note=note, tell=tell)
    note = "late: the request had expired; the same command may run once if the agent tries it again soon"
    kept = replace(review, note=note)
    granted = issue(with_review(case, kept), now_ms, late=True)
    return replace(granted, log=(review_line(kept, EntryType.REVIEW_LATE), *granted.log), note=note)


def _may_open_late(case: Case) -> bool:
    """Whether an approval after the deadline could still open the next attempt."""
    is_approval = case.request.kind is RequestKind.APPROVAL
    return is_approval and case.grant is None and case.request.terms.late_grant_ttl_ms > 0


def _denied_late(case: Case) -> Review | None:
    """The deny that keeps an expired request closed; where one deny does not end it, it only counts against it."""
    denials = (each for each in case.counted() if each.verdict is Verdict.DENY)
    return next((each for each in denials if case.request.terms.deny_ends or each.stop), None)


def _deny_late(case: Case, review: Review, now_ms: int) -> Step:
    """Nothing ran; a late deny keeps late approvals from opening anything, and takes back a grant that is unused."""
    if _may_open_late(case):
        note = "late: the request had expired; your deny counts against approvals that come later still"
        counted = replace(review, counted=True, stage=quorum.current_stage(case), note=note)
        return Step(case=with_review(case, counted), log=(review_line(counted, EntryType.REVIEW_LATE),), note=note)
    if case.open_grant is None:
        return _not_counted(case, review, EntryType.REVIEW_LATE, f"already {ended(case.request)}")
    counted = replace(review, counted=True, note="took back the late approval before it was used")
    revoked, grant_id = take_back(with_review(case, counted), now_ms)
    line = person_line(EntryType.GRANT_REVOKED, counted, {"grant": grant_id})
    return Step(case=revoked, log=(review_line(counted, EntryType.REVIEW_LATE), line), note=counted.note)


def _end(case: Case, review: Review, state: RequestState, now_ms: int) -> Step:
    request = case.request
    end = End(
        at_ms=now_ms,
        by=review.person,
        channel=review.channel,
        decision_id=review.decision_id,
        text=review.text,
        stop=review.stop,
    )
    by = tuple(sorted({each.person for each in case.counted() if each.verdict is review.verdict}))
    decided = LogLine(
        type=EntryType.QUESTION_ANSWERED if state is RequestState.ANSWERED else EntryType.GATE_DECIDED,
        actor=review.person,
        actor_type="human",
        channel=review.channel,
        assurance=review.assurance,
        decision={
            "verdict": state.value,
            "by": by,
            "rule": request.terms.rule,
            "policy_sha256": request.terms.policy_digest,
            "latency_ms": now_ms - request.created_at_ms,
            **({"stop": True} if review.stop else {}),
        },
    )
    log = (review_line(review, EntryType.REVIEW_CAST), decided)
    after = replace(case, request=replace(request, state=state, end=end))
    return Step(case=after, log=log, note=f"{state.value}{_stopping(request, review)}")


def _stopping(request: Request, review: Review) -> str:
    """What a deny stops besides the request; callers without a session share none that could be stopped."""
    if not review.stop:
        return ""
    return (
        "; the session is told to stop" if request.agent.can_be_stopped else "; it has no session that could be stopped"
    )


def _counted(case: Case, review: Review | None, note: str) -> Step:
    if review is None:
        return Step(case=case, note=note)
    return Step(case=with_review(case, review), log=(review_line(review, EntryType.REVIEW_CAST),), note=note)


def _rejected(case: Case, event: Cast, note: str) -> Step:
    return _not_counted(case, event.review, EntryType.REVIEW_REJECTED, note)


def _not_counted(case: Case, review: Review, entry_type: EntryType, note: str) -> Step:
    kept = replace(review, counted=False, note=note)
    log = (review_line(kept, entry_type),)
    refused = [each.person for each in case.reviews if not each.counted]
    if len(refused) < REFUSED_MAX and refused.count(review.person) < REFUSED_OF_PERSON_MAX:
        return Step(case=with_review(case, kept), log=log, done=False, note=note)
    return Step(case=case, log=log, done=False, note=note if note.endswith(_LOG_ONLY) else f"{note}{_LOG_ONLY}")


def _refusal(case: Case, event: Cast) -> str:
    """Why this review may not count, or ``""``."""
    return event.doubt or _not_theirs(case, event) or _not_fitting(case, event)


def _not_theirs(case: Case, event: Cast) -> str:
    """Whether it is about what was shown, and by somebody who may."""
    request, review = case.request, event.review
    if review.by_program:
        return "the opinion of a program never counts"
    if review.version != request.version:
        return f"made for version {review.version}, now it is {request.version}"
    if review.action_digest != request.action_digest:
        return "made for another action"
    if review.person in event.electorate.requesters:
        return "whoever asks cannot decide"
    if any(_says_the_same(each, review) for each in case.counted()):
        return "counted before"
    if review.verdict is not Verdict.DENY and _changes_of_mind(case, review.person) >= CHANGES_OF_MIND_MAX:
        return f"you have asked back or changed your mind {CHANGES_OF_MIND_MAX} times; of you only a deny counts here"
    if review.verdict in {Verdict.DENY, Verdict.NEEDS_INFO}:
        return quorum.may_deny(case, review.person, event.electorate)
    if review.person in quorum.approvers(case):
        return "you have approved already; it takes another person"
    return quorum.may_approve(case, review.person, event.electorate)


def _says_the_same(earlier: Review, review: Review) -> bool:
    return review.verdict in _ONE_EACH and (earlier.person, earlier.verdict) == (review.person, review.verdict)


def _changes_of_mind(case: Case, person: str) -> int:
    asked_back = (each.counted and each.verdict is Verdict.NEEDS_INFO for each in case.reviews if each.person == person)
    return sum(asked_back) + sum(is_taken_back(each) for each in case.reviews if each.person == person)


def _not_fitting(case: Case, event: Cast) -> str:
    """Whether the verdict is one that this request takes. A deny counts whatever its assurance."""
    request, review = case.request, event.review
    wanted = _DECIDES[request.kind]
    if review.verdict in {Verdict.APPROVE, Verdict.ANSWER}:
        if review.verdict is not wanted:
            return f"{_KINDS[request.kind]} takes {wanted.value} or deny"
        least = request.terms.assurance_min
        if review.assurance < least:
            return f"this request needs assurance {least}, {review.channel} gives {review.assurance}"
        if review.verdict is Verdict.ANSWER:
            return answer_problem(request, review.text)
        if chosen(request, review.scope) is None:
            return f"{_offers(request)}; not {review.scope}"
    if review.verdict is Verdict.NEEDS_INFO and not review.text:
        return "say what you need to know"
    return _bad_handover(case, event) if review.verdict is Verdict.DELEGATE else ""


def _offers(request: Request) -> str:
    return f"its rule offers {', '.join(key_of(each) for each in offered(request))}"


def _bad_handover(case: Case, event: Cast) -> str:
    to = event.review.to
    if not to or to == event.review.person:
        return "say to whom it goes"
    if to in event.electorate.requesters:
        return "whoever asks cannot decide, and so cannot be handed it"
    if event.electorate.find(to) is None:
        return f"nobody is known as {to}"
    if to in quorum.approvers(case):
        return f"{to} has approved already; it takes another person"
    return "" if len(case.request.handovers) < HANDOVERS_MAX else "it was handed on too often"
