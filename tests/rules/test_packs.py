"""Every rule of every pack, by its own examples, through the whole analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pytest

from askfirst.effects import Risk
from askfirst.rules import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.effects import Effect
    from askfirst.rules.schema import Rule

    Effects: TypeAlias = Callable[[str], tuple[Effect, ...]]

_RULES = [rule for pack in load.packs(load.sources()) for rule in pack.rules if not rule.handler]
_GATING = [rule for rule in _RULES if rule.risk >= Risk.HIGH]


def _gating(found: tuple[Effect, ...]) -> list[str]:
    return [effect.rule for effect in found if effect.risk >= Risk.HIGH]


@pytest.mark.parametrize(("rule", "example"), [(rule.id, text) for rule in _RULES for text in rule.gate])
def test_an_example_is_found_by_its_own_rule(rule: str, example: str, effects: Effects) -> None:
    assert rule in [effect.rule for effect in effects(example)]


@pytest.mark.parametrize("example", [text for rule in _RULES for text in rule.allow])
def test_a_harmless_twin_is_not_gated(example: str, effects: Effects) -> None:
    assert _gating(effects(example)) == []


@pytest.mark.parametrize("rule", [rule for rule in _GATING if rule.suggestion], ids=lambda rule: rule.id)
def test_a_suggestion_is_never_gated(rule: Rule, effects: Effects) -> None:
    found = [effect for text in rule.gate for effect in effects(text) if effect.rule == rule.id]

    suggested = [effect.suggestion for effect in found if effect.suggestion]

    assert [text for text in suggested if _gating(effects(text))] == []


@pytest.mark.parametrize("rule", _GATING, ids=lambda rule: rule.id)
def test_every_gating_rule_has_examples_of_both_kinds(rule: Rule) -> None:
    assert rule.gate
    assert rule.allow


@pytest.mark.parametrize("rule", _GATING, ids=lambda rule: rule.id)
def test_an_unknown_option_at_the_end_disarms_no_rule(rule: Rule, effects: Effects) -> None:
    plain = [text for text in rule.gate if "<" not in text]

    assert [text for text in plain if not _gating(effects(f"{text} --zz-unknown=1"))] == []
