"""The engine's table: every state against every event, and the invariants that it keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from askfirst.audit_port import EntryType
from askfirst.engine import (
    MOVES,
    Amend,
    BreakGlass,
    Cancel,
    Case,
    Cast,
    Content,
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
    Step,
    Supersede,
    Unreachable,
    step,
)
from askfirst.engine.reviews import CHANGES_OF_MIND_MAX, REFUSED_MAX, REFUSED_OF_PERSON_MAX
from askfirst.opinion import Opinion
from askfirst.people import Electorate
from askfirst.policy.ruling import Stage
from askfirst.request import Claim, Grant, GrantState, Request, RequestKind, RequestState, Review, Verdict
from askfirst.testing.bench import a_draft, a_request

NOW_MS = 1_800_000_000_000
LATER_MS = NOW_MS + 600_000
EVERYBODY = Electorate(is_open=True, requesters=frozenset({"local:requester"}))
TWO = (Stage(approvals_needed=2),)


def cast(case: Case, verdict: Verdict, person: str = "local:ann", **changes: object) -> Cast:
    review = Review(
        decision_id=f"{person}-{verdict}-{len(case.reviews)}",
        request_id=case.request.id,
        version=case.request.version,
        action_digest=case.request.action_digest,
        person=person,
        channel="web",
        verdict=verdict,
        text="",
        assurance=1,
        at_ms=NOW_MS,
    )
    return Cast(review=replace(review, **changes), electorate=EVERYBODY)  # type: ignore[arg-type]


def pending(**terms: object) -> Case:
    request = a_request(a_draft())
    return Case(request=replace(request, terms=replace(request.terms, **terms)))  # type: ignore[arg-type]


def after(case: Case, *events: tuple[Event, int]) -> Step:
    result = Step(case=case)
    for event, now_ms in events:
        result = step(result.case, event, now_ms)
    return result


def approved() -> Case:
    case = pending()
    return step(case, cast(case, Verdict.APPROVE), NOW_MS).case


def redeem(case: Case, attempt: str = "attempt-1") -> Redeem:
    return Redeem(action_digest=case.request.action_digest, attempt=attempt, tool_use_id="toolu_1")


def test_one_approval_approves_and_issues_one_grant() -> None:
    result = step(pending(), cast(pending(), Verdict.APPROVE), NOW_MS)
    assert result.case.request.state is RequestState.APPROVED
    assert result.case.grant is not None
    assert result.case.grant.expires_at_ms == NOW_MS + 120_000
    assert [line.type for line in result.log] == [
        EntryType.REVIEW_CAST,
        EntryType.GATE_DECIDED,
        EntryType.GRANT_ISSUED,
    ]


def test_one_deny_denies_with_the_comment() -> None:
    result = step(pending(), cast(pending(), Verdict.DENY, text="not today"), NOW_MS)
    assert result.case.request.state is RequestState.DENIED
    assert result.case.grant is None
    assert result.case.request.end is not None
    assert result.case.request.end.text == "not today"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"version": 2}, "made for version 2, now it is 1"),
        ({"action_digest": "f" * 64}, "made for another action"),
        ({"person": "local:requester"}, "whoever asks cannot decide"),
        ({"assurance": 0}, "this request needs assurance 1, web gives 0"),
        ({"verdict": Verdict.ANSWER}, "an approval takes approve or deny"),
    ],
)
def test_a_review_that_may_not_count_changes_nothing_but_is_recorded(changes: dict[str, object], sentence: str) -> None:
    case = pending(assurance_min=1)
    event = cast(case, Verdict.APPROVE)
    result = step(case, replace(event, review=replace(event.review, **changes)), NOW_MS)  # type: ignore[arg-type]
    assert (result.done, result.note) == (False, sentence)
    assert result.case.request == case.request
    assert [(each.counted, each.note) for each in result.case.reviews] == [(False, sentence)]
    assert [line.type for line in result.log] == [EntryType.REVIEW_REJECTED]


def test_reviews_that_do_not_count_are_kept_up_to_a_bound_and_displace_none_that_does() -> None:
    """A case is read whole at every step: nobody makes it slow by saying again what does not count."""
    case = pending(stages=TWO, assurance_min=1)
    for n in range(5 * REFUSED_MAX):
        event = cast(case, Verdict.APPROVE, f"local:{n % 50}", assurance=0, decision_id=f"{n}", version=1 + n % 3)
        refused = step(case, event, NOW_MS)
        assert [line.type for line in refused.log] == [EntryType.REVIEW_REJECTED]
        case = refused.case
    assert refused.note.endswith("; so many reviews did not count before that only the log has this one")
    assert len(case.reviews) == REFUSED_MAX
    approved_by_two = after(
        case, (cast(case, Verdict.APPROVE), NOW_MS), (cast(case, Verdict.APPROVE, "local:1"), NOW_MS)
    )
    assert approved_by_two.case.request.state is RequestState.APPROVED
    assert len(approved_by_two.case.reviews) == REFUSED_MAX + 2


def test_one_person_fills_only_a_part_of_what_is_kept() -> None:
    case = pending(assurance_min=1)
    for n in range(3 * REFUSED_OF_PERSON_MAX):
        case = step(case, cast(case, Verdict.APPROVE, assurance=0, decision_id=f"{n}"), NOW_MS).case
    assert len(case.reviews) == REFUSED_OF_PERSON_MAX
    other = step(case, cast(case, Verdict.APPROVE, "local:bob", assurance=0), NOW_MS)
    assert len(other.case.reviews) == REFUSED_OF_PERSON_MAX + 1
    assert step(case, cast(case, Verdict.APPROVE), NOW_MS).case.request.state is RequestState.APPROVED


@pytest.mark.parametrize("takes_back", [True, False])
def test_whoever_changes_their_mind_without_end_can_only_deny(takes_back: bool) -> None:  # a case
    case = pending(stages=TWO)
    verdict = Verdict.APPROVE if takes_back else Verdict.NEEDS_INFO
    for n in range(CHANGES_OF_MIND_MAX):
        case = step(case, cast(case, verdict, text="why?", decision_id=f"{n}"), NOW_MS).case
        if takes_back:
            case = step(case, Retract(decision_id=f"{n}", by="local:ann", channel="web", reason="edited"), NOW_MS).case
    again = step(case, cast(case, verdict, text="why?"), NOW_MS)
    assert again.note.startswith("you have asked back or changed your mind 20 times; of you only a deny counts here")
    assert step(again.case, cast(case, Verdict.DENY), NOW_MS).case.request.state is RequestState.DENIED


def test_a_quorum_counts_distinct_people() -> None:
    case = pending(stages=TWO)
    once = step(case, cast(case, Verdict.APPROVE), NOW_MS)
    assert once.case.request.state is RequestState.PENDING
    again = step(once.case, cast(once.case, Verdict.APPROVE), NOW_MS)
    assert (again.done, again.note) == (False, "counted before")
    other = step(again.case, cast(again.case, Verdict.APPROVE, "local:bob"), NOW_MS)
    assert other.case.request.state is RequestState.APPROVED


def test_a_refused_approval_never_helps_a_quorum_even_after_the_deadline() -> None:
    case = pending(stages=TWO)
    refused = after(case, (cast(case, Verdict.APPROVE, "local:requester"), NOW_MS))
    late = step(refused.case, cast(refused.case, Verdict.APPROVE), LATER_MS)
    assert late.case.grant is None
    assert late.note == "late: the request had expired; 1 of 2 approvals"


def test_one_deny_ends_a_quorum_that_was_gathering() -> None:
    case = pending(stages=TWO)
    result = after(case, (cast(case, Verdict.APPROVE), NOW_MS), (cast(case, Verdict.DENY, "local:bob"), NOW_MS))
    assert result.case.request.state is RequestState.DENIED


def test_the_deadline_is_checked_before_the_review_even_when_no_sweeper_came() -> None:
    case = pending()
    result = step(case, cast(case, Verdict.APPROVE), LATER_MS)
    assert result.case.request.state is RequestState.EXPIRED
    assert result.case.grant is not None
    assert result.case.grant.late
    assert result.case.grant.expires_at_ms == LATER_MS + 600_000
    assert [line.type for line in result.log] == [
        EntryType.GATE_TIMEOUT,
        EntryType.REVIEW_LATE,
        EntryType.GRANT_ISSUED,
    ]


def test_one_millisecond_before_the_deadline_still_counts() -> None:
    case = pending()
    assert step(case, cast(case, Verdict.APPROVE), LATER_MS - 1).case.request.state is RequestState.APPROVED


def test_a_late_approve_gives_nothing_where_the_terms_allow_none() -> None:
    case = pending(late_grant_ttl_ms=0)
    result = step(case, cast(case, Verdict.APPROVE), LATER_MS)
    assert (result.done, result.case.grant) == (False, None)
    assert result.note == "already expired"


def test_a_late_deny_takes_back_a_late_grant() -> None:
    case = pending()
    result = after(case, (cast(case, Verdict.APPROVE), LATER_MS), (cast(case, Verdict.DENY, "local:bob"), LATER_MS))
    assert result.case.grant is not None
    assert result.case.grant.state is GrantState.REVOKED


def test_a_late_deny_keeps_a_later_approve_from_opening_anything() -> None:
    """I5: deny beats approve, whichever comes first."""
    denied = step(pending(), cast(pending(), Verdict.DENY, "local:bob"), LATER_MS)
    note = "late: the request had expired; your deny counts against approvals that come later still"
    assert (denied.done, denied.note, denied.case.request.state) == (True, note, RequestState.EXPIRED)
    assert [line.type for line in denied.log] == [EntryType.GATE_TIMEOUT, EntryType.REVIEW_LATE]
    result = step(denied.case, cast(denied.case, Verdict.APPROVE), LATER_MS)
    assert (result.done, result.case.grant) == (False, None)
    assert result.note == "late: the request had expired, and local:bob has denied it since"


def test_a_late_deny_counts_as_one_where_one_does_not_end_it() -> None:
    case = pending(stages=TWO, deny_ends=False)
    denied = step(case, cast(case, Verdict.DENY, "local:ann"), LATER_MS)
    result = after(
        denied.case, *((cast(case, Verdict.APPROVE, who), LATER_MS) for who in ("local:ann", "local:bob", "local:cat"))
    )
    assert result.case.grant is not None
    assert [each.note for each in result.case.reviews[2:3]] == ["late: the request had expired; 1 of 2 approvals"]


def test_a_late_deny_of_what_can_no_longer_open_says_only_that_it_is_over() -> None:
    case = pending(late_grant_ttl_ms=0)
    assert step(case, cast(case, Verdict.DENY), LATER_MS).note == "already expired"


def test_deny_beats_approve_until_the_grant_is_redeemed() -> None:
    case = approved()
    denied = step(case, cast(case, Verdict.DENY, "local:bob"), NOW_MS)
    assert denied.case.request.state is RequestState.DENIED
    assert denied.case.grant is not None
    assert denied.case.grant.state is GrantState.REVOKED
    running = step(case, redeem(case), NOW_MS).case
    late = step(running, cast(running, Verdict.DENY, "local:bob"), NOW_MS)
    assert (late.done, late.case.request.state) == (False, RequestState.APPROVED)
    assert late.note == "already approved by local:ann via web"


def test_a_second_approval_of_a_resolved_request_is_refused() -> None:
    case = approved()
    result = step(case, cast(case, Verdict.APPROVE, "local:bob"), NOW_MS)
    assert (result.done, result.note) == (False, "already approved by local:ann via web")
    assert result.case.grant == case.grant


def test_a_grant_is_redeemed_once_and_only_its_own_attempt_hears_it_again() -> None:
    case = approved()
    first = step(case, redeem(case), NOW_MS)
    same = step(first.case, redeem(case), NOW_MS)
    other = step(first.case, redeem(case, "attempt-2"), NOW_MS)
    assert [first.done, same.done, other.done] == [True, True, False]
    assert same.log == ()
    assert other.note == "the grant is redeemed"


def test_a_grant_for_another_action_is_no_grant() -> None:
    case = approved()
    result = step(case, replace(redeem(case), action_digest="f" * 64), NOW_MS)
    assert (result.done, result.note) == (False, "no grant for this action")


def test_who_comes_for_what_nobody_decided_hears_that_this_is_no_denial() -> None:
    """I4."""
    case = step(pending(), Deadline(), NOW_MS + 600_000).case
    result = step(case, redeem(case), NOW_MS + 600_001)
    assert (result.done, result.note) == (
        False,
        "the request is expired: nobody decided in time, which is no denial; stop here, or ask again",
    )


def test_a_grant_lapses_at_its_time() -> None:
    case = approved()
    result = step(case, redeem(case), NOW_MS + 120_000)
    assert (result.done, result.note) == (False, "the grant is lapsed")
    assert [line.type for line in result.log] == [EntryType.GRANT_LAPSED]


def test_what_ran_is_compared_with_what_was_approved() -> None:
    case = approved()
    released = step(case, redeem(case), NOW_MS).case
    same = step(released, Executed(action_digest=case.request.action_digest, outcome="ok"), NOW_MS)
    other = step(released, Executed(action_digest="f" * 64, outcome="ok"), NOW_MS)
    assert same.log[0].decision["as_approved"] is True
    assert other.log[0].decision["as_approved"] is False
    assert other.case.grant is not None
    assert other.case.grant.detail == "what ran differs from what was approved"


def test_an_outcome_of_nothing_released_is_refused() -> None:
    case = approved()
    result = step(case, Executed(action_digest=case.request.action_digest, outcome="ok"), NOW_MS)
    assert (result.done, result.note) == (False, "nothing was released")


def test_only_the_first_report_of_an_outcome_counts() -> None:
    case = approved()
    released = step(case, redeem(case), NOW_MS).case
    told = step(released, Executed(action_digest=case.request.action_digest, outcome="ok"), NOW_MS).case
    again = step(told, Executed(action_digest=case.request.action_digest, outcome="failed"), NOW_MS)
    assert (again.done, again.note, again.case) == (False, "its outcome is known already", told)


def test_the_requester_may_withdraw_while_nobody_has_decided() -> None:
    assert step(pending(), Cancel(reason="changed my mind"), NOW_MS).case.request.state is RequestState.CANCELLED
    assert step(approved(), Cancel(), NOW_MS).done is False


def test_a_question_is_answered_and_takes_no_approval() -> None:
    case = pending()
    question = replace(case, request=replace(case.request, kind=RequestKind.QUESTION, question="which?"))
    refused = step(question, cast(question, Verdict.APPROVE), NOW_MS)
    answered = step(question, cast(question, Verdict.ANSWER, text="the left one"), NOW_MS)
    assert refused.note == "a question takes answer or deny"
    assert answered.case.request.state is RequestState.ANSWERED
    assert answered.log[-1].type is EntryType.QUESTION_ANSWERED


def in_state(state: RequestState) -> Case:
    request: Request = replace(a_request(a_draft()), state=state)
    grant = None
    if state is RequestState.APPROVED:
        grant = Grant(
            id="g",
            request_id=request.id,
            action_digest=request.action_digest,
            state=GrantState.ISSUED,
            issued_at_ms=NOW_MS,
            expires_at_ms=NOW_MS + 1,
        )
    return Case(request=request, grant=grant)


def stopped() -> Case:
    return step(pending(), cast(pending(), Verdict.DENY, stop=True), NOW_MS).case


def an(kind: type[Event], case: Case) -> Event:
    request = case.request
    content = Content(action=request.action, effects=request.effects, risk=request.risk)
    made: dict[type[Event], Event] = {
        Cast: cast(case, Verdict.APPROVE),
        Deadline: Deadline(),
        Cancel: Cancel(),
        Halt: Halt(by=stopped()),
        Amend: Amend(content=content, claim=request.claim, terms=request.terms),
        Opine: Opine(opinion=Opinion(version=1, model="m", summary="approve it")),
        Renew: Renew(content=content, terms=request.terms),
        Supersede: Supersede(by="other", code="OTHER-1"),
        Unreachable: Unreachable(reason="telegram:1: gone"),
        Retract: Retract(decision_id="no such review", by="fake:eve", channel="fake", reason="it was edited"),
        Redeem: redeem(case),
        PassOn: PassOn(request_id="other", content=content, terms=request.terms),
        Cover: Cover(by=case),
        Executed: Executed(action_digest=request.action_digest, outcome="ok"),
        Revoke: Revoke(by="local:ann"),
        BreakGlass: BreakGlass(use="K7Q2MD", by="local:ann", reason="r", in_window=False, until_ms=0),
    }
    return made[kind]


EVENTS: tuple[type[Event], ...] = (
    Cast,
    BreakGlass,
    Deadline,
    Cancel,
    Halt,
    Amend,
    Opine,
    Renew,
    Supersede,
    Redeem,
    PassOn,
    Cover,
    Executed,
    Revoke,
    Retract,
    Unreachable,
)


@pytest.mark.parametrize(
    ("state", "kind"), [(state, kind) for state in RequestState for kind in EVENTS if (state, kind) not in MOVES]
)
def test_an_event_without_a_move_is_refused_and_changes_nothing(state: RequestState, kind: type[Event]) -> None:
    case = in_state(state)
    result = step(case, an(kind, case), NOW_MS)
    assert (result.done, result.case, result.log) == (False, case, ())


def test_only_reviews_the_deadline_and_the_requesters_cancel_leave_pending() -> None:
    """I1: the agent's own events cannot approve; of another request only a stop ends it."""
    case = pending()
    moves = {kind for state, kind in MOVES if state is RequestState.PENDING}
    assert moves == {Cast, Cover, Retract, Deadline, Unreachable, Cancel, Halt, Amend, Opine, Supersede, BreakGlass}
    ends = {kind: step(case, an(kind, case), NOW_MS).case.request.state for kind in moves - {Cast}}
    assert ends == {
        Deadline: RequestState.PENDING,
        Amend: RequestState.PENDING,
        Opine: RequestState.PENDING,
        Cover: RequestState.PENDING,
        Cancel: RequestState.CANCELLED,
        Halt: RequestState.CANCELLED,
        Supersede: RequestState.SUPERSEDED,
        Retract: RequestState.PENDING,
        Unreachable: RequestState.EXPIRED,
        BreakGlass: RequestState.PENDING,  # its rule does not say that a code may
    }


def test_an_approval_whose_state_has_changed_is_asked_anew_and_its_grant_lapses() -> None:
    """I2: a new version with its own terms; the approval of the one before is no part of it."""
    case = in_state(RequestState.APPROVED)
    renewed = step(case, an(Renew, case), NOW_MS)
    assert renewed.done is False
    assert renewed.case.request.state is RequestState.PENDING
    assert (renewed.case.request.version, renewed.case.request.changed_by) == (2, "state")
    assert renewed.case.grant is not None
    assert renewed.case.grant.state is GrantState.LAPSED
    assert [each.type for each in renewed.log] == [EntryType.GRANT_LAPSED, EntryType.GATE_AMENDED]
    assert step(renewed.case, an(Renew, renewed.case), NOW_MS).done is False
    assert step(renewed.case, redeem(renewed.case), NOW_MS).done is False


def test_after_ten_versions_nothing_is_asked_anew() -> None:
    case = in_state(RequestState.APPROVED)
    case = replace(case, request=replace(case.request, version=10))
    ended = step(case, an(Renew, case), NOW_MS)
    assert ended.case.request.state is RequestState.APPROVED
    assert ended.case.grant is not None
    assert ended.case.grant.state is GrantState.LAPSED


def test_a_grant_that_is_bound_to_a_state_opens_nothing_in_another() -> None:
    case = in_state(RequestState.APPROVED)
    assert case.grant is not None
    bound = replace(case, grant=replace(case.grant, state_digest="a" * 64))
    for state_digest, done in (("", False), ("b" * 64, False), ("a" * 64, True)):
        assert step(bound, replace(redeem(bound), state_digest=state_digest), NOW_MS).done is done


def test_one_opinion_for_a_version_and_none_that_comes_late() -> None:
    case = pending()
    opinion = Opinion(version=1, model="m", summary="approve it")
    told = step(case, Opine(opinion=opinion), NOW_MS)
    assert told.case == replace(case, request=replace(case.request, opinion=opinion))
    assert step(told.case, Opine(opinion=opinion), NOW_MS).done is False
    amended = step(
        told.case, Amend(content=an(Amend, case).content, claim=Claim(reason="x"), terms=case.request.terms), NOW_MS
    )
    assert amended.case.request.opinion is None
    assert step(amended.case, Opine(opinion=opinion), NOW_MS).done is False
