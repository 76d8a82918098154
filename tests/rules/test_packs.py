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


def _found(found: tuple[Effect, ...], least: Risk) -> list[str]:
    return [effect.rule for effect in found if effect.risk >= least]


@pytest.mark.parametrize("rule", _RULES, ids=lambda rule: rule.id)
def test_its_examples_are_found_by_the_rule_itself_and_its_harmless_twins_are_not_gated(
    rule: Rule, effects: Effects
) -> None:
    least = min(rule.risk, Risk.HIGH)
    assert [text for text in rule.gate if rule.id not in _found(effects(text), least)] == []
    assert [text for text in rule.allow if _found(effects(text), Risk.HIGH)] == []


@pytest.mark.parametrize("rule", [rule for rule in _GATING if rule.suggestion], ids=lambda rule: rule.id)
def test_a_suggestion_is_never_gated(rule: Rule, effects: Effects) -> None:
    found = [effect for text in rule.gate for effect in effects(text) if effect.rule == rule.id]

    suggested = [effect.suggestion for effect in found if effect.suggestion]

    assert [text for text in suggested if _found(effects(text), Risk.HIGH)] == []


def test_every_gating_rule_has_examples_of_both_kinds() -> None:
    assert [rule.id for rule in _GATING if not (rule.gate and rule.allow)] == []


@pytest.mark.parametrize("rule", _GATING, ids=lambda rule: rule.id)
def test_an_unknown_option_at_the_end_disarms_no_rule(rule: Rule, effects: Effects) -> None:
    plain = [text for text in rule.gate if "<" not in text]

    assert [text for text in plain if not _found(effects(f"{text} --zz-unknown=1"), Risk.HIGH)] == []
