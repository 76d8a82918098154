"""The agent's own confidence can only make a ruling stricter, and the numbers are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from askfirst.policy.ruling import Band, Outcome
from askfirst.request import Claim

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.effects import Effect
    from askfirst.policy.policy import Policy
    from askfirst.policy.question import Question


@pytest.mark.parametrize(
    ("confidence", "band", "outcome"),
    [
        (None, "none", "allow"),
        (1.0, "high", "allow"),
        (0.951, "high", "allow"),
        (0.95, "middle", "ask"),
        (0.8, "middle", "ask"),
        (0.70, "middle", "ask"),
        (0.699, "low", "ask"),
        (0.0, "low", "ask"),
        (1.01, "low", "ask"),
        (float("nan"), "low", "ask"),
        (float("inf"), "low", "ask"),
        (-1.0, "low", "ask"),
    ],
)
def test_the_bands_ask_about_what_would_pass_and_never_reject(
    confidence: float | None,
    band: str,
    outcome: str,
    policy_of: Callable[..., Policy],
    question: Callable[..., Question],
) -> None:
    ruling = policy_of().rule_on(question("ls", claim=Claim(confidence=confidence)))

    assert (ruling.band.name, ruling.outcome) == (band, Outcome(outcome))


def test_the_numbers_and_the_band_are_in_the_ruling(
    policy_of: Callable[..., Policy], question: Callable[..., Question]
) -> None:
    ruling = policy_of().rule_on(question("ls", claim=Claim(confidence=0.72)))

    effect = "the agent's own confidence 0.72 is middle (0.7 to 0.95): a person is asked"
    assert ruling.band == Band(confidence=0.72, name="middle", effect=effect)
    assert (ruling.rule, ruling.reason) == ("confidence.middle", effect)


def test_high_confidence_frees_nothing(
    policy_of: Callable[..., Policy], question: Callable[..., Question], effect: Callable[..., Effect]
) -> None:
    ruling = policy_of().rule_on(question("x", effect(), claim=Claim(confidence=1.0)))

    assert (ruling.outcome, ruling.band.name) == (Outcome.ASK, "high")
    assert ruling.band.effect.endswith("no change")


@pytest.mark.parametrize(
    "user",
    [
        '[confidence]\nlow = "deny"\n',
        '[[rule]]\nname = "r"\nlow_confidence = "deny"\nmatch = { command = "ls *" }\n',
    ],
)
def test_low_confidence_rejects_only_where_the_policy_says_so(
    user: str, policy_of: Callable[..., Policy], question: Callable[..., Question]
) -> None:
    policy = policy_of(user=user)

    assert policy.rule_on(question("ls", claim=Claim(confidence=0.5))).outcome is Outcome.DENY
    assert policy.rule_on(question("ls", claim=Claim(confidence=0.8))).outcome is Outcome.ASK


def test_thresholds_are_configurable_and_a_project_can_only_raise_them(
    policy_of: Callable[..., Policy], question: Callable[..., Question]
) -> None:
    asked = question("ls", claim=Claim(confidence=0.6))
    relaxed = "[confidence]\nhigh_above = 0.5\nlow_below = 0.3\n"

    assert policy_of(user=relaxed).rule_on(asked).outcome is Outcome.ALLOW
    assert policy_of(user=relaxed, project="[confidence]\nhigh_above = 0.9\n").rule_on(asked).outcome is Outcome.ASK
    assert policy_of(project=relaxed).rule_on(asked).band.name == "low"


@pytest.mark.parametrize(
    ("confidence", "band"), [(0.96, "low"), (0.979, "low"), (0.98, "middle"), (0.981, "high"), (1.0, "high")]
)
@pytest.mark.parametrize("layer", ["user", "project"])
def test_what_is_called_low_is_never_cut_to_where_high_begins(
    confidence: float, band: str, layer: str, policy_of: Callable[..., Policy], question: Callable[..., Question]
) -> None:
    policy = policy_of(**{layer: '[confidence]\nlow_below = 0.98\nlow = "deny"\n'})
    ruling = policy.rule_on(question("ls", claim=Claim(confidence=confidence)))

    outcomes = {"low": Outcome.DENY, "middle": Outcome.ASK, "high": Outcome.ALLOW}
    assert (ruling.band.name, ruling.outcome) == (band, outcomes[band])


def test_a_rule_on_confidence_cannot_hide_a_stricter_one(
    policy_of: Callable[..., Policy], question: Callable[..., Question], effect: Callable[..., Effect]
) -> None:
    user = """
[[rule]]
name = "humble"
outcome = "allow"
match = { rule = "git.*", confidence_below = 0.9 }
[[rule]]
name = "never"
outcome = "deny"
match = { rule = "git.*" }
"""
    ruling = policy_of(user=user).rule_on(question("x", effect(), claim=Claim(confidence=0.1)))

    assert (ruling.outcome, ruling.rule) == (Outcome.DENY, "never")


def test_a_requester_may_ask_for_a_person_but_not_do_without(
    policy_of: Callable[..., Policy], question: Callable[..., Question], effect: Callable[..., Effect]
) -> None:
    assert policy_of().rule_on(question("ls", requires_approval=True)).outcome is Outcome.ASK
    assert policy_of().rule_on(question("x", effect(), requires_approval=False)).outcome is Outcome.ASK
