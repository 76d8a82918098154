"""Who counts, how often, and in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from askfirst.engine import Deadline
from askfirst.people import Electorate
from askfirst.policy.ruling import Stage
from askfirst.request import GrantState, RequestState
from askfirst.terms import Escalation

if TYPE_CHECKING:
    from tests.engine.conftest import Play

TWO = (Stage(approvals_needed=2),)
FOUR_EYES = (
    Stage(name="proposer", reviewers=("role:lead",), recipients=("web:leads",)),
    Stage(name="confirmer", approvals_needed=2, reviewers=("role:security",), recipients=("web:security",)),
)


def test_two_channels_of_one_person_are_one_vote(play: Play) -> None:
    """I5: quorum counts people, never channels (P13)."""
    play.terms(stages=TWO)
    play.says("ann", "approve", channel="web")
    again = play.says("ann", "approve", channel="telegram")
    assert (again.done, again.note) == (False, "counted before")
    assert play.case.request.state is RequestState.PENDING
    play.says("bob", "approve")
    assert play.case.request.state is RequestState.APPROVED


def test_whoever_asks_never_counts(play: Play) -> None:
    """I5: the requester is no reviewer, whatever else they are."""
    step = play.says(
        "requester", "approve", electorate=Electorate(is_open=True, requesters=frozenset({"local:requester"}))
    )
    assert (step.done, step.note) == (False, "whoever asks cannot decide")


def test_the_opinion_of_a_program_never_counts(play: Play) -> None:
    step = play.says("ann", "approve", by_program=True)
    assert (step.done, step.note) == (False, "the opinion of a program never counts")
    assert step.log[0].actor_type == "agent"
    assert play.says("ann", "approve").done


@pytest.mark.parametrize(
    ("reviewers", "who", "counts"),
    [
        ((), "ann", True),
        ((), "stranger", False),
        (("local:ann",), "ann", True),
        (("local:ann",), "bob", False),
        (("role:security",), "bob", True),
        (("role:security",), "ann", False),
        (("team:infra",), "ann", True),
        (("team:infra", "role:security"), "cat", True),
        (("role:nobody",), "ann", False),
    ],
)
@pytest.mark.parametrize("verdict", ["approve", "deny"])
def test_only_the_reviewers_of_the_rule_decide(
    play: Play, reviewers: tuple[str, ...], who: str, counts: bool, verdict: str
) -> None:
    """I1: every sender is checked against the request's reviewers (P10)."""
    play.terms(stages=(Stage(reviewers=reviewers),))
    step = play.says(who, verdict)
    assert step.done is counts
    if not counts:
        assert step.note == f"local:{who} is not among the reviewers of this request"
        assert play.case.request.state is RequestState.PENDING


def test_confirmers_are_asked_only_after_the_proposer(play: Play) -> None:
    play.terms(stages=FOUR_EYES)
    early = play.says("bob", "approve")
    assert early.note == "local:bob is not among the reviewers of the proposer stage of this request"
    proposed = play.says("ann", "approve")
    assert (proposed.note, proposed.tell) == ("counted: proposer 1 of 1, confirmer 0 of 2", ("web:security",))
    assert play.says("bob", "approve").tell == ()
    assert play.says("cat", "approve").case.request.state is RequestState.APPROVED


def test_one_person_cannot_propose_and_confirm(play: Play) -> None:
    play.terms(stages=(Stage(name="proposer"), Stage(name="confirmer")))
    play.says("ann", "approve")
    assert play.says("ann", "approve").note == "counted before"
    assert play.says("bob", "approve").case.request.state is RequestState.APPROVED


def test_whoever_alone_could_confirm_does_not_propose(play: Play) -> None:
    """I6: nobody would be left for the second stage, and the request could only expire."""
    play.terms(stages=(Stage(name="proposer"), Stage(name="confirmer", reviewers=("local:cat",))))
    mine = play.says("cat", "approve")
    assert (mine.done, mine.note) == (False, "you are needed for its confirmer stage; let somebody else approve first")
    edited = play.says("cat", "approve", edit=play.content("git reset --hard HEAD~1"))
    assert (edited.done, edited.note, play.case.request.version) == (False, mine.note, 1)
    assert play.says("ann", "approve").done
    assert play.says("cat", "approve").case.request.state is RequestState.APPROVED


def test_whoever_is_needed_together_with_others_later_does_not_propose(play: Play) -> None:
    """I6: each later stage alone has somebody left, and both together have one person too few."""
    later = [Stage(name=name, reviewers=("role:security",)) for name in ("confirmer", "owner")]
    play.terms(stages=(Stage(name="proposer"), *later))
    early = play.says("bob", "approve")
    assert (early.done, early.note) == (False, "you are needed for its owner stage; let somebody else approve first")
    assert [play.says(each, "approve").done for each in ("ann", "bob", "cat")] == [True, True, True]
    assert play.case.request.state is RequestState.APPROVED


def test_an_edit_by_a_confirmer_is_no_proposal(play: Play) -> None:
    """I5: an edited action is a new version, whose first stage is for its own reviewers alone."""
    play.terms(stages=FOUR_EYES)
    play.says("ann", "approve")
    edited = play.says("bob", "approve", edit=play.content("git reset --hard HEAD~1"))
    stranger = "local:bob is not among the reviewers of the proposer stage of this request"
    assert not edited.done
    assert edited.note == f"an edit begins with the first stage again, and {stranger}; deny it, and say what to do"
    assert (play.case.request.version, play.log[-1]) == (1, "review.rejected")
    assert play.says("bob", "approve").note == "counted: proposer 1 of 1, confirmer 1 of 2"


def test_an_edit_by_a_confirmer_who_may_propose_is_their_proposal(play: Play) -> None:
    play.terms(stages=(Stage(name="any"), replace(FOUR_EYES[1], approvals_needed=1)))
    play.says("ann", "approve")
    edited = play.says("bob", "approve", edit=play.content("git reset --hard HEAD~1"))
    assert edited.note == "counted: any 1 of 1, confirmer 0 of 1"
    assert edited.tell == ("web:security",)
    assert play.says("bob", "approve").note == "counted before"


def test_a_confirmer_may_deny_before_the_proposer_has_spoken(play: Play) -> None:
    play.terms(stages=FOUR_EYES)
    assert play.says("cat", "deny").case.request.state is RequestState.DENIED


def test_a_deny_counts_whatever_its_assurance(play: Play) -> None:
    """I5: only what opens needs proof of who it was."""
    play.terms(assurance_min=3)
    assert not play.says("ann", "approve", assurance=1).done
    assert play.says("ann", "deny", assurance=0).case.request.state is RequestState.DENIED


def test_where_the_rule_says_so_one_deny_does_not_end_it(play: Play) -> None:
    play.terms(stages=TWO, deny_ends=False)
    play.says("ann", "deny")
    assert play.case.request.state is RequestState.PENDING
    play.says("bob", "approve")
    assert play.says("cat", "approve").case.request.state is RequestState.APPROVED


def test_it_ends_once_too_few_are_left_to_approve(play: Play) -> None:
    play.terms(stages=TWO, deny_ends=False)
    play.says("ann", "deny")
    assert play.says("bob", "deny").case.request.state is RequestState.DENIED


def test_whoever_takes_back_an_approval_no_longer_counts(play: Play) -> None:
    play.terms(stages=TWO, deny_ends=False)
    play.says("ann", "approve")
    play.says("ann", "deny")
    play.says("bob", "approve")
    assert play.case.request.state is RequestState.PENDING
    assert play.says("cat", "approve").case.request.state is RequestState.APPROVED


def test_the_approval_of_somebody_who_was_removed_no_longer_counts(play: Play) -> None:
    """I1: who is not known when it is decided decides nothing; what a removed person denied stands."""
    play.terms(stages=TWO)
    play.says("ann", "approve")
    without = Electorate(people=tuple(each for each in play.STAFF.people if each.id != "local:ann"))
    step = play.says("bob", "approve", electorate=without)
    assert (step.note, play.case.request.state) == ("counted: 1 of 2 approvals", RequestState.PENDING)
    assert next((line.type, line.decision.get("reason")) for line in step.log) == (
        "review.retracted",
        "taken back: local:ann is not known any more",
    )
    play.says("cat", "approve", electorate=without)
    assert play.case.request.state is RequestState.APPROVED


def test_a_part_that_was_handed_over_is_the_others(play: Play) -> None:
    play.terms(stages=(Stage(reviewers=("local:ann",)),))
    handed = play.says("ann", "delegate", to="local:bob")
    assert (handed.note, handed.tell) == ("handed to local:bob", ("web:bob",))
    assert play.says("ann", "approve").note == "you handed this to local:bob"
    assert play.says("cat", "approve").done is False
    assert play.says("bob", "approve").case.request.state is RequestState.APPROVED


@pytest.mark.parametrize(
    ("to", "note"),
    [
        ("", "say to whom it goes"),
        ("local:ann", "say to whom it goes"),
        ("local:stranger", "nobody is known as local:stranger"),
        ("local:requester", "whoever asks cannot decide, and so cannot be handed it"),
    ],
)
def test_it_cannot_be_handed_to_nobody(play: Play, to: str, note: str) -> None:
    step = play.says("ann", "delegate", to=to)
    assert (step.done, step.note) == (False, note)
    assert play.case.request.handovers == ()


def test_an_escalation_adds_reviewers(play: Play) -> None:
    chain = (Escalation(at_ms=play.NOW_MS + 60_000, reviewers=("local:cat",), recipients=("web:cat",)),)
    play.terms(stages=(Stage(reviewers=("local:ann",)),), escalation=chain)
    assert not play.says("cat", "approve").done
    assert play.after(60).does(Deadline()).tell == ("web:cat",)
    assert play.says("cat", "approve").case.request.state is RequestState.APPROVED


def test_deny_and_stop_ends_it_even_where_one_deny_would_not(play: Play) -> None:
    play.terms(stages=TWO, deny_ends=False)
    step = play.says("ann", "deny", stop=True, text="enough")
    assert step.note == "denied; the session is told to stop"
    assert play.case.request.end is not None
    assert play.case.request.end.stop


def test_a_deny_takes_an_approval_back_until_it_was_used(play: Play) -> None:
    """I5: deny beats approve until the grant is redeemed."""
    play.says("ann", "approve")
    denied = play.says("bob", "deny")
    assert denied.case.request.state is RequestState.DENIED
    assert denied.case.grant is not None
    assert denied.case.grant.state is GrantState.REVOKED
