"""New versions: asked for, amended, edited, replaced; and what each leaves of the decisions before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from askfirst.card import difference
from askfirst.effects import EffectKind, Risk
from askfirst.engine import Cancel, Supersede
from askfirst.engine.versions import VERSIONS_MAX
from askfirst.policy.ruling import Stage
from askfirst.request import RequestState

if TYPE_CHECKING:
    from tests.engine.conftest import Play


def test_a_question_to_the_agent_leaves_it_pending_until_a_new_version(play: Play) -> None:
    step = play.says("ann", "needs_info", text="which branch?")
    assert step.case.request.state is RequestState.PENDING
    assert step.case.asked_back is not None
    assert step.case.asked_back.text == "which branch?"
    amended = play.amends(reason="a scratch branch of mine")
    assert (amended.note, amended.tell) == ("version 2 is before the reviewers", ("web:inbox",))
    assert amended.case.asked_back is None
    assert difference(play.case) == (("agent's reason", "", "a scratch branch of mine"),)


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_whoever_needs_no_answer_decides_while_the_agent_is_asked_and_that_closes_the_question(
    play: Play, who: str
) -> None:
    """I1: one reviewer's question takes nothing from the others, nor from themselves."""
    asked = play.says("ann", "needs_info", text="which branch?")
    assert asked.note == "the agent is asked; whoever needs no answer may decide meanwhile"
    assert play.says(who, "approve").case.request.state is RequestState.APPROVED
    assert play.case.asked_back is None
    assert play.case.open_grant is not None


def test_a_question_without_words_is_none(play: Play) -> None:
    assert play.says("ann", "needs_info").note == "say what you need to know"


def test_a_decision_on_the_version_before_does_not_count(play: Play) -> None:
    """I2: a decision is bound to the version that its author was shown."""
    shown = play.case.request
    play.amends("git reset --hard HEAD~1")
    late = play.says("ann", "approve", version=shown.version, action_digest=shown.action_digest)
    assert (late.done, late.note) == (False, "made for version 1, now it is 2")
    other = play.says("ann", "approve", action_digest=shown.action_digest)
    assert (other.done, other.note) == (False, "made for another action")
    assert play.says("ann", "approve").case.request.state is RequestState.APPROVED
    assert play.case.grant is not None
    assert play.case.grant.action_digest == play.case.request.action_digest != shown.action_digest


def test_an_amendment_starts_the_quorum_anew(play: Play) -> None:
    play.terms(stages=(Stage(approvals_needed=2),))
    play.says("ann", "approve")
    play.amends("git reset --hard HEAD~1")
    play.says("bob", "approve")
    assert play.case.request.state is RequestState.PENDING
    assert play.says("ann", "approve").case.request.state is RequestState.APPROVED


def test_nothing_changed_is_no_version_and_their_number_is_bounded(play: Play) -> None:
    assert play.amends().note == "nothing was changed; say more, or withdraw the request"
    for number in range(VERSIONS_MAX - 1):
        assert play.amends(reason=f"because {number}").done
    assert play.amends(reason="once more").note == "there are 10 versions already; withdraw the request and ask anew"
    assert [each.version for each in play.case.earlier] == list(range(1, VERSIONS_MAX))
    assert {each.state for each in play.case.earlier} == {RequestState.SUPERSEDED}


def test_an_approval_with_edits_is_for_what_was_edited(play: Play) -> None:
    """I2: the grant is for the edited action, and for no other."""
    asked = play.case.request
    step = play.says("ann", "approve", edit=play.content("git reset --hard HEAD~1"))
    assert step.case.request.state is RequestState.APPROVED
    assert (step.case.request.version, step.case.request.changed_by) == (2, "local:ann")
    assert step.case.grant is not None
    assert step.case.grant.action_digest == step.case.request.action_digest
    assert play.redeems(action_digest=asked.action_digest).note == (
        "no grant for this action: local:ann changed it; run what the request shows now, under its action_digest"
    )
    assert play.redeems().done
    assert play.log[:4] == ["gate.amended", "review.cast", "gate.decided", "grant.issued"]


def test_an_edit_that_changes_nothing_is_a_plain_approval(play: Play) -> None:
    step = play.says("ann", "approve", edit=play.content())
    assert (step.case.request.version, step.case.earlier) == (1, ())


def test_an_edit_that_raises_the_risk_is_refused(play: Play) -> None:
    worse = play.says("ann", "approve", edit=play.content("git reset --hard && rm -rf /", risk=Risk.CRITICAL))
    assert worse.note == "your edit raises the risk from high to critical; deny it, and say what to do"
    [effect] = play.case.request.effects
    other = replace(effect, rule="files.delete", kind=EffectKind.DELETES_FILES, loss="deletes 3 files")
    also = play.says("ann", "approve", edit=play.content("rm -rf x", effects=(other,)))
    assert also.note == (
        "your edit also deletes 3 files (files.delete), which was not asked; deny it, and say what to do"
    )
    assert (play.case.request.version, play.case.request.state) == (1, RequestState.PENDING)


def test_an_edit_after_the_deadline_comes_too_late(play: Play) -> None:
    step = play.after(601).says("ann", "approve", edit=play.content("git reset --hard HEAD~1"))
    assert (step.done, step.note, step.case.grant) == (False, "already expired", None)


@pytest.mark.parametrize(
    ("event", "state", "text"),
    [
        (Cancel(reason="no need"), RequestState.CANCELLED, "no need"),
        (Supersede(by="id", code="ABC-1"), RequestState.SUPERSEDED, "replaced by ABC-1"),
    ],
)
def test_the_requester_may_end_it_and_nothing_opens_any_more(
    play: Play, event: Cancel | Supersede, state: RequestState, text: str
) -> None:
    assert play.does(event).done
    assert play.case.request.state is state
    assert play.case.request.end is not None
    assert play.case.request.end.text == text
    assert play.says("ann", "approve").note == f"already {state.value} by agent"
    assert not play.redeems().done


def test_an_edit_is_no_way_round_the_terms_of_its_own_rule(play: Play) -> None:
    """The stricter of both hold: on what comes after, silence, a code, an approval that stays unused."""
    loose = {"on_timeout": "approve", "break_glass_s": 900, "deny_ends": False, "grant_ttl_ms": 600_000}
    play.terms(stages=(Stage(approvals_needed=2),), **loose)
    strict = replace(play.case.request.terms, on_timeout="reject", break_glass_s=0, deny_ends=True, grant_ttl_ms=60_000)
    play.says("ann", "approve", edit=replace(play.content("git reset --soft HEAD~1"), terms=strict))
    after = play.case.request
    assert after.version == 2
    assert (after.terms.on_timeout, after.terms.break_glass_s, after.terms.deny_ends) == ("reject", 0, True)
    assert after.terms.grant_ttl_ms == 60_000
