"""The ready policies do what their first lines say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from askfirst.effects import EffectKind, Risk
from askfirst.policy.json_schema import policy_schema, schema_text
from askfirst.policy.raw import EffectName, RawMatch
from askfirst.policy.read import read_policy
from askfirst.policy.ruling import Outcome
from askfirst.policy.source import READY, ready_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.effects import Effect
    from askfirst.policy.policy import Policy
    from askfirst.policy.question import Question

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("personal", "allow allow ask ask"),
        ("team", "allow allow ask ask"),
        ("strict", "allow ask ask ask"),
        ("ci", "allow allow deny deny"),
    ],
)
def test_a_ready_policy_goes_up_the_ladder(
    name: str,
    outcomes: str,
    policy_of: Callable[..., Policy],
    question: Callable[..., Question],
    effect: Callable[..., Effect],
) -> None:
    policy = policy_of(user=f'extends = "{name}"\n')
    found = [policy.rule_on(question("git reset --hard", effect(risk))).outcome for risk in Risk]

    assert found == [Outcome(each) for each in outcomes.split()]


def test_a_file_refines_what_it_extends(
    policy_of: Callable[..., Policy], question: Callable[..., Question], effect: Callable[..., Effect]
) -> None:
    user = """
extends = "team"
[[rule]]
name = "mine-first"
outcome = "ask"
match = { effect = "rewrites-history", branch = "main" }
"""
    found = effect(rule="git.push-force", kind=EffectKind.REWRITES_HISTORY, target="main on origin")

    assert policy_of(user='extends = "team"\n').rule_on(question("x", found)).rule == "protected-history"
    assert policy_of(user=user).rule_on(question("x", found)).rule == "mine-first"


def test_team_has_a_second_person_confirm_what_is_critical(
    policy_of: Callable[..., Policy], question: Callable[..., Question], effect: Callable[..., Effect]
) -> None:
    ruling = policy_of(user='extends = "team"\n').rule_on(question("x", effect(Risk.CRITICAL)))

    assert [stage.name for stage in ruling.stages] == ["proposer", "confirmer"]


def test_every_ready_policy_says_what_it_is_for() -> None:
    for name in READY:
        assert ready_policy(name)
        assert (ROOT / f"askfirst/policy/ready/{name}.toml").read_text(encoding="utf-8").startswith("# ")


def test_the_published_schema_is_that_of_the_program() -> None:
    assert (ROOT / "docs/policy.schema.json").read_text(encoding="utf-8") == schema_text()


def test_every_key_of_a_policy_is_described_for_editors() -> None:
    for name, definition in policy_schema()["$defs"].items():
        for key, value in definition["properties"].items():
            assert value.get("description"), f"{name}.{key}"


def test_a_policy_can_name_every_effect_that_the_analysis_knows() -> None:
    assert set(get_args(EffectName)) == {kind.value for kind in EffectKind}


def test_the_guide_names_every_key_and_its_examples_are_policies() -> None:
    guide = (ROOT / "docs/policy.md").read_text(encoding="utf-8")

    for key in RawMatch.model_fields:
        assert f"`{key}`" in guide, key
    examples = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    assert len(examples) >= 5
    for each in examples:
        if "[[case]]" not in each:
            read_policy(each.encode(), source="docs/policy.md")
