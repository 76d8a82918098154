"""Every rule of every pack, by its own examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from askfirst.effects import Risk
from askfirst.rules import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command

_RULES = [rule for pack in load.packs() for rule in pack.rules if not rule.handler]
_GATING = [rule for rule in _RULES if rule.risk >= Risk.HIGH]


def _gating(book: RuleBook, command: Command) -> list[str]:
    return [effect.rule for effect in book.match(command) if effect.risk >= Risk.HIGH]


@pytest.mark.parametrize(("rule", "example"), [(rule.id, text) for rule in _RULES for text in rule.gate])
def test_an_example_is_found_by_its_own_rule(
    rule: str, example: str, book: RuleBook, command: Callable[[str], Command]
) -> None:
    assert rule in [effect.rule for effect in book.match(command(example))]


@pytest.mark.parametrize(("rule", "example"), [(rule.id, text) for rule in _RULES for text in rule.allow])
def test_a_harmless_twin_is_not_gated(
    rule: str, example: str, book: RuleBook, command: Callable[[str], Command]
) -> None:
    assert _gating(book, command(example)) == []


@pytest.mark.parametrize("rule", [rule for rule in _GATING if rule.suggestion], ids=lambda rule: rule.id)
def test_a_suggestion_is_never_gated(rule: object, book: RuleBook, command: Callable[[str], Command]) -> None:
    examples = getattr(rule, "gate", ())
    found = [
        effect for text in examples for effect in book.match(command(text)) if effect.rule == getattr(rule, "id", "")
    ]
    assert [
        effect.suggestion for effect in found if effect.suggestion and _gating(book, command(effect.suggestion))
    ] == []


@pytest.mark.parametrize("rule", _GATING, ids=lambda rule: rule.id)
def test_every_gating_rule_has_examples_of_both_kinds(rule: object) -> None:
    assert getattr(rule, "gate", ())
    assert getattr(rule, "allow", ())


def test_rule_ids_are_unique_over_all_packs() -> None:
    ids = [rule.id for pack in load.packs() for rule in pack.rules]

    assert len(ids) == len(set(ids))
