"""A request that is about nothing but itself: to see whether people get it, and can answer it, on a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from askfirst.canonical import sha256_hex
from askfirst.clock import new_id
from askfirst.effects import Classification, Effect, EffectKind, Outcome, Risk
from askfirst.errors import InputError
from askfirst.host import OURS, Agent
from askfirst.intake import Draft
from askfirst.policy.ruling import Stage
from askfirst.request import Action
from askfirst.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Collection

TOOL: Final = "askfirst.channels.test"
_LIFE_MS = 600_000
_POLICY = "built-in: channel test"


def draft_of(recipient: str, schemes: Collection[str], now_ms: int) -> Draft:
    """A request to this recipient that does nothing whatever is decided; its approval opens nothing.

    Raises:
        InputError: it is no recipient, or there is no such channel.
    """
    scheme, _, address = recipient.partition(":")
    if scheme not in schemes or not address:
        known = ", ".join(sorted(schemes))
        raise InputError(
            f"{recipient!r} is no recipient, expected CHANNEL:ADDRESS of one of {known}", field="recipient"
        )
    agent = Agent(host=OURS, session="channel-test")
    effect = Effect(
        rule=TOOL,
        kind=EffectKind.OPAQUE,
        risk=Risk.LOW,
        reversible=True,
        target=recipient,
        loss="does nothing: this is a test of the channel",
    )
    return Draft(
        key=f"channel-test-{new_id()}",
        agent=agent,
        tool_use_id="",
        action=Action(
            tool=TOOL,
            arguments={"recipient": recipient, "test": new_id()},
            cwd="",
            host=agent.host,
            session=agent.session,
        ),
        classification=Classification(outcome=Outcome.GATE, effects=(effect,)),
        terms=Terms(
            policy=_POLICY,
            policy_digest=sha256_hex(_POLICY.encode()),
            rule=TOOL,
            reason="somebody wants to know whether this channel works",
            stages=(Stage(recipients=(recipient,)),),
            approval_expires_at_ms=now_ms + _LIFE_MS,
            grant_ttl_ms=1_000,
            late_grant_ttl_ms=0,
        ),
    )
