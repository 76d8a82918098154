"""What an approval turns into: issued, redeemed as often as its scope says, lapsed or taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.audit_port import EntryType
from askfirst.engine.case import LogLine, Step, glass_link, system_line
from askfirst.engine.events import Event, Executed, Redeem, Revoke
from askfirst.engine.scopes import covers, is_used_up, ttl_ms, uses_max
from askfirst.policy.ruling import ONCE
from askfirst.replacing import replace
from askfirst.request import Grant, GrantState, RequestState, Use

if TYPE_CHECKING:
    from askfirst.audit_port import Value
    from askfirst.engine.case import Case
    from askfirst.policy.ruling import ScopeOffer
    from askfirst.request import Receipt


CHANGED = "what it would hit has changed since it was approved"
FROM_REVOKED = "the approval that it was passed on from has been taken back; ask anew"


def issue(
    case: Case,
    now_ms: int,
    *,
    scope: ScopeOffer = ONCE,
    late: bool = False,
    until_ms: int | None = None,
    under: str = "",
) -> Step:
    """Turn the approval into its grant; one request has one at most, named like the request.

    Args:
        case: approved.
        now_ms: when.
        scope: what its reviewers chose.
        late: they came after the deadline.
        until_ms: when it lapses at the latest.
        under: id of the grant that it is passed on from.
    """
    terms = case.request.terms
    life_ms = terms.late_grant_ttl_ms if late else ttl_ms(scope, terms)
    grant = Grant(
        id=case.request.id,
        request_id=case.request.id,
        action_digest=case.request.action_digest,
        state=GrantState.ISSUED,
        issued_at_ms=now_ms,
        expires_at_ms=now_ms + life_ms if until_ms is None else min(now_ms + life_ms, until_ms),
        late=late,
        scope=scope.kind,
        pattern=scope.pattern,
        under=under,
        uses_max=uses_max(scope),
        state_digest=case.request.evidence.state_digest if uses_max(scope) == 1 and not scope.pattern else "",
    )
    decision: dict[str, Value] = {
        "grant": grant.id,
        **glass_link(case.request),
        "expires_at_ms": grant.expires_at_ms,
        "late": late,
        "scope": grant.scope,
        "uses_max": grant.uses_max,
        **({"pattern": grant.pattern} if grant.pattern else {}),
        **({"state": grant.state_digest} if grant.state_digest else {}),
    }
    return Step(case=replace(case, grant=grant), log=(system_line(EntryType.GRANT_ISSUED, decision),))


def lapse(case: Case, now_ms: int) -> tuple[Case, tuple[LogLine, ...]]:
    """Let a grant end whose time is over."""
    grant = case.open_grant
    if grant is None or now_ms < grant.expires_at_ms:
        return case, ()
    lapsed = replace(grant, state=GrantState.LAPSED, ended_at_ms=now_ms)
    line = system_line(EntryType.GRANT_LAPSED, {"grant": grant.id, "uses": len(grant.uses)}, actor="deadline")
    return replace(case, grant=lapsed), (line,)


def can_be_taken_back(case: Case, now_ms: int) -> bool:
    """Whether its grant may still open something: itself, or where it was passed on to, which lapses no later."""
    grant = case.grant
    if grant is None or grant.state is GrantState.ISSUED:
        return grant is not None
    return bool(grant.passed_on) and grant.state is not GrantState.REVOKED and now_ms < grant.expires_at_ms


def is_revoked(case: Case) -> bool:
    """Whether its grant was revoked."""
    return case.grant is not None and case.grant.state is GrantState.REVOKED


def take_back(case: Case, now_ms: int, *, detail: str = "") -> tuple[Case, str]:
    """The case with its grant revoked, and the grant's id; there must be one."""
    assert case.grant is not None  # the callers have looked
    revoked = replace(case.grant, state=GrantState.REVOKED, ended_at_ms=now_ms, detail=detail or case.grant.detail)
    return replace(case, grant=revoked), revoked.id


def _not_open(case: Case) -> str:
    """Why there is nothing to redeem, in words that never make a deadline a denial (I4)."""
    request = case.request
    if case.grant is None and request.state is RequestState.EXPIRED:
        return "the request is expired: nobody decided in time, which is no denial; stop here, or ask again"
    if case.grant is not None and request.is_edited:
        return (
            f"no grant for this action: {request.changed_by} changed it; run what the request shows now, "
            "under its action_digest"
        )
    return "no grant for this action"


def redeem(case: Case, event: Event, now_ms: int) -> Step:
    """One use, one run: another attempt is refused, the same attempt hears the same answer again."""
    assert isinstance(event, Redeem)  # the table pairs it so
    grant = case.grant
    if grant is None or not covers(grant, case.request, event.action_digest, event.action, event.terms):
        return Step(case=case, done=False, note=_not_open(case))
    if not event.is_genuine:
        return forged(case, now_ms)
    if any(_is_same(each, event) for each in grant.uses) and grant.state is not GrantState.REVOKED:
        return Step(case=case, note="redeemed before by this same attempt")
    if grant.state is not GrantState.ISSUED:
        why = f": {grant.detail}" if grant.state is GrantState.REVOKED and grant.detail else ""
        return Step(case=case, done=False, note=f"the grant is {grant.state.value}{why}")
    if event.overruled:
        return Step(case=case, done=False, note=event.overruled)
    if is_outdated(case, event.state_digest):
        return Step(case=case, done=False, note=CHANGED)
    return _release(case, grant, event, now_ms)


def _release(case: Case, grant: Grant, event: Redeem, now_ms: int) -> Step:
    use = Use(
        attempt=event.attempt,
        tool_use_id=event.tool_use_id,
        action_digest=event.action_digest,
        at_ms=now_ms,
        action=event.action.action if event.action and event.action_digest != grant.action_digest else None,
        rescue=event.rescue,
    )
    after = replace(grant, uses=(*grant.uses, use))
    if is_used_up(after):
        after = replace(after, state=GrantState.REDEEMED)
    decision: dict[str, Value] = {"grant": grant.id, "use": len(after.uses), "act": event.action_digest}
    decision |= glass_link(case.request)
    decision |= {
        name: text for name, text in (("snapshot", event.rescue.snapshot), ("undo", event.rescue.words)) if text
    }
    line = system_line(EntryType.GATE_RELEASED, decision)
    return Step(case=replace(case, grant=after), log=(line,), note="released")


def is_outdated(case: Case, state_digest: str) -> bool:
    """Whether an open grant is bound to another state than this one, so that it may not be redeemed."""
    grant = case.open_grant
    return grant is not None and grant.state_digest not in {"", state_digest}


def _is_same(use: Use, event: Redeem) -> bool:
    return use.attempt == event.attempt and use.action_digest == event.action_digest and not use.outcome


def forged(case: Case, now_ms: int) -> Step:
    """Somebody wrote this grant into the store beside us: it is worth nothing, and that is written down."""
    note = "the grant's signature does not verify: the store was changed from outside"
    if case.open_grant is None:
        return Step(case=case, done=False, note=note)
    revoked, grant_id = take_back(case, now_ms)
    line = system_line(EntryType.GRANT_REVOKED, {"grant": grant_id, "reason": note})
    return Step(case=revoked, log=(line,), done=False, note=note)


def executed(case: Case, event: Event, now_ms: int) -> Step:
    """Note how a released call went."""
    assert isinstance(event, Executed)
    grant = case.grant
    running = [each for each in grant.uses if not each.outcome] if grant is not None else []
    matching = [each for each in running if event.tool_use_id in {"", each.tool_use_id}]
    if grant is None or not matching:
        known = grant is not None and any(event.tool_use_id in {"", each.tool_use_id} for each in grant.uses)
        return Step(case=case, done=False, note="its outcome is known already" if known else "nothing was released")
    use = matching[-1]
    as_approved = event.action_digest == use.action_digest
    detail = event.detail if as_approved else f"what ran differs from what was approved; {event.detail}".rstrip("; ")
    receipt = replace(event.receipt, as_approved=as_approved)
    ended = replace(use, outcome=event.outcome, detail=detail, ended_at_ms=now_ms, receipt=receipt)
    uses = tuple(ended if each is use else each for each in grant.uses)
    after = replace(grant, uses=uses, outcome=event.outcome, detail=detail)
    if grant.state is GrantState.REDEEMED and len(running) == 1:
        after = replace(after, state=GrantState.EXECUTED, ended_at_ms=now_ms)
    line = LogLine(
        type=EntryType.GATE_EXECUTED,
        actor="host",
        actor_type="agent",
        decision={
            "grant": grant.id,
            "outcome": event.outcome,
            "as_approved": as_approved,
            "detail": detail,
            **_told(receipt),
        },
    )
    return Step(case=replace(case, grant=after), log=(line,), note=event.outcome)


def _told(receipt: Receipt) -> dict[str, Value]:
    """What a receipt says beside whether it was what was approved."""
    members: tuple[tuple[str, int | str | None], ...] = (
        ("exit_code", receipt.exit_code),
        ("duration_ms", receipt.duration_ms),
        ("head", receipt.head or None),
    )
    return {name: value for name, value in members if value is not None}


def revoke(case: Case, event: Event, now_ms: int) -> Step:
    """Take the grant back; what the people decided stays as it is."""
    assert isinstance(event, Revoke)
    if not can_be_taken_back(case, now_ms):
        state = "no grant" if case.grant is None else f"the grant is {case.grant.state.value}"
        return Step(case=case, done=False, note=f"nothing to revoke: {state}")
    is_ours = not event.channel  # no person did it, so the reason is all that tells them
    revoked, grant_id = take_back(case, now_ms, detail=event.reason if is_ours else "")
    line = LogLine(
        type=EntryType.GRANT_REVOKED,
        actor=event.by,
        actor_type="system" if is_ours else "human",
        channel=event.channel,
        assurance=event.assurance,
        decision={"grant": grant_id, **({"reason": event.reason} if event.reason else {})},
    )
    return Step(case=revoked, log=(line,), note="revoked: it opens nothing any more")
