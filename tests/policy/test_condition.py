"""CEL conditions: compiled when the file is read, bounded, and never a reason to let something pass by mistake."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from askfirst.call import ToolCall
from askfirst.errors import PolicyError
from askfirst.policy.condition import NAMES, compile_condition
from askfirst.policy.matcher import Fit
from askfirst.policy.ruling import Outcome
from askfirst.policy.subject import subjects_of
from askfirst.request import Claim

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.effects import Effect
    from askfirst.policy.policy import Policy
    from askfirst.policy.question import Question


@pytest.mark.parametrize(
    ("expression", "fit"),
    [
        ('risk == "high" && rule.startsWith("git.")', Fit.YES),
        ('command.matches("^git (reset|clean)")', Fit.YES),
        ('paths.exists(p, p == "/proj")', Fit.YES),
        ("arguments.amount > 100", Fit.MAYBE),
        ('arguments.command == "x"', Fit.YES),
        ("at.getHours() < 6", Fit.NO),
        ("confidence == null", Fit.YES),
        ("confidence > 0.5", Fit.MAYBE),
        ("1 + 1", Fit.MAYBE),
    ],
)
def test_an_expression_sees_the_call(
    expression: str, fit: Fit, question: Callable[..., Question], effect: Callable[..., Effect]
) -> None:
    asked = question("x", effect())

    assert compile_condition(expression).fits(subjects_of(asked)[0], asked) is fit


def test_every_name_that_is_promised_is_there(question: Callable[..., Question]) -> None:
    asked = question("x")

    for name in NAMES:
        assert compile_condition(f"{name} == {name}").fits(subjects_of(asked)[0], asked) is Fit.YES


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("comand == 'x'", "'comand', which is not known; did you mean 'command'"),
        ("a ==", "no CEL expression"),
        ("(" * 900 + "1" + ")" * 900, "no CEL expression"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_the_file_is_read(expression: str, sentence: str) -> None:
    with pytest.raises(PolicyError, match=sentence):
        compile_condition(expression)


def test_a_condition_that_cannot_be_evaluated_lets_nothing_pass_and_stops_what_it_may_mean(
    policy_of: Callable[..., Policy], question: Callable[..., Question], effect: Callable[..., Effect]
) -> None:
    rule = '[[rule]]\nname = "r"\noutcome = "%s"\nmatch = { rule = "git.*", condition = "arguments.nothing > 1" }\n'

    assert policy_of(user=rule % "allow").rule_on(question("x", effect())).outcome is Outcome.ASK
    assert policy_of(user=rule % "deny").rule_on(question("x", effect())).outcome is Outcome.DENY


def test_an_expression_over_the_agents_confidence_frees_nothing(
    policy_of: Callable[..., Policy], question: Callable[..., Question], effect: Callable[..., Effect]
) -> None:
    user = '[[rule]]\nname = "r"\noutcome = "allow"\nmatch = { rule = "git.*", condition = "confidence > 0.9" }\n'
    asked = question("x", effect(), claim=Claim(confidence=0.99))

    assert policy_of(user=user).rule_on(asked).outcome is Outcome.ASK


def test_bytes_that_are_no_text_and_deep_arguments_do_no_harm(question: Callable[..., Question]) -> None:
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    asked = question(tool="t", place=question("x").place)
    hostile = asked.call.__class__(tool="t\udc80", arguments={"a": deep, "b": "\udcff", "c": list(range(10_000))})
    asked = replace(asked, call=hostile)

    for expression, fit in [
        ("arguments.a == 1", Fit.MAYBE),
        ('arguments.b == "x"', Fit.NO),
        ("size(arguments.c) == 64", Fit.MAYBE),
        ("size(arguments) == 3", Fit.MAYBE),
    ]:
        assert compile_condition(expression).fits(subjects_of(asked)[0], asked) is fit


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        ({"to": ["a@acme.com"] * 64}, True),
        ({"to": [*["a@acme.com"] * 64, "eve@evil.com"]}, False),
        ({"to": ["a@acme.com", "x" * 20_001 + "@acme.com"]}, False),
        ({"to": ["a@acme.com"], "body": "long " * 10_000, "parts": list(range(100))}, True),
        ({"to": ["a@acme.com"], **{f"k{number}": number for number in range(100)}}, True),
    ],
)
def test_what_stands_behind_the_part_that_fits_is_not_let_pass(
    arguments: dict[str, object], *, allowed: bool, policy_of: Callable[..., Policy], question: Callable[..., Question]
) -> None:
    """An agent chooses how long its lists are; what the expression does not use may be as long as it likes."""
    asked = question(call=ToolCall(tool="frobnicate", arguments=arguments))
    match = """match = { tool = "frobnicate", condition = "%sarguments.to.all(x, x.endsWith('@acme.com'))" }\n"""
    lets = '[risk.low]\noutcome = "deny"\n[[rule]]\nname = "r"\noutcome = "allow"\n' + match % ""
    stops = '[[rule]]\nname = "r"\noutcome = "deny"\n' + match % "!"

    for user in (lets, stops):
        assert policy_of(user=user).rule_on(asked).outcome is (Outcome.ALLOW if allowed else Outcome.DENY)


def test_lists_within_lists_are_gone_through_three_deep(question: Callable[..., Question]) -> None:
    def nested(depth: int) -> str:
        return "arguments.l.all(x, " * depth + "true" + ")" * depth

    compile_condition(nested(3))
    compile_condition(" && ".join([nested(3)] * 4) + ' && "(.all(x, .all(x, (" != ")"')
    with pytest.raises(PolicyError, match="more than 3 deep"):
        compile_condition(nested(4))
