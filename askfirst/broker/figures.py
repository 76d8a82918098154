"""``/metrics`` for Prometheus: what waits, what was decided and how long it took, and whether messages go out.

Counters start with the broker, as Prometheus expects. They are counted from the log's entries when somebody asks, so
they cover whatever came in by whichever way, and cost nothing where nobody looks: this is loaded at the first scrape.
Labels are drawn from closed lists: nothing that an agent says becomes one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

import askfirst
from askfirst import log_feed
from askfirst.audit_port import EntryType
from askfirst.store.reading import read
from askfirst.store.schema import grant, outbox, request

if TYPE_CHECKING:
    from askfirst.clock import Clock
    from askfirst.hub import Hub

_TYPES = frozenset(EntryType)
_DECISION_S = (1, 5, 15, 30, 60, 300, 900, 3600, 14_400, 86_400, 604_800)
_VERDICTS = frozenset({"approved", "denied", "answered", "expired", "cancelled", "superseded"})


class Figures:
    """The figures of one broker.

    Args:
        reader: a read-only engine of the store.
        hub: knows who waits.
        clock: the age of what waits.
        first: index of the first entry that counts: how long the log was when the broker started.
    """

    def __init__(self, *, reader: sa.Engine, hub: Hub, clock: Clock, first: int) -> None:
        self._reader = reader
        self._hub = hub
        self._clock = clock
        self._registry = CollectorRegistry()
        self._next = first
        self._counting = asyncio.Lock()
        info = Gauge("askfirst_info", "The release that runs.", ["version"], registry=self._registry)
        info.labels(askfirst.__version__).set(1)
        self._pending = Gauge("askfirst_pending_requests", "Requests that wait.", registry=self._registry)
        self._oldest = Gauge(
            "askfirst_oldest_pending_seconds", "How long the oldest request has waited.", registry=self._registry
        )
        self._grants = Gauge("askfirst_open_grants", "Approvals not used up yet.", registry=self._registry)
        self._owed = Gauge("askfirst_owed_messages", "Messages not delivered yet.", registry=self._registry)
        self._waiting = Gauge("askfirst_waiting_callers", "Hooks and programs that wait.", registry=self._registry)
        self._log_size = Gauge("askfirst_log_entries", "Entries of the log.", registry=self._registry)
        self._entries = Counter(
            "askfirst_log_appended", "Entries since this broker started.", ["type"], registry=self._registry
        )
        self._decided = Histogram(
            "askfirst_decision_seconds",
            "From the request to its end.",
            ["verdict"],
            buckets=_DECISION_S,
            registry=self._registry,
        )

    async def _count(self) -> None:
        """Count what was appended since the last time."""
        async with self._counting:
            while batch := await log_feed.entries(self._reader, self._next):
                for index, entry in batch:
                    self._observe(entry)
                    self._next = index + 1

    def _observe(self, entry: dict[str, Any]) -> None:
        kind = entry.get("type")
        if kind not in _TYPES:
            return
        self._entries.labels(kind).inc()
        decision = entry.get("decision")
        if not isinstance(decision, dict):
            return
        verdict, taken_ms = decision.get("verdict"), decision.get("latency_ms")
        if verdict in _VERDICTS and isinstance(taken_ms, int):
            self._decided.labels(verdict).observe(taken_ms / 1000)

    async def text(self) -> bytes:
        """All figures, in Prometheus' text format."""
        await self._count()
        pending, oldest_ms, grants, owed = await read(self._reader, _standing)
        self._pending.set(pending)
        self._oldest.set(0 if oldest_ms is None else max(0, self._clock.now_ms() - oldest_ms) / 1000)
        self._grants.set(grants)
        self._owed.set(owed)
        self._waiting.set(self._hub.waiting)
        self._log_size.set(self._next)
        return generate_latest(self._registry)


def _standing(connection: sa.Connection) -> tuple[int, int | None, int, int]:
    """How many requests wait and since when, open grants, owed messages; each by an index that holds only these."""
    waits = sa.select(sa.func.count(), sa.func.min(request.c.created_at_ms)).where(_literal(request.c.state, "pending"))
    pending, oldest_ms = connection.execute(waits).one()
    grants = sa.select(sa.func.count()).where(_literal(grant.c.state, "issued"))
    owed = sa.select(sa.func.count()).where(outbox.c.done == sa.literal_column("0"))
    return pending, oldest_ms, connection.scalar(grants) or 0, connection.scalar(owed) or 0


def _literal(column: sa.Column[str], value: str) -> sa.ColumnElement[bool]:
    """Equality in the very words of the partial index, which the planner recognises it by."""
    return column == sa.literal_column(f"'{value}'")
