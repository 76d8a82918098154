"""The order of rulings from loose to strict, and the least ruling that is as strict as two others.

``Bounds`` are terms as limits. Their neutral values limit nothing, so a layer that may only tighten states what it
wants and leaves the rest at its neutral value. ``tightened`` and ``stricter`` never yield anything looser than what
went in: outcome, risk, approvals, reviewers, assurance, every time, what the deadline does, scopes (the property tests
hold them to it). Who is told does not count as strictness and stays that of the ruling that weighs more,
but for those whom a managed file tells (``Bounds.told``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from askfirst.effects import Risk
from askfirst.policy.ruling import ONCE, UNLIMITED_S, EscalationStep, OnTimeout, Outcome, Ruling, ScopeOffer, Stage

_DEADLINES: tuple[OnTimeout, ...] = ("approve", "escalate", "reject")
"""From the loosest to the strictest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Terms as limits; the defaults limit nothing. The names are those of ``Ruling``.

    Attributes:
        stages: each must be satisfied; empty: no demand.
        told: who is told as well when a request is made, as ``scheme:address``.
        escalation: where ``stages`` name reviewers, who else may decide later.
        scopes: no others may be offered; empty: no limit.
    """

    stages: tuple[Stage, ...] = ()
    told: tuple[str, ...] = ()
    deny_ends: bool = False
    assurance_min: int = 0
    approval_timeout_s: int = UNLIMITED_S
    wished_timeout_max_s: int = UNLIMITED_S
    grant_ttl_s: int = UNLIMITED_S
    late_grant_ttl_s: int = UNLIMITED_S
    on_timeout: OnTimeout = "approve"
    reminders_s: tuple[int, ...] = ()
    escalation: tuple[EscalationStep, ...] = ()
    scopes: tuple[ScopeOffer, ...] = ()
    witness_required: bool = False
    break_glass_s: int = UNLIMITED_S


def bounds_of(ruling: Ruling) -> Bounds:
    """The terms of a ruling as limits on another."""
    return Bounds(
        stages=ruling.stages,
        deny_ends=ruling.deny_ends,
        assurance_min=ruling.assurance_min,
        approval_timeout_s=ruling.approval_timeout_s,
        wished_timeout_max_s=ruling.wished_timeout_max_s,
        grant_ttl_s=ruling.grant_ttl_s,
        late_grant_ttl_s=ruling.late_grant_ttl_s,
        on_timeout=ruling.on_timeout,
        reminders_s=ruling.reminders_s,
        escalation=ruling.escalation,
        scopes=ruling.scopes,
        witness_required=ruling.witness_required,
        break_glass_s=ruling.break_glass_s,
    )


def stricter(one: Ruling, other: Ruling) -> Ruling:
    """A ruling that is at least as strict as both; what is no matter of strictness comes from the weightier one.

    The terms of an ``allow`` ask nobody anything, so they do not bear on one that asks or denies.
    """
    first, second = (other, one) if _weight(other) > _weight(one) else (one, other)
    if first.outcome is not Outcome.ALLOW and second.outcome is Outcome.ALLOW:
        return tightened(first, Bounds(), risk=second.risk)
    return tightened(first, bounds_of(second), outcome=second.outcome, risk=second.risk)


def tightened(ruling: Ruling, by: Bounds, *, outcome: Outcome = Outcome.ALLOW, risk: Risk = Risk.LOW) -> Ruling:
    """The ruling under further limits; its rule and reason stay, the caller says who tightened it."""
    risk = max(ruling.risk, risk)
    escalation = _limited(ruling.escalation, by)
    on_timeout = max(ruling.on_timeout, by.on_timeout, key=_DEADLINES.index)
    scopes = common_scopes(ruling.scopes, by.scopes) if by.scopes else ruling.scopes
    return replace(
        ruling,
        outcome=max(ruling.outcome, outcome, key=lambda each: each.strictness),
        risk=risk,
        stages=_told_as_well(joined_stages(ruling.stages, by.stages), by.told),
        deny_ends=ruling.deny_ends or by.deny_ends,
        assurance_min=max(ruling.assurance_min, by.assurance_min),
        approval_timeout_s=min(ruling.approval_timeout_s, by.approval_timeout_s),
        wished_timeout_max_s=min(ruling.wished_timeout_max_s, by.wished_timeout_max_s),
        grant_ttl_s=min(ruling.grant_ttl_s, by.grant_ttl_s),
        late_grant_ttl_s=min(ruling.late_grant_ttl_s, by.late_grant_ttl_s),
        on_timeout=settled_deadline(on_timeout, risk, escalation),
        escalation=escalation,
        scopes=settled_scopes(scopes, risk),
        witness_required=ruling.witness_required or by.witness_required,
        break_glass_s=min(ruling.break_glass_s, by.break_glass_s),
    )


def settled_deadline(wish: OnTimeout, risk: Risk, escalation: tuple[EscalationStep, ...]) -> OnTimeout:
    """What the deadline does: no layer can have an approval from high on, nor an escalation to nobody."""
    if (wish == "approve" and risk >= Risk.HIGH) or (wish == "escalate" and not escalation):
        return "reject"
    return wish


def settled_scopes(wish: tuple[ScopeOffer, ...], risk: Risk) -> tuple[ScopeOffer, ...]:
    """What a reviewer may choose: critical is approved once, whatever a layer says."""
    return (ONCE,) if risk is Risk.CRITICAL else wish


def joined_stages(have: tuple[Stage, ...], want: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Stages that satisfy both demands: merged where that is exact, else one after the other.

    One person counts once over all stages of a request, so an approval may serve both demands, but not twice the same.
    The demand with more stages keeps its shape: proposer and confirmer stay two rounds.
    """
    if not want or want == have:
        return have
    told = have[0].recipients
    many, few = (want, have) if len(want) > len(have) else (have, want)
    stages, is_used = list(many), [False] * len(many)
    for each in (stage for stage in few if stage.reviewers):
        at = _place_for(each, stages, is_used)
        if at < 0:
            stages.append(each)
            is_used.append(True)
        else:
            stages[at] = _merged(stages[at], each) or stages[at]
            is_used[at] = True
    _raise_to(sum(stage.approvals_needed for stage in few if not stage.reviewers), stages, is_used)
    return tuple(stage if stage.recipients else replace(stage, recipients=told) for stage in stages)


def _told_as_well(stages: tuple[Stage, ...], recipients: tuple[str, ...]) -> tuple[Stage, ...]:
    """The stages with these told at the first one."""
    first, *others = stages
    return (replace(first, recipients=tuple(dict.fromkeys((*recipients, *first.recipients)))), *others)


def are_met(want: tuple[Stage, ...], by: tuple[Stage, ...]) -> bool:
    """Whether stages that are asked satisfy this demand as they are; no where the reviewers' names do not tell."""
    joined = joined_stages(by, want)
    return [(each.approvals_needed, each.reviewers) for each in joined] == [
        (each.approvals_needed, each.reviewers) for each in by
    ]


def _place_for(want: Stage, stages: list[Stage], is_used: list[bool]) -> int:
    """The unused stage that can serve this demand as well, -1 when none can."""
    able = [at for at, have in enumerate(stages) if not is_used[at] and _merged(have, want) is not None]
    met = [at for at in able if _merged(stages[at], want) == stages[at]]
    same_name = [at for at in able if stages[at].name == want.name]
    return next(iter((*met, *same_name)), -1)


def _raise_to(approvals: int, stages: list[Stage], is_used: list[bool]) -> None:
    """Ask for so many approvals of anybody in the unused stages."""
    free = [at for at, used in enumerate(is_used) if not used]
    lacking = approvals - sum(stages[at].approvals_needed for at in free)
    if lacking <= 0:
        return
    anybody = next((at for at in free if not stages[at].reviewers), None)
    if anybody is None:
        stages.append(Stage(approvals_needed=lacking))
    else:
        stages[anybody] = replace(stages[anybody], approvals_needed=stages[anybody].approvals_needed + lacking)


def _merged(have: Stage, want: Stage) -> Stage | None:
    """A stage that is as strict as both, None when no single stage can be, as far as the reviewers' names tell."""
    reviewers = _narrowed(have.reviewers, want.reviewers)
    if reviewers is None:
        return None
    return replace(have, approvals_needed=max(have.approvals_needed, want.approvals_needed), reviewers=reviewers)


def _narrowed(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...] | None:
    """The smaller of two sets of reviewers; None when neither holds the other, as far as their names tell."""
    if not one or not other:
        return one or other
    if set(one) <= set(other):
        return one
    return other if set(other) <= set(one) else None


def common_scopes(have: tuple[ScopeOffer, ...], limit: tuple[ScopeOffer, ...]) -> tuple[ScopeOffer, ...]:
    """What both offer, each no further than either."""
    if have == limit:
        return have
    shared = (_common_scope(one, other) for one in have for other in limit if one.kind == other.kind)
    return tuple(dict.fromkeys((ONCE, *(each for each in shared if each is not None))))


def _common_scope(one: ScopeOffer, other: ScopeOffer) -> ScopeOffer | None:
    if one.pattern and other.pattern and one.pattern != other.pattern:
        return None
    pattern = one.pattern if one.pattern == other.pattern else ""  # this very action is in every pattern it came from
    return ScopeOffer(kind=one.kind, amount=min(one.amount, other.amount), pattern=pattern)


def _limited(steps: tuple[EscalationStep, ...], by: Bounds) -> tuple[EscalationStep, ...]:
    """The steps without those who may not decide where the limits name who may."""
    allowed = {reviewer for stage in by.stages for reviewer in stage.reviewers}
    if not allowed:
        return steps
    allowed |= {reviewer for step in by.escalation for reviewer in step.reviewers}
    return tuple(replace(step, reviewers=tuple(each for each in step.reviewers if each in allowed)) for step in steps)


def _weight(ruling: Ruling) -> tuple[int, int]:
    return ruling.outcome.strictness, ruling.risk
