"""Every rule of every pack, by its own examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from askfirst.effects import Risk
from askfirst.rules import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.effects import Effect
    from askfirst.rules.book import RuleBook
    from askfirst.rules.schema import Rule
    from askfirst.shell.command import Command

_RULES = [rule for pack in load.packs(load.sources()) for rule in pack.rules if not rule.handler]
_GATING = [rule for rule in _RULES if rule.risk >= Risk.HIGH]


def _found(book: RuleBook, commands: tuple[Command, ...]) -> list[Effect]:
    return [effect for command in commands for effect in book.match(command)]


def _gating(book: RuleBook, commands: tuple[Command, ...]) -> list[str]:
    return [effect.rule for effect in _found(book, commands) if effect.risk >= Risk.HIGH]


@pytest.mark.parametrize(("rule", "example"), [(rule.id, text) for rule in _RULES for text in rule.gate])
def test_an_example_is_found_by_its_own_rule(
    rule: str, example: str, book: RuleBook, commands: Callable[[str], tuple[Command, ...]]
) -> None:
    assert rule in [effect.rule for effect in _found(book, commands(example))]


@pytest.mark.parametrize(("rule", "example"), [(rule.id, text) for rule in _RULES for text in rule.allow])
def test_a_harmless_twin_is_not_gated(
    rule: str, example: str, book: RuleBook, commands: Callable[[str], tuple[Command, ...]]
) -> None:
    assert _gating(book, commands(example)) == []


@pytest.mark.parametrize("rule", [rule for rule in _GATING if rule.suggestion], ids=lambda rule: rule.id)
def test_a_suggestion_is_never_gated(
    rule: Rule, book: RuleBook, commands: Callable[[str], tuple[Command, ...]]
) -> None:
    found = [effect for text in rule.gate for effect in _found(book, commands(text)) if effect.rule == rule.id]

    suggested = [effect.suggestion for effect in found if effect.suggestion]

    assert [text for text in suggested if _gating(book, commands(text))] == []


@pytest.mark.parametrize("rule", _GATING, ids=lambda rule: rule.id)
def test_every_gating_rule_has_examples_of_both_kinds(rule: Rule) -> None:
    assert rule.gate
    assert rule.allow


def test_rule_ids_are_unique_over_all_packs() -> None:
    ids = [rule.id for pack in load.packs(load.sources()) for rule in pack.rules]

    assert len(ids) == len(set(ids))
