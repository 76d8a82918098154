"""The examples in the packs of git and files hold: dangerous ones are gated, their twins are not."""

import pathlib
import tomllib

import pytest

from askfirst.effects import Risk

PACKS = pathlib.Path(__file__).parents[2] / "askfirst/rules/packs"
RULES = [
    rule
    for name in ("git", "filesystem", "disk")
    for rule in tomllib.loads((PACKS / f"{name}.toml").read_text(encoding="utf-8"))["rules"]
    if rule.get("handler")
]
GATED = [(rule["id"], example) for rule in RULES for example in rule.get("gate", [])]
FREE = [example for rule in RULES for example in rule.get("allow", [])]
SUGGESTED = [rule["suggestion"] for rule in RULES if rule.get("suggestion")]


@pytest.mark.parametrize(("rule", "example"), GATED)
def test_a_dangerous_example_is_gated_by_its_rule(judge, rule, example):
    assert rule in {effect.rule for effect in judge(example) if effect.risk >= Risk.HIGH}


@pytest.mark.parametrize("example", FREE)
def test_a_harmless_twin_is_not_gated(judge, example):
    assert [effect for effect in judge(example) if effect.risk >= Risk.HIGH] == []


@pytest.mark.parametrize("suggestion", SUGGESTED)
def test_a_suggestion_is_not_gated_itself(judge, suggestion):
    assert [effect for effect in judge(suggestion) if effect.risk >= Risk.HIGH] == []


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule["risk"] in {"high", "critical"}], ids=lambda r: r["id"]
)
def test_a_rule_that_gates_shows_an_example_a_twin_and_a_suggestion(rule):
    assert rule["gate"]
    assert rule["allow"]
    assert rule["suggestion"]
