"""How far an approval reaches, and that it reaches no further."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.effects import Risk
from askfirst.engine import Executed, Revoke
from askfirst.engine.scopes import LONGEST_MS, USES_MAX, matches, offered, said_alike
from askfirst.policy.ruling import ScopeOffer, Stage
from askfirst.request import GrantState

if TYPE_CHECKING:
    from tests.engine.conftest import Play

ONCE = ScopeOffer(kind="once")
OFFERS = (
    ONCE,
    ScopeOffer(kind="uses", amount=3),
    ScopeOffer(kind="duration", amount=1800),
    ScopeOffer(kind="session", pattern="git reset --hard *"),
    ScopeOffer(kind="session", pattern="git push *"),
    ScopeOffer(kind="rule"),
)


@pytest.mark.parametrize(
    ("key", "uses", "life_ms"),
    [
        ("", 1, 120_000),
        ("once", 1, 120_000),
        ("uses:3", 3, LONGEST_MS),
        ("duration:1800", USES_MAX, 1_800_000),
        ("session git reset --hard *", USES_MAX, LONGEST_MS),
        ("rule", 1, 120_000),
    ],
)
def test_an_approval_reaches_as_far_as_was_chosen(play: Play, key: str, uses: int, life_ms: int) -> None:
    play.terms(scopes=OFFERS).says("ann", "approve", scope=key)
    grant = play.case.grant
    assert grant is not None
    assert (grant.uses_max, grant.expires_at_ms - play.now_ms) == (uses, life_ms)


@pytest.mark.parametrize("key", ["uses:4", "session", "session git push *", "duration:999999", "everything"])
def test_scopes_are_offered_by_the_rule_and_never_invented(play: Play, key: str) -> None:
    step = play.terms(scopes=OFFERS).says("ann", "approve", scope=key)
    assert (step.done, play.case.grant) == (False, None)
    assert step.note.startswith("its rule offers once, uses:3, duration:1800, session git reset --hard *, rule; not")


def test_later_calls_are_offered_only_where_the_request_names_their_session(play: Play) -> None:
    """Callers over REST without one have none in common that a person could mean."""
    pattern = "git reset --hard *"
    play.terms(scopes=(*OFFERS, *(ScopeOffer(kind=kind, amount=3, pattern=pattern) for kind in ("uses", "duration"))))
    request = play.case.request
    without = replace(request, agent=replace(request.agent, session=""), action=replace(request.action, session=""))
    kinds = [each.kind for each in offered(request)]
    assert kinds == ["once", "uses", "duration", "session", "rule", "uses", "duration"]
    assert [(each.kind, each.pattern) for each in offered(without)] == [
        ("once", ""),
        ("uses", ""),
        ("duration", ""),
        ("rule", ""),
    ]


def test_a_rule_to_copy_is_proposed_without_a_session_too(play: Play) -> None:
    play.terms(scopes=(ONCE, ScopeOffer(kind="rule", pattern="git reset --hard *")))
    request = play.case.request
    without = replace(request, agent=replace(request.agent, session=""), action=replace(request.action, session=""))
    assert [each.kind for each in offered(without)] == ["once", "rule"]


def test_reviewers_who_chose_differently_have_agreed_on_once(play: Play) -> None:
    play.terms(scopes=OFFERS, stages=(Stage(approvals_needed=2),))
    play.says("ann", "approve", scope="uses:3")
    play.says("bob", "approve", scope="duration:1800")
    assert play.case.grant is not None
    assert play.case.grant.uses_max == 1


def test_a_grant_for_three_uses_opens_three_times_and_each_attempt_once(play: Play) -> None:
    play.terms(scopes=OFFERS).says("ann", "approve", scope="uses:3")
    assert [play.redeems(each).done for each in ("a", "a", "b", "c", "d")] == [True, True, True, True, False]
    assert play.log.count("gate.released") == 3
    for call in ("call-b", "call-a", "call-c"):
        assert play.case.grant is not None
        assert play.case.grant.state is GrantState.REDEEMED
        play.does(Executed(action_digest=play.case.request.action_digest, outcome="ok", tool_use_id=call))
    assert play.case.grant is not None
    assert play.case.grant.state is GrantState.EXECUTED


def test_a_deny_after_some_uses_opens_nothing_more(play: Play) -> None:
    """I5: deny beats approve for every use that is left."""
    play.terms(scopes=OFFERS).says("ann", "approve", scope="uses:3")
    play.redeems("a")
    step = play.says("bob", "deny")
    assert step.note == "took the approval back after 1 uses; it opens nothing any more"
    assert not play.redeems("b").done


def test_a_stop_that_comes_after_some_uses_does_not_claim_to_have_stopped_the_session(play: Play) -> None:
    play.terms(scopes=OFFERS).says("ann", "approve", scope="uses:3")
    play.redeems("a")
    step = play.says("bob", "deny", stop=True)
    assert step.note.endswith("; the session was not told to stop: deny its next request with a stop")
    assert step.case.request.end is not None
    assert not step.case.request.end.stop


def test_a_revoked_grant_opens_nothing(play: Play) -> None:
    play.says("ann", "approve")
    assert play.does(Revoke(by="local:bob", channel="terminal", reason="wrong repo")).done
    assert play.redeems().note == "the grant is revoked"
    assert play.does(Revoke(by="local:bob")).note == "nothing to revoke: the grant is revoked"


def test_a_grant_whose_signature_does_not_verify_is_worth_nothing(play: Play) -> None:
    play.says("ann", "approve")
    step = play.redeems(is_genuine=False)
    assert (step.done, step.note) == (
        False,
        "the grant's signature does not verify: the store was changed from outside",
    )
    assert not play.redeems().done
    assert "gate.released" not in play.log


PATTERN = "git reset --hard *"


@pytest.mark.parametrize(
    ("changes", "covered"),
    [
        ({}, True),
        ({"command": "git reset --hard HEAD~9"}, True),
        ({"command": "git reset --hard HEAD~9 && rm -rf /"}, False),
        ({"command": "git reset --hard $(rm x)"}, False),
        ({"command": "git reset --hard HEAD\nrm -rf x"}, False),
        ({"command": "git clean -fdx"}, False),
        ({"cwd": "/elsewhere"}, False),
        ({"session": "another"}, False),
        ({"host": "other"}, False),
        ({"tool": "Write"}, False),
    ],
)
def test_a_grant_for_a_pattern_covers_its_like_in_the_same_place(
    play: Play, changes: dict[str, str], covered: bool
) -> None:
    play.terms(scopes=OFFERS).says("ann", "approve", scope=f"session {PATTERN}")
    command = changes.pop("command", "git reset --hard HEAD~3")
    content = play.content(command)
    content = replace(content, action=replace(content.action, **changes))  # type: ignore[arg-type]
    terms = play.case.request.terms
    assert play.redeems(action_digest=content.action.digest(), action=content, terms=terms).done is covered


@pytest.mark.parametrize(
    ("changes", "covered"),
    [
        ({}, True),
        ({"reason": "other words", "policy_digest": "0" * 64}, True),
        ({"rule": "releases"}, False),
        ({"policy": "managed"}, False),
        ({"scopes": (ONCE, ScopeOffer(kind="session", pattern="git push *"))}, False),
        ({"scopes": (ONCE, ScopeOffer(kind="uses", amount=5, pattern="git reset --hard *"))}, False),
        (None, False),
    ],
)
def test_a_grant_for_a_pattern_covers_no_call_that_another_rule_asks_about(
    play: Play, changes: dict[str, Any] | None, *, covered: bool
) -> None:
    """A rule that asks other people, or more of them, is not passed by what was approved under a laxer one."""
    play.terms(scopes=OFFERS).says("ann", "approve", scope=f"session {PATTERN}")
    content = play.content("git reset --hard HEAD~3")
    terms = None if changes is None else replace(play.case.request.terms, **changes)
    assert play.redeems(action_digest=content.action.digest(), action=content, terms=terms).done is covered


def test_a_grant_for_a_pattern_covers_nothing_graver_than_what_was_seen(play: Play) -> None:
    play.terms(scopes=OFFERS).says("ann", "approve", scope=f"session {PATTERN}")
    [effect] = play.case.request.effects
    same = play.content("git reset --hard HEAD~3")
    graver = replace(same, risk=Risk.CRITICAL)
    other = replace(same, effects=(effect, replace(effect, rule="git.clean")))
    digest, terms = same.action.digest(), play.case.request.terms
    assert [play.redeems(action_digest=digest, action=each, terms=terms).done for each in (graver, other, same)] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("pattern", "command", "fits"),
    [
        ("git add *", "git add 'my file.txt' \"other file\" plain", True),
        ("git add *", "git add my' 'file", True),
        ("git 'add' *", "git 'add' x", True),
        ("*", "'' x", False),
        ("git add *", "'git' add x", True),
        ("rm build/*", "rm 'build/a'", True),
        ("rm build/*", "rm 'build/a' /", False),
        ("rm build/*", "rm 'build/a /'", False),  # `ssh h rm 'build/a /'` is two words over there
        ("rm build/*", 'rm "build/../x y"', False),
        ("git add *", "git add '../x y'", False),
        ("git add *", "git add 'x\ny'", False),
        ("git add *", 'git add "x $(y)"', False),
        ("git add *", 'git add "x `y`"', False),
        ("git add *", 'git add "x \\" y"', False),
        ("git add *", "git add 'x y", False),
        ("git add *", "git add 'x; y'", False),
        ("git add *", "git add 'x *'", False),
        ("git add *", "git add *", False),
        ("git add *", "git add {a,b}", False),
        ("git add *", "git add '~/x y'", False),
        ("git add ~/x *", "git add '~/x' y", False),
        ("git add *", "git add '' x", False),
        ("git add *", "git add 'a b' && rm 'c d'", False),
        ("git add *", "git add 'a b'\nrm x", False),
        ("git commit -m *", "git commit -m 'two words'", True),
    ],
)
def test_quotes_hold_a_word_together_and_hide_nothing(pattern: str, command: str, *, fits: bool) -> None:
    assert matches(pattern, command) is fits


@pytest.mark.parametrize(
    ("pattern", "command", "fits"),
    [
        ("git push origin feature/*", "git push origin feature/x", True),
        ("git push origin feature/*", "git push origin feature/x:main", False),
        ("git push origin feature/*", "git push origin 'feature/x:main'", False),
        ("git push * feature/*", "git push origin feature/x:main", False),
        ("git push *", "git push origin feature/x:main", True),
        ("npm run test:*", "npm run test:unit", True),
        ("npm run test:*", "npm run test:unit --fix", False),
        ("docker push acme/*:*", "docker push acme/app:1.2", True),
    ],
)
def test_a_star_within_a_word_ends_at_a_colon(pattern: str, command: str, *, fits: bool) -> None:
    assert matches(pattern, command) is fits


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("git  push\torigin feature/x", True),
        ("git push 'origin' feature/\"x\"", True),
        ("git push origin ./feature//x/", True),
        ("git push origin feature/y", False),
        ("git push origin 'feature/x y'", False),
        ("git push -f origin feature/x", False),
        ("", False),
    ],
)
def test_another_way_to_spell_a_command_makes_no_other_one(other: str, *, expected: bool) -> None:
    assert said_alike("git push origin feature/x", other) is said_alike(other, "git push origin feature/x") is expected


@given(st.text(st.sampled_from("ab ;&|$()`'\"<>\\\n\t*.-/~#!"), max_size=12))
def test_nothing_that_a_shell_reads_specially_hides_behind_a_star(filled: str) -> None:
    if matches("run *", f"run {filled}"):
        assert not set(filled) & set(";&|$()`<>\\\n*#!")
        words = shlex.split(filled)  # its quotes are closed
        assert not any(set(word) & set("'\"\t") for word in words)
        assert not any(".." in word or word.startswith("~") for word in " ".join(words).split())
