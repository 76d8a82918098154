"""A policy of a few lines for tests of what comes after it: one person is asked from a level of risk on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.effects import Classification, Risk
from askfirst.effects import Outcome as Found
from askfirst.policy.ruling import Outcome, Ruling, Stage

if TYPE_CHECKING:
    from askfirst.config import Config
    from askfirst.policy.question import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredPolicy:
    """Asks one person from a level of risk on."""

    config: Config

    def at_once(self, question: Question) -> Ruling:
        """It looks nowhere."""
        return self.rule_on(question)

    def rule_on(self, question: Question) -> Ruling:
        """What happens to this call."""
        found, config = question.classification, self.config
        gravest = max(found.effects, key=lambda effect: effect.risk, default=None)
        asks = needs_person(found, config) or question.requires_approval
        return Ruling(
            outcome=Outcome.ASK if asks else Outcome.ALLOW,
            policy="built-in",
            policy_digest=config.digest,
            rule=gravest.rule if gravest else "strict",
            reason=gravest.loss if gravest else "it cannot be understood",
            risk=max(found.risk, Risk.LOW),
            stages=(Stage(recipients=("web:inbox",)),),
            approval_timeout_s=config.approval_timeout_s,
            grant_ttl_s=config.grant_ttl_s,
            late_grant_ttl_s=config.late_grant_ttl_s,
        )


def needs_person(found: Classification, config: Config) -> bool:
    """Whether a person is asked before this runs."""
    if found.outcome is Found.PASS:
        return config.strict
    return any(effect.risk >= config.ask_from for effect in found.effects)
