"""A requester's wishes add and move; they never loosen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.errors import InputError, NotAllowedError
from askfirst.policy.ruling import Stage
from askfirst.terms import Escalation, Terms
from askfirst.wishes import Wishes, wished

NOW = 1_800_000_000_000
TERMS = Terms(
    policy="user",
    policy_digest="0" * 64,
    rule="risk.high",
    approval_expires_at_ms=NOW + 600_000,
    grant_ttl_ms=1,
    late_grant_ttl_ms=1,
    stages=(Stage(reviewers=("team:infra",), recipients=("web:inbox",)),),
    reminders_at_ms=(NOW + 300_000,),
    escalation=(Escalation(at_ms=NOW + 400_000, reviewers=("local:bob",), recipients=("slack:#b",)),),
)


def test_no_wish_changes_nothing() -> None:
    assert wished(TERMS, Wishes(), NOW) is TERMS


def test_a_channel_is_told_as_well_and_decides_nothing() -> None:
    [stage] = wished(TERMS, Wishes(recipients=("slack:#a", "web:inbox")), NOW).stages
    assert stage == Stage(reviewers=("team:infra",), recipients=("web:inbox", "slack:#a"))


def test_a_deadline_takes_what_lies_behind_it_along() -> None:
    sooner = wished(TERMS, Wishes(timeout_s=350), NOW)
    assert (sooner.approval_expires_at_ms, sooner.reminders_at_ms, sooner.escalation) == (
        NOW + 350_000,
        (NOW + 300_000,),
        (),
    )
    later = wished(TERMS, Wishes(timeout_s=3_600), NOW)
    assert (later.approval_expires_at_ms, later.escalation) == (NOW + 3_600_000, TERMS.escalation)


@pytest.mark.parametrize(
    ("timeout_s", "escalates", "ends_s", "steps_s"),
    [
        (3_600, False, 900, [400]),
        (700, False, 700, [400]),
        (None, False, 600, [400]),
        (200, True, 400, [200]),
        (3_600, True, 900, [400, 450]),
        (None, True, 900, [400, 450]),
    ],
)
def test_no_wish_gives_people_longer_than_a_ceiling_does(
    timeout_s: int | None, escalates: bool, ends_s: int, steps_s: list[int]
) -> None:
    wishes = Wishes(timeout_s=timeout_s)
    if escalates:
        wishes = replace(wishes, on_timeout="escalate", escalate_to=("slack:#c",))
    terms = wished(TERMS, wishes, NOW, timeout_max_s=900)
    assert (terms.approval_expires_at_ms - NOW) // 1000 == ends_s
    assert [(each.at_ms - NOW) // 1000 for each in terms.escalation] == steps_s


def test_what_the_policy_itself_gives_stays_where_its_escalation_ends_after_the_ceilings_time() -> None:
    assert wished(TERMS, Wishes(timeout_s=3_600), NOW, timeout_max_s=60).approval_expires_at_ms == NOW + 600_000
    by_silence = replace(TERMS, on_timeout="approve")
    assert wished(by_silence, Wishes(timeout_s=1), NOW, timeout_max_s=60).approval_expires_at_ms == NOW + 600_000


def test_an_escalation_gives_the_same_time_again() -> None:
    terms = wished(TERMS, Wishes(timeout_s=900, on_timeout="escalate", escalate_to=("slack:#c",)), NOW)
    assert terms.escalation[-1] == Escalation(at_ms=NOW + 900_000, reviewers=(), recipients=("slack:#c",))
    assert (terms.approval_expires_at_ms, terms.on_timeout) == (NOW + 1_800_000, "escalate")
    with pytest.raises(InputError, match="to nobody"):
        wished(TERMS, Wishes(on_timeout="escalate"), NOW)


def test_a_deadline_that_approves_is_a_rules_to_give_and_cannot_be_hurried() -> None:
    with pytest.raises(NotAllowedError, match=r"the rule risk.high does not let a deadline approve"):
        wished(TERMS, Wishes(on_timeout="approve"), NOW)
    given_by_rule = replace(TERMS, on_timeout="approve")
    hurried = wished(given_by_rule, Wishes(timeout_s=1, on_timeout="approve"), NOW)
    assert (hurried.approval_expires_at_ms, hurried.on_timeout) == (NOW + 600_000, "approve")
    assert wished(given_by_rule, Wishes(on_timeout="reject"), NOW).on_timeout == "reject"


@given(
    st.builds(
        Wishes,
        recipients=st.lists(st.sampled_from(["slack:#a", "web:inbox"])).map(tuple),
        timeout_s=st.none() | st.integers(1, 10_000),
        on_timeout=st.sampled_from([None, "reject", "escalate", "approve"]),
        escalate_to=st.lists(st.just("slack:#c"), min_size=1, max_size=1).map(tuple),
    ),
    st.sampled_from(["reject", "approve"]),
)
def test_no_wish_loosens_the_terms(wishes: Wishes, on_timeout: str) -> None:
    terms = replace(TERMS, on_timeout=on_timeout)  # type: ignore[arg-type]  # one of the two
    if wishes.on_timeout == "approve" and on_timeout != "approve":
        return
    after = wished(terms, wishes, NOW)
    for before, then in zip(terms.stages, after.stages, strict=True):
        assert (then.reviewers, then.approvals_needed) == (before.reviewers, before.approvals_needed)
        assert set(before.recipients) <= set(then.recipients)
    assert (after.assurance_min, after.deny_ends, after.scopes) == (terms.assurance_min, terms.deny_ends, terms.scopes)
    if after.on_timeout == "approve":
        assert on_timeout == "approve"
        assert after.approval_expires_at_ms >= terms.approval_expires_at_ms
    assert all(not each.reviewers for each in after.escalation[len(terms.escalation) :])
