"""Counts over requests: how many, how decided, how fast, by rule, by reviewer, by day."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from audit.approvals import Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallied:
    """Some requests together.

    Attributes:
        asked: how many.
        approved, denied, expired, other: how they ended; what is left of ``asked`` is pending.
        approve_rate: approved by approved and denied, 0 to 1; None when nothing was decided.
        median_s: of the time to a decision, seconds; None when nothing was decided.
        p90_s: what nine of ten decisions took at most, seconds.
    """

    asked: int
    approved: int
    denied: int
    expired: int
    other: int
    approve_rate: float | None
    median_s: float | None
    p90_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """All requests, and the same by rule, reviewer and day (UTC), in the order of their number or time."""

    total: Tallied
    by_rule: Mapping[str, Tallied]
    by_reviewer: Mapping[str, Tallied]
    by_day: Mapping[str, Tallied]

    def as_object(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def stats_of(approvals: Sequence[Approval]) -> Stats:
    """The counts over these requests."""
    return Stats(
        total=_tallied(approvals),
        by_rule=_grouped(((rule, one) for one in approvals for rule in one.rules), by_number=True),
        by_reviewer=_grouped(
            ((who, one) for one in approvals if one.status in {"approved", "denied", "answered"} for who in one.by),
            by_number=True,
        ),
        by_day=_grouped(((one.requested_at[:10], one) for one in approvals if one.requested_at), by_number=False),
    )


def _grouped(pairs: Iterable[tuple[str, Approval]], *, by_number: bool) -> dict[str, Tallied]:
    groups: dict[str, list[Approval]] = {}
    for key, one in pairs:
        groups.setdefault(key, []).append(one)
    keys = sorted(groups, key=lambda key: (-len(groups[key]), key)) if by_number else sorted(groups)
    return {key: _tallied(groups[key]) for key in keys}


def _tallied(approvals: Sequence[Approval]) -> Tallied:
    statuses = Counter(one.status for one in approvals)
    approved, denied, expired = statuses["approved"], statuses["denied"], statuses["expired"]
    taken_s = sorted(one.latency_ms / 1000 for one in approvals if one.latency_ms is not None)
    decided = approved + denied
    return Tallied(
        asked=len(approvals),
        approved=approved,
        denied=denied,
        expired=expired,
        other=sum(statuses[name] for name in ("answered", "cancelled", "superseded")),
        approve_rate=round(approved / decided, 4) if decided else None,
        median_s=round(statistics.median(taken_s), 3) if taken_s else None,
        p90_s=round(taken_s[min(len(taken_s) - 1, len(taken_s) * 9 // 10)], 3) if taken_s else None,
    )
