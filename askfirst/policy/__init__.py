"""What needs a person, and on which terms: a pure function from what was found to what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.effects import Classification, Outcome
from askfirst.request import Terms

if TYPE_CHECKING:
    from askfirst.config import Config


def needs_person(found: Classification, config: Config) -> bool:
    """Whether a person is asked before this runs."""
    if found.outcome is Outcome.PASS:
        return config.strict
    return any(effect.risk >= config.ask_from for effect in found.effects)


def terms_for(found: Classification, config: Config, now_ms: int) -> Terms:
    """The terms of a request made now, frozen with it (I8)."""
    gravest = max(found.effects, key=lambda effect: effect.risk, default=None)
    return Terms(
        policy="built-in",
        policy_digest=config.digest,
        rule=gravest.rule if gravest else "strict",
        approvals_needed=1,
        assurance_min=0,
        approval_expires_at_ms=now_ms + config.approval_timeout_s * 1000,
        grant_ttl_ms=config.grant_ttl_s * 1000,
        late_grant_ttl_ms=config.late_grant_ttl_s * 1000,
        on_timeout="reject",
        recipients=("web:inbox",),
    )
