"""A release by a break-glass code, when nobody who decides can be reached.

- The policy that is frozen with the request says whether a code may release it at all (I8).
- It overrides how many must approve and how sure they must be, and nothing else: the request's digest and state, the
  witnesses that its rule asks for, and a deny before it runs hold as ever (I2, I5).
- Whoever asks cannot release it, and no code releases what touches the gate itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.audit_port import EntryType
from askfirst.effects import EffectKind
from askfirst.engine.case import BREAK_GLASS, Case, LogLine, Step
from askfirst.engine.events import BreakGlass, Event
from askfirst.engine.grants import issue
from askfirst.replacing import replace
from askfirst.request import End, RequestKind, RequestState

if TYPE_CHECKING:
    from askfirst.audit_port import Value

ASSURANCE = 2
"""A secret that only its person has (DESIGN §7)."""


def refusal(case: Case, event: BreakGlass) -> str:
    """Why this code does not release this request, or ``""``."""
    request = case.request
    if request.kind is not RequestKind.APPROVAL:
        return "a break-glass code answers no question"
    if request.terms.break_glass_s == 0:
        return f"no break-glass code releases this: the rule {request.terms.rule} does not allow it"
    if any(effect.kind is EffectKind.TAMPERS for effect in request.effects):
        return "no break-glass code releases what touches the gate itself"
    if event.by in event.electorate.requesters:
        return "whoever asks cannot decide"
    if event.electorate.find(event.by) is None:
        return f"nobody is known as {event.by} any more"
    return ""


def release(case: Case, event: Event, now_ms: int) -> Step:
    """Approve the request once, as its own rule's grant, which a window's end cuts short."""
    assert isinstance(event, BreakGlass)  # the table pairs it so
    why = refusal(case, event)
    if why:
        return Step(case=case, done=False, note=why)
    request = case.request
    end = End(at_ms=now_ms, by=event.by, channel=BREAK_GLASS, decision_id=event.use, text=event.reason)
    over = replace(case, request=replace(request, state=RequestState.APPROVED, end=end))
    granted = issue(over, now_ms, until_ms=event.until_ms if event.in_window else None)
    assert granted.case.grant is not None  # it was issued
    expires_at_ms = granted.case.grant.expires_at_ms
    used: dict[str, Value] = {
        "break_glass": event.use,
        "reason": event.reason,
        "scope": "request",
        "expires_at_ms": expires_at_ms,
    }
    decided: dict[str, Value] = {
        "verdict": RequestState.APPROVED.value,
        "by": (event.by,),
        "rule": request.terms.rule,
        "policy_sha256": request.terms.policy_digest,
        "latency_ms": now_ms - request.created_at_ms,
        "break_glass": event.use,
    }
    log = (_line(EntryType.GATE_DECIDED, event, decided), *granted.log)
    if not event.in_window:
        log = (_line(EntryType.BREAK_GLASS_USED, event, used), *log)
    return replace(granted, log=log, note=f"released by the break-glass code of {event.by}")


def _line(kind: EntryType, event: BreakGlass, decision: dict[str, Value]) -> LogLine:
    return LogLine(
        type=kind, actor=event.by, actor_type="human", channel=BREAK_GLASS, assurance=ASSURANCE, decision=decision
    )
