"""What a policy says about one call: values only, relative times, nothing looked up.

A ruling is complete: whatever the outcome, it carries the terms on which a person would be asked, so that a stricter
layer that turns an ``allow`` into an ``ask`` needs to invent nothing. The engine turns it into ``Terms`` with absolute
times and freezes them with the request (I8).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Literal

from askfirst.effects import Risk  # pydantic reads the annotations where rulings are stored

OnTimeout = Literal["reject", "escalate", "approve"]
ScopeKind = Literal["once", "uses", "duration", "session", "rule"]
BandName = Literal["high", "middle", "low", "none"]


class Outcome(enum.StrEnum):
    """What a rule says shall happen, from the loosest to the strictest; ``SHADOW`` beside them."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"
    SHADOW = "shadow"
    """Of a rule only, never of a ruling: decided as if the rule were not there, what it would do is logged."""

    @property
    def strictness(self) -> int:
        """Greater is stricter; a shadow rule decides nothing, so it is as loose as can be."""
        return {Outcome.SHADOW: 0, Outcome.ALLOW: 0, Outcome.ASK: 1, Outcome.DENY: 2}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One round of approvals; stages are asked one after the other.

    Attributes:
        name: ``""`` where there is one only, else e.g. ``proposer`` and ``confirmer``.
        approvals_needed: distinct people, >= 1.
        reviewers: who may decide: person ids, ``role:x`` or ``team:y``; empty: every known person.
        recipients: who is told, as ``scheme:address``.
    """

    name: str = ""
    approvals_needed: int = 1
    reviewers: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.approvals_needed < 1:
            raise ValueError("a stage needs at least one approval")


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStep:
    """Who is asked in addition once nobody has answered for so long.

    Attributes:
        after_s: seconds since the request was made.
        reviewers: who may then decide as well; empty: nobody new.
        recipients: who is told, as ``scheme:address``.
    """

    after_s: int
    reviewers: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeOffer:
    """A reach that the reviewer may give to an approval.

    Attributes:
        kind: once; for n uses; for a duration; for this session; as a proposed rule.
        amount: number of uses, or seconds; 0 for the other kinds.
        pattern: a command pattern (``askfirst.policy.patterns``) that later calls must match; ``""``: this very digest.
    """

    kind: ScopeKind
    amount: int = 0
    pattern: str = ""


ONCE = ScopeOffer(kind="once")
UNLIMITED_S = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """When first messages and reminders are held back; deadlines are never moved.

    Attributes:
        start: ``HH:MM``, local to ``timezone``.
        end: ``HH:MM``; before ``start`` it is of the next day.
        timezone: IANA name.
        risks: whose messages are held back; never critical.
    """

    start: str
    end: str
    timezone: str
    risks: tuple[Risk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Where the agent's own confidence lies, and what that did. It can only make a ruling stricter.

    Attributes:
        confidence: what the agent said, 0 to 1; None when it said nothing.
        name: the band; ``none`` when nothing was said.
        effect: what it did to the outcome, as a sentence that shows the numbers.
    """

    confidence: float | None = None
    name: BandName = "none"
    effect: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What happens to one call, and on which terms.

    Attributes:
        outcome: allow, ask or deny.
        policy: name of the layer whose rule decided, e.g. ``user`` or ``managed``.
        policy_digest: SHA-256 (hex) over all layers that were loaded for this call.
        rule: name of the rule that decided, e.g. ``no-force-push`` or ``risk.high``.
        reason: a sentence for people and agents.
        risk: the effects' gravest, raised where a rule says so.
        stages: never empty; who must approve, in order.
        deny_ends: one deny ends the request, whoever else approves.
        assurance_min: the least assurance (0..3) that a review needs to count.
        approval_timeout_s: seconds that people have.
        wished_timeout_max_s: seconds, the longest that a requester may have them have: what the ceilings say.
        grant_ttl_s: seconds that an approval may wait for its execution.
        late_grant_ttl_s: the same for an approval that comes after the deadline; 0: none.
        on_timeout: what the deadline does.
        reminders_s: seconds since the request was made, rising.
        escalation: rising by ``after_s``.
        quiet_hours: None when there are none.
        scopes: what a reviewer may choose, never empty; ``once`` is always among them.
        band: the agent's confidence and what it did.
        witness_required: the tree head must be witnessed before the grant may be used.
        break_glass_s: seconds, the longest break-glass window that may release it; 0: no code releases it.
        shadowed_by: shadow rules that matched, each as ``NAME would OUTCOME``.
    """

    outcome: Outcome
    policy: str
    policy_digest: str
    rule: str
    reason: str
    risk: Risk
    stages: tuple[Stage, ...] = (Stage(),)
    deny_ends: bool = True
    assurance_min: int = 0
    approval_timeout_s: int = 600
    wished_timeout_max_s: int = UNLIMITED_S
    grant_ttl_s: int = 120
    late_grant_ttl_s: int = 600
    on_timeout: OnTimeout = "reject"
    reminders_s: tuple[int, ...] = ()
    escalation: tuple[EscalationStep, ...] = ()
    quiet_hours: QuietHours | None = None
    scopes: tuple[ScopeOffer, ...] = (ONCE,)
    band: Band = field(default_factory=Band)
    witness_required: bool = False
    break_glass_s: int = 0
    shadowed_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.stages or not self.scopes or self.outcome is Outcome.SHADOW:
            raise ValueError("a ruling has a stage, a scope and an outcome of its own")
        if self.on_timeout == "approve" and self.risk >= Risk.HIGH:
            raise ValueError("nothing of high or critical risk is approved by a deadline")

    @property
    def approvals_needed(self) -> int:
        """Approvals over all stages."""
        return sum(stage.approvals_needed for stage in self.stages)
