"""Rules of the packs for data, system, secrets, persistence and code that are programs, by their examples.

Those that are tables are in ``tests/rules/test_packs.py``.
"""

from __future__ import annotations

import pytest

from askfirst.effects import Outcome, Risk
from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from askfirst.rules.schema import Rule
from askfirst.shell.analysis import Analysis, analyse

PACKS = {"database", "deploy", "remote-copy", "migrations", "system", "secrets", "persistence", "execution", "windows"}
BOOK = RuleBook.load()
RULES = [rule for rule in BOOK.rules.values() if rule.pack in PACKS and rule.handler]


def look(text: str) -> Analysis:
    return analyse(text, cwd="/home/ann/project", facts=NoFacts(), book=BOOK, home="/home/ann")


def gating(text: str) -> list[str]:
    return [effect.rule for effect in look(text).effects if effect.risk >= Risk.HIGH]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_its_examples_are_gated_by_the_rule_itself_and_its_harmless_twins_are_not(rule: Rule) -> None:
    assert [text for text in rule.gate if rule.id not in gating(text)] == []
    assert [text for text in rule.allow if gating(text)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_suggestion_is_gated_itself(rule: Rule) -> None:
    suggestions = {effect.suggestion for text in rule.gate for effect in look(text).effects if effect.suggestion}

    assert [each for each in suggestions if look(each).outcome is Outcome.GATE] == []


def test_every_gating_rule_has_examples_of_both_kinds() -> None:
    gates = [
        rule for rule in RULES if rule.risk >= Risk.HIGH and rule.id != "execution.unread-code"
    ]  # too long to print
    assert [rule.id for rule in gates if not (rule.gate and rule.allow)] == []
