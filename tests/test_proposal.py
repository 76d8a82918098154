"""A proposed rule: readable by the policy, as narrow as what was seen, and only where it was chosen."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from askfirst.engine import Case
from askfirst.engine.scopes import offered
from askfirst.policy.read import read_policy
from askfirst.policy.ruling import ONCE, ScopeOffer
from askfirst.proposal import proposal_of
from askfirst.request import Verdict
from askfirst.testing.bench import Bench, a_draft, a_review

RULE = ScopeOffer(kind="rule")
FOR_PATTERN = ScopeOffer(kind="rule", pattern="git reset --hard *")


async def approved(made: Bench, command: str, scope: str) -> Case:
    draft = a_draft(command=command)
    case = await made.desk.ask(replace(draft, terms=replace(draft.terms, scopes=(ONCE, RULE, FOR_PATTERN))))
    return (await made.desk.review(a_review(case.request, Verdict.APPROVE, scope=scope))).case


@pytest.mark.parametrize(
    ("command", "scope", "matched"),
    [
        ("git reset --hard HEAD~2", "rule", ["git reset --hard HEAD~2"]),
        ("git reset --hard HEAD~2", "rule git reset --hard *", ["git reset --hard *"]),
        ('echo "a\\b" \x7f é', "rule", ['echo "a\\b" \x7f é']),
    ],
)
def test_the_proposal_is_a_rule_that_the_policy_can_read(
    desk_bench: Bench, command: str, scope: str, matched: list[str]
) -> None:
    case = asyncio.run(approved(desk_bench, command, scope))
    [rule] = read_policy(proposal_of(case).encode(), source="proposal").rule
    assert (rule.match.tool, rule.match.rule, rule.match.command) == ("Bash", ["git.reset-hard"], matched)
    assert rule.outcome == "allow"
    assert case.request.code in rule.reason


def test_nothing_is_proposed_unasked(desk_bench: Bench) -> None:
    assert proposal_of(asyncio.run(approved(desk_bench, "git reset --hard", "once"))) == ""


@pytest.mark.parametrize("has_effects", [True, False], ids=["a star", "nothing found"])
def test_no_rule_is_offered_where_none_would_say_what_was_seen(desk_bench: Bench, has_effects: bool) -> None:
    """A star would stand for more; what a rule of the policy alone has asked has no effect to match by."""
    draft = a_draft(command="rm -rf *")
    found = draft.classification if has_effects else replace(draft.classification, effects=())
    draft = replace(draft, classification=found, terms=replace(draft.terms, scopes=(ONCE, RULE)))

    async def story() -> None:
        case = await desk_bench.desk.ask(draft)
        assert offered(case.request) == (ONCE,)
        step = await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE, scope="rule"))
        assert not step.done

    asyncio.run(story())
