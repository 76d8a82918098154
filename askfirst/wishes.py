"""What a requester may wish about who is told and how long people have, and what the policy makes of it.

A program names its channel and its deadline where it asks (``@require_approval(contact_channel=…, timeout=…)``). It is
the requester, so a wish never loosens the terms:

- whom the policy tells is told; a wish adds recipients, and never reviewers: who may decide is the policy's;
- a deadline may be moved, but not forward where the deadline approves, nor back beyond what a ceiling allows;
- that a deadline approves cannot be wished where no rule says it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from askfirst.errors import InputError, NotAllowedError
from askfirst.policy.ruling import UNLIMITED_S
from askfirst.terms import Escalation

if TYPE_CHECKING:
    from askfirst.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a requester wishes.

    Attributes:
        recipients: who is told as well, as ``scheme:address``.
        timeout_s: seconds that people have; None: what the policy says.
        on_timeout: what the deadline does; None: what the policy says.
        escalate_to: who is told when the deadline escalates; it then gives the same time again.
    """

    recipients: tuple[str, ...] = ()
    timeout_s: int | None = None
    on_timeout: Literal["reject", "escalate", "approve"] | None = None
    escalate_to: tuple[str, ...] = ()


def wished(terms: Terms, wishes: Wishes, now_ms: int, *, timeout_max_s: int = UNLIMITED_S) -> Terms:
    """The terms as the requester wishes them, as far as the policy lets.

    Args:
        terms: the policy's.
        wishes: the requester's.
        now_ms: when it is asked.
        timeout_max_s: the longest that a wish may give people, escalation and all; what the policy gives stays.

    Raises:
        InputError: an escalation to nobody.
        NotAllowedError: the deadline is to approve, and no rule says so.
    """
    if wishes == Wishes():
        return terms
    if wishes.on_timeout == "approve" and terms.on_timeout != "approve":
        raise NotAllowedError(
            f"the rule {terms.rule} does not let a deadline approve; wish another on_timeout, or set "
            '`on_timeout = "approve"` in a rule for low or medium risk'
        )
    stages = tuple(
        replace(each, recipients=tuple(dict.fromkeys((*each.recipients, *wishes.recipients)))) for each in terms.stages
    )
    end_max_ms = max(now_ms + timeout_max_s * 1000, terms.approval_expires_at_ms)
    timed = _timed(replace(terms, stages=stages), wishes, now_ms, end_max_ms)
    if wishes.on_timeout == "reject":
        return replace(timed, on_timeout="reject")
    return _escalating(timed, wishes, now_ms, end_max_ms) if wishes.on_timeout == "escalate" else timed


def _timed(terms: Terms, wishes: Wishes, now_ms: int, end_max_ms: int) -> Terms:
    if wishes.timeout_s is None:
        return terms
    expires_at_ms = min(now_ms + wishes.timeout_s * 1000, end_max_ms)
    if terms.on_timeout == "approve":
        expires_at_ms = max(expires_at_ms, terms.approval_expires_at_ms)
    return replace(
        terms,
        approval_expires_at_ms=expires_at_ms,
        reminders_at_ms=tuple(each for each in terms.reminders_at_ms if each < expires_at_ms),
        escalation=tuple(each for each in terms.escalation if each.at_ms < expires_at_ms),
    )


def _escalating(terms: Terms, wishes: Wishes, now_ms: int, end_max_ms: int) -> Terms:
    """With a step when the time is over, and the same time again; half of each, where both would be too long."""
    if not wishes.escalate_to:
        raise InputError("on_timeout escalates to nobody; name escalate_to", field="escalate_to")
    at_ms = min(terms.approval_expires_at_ms, now_ms + (end_max_ms - now_ms) // 2)
    step = Escalation(at_ms=at_ms, reviewers=(), recipients=wishes.escalate_to)
    return replace(
        terms,
        on_timeout="escalate",
        escalation=tuple(sorted((*terms.escalation, step), key=lambda each: each.at_ms)),
        approval_expires_at_ms=at_ms + (at_ms - now_ms),
    )
