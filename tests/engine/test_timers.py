"""Reminders, escalation, deadlines and quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from askfirst.effects import Risk
from askfirst.engine import Deadline, next_due_ms
from askfirst.policy.ruling import EscalationStep, Outcome, QuietHours, Ruling, ScopeOffer
from askfirst.request import GrantState, RequestKind, RequestState
from askfirst.terms import Escalation, quiet_until_ms, terms_of

if TYPE_CHECKING:
    from tests.engine.conftest import Play

NOW_MS = 1_800_000_000_000
QUIET = QuietHours(start="22:00", end="07:00", timezone="Europe/Berlin", risks=(Risk.LOW, Risk.MEDIUM))


def test_each_moment_comes_once_and_in_order(play: Play) -> None:
    play.terms(
        reminders_at_ms=(NOW_MS + 60_000, NOW_MS + 300_000),
        escalation=(Escalation(at_ms=NOW_MS + 120_000, reviewers=(), recipients=("web:boss",)),),
    )
    seen = []
    while (due_ms := next_due_ms(play.case)) is not None:
        play.now_ms = due_ms
        step = play.does(Deadline())
        seen.append(((due_ms - NOW_MS) // 1000, [line.type.value for line in step.log], step.tell))
        assert play.does(Deadline()).log == ()
    assert seen == [
        (60, ["gate.reminded"], ("web:inbox",)),
        (120, ["gate.escalated"], ("web:boss",)),
        (300, ["gate.reminded"], ("web:inbox",)),
        (600, ["gate.timeout"], ()),
    ]


def test_a_broker_that_was_down_acts_on_what_is_due_at_once_and_once(play: Play) -> None:
    """I4: whatever the sweeper missed, the clock decides."""
    play.terms(
        reminders_at_ms=(NOW_MS + 60_000, NOW_MS + 120_000, NOW_MS + 180_000),
        escalation=(
            Escalation(at_ms=NOW_MS + 100_000, reviewers=(), recipients=("web:boss",)),
            Escalation(at_ms=NOW_MS + 200_000, reviewers=(), recipients=("web:chief",)),
        ),
    )
    step = play.after(500).does(Deadline())
    assert [line.type.value for line in step.log] == ["gate.reminded", "gate.escalated", "gate.escalated"]
    assert step.tell == ("web:inbox", "web:boss", "web:chief")
    assert play.does(Deadline()).log == ()


CHAIN = (
    Escalation(at_ms=NOW_MS + 600_000, reviewers=(), recipients=("web:boss",)),
    Escalation(at_ms=NOW_MS + 1_800_000, reviewers=("local:cat",), recipients=("web:chief",)),
)
ESCALATES = {
    "on_timeout": "escalate",
    "escalation": CHAIN,
    "reminders_at_ms": (NOW_MS + 60_000, NOW_MS + 120_000),
    "approval_expires_at_ms": NOW_MS + 2_400_000,
}


def test_a_deadline_that_escalates_and_passed_while_the_broker_was_down_escalates_then(play: Play) -> None:
    """Those it goes on to were never told: they have the time that the rule gives them, once."""
    play.terms(**ESCALATES)
    step = play.after(9_000).does(Deadline())
    assert [line.type.value for line in step.log] == ["gate.escalated", "gate.escalated", "gate.reminded"]
    assert step.log[1].decision == {
        "step": 2,
        "reviewers": ("local:cat",),
        "recipients": ("web:chief",),
        "expires_at_ms": NOW_MS + 9_600_000,
    }
    assert set(step.tell) == {"web:boss", "web:chief", "web:inbox"}
    assert next_due_ms(play.case) == NOW_MS + 9_600_000
    assert play.does(Deadline()).log == ()
    play.after(601).does(Deadline())
    assert (play.case.request.state, play.log[-1]) == (RequestState.EXPIRED, "gate.timeout")


def test_only_the_steps_that_did_not_come_give_more_time(play: Play) -> None:
    play.terms(**ESCALATES)
    for seconds in (60, 60, 480, 1_200):
        play.after(seconds).does(Deadline())
    assert play.log.count("gate.escalated") == 2
    play.after(600).does(Deadline())
    assert play.case.request.state is RequestState.EXPIRED


def test_a_deadline_that_ends_a_request_has_passed_whatever_steps_were_missed(play: Play) -> None:
    play.terms(**{**ESCALATES, "on_timeout": "reject"})
    step = play.after(9_000).does(Deadline())
    assert ([line.type.value for line in step.log], step.tell) == (["gate.timeout"], ())


@pytest.mark.parametrize("verdict", ["approve", "deny"])
def test_whoever_decides_before_the_missed_escalation_was_told_decides_in_time(play: Play, verdict: str) -> None:
    play.terms(**ESCALATES)
    step = play.after(9_000).says("ann", verdict)
    assert (step.done, step.tell) == (True, ())
    assert play.case.request.state is {"approve": RequestState.APPROVED, "deny": RequestState.DENIED}[verdict]


def test_after_the_deadline_nobody_is_reminded(play: Play) -> None:
    play.terms(reminders_at_ms=(NOW_MS + 60_000,))
    step = play.after(700).does(Deadline())
    assert ([line.type.value for line in step.log], step.tell) == (["gate.timeout"], ())


def test_people_are_not_reminded_while_it_is_the_agents_turn(play: Play) -> None:
    play.terms(reminders_at_ms=(NOW_MS + 60_000,))
    play.says("ann", "needs_info", text="why?")
    assert play.after(60).does(Deadline()).tell == ()


@pytest.mark.parametrize(
    ("risk", "kind", "state"),
    [
        (Risk.LOW, RequestKind.APPROVAL, RequestState.APPROVED),
        (Risk.MEDIUM, RequestKind.APPROVAL, RequestState.APPROVED),
        (Risk.HIGH, RequestKind.APPROVAL, RequestState.EXPIRED),
        (Risk.CRITICAL, RequestKind.APPROVAL, RequestState.EXPIRED),
        (Risk.LOW, RequestKind.QUESTION, RequestState.EXPIRED),
    ],
)
def test_silence_is_consent_only_where_little_is_at_stake(
    play: Play, risk: Risk, kind: RequestKind, state: RequestState
) -> None:
    """I1: the rule's own word may approve at the deadline, never for high or critical risk."""
    play.terms(on_timeout="approve").request(risk=risk, kind=kind)
    play.after(600).does(Deadline())
    assert play.case.request.state is state
    assert play.redeems().done is (state is RequestState.APPROVED)


@pytest.mark.parametrize("deny_ends", [True, False])
@pytest.mark.parametrize("verdict", ["needs_info", "deny"])
def test_no_deadline_approves_what_somebody_has_asked_about_or_denied(
    play: Play, verdict: str, *, deny_ends: bool
) -> None:
    """I5: a deny that does not end the request speaks against it all the same; a question waits for its answer."""
    play.terms(on_timeout="approve", deny_ends=deny_ends).request(risk=Risk.LOW)
    play.says("ann", verdict, text="what for?")
    play.after(600).does(Deadline())
    end = play.case.request.end
    assert play.case.request.state is not RequestState.APPROVED
    assert end is None or end.by == "local:ann" or "local:ann" in end.text
    assert not play.redeems().done


@pytest.mark.parametrize(("verdict", "approved"), [("needs_info", True), ("deny", False)])
def test_a_new_version_answers_a_question_and_outlives_no_deny(play: Play, verdict: str, *, approved: bool) -> None:
    play.terms(on_timeout="approve", deny_ends=False).request(risk=Risk.LOW)
    play.says("ann", verdict, text="what for?")
    play.amends(reason="to clean up")
    deadline_ms = play.case.request.terms.approval_expires_at_ms
    play.after((deadline_ms - play.now_ms) / 1000).does(Deadline())
    assert (play.case.request.state is RequestState.APPROVED) is approved


def test_an_approval_by_the_rule_is_the_policys_in_the_log(play: Play) -> None:
    play.terms(on_timeout="approve").request(risk=Risk.LOW)
    step = play.after(600).does(Deadline())
    assert [(line.type.value, line.actor_type) for line in step.log] == [
        ("gate.timeout", "system"),
        ("gate.decided", "policy"),
        ("grant.issued", "system"),
    ]


def test_a_rule_cannot_even_say_that_silence_is_consent_for_high_risk() -> None:
    with pytest.raises(ValueError, match="nothing of high or critical risk"):
        a_ruling(on_timeout="approve")


def a_ruling(**members: object) -> Ruling:
    made = {
        "outcome": Outcome.ASK,
        "policy": "user",
        "policy_digest": "0" * 64,
        "rule": "r",
        "reason": "because",
        "risk": Risk.HIGH,
    }
    return Ruling(**{**made, **members})  # type: ignore[arg-type]  # the caller names its fields


def test_a_deadline_that_escalates_goes_on_to_the_next_and_still_ends() -> None:
    steps = (EscalationStep(after_s=900, recipients=("web:boss",)), EscalationStep(after_s=1800))
    terms = terms_of(a_ruling(on_timeout="escalate", escalation=steps, approval_timeout_s=600), NOW_MS)
    assert [each.at_ms - NOW_MS for each in terms.escalation] == [600_000, 1_800_000]
    assert terms.approval_expires_at_ms - NOW_MS == 2_400_000
    rejecting = terms_of(a_ruling(escalation=steps, approval_timeout_s=600), NOW_MS)
    assert (rejecting.escalation, rejecting.approval_expires_at_ms - NOW_MS) == ((), 600_000)


def test_the_gravest_are_approved_once_at_a_time_whatever_the_rule_offers() -> None:
    offers = (ScopeOffer(kind="once"), ScopeOffer(kind="session"))
    assert terms_of(a_ruling(scopes=offers), NOW_MS).scopes == offers
    assert terms_of(a_ruling(scopes=offers, risk=Risk.CRITICAL), NOW_MS).scopes == (ScopeOffer(kind="once"),)


@pytest.mark.parametrize(
    ("local", "until"),
    [
        ("2026-07-01T21:59:59+02:00", "2026-07-01T21:59:59+02:00"),
        ("2026-07-01T22:00:00+02:00", "2026-07-02T07:00:00+02:00"),
        ("2026-07-02T06:59:59+02:00", "2026-07-02T07:00:00+02:00"),
        ("2026-07-02T07:00:00+02:00", "2026-07-02T07:00:00+02:00"),
        ("2026-10-24T23:00:00+02:00", "2026-10-25T07:00:00+01:00"),  # the clocks go back that night
    ],
)
def test_quiet_hours_end_where_they_say(local: str, until: str) -> None:
    at_ms = round(datetime.fromisoformat(local).timestamp() * 1000)
    assert datetime.fromtimestamp(quiet_until_ms(QUIET, at_ms) / 1000, UTC) == datetime.fromisoformat(until)


def test_quiet_hours_hold_back_messages_of_low_urgency_and_no_deadline() -> None:
    night_ms = round(datetime.fromisoformat("2026-07-01T23:00:00+02:00").timestamp() * 1000)
    morning_ms = round(datetime.fromisoformat("2026-07-02T07:00:00+02:00").timestamp() * 1000)
    times = {"approval_timeout_s": 36_000, "reminders_s": (600, 1200, 30_000), "quiet_hours": QUIET}
    held = terms_of(a_ruling(risk=Risk.MEDIUM, **times), night_ms)
    assert held.opens_at_ms == morning_ms
    assert held.reminders_at_ms == (night_ms + 30_000_000,)  # in the morning they hear of it for the first time
    assert held.approval_expires_at_ms == night_ms + 36_000_000
    for risk in (Risk.HIGH, Risk.CRITICAL):
        urgent = terms_of(a_ruling(risk=risk, **times), night_ms)
        assert urgent.opens_at_ms == night_ms
        assert urgent.reminders_at_ms[0] == night_ms + 600_000


@pytest.mark.parametrize(
    ("timeout_s", "on_timeout"), [(600, "reject"), (28_801, "reject"), (57_599, "reject"), (57_600, "approve")]
)
def test_silence_is_no_consent_of_people_whom_quiet_hours_kept_from_hearing(timeout_s: int, on_timeout: str) -> None:
    night_ms = round(datetime.fromisoformat("2026-07-01T23:00:00+02:00").timestamp() * 1000)
    silent = a_ruling(risk=Risk.MEDIUM, on_timeout="approve", approval_timeout_s=timeout_s, quiet_hours=QUIET)
    assert terms_of(silent, night_ms).on_timeout == on_timeout
    assert terms_of(silent, night_ms - 2 * 3_600_000).on_timeout == "approve"


def test_a_late_approve_is_a_short_single_use_grant_whatever_scope_was_chosen(play: Play) -> None:
    """I4: late is recorded as late, and opens the next identical attempt once."""
    play.terms(scopes=(ScopeOffer(kind="once"), ScopeOffer(kind="uses", amount=5)))
    step = play.after(601).says("ann", "approve", scope="uses:5")
    assert step.done
    assert play.case.request.state is RequestState.EXPIRED
    grant = play.case.grant
    assert grant is not None
    assert (grant.late, grant.uses_max, grant.expires_at_ms - play.now_ms) == (True, 1, 600_000)
    assert play.redeems("a").done
    assert not play.redeems("b").done
    assert play.case.grant is not None
    assert play.case.grant.state is GrantState.REDEEMED
