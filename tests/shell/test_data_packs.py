"""Every rule of the packs for data, system, secrets, persistence and code, by its examples and the whole analysis."""

from __future__ import annotations

import pytest

from askfirst.effects import Outcome, Risk
from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from askfirst.shell.analysis import Analysis, analyse

PACKS = {"database", "migrations", "system", "secrets", "persistence", "execution", "windows"}
BOOK = RuleBook.load()
RULES = [rule for rule in BOOK.rules.values() if rule.pack in PACKS]


def look(text: str) -> Analysis:
    return analyse(text, cwd="/home/ann/project", facts=NoFacts(), book=BOOK, home="/home/ann")


@pytest.mark.parametrize(("rule", "text"), [(rule.id, text) for rule in RULES for text in rule.gate])
def test_a_dangerous_example_is_gated_by_its_own_rule(rule: str, text: str) -> None:
    found = look(text)

    assert rule in [effect.rule for effect in found.effects if effect.risk >= Risk.HIGH]


@pytest.mark.parametrize(("rule", "text"), [(rule.id, text) for rule in RULES for text in rule.allow])
def test_a_harmless_twin_is_not_gated(rule: str, text: str) -> None:
    assert [effect.rule for effect in look(text).effects if effect.risk >= Risk.HIGH] == []


@pytest.mark.parametrize("text", sorted({text for rule in RULES for text in rule.gate}))
def test_no_suggestion_is_gated_itself(text: str) -> None:
    suggestions = {effect.suggestion for effect in look(text).effects if effect.suggestion}

    assert [each for each in suggestions if look(each).outcome is Outcome.GATE] == []


GATING = [rule for rule in RULES if rule.risk >= Risk.HIGH and rule.id != "execution.unread-code"]  # too long to print


@pytest.mark.parametrize("rule", GATING, ids=lambda rule: rule.id)
def test_every_gating_rule_has_examples_of_both_kinds(rule: object) -> None:
    assert getattr(rule, "gate", ())
    assert getattr(rule, "allow", ())
