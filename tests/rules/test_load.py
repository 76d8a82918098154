"""A pack that breaks the schema is refused with words that help."""

from __future__ import annotations

import pytest

from askfirst.effects import EffectKind, Risk
from askfirst.errors import ConfigError
from askfirst.rules import load

_HEAD = '[pack]\nid = "demo"\ntitle = "Demo"\n[programs.tool]\n'
_RULE = '[[rules]]\nid = "demo.x"\nprogram = "tool"\nkind = "deploys"\nrisk = "high"\nloss = "x"\n'


def test_a_pack_becomes_values() -> None:
    found = load.pack(_HEAD + _RULE + 'subcommand = ["go <end>"]\n', "demo")

    (rule,) = found.rules
    assert (found.enabled, rule.kind, rule.risk) == (True, EffectKind.DEPLOYS, Risk.HIGH)
    assert rule.subcommand == ("go <end>",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[pack", "demo.toml:"),
        (_HEAD.replace('"demo"', '"other"'), "calls itself 'other', expected 'demo'"),
        (_HEAD + "[[rule]]\nid = 1\n", "unknown key 'rule'; did you mean 'rules'?"),
        (_HEAD + "alias = []\n", "[programs.tool]: unknown key 'alias'; did you mean 'aliases'?"),
        (_HEAD + "harmless = [1]\n", "harmless holds 1, expected texts"),
        (_HEAD + 'harmless = [""]\n', "harmless holds '', expected texts"),
        (_HEAD + 'harmless = "get"\n', "harmless is 'get', expected list"),
        (_HEAD + 'harmless = ["a ** b"]\n', "expected ** only as the first word and <end> only as the last"),
        (
            _HEAD + _RULE + 'subcommand = ["a <end>|b"]\n',
            "expected ** only as the first word and <end> only as the last",
        ),
        (_HEAD + _RULE + "subcommands = []\n", "unknown key 'subcommands'; did you mean 'subcommand'?"),
        (_HEAD + _RULE.replace("deploys", "deploy"), "unknown kind 'deploy'; did you mean 'deploys'?"),
        (_HEAD + _RULE.replace('"high"', '"grave"'), "unknown risk 'grave', expected low, medium, high or critical"),
        (_HEAD + _RULE.replace("demo.x", "x"), "the id does not begin with 'demo.'"),
        (_HEAD + _RULE.replace('loss = "x"', ""), "loss is nothing, expected str"),
        (_HEAD + _RULE.replace('loss = "x"', 'loss = "{operand}"'), "unknown value 'operand' in braces"),
        (_HEAD + _RULE.replace('loss = "x"', 'loss = "{operands!r}"'), "more than names in its braces"),
        (_HEAD + _RULE.replace('loss = "x"', 'loss = "{a.b}"'), "more than names in its braces"),
        (_HEAD + _RULE.replace('loss = "x"', 'loss = "{"'), "'{'"),
        (_HEAD + _RULE + "handler = true\n", "a rule with handler = true has no matching fields"),
        (_HEAD + _RULE.replace('program = "tool"\n', ""), "program is missing, and handler is not true"),
        (_HEAD + _RULE + "reversible = 1\n", "reversible is 1, expected bool"),
        ("rules = 1\n[pack]\nid = 'demo'\ntitle = ''\n", "rules is 1, expected list"),
        ("rules = [1]\n[pack]\nid = 'demo'\ntitle = ''\n", "found int, expected a table"),
    ],
)
def test_a_pack_that_breaks_the_schema_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        load.pack(text, "demo")

    assert message in str(refusal.value)


def test_an_id_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"rule 'demo\.x' occurs twice"):
        load.packs({"demo.toml": _HEAD + _RULE + _RULE})


def test_a_rule_for_a_program_that_nobody_declares_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'tol', which no pack declares; did you mean 'tool'\?"):
        load.packs({"demo.toml": _HEAD + _RULE.replace('"tool"', '"tol"')})
