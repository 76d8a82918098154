"""The law of layers: a project's file, and what the requester says, never make a ruling less strict."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.call import ToolCall
from askfirst.effects import Classification, Effect, EffectKind, Outcome, Risk
from askfirst.errors import PolicyError
from askfirst.host import Agent
from askfirst.policy.bounds import Bounds, stricter, tightened
from askfirst.policy.build import general_of
from askfirst.policy.question import Place, Question
from askfirst.policy.raw import RawPolicy
from askfirst.policy.read import require_tightening
from askfirst.policy.ruling import ONCE, EscalationStep, Ruling, ScopeOffer, Stage
from askfirst.policy.ruling import Outcome as Ruled
from askfirst.policy.source import assemble, project_ceiling
from askfirst.request import Claim

if TYPE_CHECKING:
    from askfirst.policy.policy import Policy

RISKS = ("low", "medium", "high", "critical")
PEOPLE = {"ann": {"ann", "role:lead"}, "bob": {"bob", "team:ops"}, "cy": {"cy", "role:lead", "team:ops"}, "di": {"di"}}
REVIEWERS = ("ann", "bob", "role:lead", "team:ops")
COMMANDS = ("git push --force origin main", "git reset --hard", "rm -rf build", "ls -la", "frobnicate x")
DEADLINES = ("approve", "escalate", "reject")


def _optional(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


scopes = st.lists(
    st.one_of(
        st.just({"kind": "once"}),
        st.builds(
            lambda kind, amount, pattern: {"kind": kind, "amount": amount, "pattern": pattern},
            st.sampled_from(["uses", "duration"]),
            st.integers(1, 5),
            st.sampled_from(["", "git push *"]),
        ),
        st.builds(
            lambda kind, pattern: {"kind": kind, "pattern": pattern},
            st.sampled_from(["session", "rule"]),
            st.sampled_from(["", "git push *", "ls *"]),
        ),
    ),
    min_size=1,
    max_size=4,
)
reviewers = st.lists(st.sampled_from(REVIEWERS), min_size=1, max_size=3, unique=True)
stage = st.fixed_dictionaries(
    {"name": st.sampled_from(["proposer", "confirmer"])},
    optional={"approvals": st.integers(1, 3), "reviewers": reviewers},
)


def _terms(*, project: bool) -> dict[str, st.SearchStrategy[Any]]:
    keys: dict[str, st.SearchStrategy[Any]] = {
        "approvals": st.integers(1, 4),
        "reviewers": reviewers,
        "stages": st.lists(stage, min_size=1, max_size=2),
        "assurance": st.integers(0, 3),
        "approval_timeout_s": st.integers(1, 900),
        "grant_ttl_s": st.integers(1, 900),
        "late_grant_ttl_s": st.integers(0, 900),
        "on_timeout": st.sampled_from(DEADLINES),
        "scopes": scopes,
        "deny_ends": st.booleans(),
        "witness": st.booleans(),
        "break_glass_s": st.integers(0, 3600),
    }
    if not project:
        keys["escalation"] = st.just([{"after_s": 60, "reviewers": ["bob", "di"]}])
    return keys


match = _optional(
    effect=st.sampled_from(["rewrites-history", "discards-changes", "opaque"]),
    risk=st.lists(st.sampled_from(RISKS), min_size=1, max_size=3, unique=True),
    rule=st.sampled_from(["git.*", "git.push-force", "*"]),
    command=st.sampled_from(["git *", "git push * main", "ls *", "*"]),
    path=st.sampled_from(["build/**", "/etc/**", "**"]),
    inside_project=st.booleans(),
    branch_is=st.sampled_from(["protected", "default"]),
    branch=st.sampled_from(["main", "feature/*"]),
    tool=st.sampled_from(["Bash", "*", "mcp__*"]),
    confidence_below=st.sampled_from([0.5, 0.9]),
    time=st.just({"hours": "09:00-17:00", "timezone": "Europe/Berlin"}),
).filter(bool)


def _rule(*, project: bool) -> st.SearchStrategy[dict[str, Any]]:
    outcomes = ["ask", "deny", "shadow"] if project else ["allow", "ask", "deny", "shadow"]
    return st.fixed_dictionaries(
        {"match": match},
        optional={
            **_terms(project=project),
            "unless": match,
            "outcome": st.sampled_from(outcomes),
            "risk": st.sampled_from(RISKS),
            "low_confidence": st.sampled_from(["ask", "deny"]),
        },
    )


def _policy(*, project: bool) -> st.SearchStrategy[dict[str, Any]]:
    outcome = st.sampled_from(["ask", "deny"] if project else ["allow", "ask", "deny"])
    rung = _optional(outcome=outcome, **_terms(project=project))
    keys: dict[str, st.SearchStrategy[Any]] = {
        "risk": _optional(**dict.fromkeys(RISKS, rung)),
        "unknown": rung,
        "rule": st.lists(_rule(project=project), max_size=4),
        "confidence": _optional(
            high_above=st.sampled_from([0.5, 0.99]),
            low_below=st.sampled_from([0.2, 0.8]),
            low=st.sampled_from(["ask", "deny"]),
        ),
        "branches": _optional(protected=st.sampled_from([["main"], ["feature/*"], []])),
    }
    if not project:
        keys["extends"] = st.sampled_from(["personal", "team", "strict", "ci"])
    return _optional(**keys)


def _raw(said: dict[str, Any]) -> RawPolicy | None:
    """The raw policy of drawn data; what the loader refuses is no policy."""
    said = dict(said)
    said["rule"] = [_whole(number, each) for number, each in enumerate(said.get("rule", []))]
    try:
        return RawPolicy.model_validate(said)
    except ValueError:
        return None


def _whole(number: int, rule: dict[str, Any]) -> dict[str, Any]:
    shadow = {"would": "deny"} if rule.get("outcome") == "shadow" else {}
    return rule | shadow | {"name": f"r{number}"}


effects = st.builds(
    Effect,
    rule=st.sampled_from(["git.push-force", "git.reset-hard", "execution.unknown-script"]),
    kind=st.sampled_from([EffectKind.REWRITES_HISTORY, EffectKind.DISCARDS_CHANGES, EffectKind.OPAQUE]),
    risk=st.sampled_from(list(Risk)),
    reversible=st.booleans(),
    target=st.sampled_from(["main on origin", "the work tree", "build", "/etc/passwd", "$X/y"]),
    loss=st.just("loses work"),
    command=st.sampled_from(COMMANDS),
    cwd=st.sampled_from(["/proj", ""]),
)
claims = st.builds(
    Claim,
    reason=st.sampled_from(["", "because"]),
    confidence=st.sampled_from([None, 0.0, 0.69, 0.7, 0.8, 0.95, 0.96, 1.0, float("nan"), 7.0]),
)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    found = tuple(draw(st.lists(effects, max_size=3)))
    command = draw(st.sampled_from(COMMANDS))
    return Question(
        call=ToolCall(tool=draw(st.sampled_from(["Bash", "mcp__x__do"])), arguments={"command": command}, cwd="/proj"),
        classification=Classification(
            outcome=draw(st.sampled_from(list(Outcome))),
            effects=found,
            commands=draw(st.sampled_from([(), (command,)])),
        ),
        agent=Agent(host="claude-code", session="s"),
        at=datetime(2026, 11, 25, 12, tzinfo=UTC),
        place=Place(project="/proj", branch=draw(st.sampled_from(["", "main", "feature/x"])), default_branch="main"),
        claim=draw(claims),
        requires_approval=draw(st.booleans()),
    )


def is_satisfied(stages: tuple[Stage, ...], people: frozenset[str]) -> bool:
    """Whether these people can approve every stage, each person in one of them only: by trying all ways."""
    if not stages:
        return True
    first, *rest = stages
    eligible = [who for who in people if not first.reviewers or PEOPLE[who] & set(first.reviewers)]
    return any(
        is_satisfied(tuple(rest), people - set(chosen))
        for chosen in itertools.combinations(eligible, first.approvals_needed)
    )


CROWDS = [frozenset(each) for n in range(len(PEOPLE) + 1) for each in itertools.combinations(PEOPLE, n)]


def looser_in(new: Ruling, old: Ruling) -> list[str]:
    """In what a ruling is less strict than another; empty when in nothing."""
    late = {reviewer for step in new.escalation for reviewer in step.reviewers}
    named = {reviewer for stage in old.stages for reviewer in stage.reviewers}
    allowed = named | {reviewer for step in old.escalation for reviewer in step.reviewers}
    worse = {
        "outcome": new.outcome.strictness < old.outcome.strictness,
        "risk": new.risk < old.risk,
        "approvals": new.approvals_needed < old.approvals_needed,
        "who approves": any(
            is_satisfied(new.stages, crowd) and not is_satisfied(old.stages, crowd) for crowd in CROWDS
        ),
        "who approves later": bool(named and late - allowed),
        "assurance": new.assurance_min < old.assurance_min,
        "approval timeout": new.approval_timeout_s > old.approval_timeout_s,
        "wished timeout": new.wished_timeout_max_s > old.wished_timeout_max_s,
        "grant": new.grant_ttl_s > old.grant_ttl_s,
        "late grant": new.late_grant_ttl_s > old.late_grant_ttl_s,
        "deadline": DEADLINES.index(new.on_timeout) < DEADLINES.index(old.on_timeout),
        "deny ends": old.deny_ends and not new.deny_ends,
        "witness": old.witness_required and not new.witness_required,
        "break glass": new.break_glass_s > old.break_glass_s,
        "scopes": any(
            not any(
                mine.kind == theirs.kind
                and mine.amount <= theirs.amount
                and (mine.pattern == theirs.pattern or not mine.pattern)
                for theirs in old.scopes
            )
            for mine in new.scopes
        ),
    }
    counts = {"outcome", "risk"} if old.outcome is Ruled.ALLOW else set(worse)  # an allow asks nobody: it has no terms
    return [name for name, is_worse in worse.items() if is_worse and name in counts]


def _assembled(managed: dict[str, Any] | None, user: dict[str, Any]) -> Policy | None:
    try:
        return assemble(
            managed=_raw(managed) if managed is not None else None, user=_raw(user), config=RawPolicy(), loaded=()
        )
    except PolicyError:
        return None


offers = st.builds(
    ScopeOffer,
    kind=st.sampled_from(["uses", "duration"]),
    amount=st.integers(1, 3),
    pattern=st.sampled_from(["", "git *", "ls *"]),
)
people = st.lists(st.sampled_from(REVIEWERS), max_size=3, unique=True).map(tuple)
rounds = st.lists(
    st.builds(
        Stage, name=st.sampled_from(["", "proposer", "confirmer"]), approvals_needed=st.integers(1, 2), reviewers=people
    ),
    min_size=1,
    max_size=2,
).map(tuple)
TERMS: dict[str, st.SearchStrategy[Any]] = {
    "deny_ends": st.booleans(),
    "assurance_min": st.integers(0, 3),
    "approval_timeout_s": st.integers(1, 3),
    "wished_timeout_max_s": st.integers(1, 3),
    "grant_ttl_s": st.integers(1, 3),
    "late_grant_ttl_s": st.integers(0, 3),
    "on_timeout": st.sampled_from(DEADLINES),
    "escalation": st.lists(st.builds(EscalationStep, after_s=st.just(1), reviewers=people), max_size=2).map(tuple),
    "scopes": st.lists(offers, max_size=3).map(lambda some: (ONCE, *some)),
    "witness_required": st.booleans(),
    "break_glass_s": st.integers(0, 3600),
}
bounds = st.builds(Bounds, stages=rounds | st.just(()), **TERMS)
outcomes = st.sampled_from([Ruled.ALLOW, Ruled.ASK, Ruled.DENY])


@st.composite
def rulings(draw: st.DrawFn) -> Ruling:
    risk = draw(st.sampled_from(list(Risk)))
    terms = {name: draw(strategy) for name, strategy in TERMS.items()}
    if risk >= Risk.HIGH and terms["on_timeout"] == "approve":
        terms["on_timeout"] = "reject"
    return Ruling(
        outcome=draw(outcomes),
        policy="p",
        policy_digest="d",
        rule="r",
        reason="",
        risk=risk,
        stages=draw(rounds),
        **terms,
    )


@given(ruling=rulings(), by=bounds, outcome=outcomes, risk=st.sampled_from(list(Risk)))
@settings(max_examples=500)
def test_limits_never_loosen_a_ruling(ruling: Ruling, by: Bounds, outcome: Ruled, risk: Risk) -> None:
    assert looser_in(tightened(ruling, by, outcome=outcome, risk=risk), ruling) == []


@given(one=rulings(), other=rulings())
@settings(max_examples=500)
def test_the_stricter_of_two_rulings_is_as_strict_as_both(one: Ruling, other: Ruling) -> None:
    joined = stricter(one, other)

    assert looser_in(joined, one) == []
    assert looser_in(joined, other) == []


@given(ruling=rulings())
def test_a_ruling_joined_with_itself_stays_as_it_is_but_for_what_no_layer_can_have(ruling: Ruling) -> None:
    assert stricter(ruling, ruling) == tightened(ruling, Bounds())


@given(
    user=_policy(project=False),
    managed=st.none() | _policy(project=False),
    project=_policy(project=True),
    question=questions(),
)
@settings(max_examples=80)
def test_no_project_layer_ever_makes_a_ruling_less_strict(
    user: dict[str, Any], managed: dict[str, Any] | None, project: dict[str, Any], question: Question
) -> None:
    policy, raw = _assembled(managed, user), _raw(project)
    if policy is None or raw is None:
        return
    require_tightening(raw, source="askfirst.toml")
    under = replace(policy, ceilings=(*policy.ceilings, project_ceiling(raw, policy.general.protected)))

    assert looser_in(under.rule_on(question), policy.rule_on(question)) == []


@given(user=_policy(project=False), managed=_policy(project=False), question=questions())
@settings(max_examples=50)
def test_whatever_a_user_writes_the_ceiling_of_a_managed_file_holds(
    user: dict[str, Any], managed: dict[str, Any], question: Question
) -> None:
    policy = _assembled(managed, user)
    if policy is None or policy.ceilings == ():
        return
    free = replace(policy, ceilings=())

    assert looser_in(policy.rule_on(question), free.rule_on(question)) == []


@given(user=_policy(project=False), question=questions(), claim=claims)
@settings(max_examples=60)
def test_nothing_that_the_requester_says_makes_a_ruling_less_strict(
    user: dict[str, Any], question: Question, claim: Claim
) -> None:
    policy = _assembled(None, user)
    if policy is None:
        return
    silent = policy.rule_on(replace(question, claim=Claim(), requires_approval=False))

    assert looser_in(policy.rule_on(replace(question, claim=claim)), silent) == []


@pytest.mark.parametrize("key", ["extends", "routes", "quiet_hours", "terminal_decisions", "break_glass_s"])
def test_the_keys_that_no_project_may_have_exist(key: str) -> None:
    assert key in RawPolicy.model_fields
    assert general_of([], [], {}).terminal_decisions is False
