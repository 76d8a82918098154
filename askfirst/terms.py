"""What the policy decided about a request when it was made, in absolute times; frozen with the request (I8)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from askfirst.effects import Risk
from askfirst.policy.bounds import common_scopes
from askfirst.policy.ruling import ONCE, Band, OnTimeout, ScopeOffer, Stage

if TYPE_CHECKING:
    from askfirst.policy.ruling import QuietHours, Ruling

INBOX = ("web:inbox",)
"""Who is told where a stage names nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Who is asked in addition from a moment on; see ``askfirst.policy.ruling.EscalationStep``."""

    at_ms: int
    reviewers: tuple[str, ...]
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms on which people are asked.

    Attributes:
        policy: name of the layer that decided.
        policy_digest: SHA-256 (hex) of all loaded layers.
        rule: the rule that decided.
        reason: its sentence.
        stages: who must approve, in order; never empty.
        deny_ends: one deny ends the request; else it ends once too few are left who could approve.
        assurance_min: the least assurance (0..3) that an approval or an answer needs to count.
        opens_at_ms: when the first messages go out; later than the request where quiet hours hold them back.
        approval_expires_at_ms: from then on nobody can approve any more.
        grant_ttl_ms: how long an approval may wait for its execution.
        late_grant_ttl_ms: the same for an approval that came after the deadline; 0 when none is given.
        on_timeout: what the deadline does.
        reminders_at_ms: rising.
        escalation: rising by time.
        scopes: what a reviewer may choose; ``once`` is always among them.
        band: the agent's confidence and what it did.
        witness_required: the tree head must be witnessed before the grant may be used.
        break_glass_s: seconds, the longest break-glass window that may release it; 0: no code releases it.
        shadowed_by: shadow rules that matched.
    """

    policy: str
    policy_digest: str
    rule: str
    approval_expires_at_ms: int
    grant_ttl_ms: int
    late_grant_ttl_ms: int
    reason: str = ""
    stages: tuple[Stage, ...] = (Stage(recipients=INBOX),)
    deny_ends: bool = True
    assurance_min: int = 0
    opens_at_ms: int = 0
    on_timeout: OnTimeout = "reject"
    reminders_at_ms: tuple[int, ...] = ()
    escalation: tuple[Escalation, ...] = ()
    scopes: tuple[ScopeOffer, ...] = (ONCE,)
    band: Band = field(default_factory=Band)
    witness_required: bool = False
    break_glass_s: int = 0
    shadowed_by: tuple[str, ...] = ()

    @property
    def approvals_needed(self) -> int:
        """Approvals over all stages."""
        return sum(stage.approvals_needed for stage in self.stages)


def terms_of(ruling: Ruling, now_ms: int) -> Terms:
    """The terms of a request that is made now.

    Quiet hours hold back messages, never a deadline; so silence is no consent where they hold the first message back
    for more than half of the time. Where the deadline escalates, it is moved behind the last step once, here, so that
    the request still ends at a known time.
    """
    chain = _chain(ruling)
    last_s = chain[-1][0] + ruling.approval_timeout_s if ruling.on_timeout == "escalate" and chain else 0
    expires_at_ms = now_ms + max(ruling.approval_timeout_s, last_s) * 1000
    opens_at_ms = _after_quiet(now_ms, ruling)
    is_hardly_heard = 2 * opens_at_ms > now_ms + expires_at_ms
    reminders = {_after_quiet(now_ms + each * 1000, ruling) for each in ruling.reminders_s}
    reminders -= {opens_at_ms}  # what they are told then they hear for the first time
    return Terms(
        policy=ruling.policy,
        policy_digest=ruling.policy_digest,
        rule=ruling.rule,
        reason=ruling.reason,
        stages=tuple(replace(each, recipients=each.recipients or INBOX) for each in ruling.stages),
        deny_ends=ruling.deny_ends,
        assurance_min=ruling.assurance_min,
        opens_at_ms=opens_at_ms,
        approval_expires_at_ms=expires_at_ms,
        grant_ttl_ms=ruling.grant_ttl_s * 1000,
        late_grant_ttl_ms=ruling.late_grant_ttl_s * 1000,
        on_timeout="reject" if is_hardly_heard and ruling.on_timeout == "approve" else ruling.on_timeout,
        reminders_at_ms=tuple(sorted(each for each in reminders if each < expires_at_ms)),
        escalation=tuple(
            Escalation(at_ms=now_ms + after_s * 1000, reviewers=reviewers, recipients=recipients)
            for after_s, reviewers, recipients in chain
        ),
        scopes=(ONCE,) if ruling.risk is Risk.CRITICAL else ruling.scopes,
        band=ruling.band,
        witness_required=ruling.witness_required,
        break_glass_s=ruling.break_glass_s,
        shadowed_by=ruling.shadowed_by,
    )


def narrowed(terms: Terms, by: Terms) -> Terms:
    """The terms of a request whose action a reviewer has changed: no looser than the rule for what it is now.

    Who decides, and until when, stays as it was: an edit that others would have to approve is refused before.
    """
    return replace(
        terms,
        deny_ends=terms.deny_ends or by.deny_ends,
        on_timeout="reject" if terms.on_timeout == "approve" and by.on_timeout != "approve" else terms.on_timeout,
        grant_ttl_ms=min(terms.grant_ttl_ms, by.grant_ttl_ms),
        late_grant_ttl_ms=min(terms.late_grant_ttl_ms, by.late_grant_ttl_ms),
        scopes=common_scopes(terms.scopes, by.scopes),
        break_glass_s=min(terms.break_glass_s, by.break_glass_s),
    )


def _chain(ruling: Ruling) -> list[tuple[int, tuple[str, ...], tuple[str, ...]]]:
    """The steps that can still come to pass; a deadline that escalates takes the first one at the latest then."""
    steps = [(each.after_s, each.reviewers, each.recipients) for each in ruling.escalation]
    if ruling.on_timeout != "escalate":
        return [each for each in steps if each[0] < ruling.approval_timeout_s]
    first = [(min(after_s, ruling.approval_timeout_s), who, where) for after_s, who, where in steps[:1]]
    return first + steps[1:]


def _after_quiet(at_ms: int, ruling: Ruling) -> int:
    quiet = ruling.quiet_hours
    if quiet is None or ruling.risk is Risk.CRITICAL or ruling.risk not in quiet.risks:
        return at_ms
    return quiet_until_ms(quiet, at_ms)


def quiet_until_ms(quiet: QuietHours, at_ms: int) -> int:
    """The end of the quiet hours that this moment lies in, or the moment itself outside of them."""
    zone = ZoneInfo(quiet.timezone)
    local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
    for day in (local.date() - timedelta(days=1), local.date()):
        start = datetime.combine(day, time.fromisoformat(quiet.start), zone)
        is_over_midnight = quiet.end <= quiet.start
        end = datetime.combine(day + timedelta(days=is_over_midnight), time.fromisoformat(quiet.end), zone)
        if start.timestamp() * 1000 <= at_ms < end.timestamp() * 1000:
            return round(end.timestamp() * 1000)
    return at_ms
