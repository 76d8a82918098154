"""An approval that reaches further approves a later request, and no other one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from askfirst.engine import Case, Cover, PassOn, Revoke, step
from askfirst.policy.ruling import ScopeOffer
from askfirst.request import GrantState, RequestState
from askfirst.testing.bench import a_draft, a_request

if TYPE_CHECKING:
    from tests.engine.conftest import Play

PATTERN = "git reset --hard *"
OFFERS = (
    ScopeOffer(kind="once"),
    ScopeOffer(kind="session", pattern=PATTERN),
    ScopeOffer(kind="uses", amount=2, pattern=PATTERN),
)


def passed_on(play: Play, request_id: str = "r2", command: str = "git reset --hard HEAD~3", **changes: Any) -> bool:
    event = PassOn(request_id=request_id, content=play.content(command), terms=play.case.request.terms)
    return play.does(replace(event, **changes)).done


def test_a_later_request_is_approved_by_whom_the_first_one_was(play: Play) -> None:
    """I1: a person has approved it, by how far they let their approval reach."""
    play.terms(scopes=OFFERS).says("ann", "approve", scope=f"session {PATTERN}")
    later = Case(request=replace(a_request(a_draft()), id="r2"))
    assert passed_on(play)
    covered = step(later, Cover(by=play.case), play.now_ms)
    assert (covered.case.request.state, covered.done) == (RequestState.APPROVED, True)
    end, grant = covered.case.request.end, covered.case.grant
    assert end is not None
    assert grant is not None
    assert (end.by, end.channel) == ("local:ann", "web")
    assert end.text == f"by the approval of {play.case.request.code} for commands like {PATTERN}"
    assert (grant.uses_max, grant.pattern, grant.scope) == (1, "", "once")
    assert grant.action_digest == later.request.action_digest
    [decided, issued] = covered.log
    assert (decided.type, decided.actor, decided.actor_type) == ("gate.decided", "local:ann", "human")
    assert (decided.decision["by"], decided.decision["under"]) == (("local:ann",), play.case.request.id)
    assert issued.type == "grant.issued"


def test_its_grant_lapses_no_later_than_the_one_that_was_passed_on(play: Play) -> None:
    play.terms(scopes=OFFERS).says("ann", "approve", scope=f"session {PATTERN}")
    assert play.case.grant is not None
    play.now_ms = play.case.grant.expires_at_ms - 1_000
    assert passed_on(play)
    later = Case(request=replace(a_request(a_draft()), id="r2"))
    later = replace(
        later,
        request=replace(later.request, terms=replace(later.request.terms, approval_expires_at_ms=play.now_ms + 60_000)),
    )
    grant = step(later, Cover(by=play.case), play.now_ms).case.grant
    assert grant is not None
    assert grant.expires_at_ms == play.case.grant.expires_at_ms


def test_nothing_that_was_not_passed_on_to_it_approves_a_request(play: Play) -> None:
    play.terms(scopes=OFFERS).says("ann", "approve", scope=f"session {PATTERN}")
    another = Case(request=replace(a_request(a_draft()), id="r3"))
    assert passed_on(play)
    for by in (play.case, another):
        refused = step(another, Cover(by=by), play.now_ms)
        assert (refused.done, refused.case, refused.log) == (False, another, ())


@pytest.mark.parametrize(
    "changes",
    [
        {"command": "git reset --hard HEAD && rm -rf /"},
        {"command": "git clean -fdx"},
        {"terms": None},
        {"is_genuine": False},
    ],
)
def test_what_the_grant_does_not_cover_is_not_passed_on(play: Play, changes: dict[str, Any]) -> None:
    play.terms(scopes=OFFERS).says("ann", "approve", scope=f"session {PATTERN}")
    if "terms" in changes:
        changes = {"terms": replace(play.case.request.terms, rule="another")}
    assert not passed_on(play, **changes)
    assert play.case.grant is not None
    assert play.case.grant.passed_on == ()


@pytest.mark.parametrize("scope", ["", "once"])
def test_an_approval_for_this_very_action_is_not_passed_on(play: Play, scope: str) -> None:
    play.terms(scopes=OFFERS).says("ann", "approve", scope=scope)
    assert not passed_on(play)
    assert not passed_on(play, command=play.case.request.action.command)


def test_each_time_is_a_use(play: Play) -> None:
    play.terms(scopes=OFFERS).says("ann", "approve", scope=f"uses:2 {PATTERN}")
    assert passed_on(play, "r2")
    assert play.redeems().done
    assert not passed_on(play, "r3")
    assert play.case.grant is not None
    assert play.case.grant.state is GrantState.REDEEMED


def test_what_was_taken_back_or_has_lapsed_is_not_passed_on(play: Play) -> None:
    play.terms(scopes=OFFERS).says("ann", "approve", scope=f"session {PATTERN}")
    approved = play.case
    play.does(Revoke(by="local:ann", channel="web"))
    assert not passed_on(play)
    play.case = approved
    play.after(9 * 3600)
    assert not passed_on(play)
