"""The desk: what clients and channels may do with requests, each act one durable transaction.

Callers get an answer only after the commit. Every act is idempotent: a request by its key, a review by its decision
id, a redemption by the attempt that makes it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from askfirst import engine
from askfirst.audit_port import EntryType
from askfirst.clock import new_id
from askfirst.engine import Cancel, Case, Cast, Deadline, Executed, LogLine, Redeem, Step
from askfirst.entries import entry_of
from askfirst.request import Action, Claim, Request, RequestKind, RequestState, Review, Terms, Verdict
from askfirst.store import outbox, records

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    import sqlalchemy as sa

    from askfirst.audit_port import AuditLog
    from askfirst.clock import Clock
    from askfirst.effects import Classification
    from askfirst.host import Agent
    from askfirst.hub import Hub
    from askfirst.store.writer import Writer

_T = TypeVar("_T")
_SWEEP_MAX = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What becomes a request; ``key`` makes creating it idempotent."""

    key: str
    agent: Agent
    tool_use_id: str
    action: Action
    classification: Classification
    terms: Terms
    claim: Claim = field(default_factory=Claim)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDraft:
    """What a channel hands over once it knows who acts: see ``askfirst.request.Review`` for the members."""

    decision_id: str
    request_id: str
    version: int
    action_digest: str
    person: str
    channel: str
    verdict: Verdict
    assurance: int
    text: str = ""


class Desk:
    """Requests over a store.

    Args:
        writer: all writes go through it.
        reader: a read-only engine of the same store.
        audit: the log that the writer seals.
        hub: who waits in this process.
        clock: decides what is late.
        before_release: awaited before a grant is redeemed; what it raises keeps the action from running.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        reader: sa.Engine,
        audit: AuditLog,
        hub: Hub,
        clock: Clock,
        before_release: Callable[[Request], Awaitable[None]] | None = None,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._audit = audit
        self._hub = hub
        self._clock = clock
        self._before_release = before_release
        self._timer_set = asyncio.Event()

    # -- asking ---------------------------------------------------------------------------------------------------

    async def ask(self, draft: Draft) -> Case:
        """Make a request, or find the one made under the same key."""

        def work(connection: sa.Connection) -> Case:
            known = records.read_by_key(connection, draft.key)
            if known is not None:
                return known
            case = Case(request=request_of(draft, self._clock.now_ms()))
            records.insert(connection, case, draft.key)
            line = LogLine(
                type=EntryType.GATE_REQUESTED,
                actor=draft.agent.session,
                actor_type="agent",
                decision={"rule": draft.terms.rule, "policy_sha256": draft.terms.policy_digest},
            )
            self._audit.append(connection, entry_of(case.request, line))
            outbox.owe(connection, case.request, outbox.SEND, case.request.created_at_ms)
            return case

        return self._published(await self._write(work))

    async def cancel(self, request_id: str, reason: str) -> Step:
        """Withdraw a request, as its requester."""
        return await self._step(request_id, lambda _case: Cancel(reason=reason))

    async def redeem(self, request_id: str, *, action_digest: str, attempt: str, tool_use_id: str) -> Step:
        """Use the grant of a request: at most one attempt ever hears ``done``."""
        if self._before_release is not None:
            await self._before_release((await self.case(request_id)).request)
        event = Redeem(action_digest=action_digest, attempt=attempt, tool_use_id=tool_use_id)
        return await self._step(request_id, lambda _case: event)

    async def executed(self, request_id: str, *, action_digest: str, outcome: str, detail: str = "") -> Step:
        """Record how the released action went."""
        event = Executed(action_digest=action_digest, outcome=outcome, detail=detail)
        return await self._step(request_id, lambda _case: event)

    async def wait(self, request_id: str, timeout_s: float) -> Case:
        """The case once the request has ended, or as it is when the time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        while True:
            with self._hub.waiter(request_id) as change:
                case = await self.case(request_id)
                if case.request.state is not RequestState.PENDING:
                    return case
                try:
                    case = await asyncio.wait_for(change, until - loop.time())
                except TimeoutError:
                    return case
            if case.request.state is not RequestState.PENDING:
                return case

    # -- deciding -------------------------------------------------------------------------------------------------

    async def review(self, draft: ReviewDraft, *, requesters: frozenset[str] = frozenset()) -> Step:
        """Count a person's review, or say why it does not count; only channels call this."""
        grant_id = new_id()

        def work(connection: sa.Connection) -> Step:
            case = records.read(connection, draft.request_id)
            known = next((each for each in case.reviews if each.decision_id == draft.decision_id), None)
            if known is not None:
                return Step(case=case, done=known.counted, note=known.note or case.request.state.value)
            review = Review(
                decision_id=draft.decision_id,
                request_id=draft.request_id,
                version=draft.version,
                action_digest=draft.action_digest,
                person=draft.person,
                channel=draft.channel,
                verdict=draft.verdict,
                text=draft.text,
                assurance=draft.assurance,
                at_ms=self._clock.now_ms(),
            )
            return self._apply(connection, case, Cast(review=review, grant_id=grant_id, requesters=requesters))

        step = await self._write(work)
        self._published(step.case)
        return step

    # -- looking --------------------------------------------------------------------------------------------------

    async def case(self, request_id: str) -> Case:
        """The case with this id; RequestNotFoundError when there is none."""
        return await self._read(lambda connection: records.read(connection, request_id))

    async def pending(self) -> list[Request]:
        """What waits for a person, oldest first."""
        found = await self.requests(states=(RequestState.PENDING,), limit=1000)
        return found[::-1]

    async def requests(
        self, *, states: Sequence[RequestState] = (), limit: int = 100, before_ms: int | None = None
    ) -> list[Request]:
        """Requests, newest first; ``before_ms`` pages."""
        return await self._read(
            lambda connection: records.list_requests(connection, states=states, limit=limit, before_ms=before_ms)
        )

    async def granted(self, action_digest: str) -> list[Case]:
        """Cases with an unredeemed grant for this very action, oldest first."""
        return await self._read(lambda connection: records.read_granted(connection, action_digest))

    async def released(self, session: str, tool_use_id: str) -> Case | None:
        """The case whose grant this tool call redeemed and that has no outcome yet."""
        return await self._read(lambda connection: records.read_released(connection, session, tool_use_id))

    async def changes(self) -> AsyncGenerator[Case, None]:
        """Every change from now on; a subscriber that does not keep up misses the oldest ones. Close it when done."""
        with self._hub.subscriber() as queue:
            while True:
                yield await queue.get()

    # -- time -----------------------------------------------------------------------------------------------------

    async def sweep(self) -> int:
        """Let everything that is due happen, once; returns how many cases were looked at."""
        now_ms = self._clock.now_ms()
        overdue = await self._read(lambda connection: records.due(connection, now_ms, _SWEEP_MAX))
        steps = await asyncio.gather(*(self._step(each, lambda _case: Deadline()) for each in overdue))
        return len(steps)

    async def keep_time(self) -> None:
        """Sweep whenever the next timer runs out; runs until cancelled.

        The clock is read again at least every five seconds: a suspended laptop or a set clock makes timers late,
        never lost.
        """
        while True:
            while await self.sweep() == _SWEEP_MAX:
                pass
            self._timer_set.clear()
            due_ms = await self._read(records.next_due)
            pause_s = 5.0 if due_ms is None else min(5.0, max(0.0, (due_ms - self._clock.now_ms()) / 1000))
            try:
                await asyncio.wait_for(self._timer_set.wait(), pause_s)
            except TimeoutError:
                continue

    # -- plumbing -------------------------------------------------------------------------------------------------

    async def _step(self, request_id: str, event_for: Callable[[Case], engine.Event]) -> Step:
        def work(connection: sa.Connection) -> Step:
            case = records.read(connection, request_id)
            return self._apply(connection, case, event_for(case))

        step = await self._write(work)
        self._published(step.case)
        return step

    def _apply(self, connection: sa.Connection, case: Case, event: engine.Event) -> Step:
        now_ms = self._clock.now_ms()
        step = engine.step(case, event, now_ms)
        records.save(connection, case, step.case)
        if step.case != case:
            outbox.owe(connection, step.case.request, outbox.UPDATE, now_ms)
        for line in step.log:
            self._audit.append(connection, entry_of(step.case.request, line))
        return step

    async def _write(self, work: Callable[[sa.Connection], _T]) -> _T:
        return await self._writer.write(work)

    async def _read(self, query: Callable[[sa.Connection], _T]) -> _T:
        def run() -> _T:
            with self._reader.connect() as connection:
                return query(connection)

        return await asyncio.to_thread(run)

    def _published(self, case: Case) -> Case:
        self._hub.publish(case)
        self._timer_set.set()
        return case


def request_of(draft: Draft, now_ms: int) -> Request:
    """The pending request that a draft becomes."""
    found = draft.classification
    return Request(
        id=new_id(),
        version=1,
        kind=RequestKind.APPROVAL,
        state=RequestState.PENDING,
        created_at_ms=now_ms,
        agent=draft.agent,
        tool_use_id=draft.tool_use_id,
        action=draft.action,
        action_digest=draft.action.digest(),
        risk=found.risk,
        effects=found.effects,
        expanded=found.expanded,
        terms=draft.terms,
        claim=draft.claim,
    )
