"""Entries told as the life of each request: who asked for what, who decided what and when, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit.query import Record

OPEN: Final = "pending"
_OTHER_CALLS: Final = {"gate.joined", "gate.refused"}
"""Calls that were answered by a request: by which rule, and what they would have run, is nothing of the request's."""
_ENDS: Final = {"gate.timeout": "expired", "gate.cancelled": "cancelled", "gate.superseded": "superseded"}


@dataclass(slots=True, kw_only=True)
class Approval:
    """One request, as far as the log tells it.

    Attributes:
        id: of the request; ``""`` for a call that the policy denied, and that ran all the same: there is none.
        requested_at: RFC 3339; ``""`` when the beginning is not among the entries.
        status: ``pending``, ``approved``, ``denied``, ``answered``, ``expired``, ``cancelled`` or ``superseded``.
        decided_at: RFC 3339, ``""`` while pending.
        by: who decided.
        reason: what they said.
        latency_ms: from the request to the decision.
        expires_at_ms: when its permission ends, 0 without one.
        action: what would run, as the newest version has it.
        releases: when its permission was used, one moment a use.
        bypassed_at: when its host said that it had run without a release, ``""`` when it did not.
        closed_at: when its permission was taken back or lapsed, ``""`` while it opens something or was used up.
        closed_as: ``revoked`` or ``lapsed``, ``""`` the same.
        outcome: what the host reported, ``""`` when nothing.
        as_approved: whether what ran is what was approved.
        entries: all of its entries, in order.
    """

    id: str
    agent: Record = field(default_factory=dict)
    action: Record = field(default_factory=dict)
    rule: str = ""
    requested_at: str = ""
    status: str = OPEN
    decided_at: str = ""
    by: tuple[str, ...] = ()
    channel: str = ""
    reason: str = ""
    latency_ms: int | None = None
    expires_at_ms: int = 0
    releases: list[str] = field(default_factory=list)
    bypassed_at: str = ""
    closed_at: str = ""
    closed_as: str = ""
    outcome: str = ""
    as_approved: bool = True
    entries: list[Record] = field(default_factory=list)

    @property
    def released_at(self) -> str:
        """When its permission was used last, ``""`` while it was not."""
        return self.releases[-1] if self.releases else ""

    @property
    def rules(self) -> tuple[str, ...]:
        """What was found, else by what it was decided."""
        return tuple(map(str, self.action.get("rules", ()))) or ((self.rule,) if self.rule else ())


def approvals_of(entries: Iterable[Record]) -> list[Approval]:
    """The requests that these entries are of, in the order of their first one."""
    found = dict[str, Approval]()
    for entry in entries:
        if request := str(entry.get("req", "")):
            approval = found.setdefault(request, Approval(id=request))
            approval.entries.append(entry)
            if entry.get("type") not in _OTHER_CALLS:
                _take_in(approval, entry)
    return list(found.values())


def ran_unasked(entry: Record) -> bool:
    """Whether it says that a call ran which the policy had denied: nobody was asked, so there is no request of it."""
    return entry.get("type") == "gate.bypassed" and not entry.get("req")


def refused_run(entry: Record) -> Approval:
    """Such an entry, told as a request is that the policy denied in the same moment."""
    told = Approval(id="", status="denied", entries=[entry])
    _take_in(told, entry)
    told.requested_at = told.decided_at = told.bypassed_at
    told.by = (told.rule,)
    return told


def _take_in(approval: Approval, entry: Record) -> None:
    kind, time, decision = str(entry.get("type", "")), str(entry.get("t", "")), _members(entry, "decision")
    approval.agent = approval.agent or _members(entry, "agent")
    approval.action = approval.action or _members(entry, "action")
    approval.rule = str(decision.get("rule") or approval.rule)
    match kind:
        case "gate.requested" | "question.asked":
            approval.requested_at = time
        case "gate.decided" | "question.answered":
            _decided(approval, entry, decision)
        case "review.cast":
            approval.reason = str(decision.get("text") or approval.reason)
        case "grant.issued":
            _granted(approval, entry, decision)
        case "grant.revoked" | "grant.lapsed":
            approval.closed_at, approval.closed_as = time, kind.removeprefix("grant.")
        case "gate.released" | "gate.bypassed":
            _ran(approval, kind, time)
        case "gate.amended":
            approval.action = _members(entry, "action") or approval.action
        case "gate.executed":
            approval.outcome = str(decision.get("outcome", ""))
            approval.as_approved = decision.get("as_approved") is not False
        case _ if kind in _ENDS:
            approval.status, approval.decided_at = _ENDS[kind], time
            approval.reason = str(decision.get("reason") or approval.reason)
            approval.by = (str(_members(entry, "actor").get("id", "")),)


def _decided(approval: Approval, entry: Record, decision: Record) -> None:
    approval.status = str(decision.get("verdict", "")) or approval.status
    approval.decided_at = str(entry.get("t", ""))
    by = decision.get("by")
    approval.by = tuple(map(str, by)) if isinstance(by, list) and by else (str(_members(entry, "actor").get("id", "")),)
    approval.channel = str(_members(entry, "actor").get("channel", ""))
    latency = decision.get("latency_ms")
    approval.latency_ms = latency if isinstance(latency, int) else None


def _ran(approval: Approval, kind: str, time: str) -> None:
    """It ran, by its permission or without one."""
    if kind == "gate.bypassed":
        approval.bypassed_at = time
    else:
        approval.releases.append(time)


def _granted(approval: Approval, entry: Record, decision: Record) -> None:
    approval.closed_at = approval.closed_as = ""  # the permission for a version before, if any
    expires = decision.get("expires_at_ms")
    approval.expires_at_ms = expires if isinstance(expires, int) else 0
    if decision.get("late") is True:  # the approval that came after the deadline
        approval.status, approval.decided_at = "approved", str(entry.get("t", ""))
        late = [one for one in approval.entries if one.get("type") == "review.late"]
        approval.by = tuple(str(_members(one, "actor").get("id", "")) for one in late[-1:])
        approval.reason = next((str(_members(one, "decision").get("text", "")) for one in late[-1:]), "")


def _members(entry: Record, name: str) -> dict[str, Any]:
    value = entry.get(name)
    return value if isinstance(value, dict) else {}
