"""A proposed rule: readable by the policy, as narrow as what was seen, and only where it was chosen."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from askfirst.engine import Case
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


@pytest.mark.parametrize(("command", "scope"), [("git reset --hard", "once"), ("rm -rf *", "rule")])
def test_nothing_is_proposed_unasked_or_wider_than_what_was_seen(desk_bench: Bench, command: str, scope: str) -> None:
    assert proposal_of(asyncio.run(approved(desk_bench, command, scope))) == ""
