"""The clerk: writes down what becomes of requests, each step one durable transaction, and lets what is due happen.

A step is looked up in the engine's table inside the transaction that reads the case and saves it; the entries of the
log, and the messages that are owed because of it, are in that transaction, too. Whoever waits hears of it after the
commit.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from askfirst import engine, grant_token
from askfirst.audit_port import EntryType
from askfirst.docket import Docket
from askfirst.engine import Deadline, Halt, Revoke, next_due_ms
from askfirst.engine.grants import FROM_REVOKED, is_revoked
from askfirst.engine.stopping import has_stopped
from askfirst.engine.timers import approves_by_silence
from askfirst.entries import entry_of
from askfirst.past_denials import doubt_of_silence
from askfirst.replacing import replace
from askfirst.request import RequestState
from askfirst.store import outbox, records
from askfirst.store.reading import read
from askfirst.store.standing import denials

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from askfirst.audit_port import AuditLog, Entry
    from askfirst.clock import Clock
    from askfirst.engine import Case, Step
    from askfirst.grant_token import GrantSigner
    from askfirst.hub import Hub
    from askfirst.store.writer import Writer

_SWEEP_MAX = 256
_PAUSE_MAX_S = 5.0
_OVERDUE_PAUSE_S = 0.5
"""Between two looks at what is due and was left to another broker."""


class Clerk(Docket):
    """A docket in which somebody writes.

    Args:
        writer: all writes go through it.
        reader: a read-only engine of the same store.
        audit: the log that the writer seals.
        hub: who waits in this process.
        clock: dates the steps.
        signer: signs grants.
    """

    def __init__(
        self, *, writer: Writer, reader: sa.Engine, audit: AuditLog, hub: Hub, clock: Clock, signer: GrantSigner
    ) -> None:
        super().__init__(reader)
        self._writer = writer
        self._audit = audit
        self._hub = hub
        self._clock = clock
        self._signer = signer
        self._moved = asyncio.Event()
        """Something is due before ``_next_ms``."""
        self._next_ms = math.inf
        """When whoever keeps the time looks next, by the clock; until they know, every timer that is set wakes them."""

    async def note(self, entry: Entry) -> None:
        """Write down something that belongs to no request; returns when it is on disk."""
        await self._writer.write(lambda connection: self._audit.append(connection, entry))

    def note_soon(self, entry: Entry) -> None:
        """The same, without waiting: for what nothing rests on."""
        self._writer.submit(lambda connection: self._audit.append(connection, entry))

    async def _step(self, request_id: str, event_for: Callable[[Case], engine.Event]) -> Step:
        return await self._step_on(request_id, lambda _connection, case: event_for(case))

    async def _step_on(self, request_id: str, event_for: Callable[[sa.Connection, Case], engine.Event]) -> Step:
        """The same, for an event that rests on what else is in the store."""

        def work(connection: sa.Connection) -> Step:
            case = records.read(connection, request_id)
            return self._apply(connection, case, event_for(connection, case))

        return self._told(await self._writer.write(work, is_brief=True))

    def _apply(self, connection: sa.Connection, case: Case, event: engine.Event) -> Step:
        now_ms = self._clock.now_ms()
        step = engine.step(case, event, now_ms, doubt=_doubt(connection, case, now_ms))
        head = self._audit.head
        indexes = {line.type: self._audit.append(connection, entry_of(step.case.request, line)) for line in step.log}
        after = step.case
        if after.grant is not None and not after.grant.token and EntryType.GRANT_ISSUED in indexes:
            token = grant_token.mint(after, head, indexes[EntryType.GRANT_ISSUED], self._signer)
            after = replace(after, grant=replace(after.grant, token=token))
        records.save(connection, case, after)
        if after != case:
            outbox.owe_updates(connection, after.request.id, now_ms)
        if after.request.state not in {RequestState.PENDING, RequestState.EXPIRED}:
            outbox.drop_unsent(connection, after.request.id, now_ms)
        if step.tell:
            outbox.owe_messages(connection, after.request.id, step.tell, now_ms)
        step = replace(step, case=after, others=self._taken_back_with(connection, case, after))
        return self._halting(connection, step) if has_stopped(after) and not has_stopped(case) else step

    def _taken_back_with(self, connection: sa.Connection, before: Case, after: Case) -> tuple[Case, ...]:
        """What a grant was passed on to and has not run yet, taken back where the grant has just been."""
        if is_revoked(before) or not is_revoked(after):
            return ()
        event = Revoke(by="gate", channel="", reason=FROM_REVOKED)
        return tuple(self._apply(connection, each, event).case for each in records.read_passed_on(connection, after))

    def _halting(self, connection: sa.Connection, step: Step) -> Step:
        """The step that has told a session to stop, with the end of all else that it waits for."""
        waiting = records.read_waiting_beside(connection, step.case.request)
        halts = [self._apply(connection, case, Halt(by=step.case)) for case in waiting]
        ended = sum(each.done for each in halts)  # what was overdue has ended by itself
        more = f"; what else of it waited is withdrawn ({ended})" if ended else ""
        return replace(step, others=(*step.others, *(each.case for each in halts)), note=f"{step.note}{more}")

    def _told(self, step: Step) -> Step:
        for each in (step.case, *step.others):
            self._published(each)
        return step

    def _published(self, case: Case) -> Case:
        self._hub.publish(case)
        due_ms = next_due_ms(case)
        if due_ms is not None and due_ms < self._next_ms:  # else it only costs whoever waits for this very change
            self._moved.set()
        return case

    async def sweep(self) -> int:
        """Let everything that is due happen, once; returns how many cases were looked at.

        What another broker has at hand is left to it, and a case that this release cannot read is left as it is:
        nobody can decide it either, and the timers of all others go on.
        """
        now_ms = self._clock.now_ms()
        next_ms = await read(self._reader, records.next_due)
        if next_ms is None or next_ms > now_ms:
            return 0

        def work(connection: sa.Connection) -> list[Step]:
            cases = records.take_due(connection, now_ms, _SWEEP_MAX)
            return [self._apply(connection, each, Deadline()) for each in cases]

        steps = await self._writer.write(work)
        for step in steps:
            self._told(step)
        return len(steps)

    async def keep_time(self) -> None:
        """Sweep whenever the next timer runs out; runs until cancelled.

        The clock is read again at least every five seconds: a suspended laptop or a set clock makes timers late,
        never lost.
        """
        while True:
            while await self.sweep() == _SWEEP_MAX:
                pass
            self._moved.clear()
            self._next_ms = math.inf  # read after it is set: what moves in between wakes us at once
            due_ms = await read(self._reader, records.next_due)
            left_s = _PAUSE_MAX_S if due_ms is None else (due_ms - self._clock.now_ms()) / 1000
            pause_s = min(_PAUSE_MAX_S, left_s) if left_s > 0 else _OVERDUE_PAUSE_S
            self._next_ms = self._clock.now_ms() + pause_s * 1000
            try:
                await asyncio.wait_for(self._moved.wait(), pause_s)
            except TimeoutError:
                continue


def _doubt(connection: sa.Connection, case: Case, now_ms: int) -> str:
    """Why silence must not approve this case at this moment, or ``""``.

    What was denied before it was asked has been looked at then (``askfirst.intake``).
    """
    if not approves_by_silence(case, now_ms):
        return ""
    request = case.request
    since_ms = request.created_at_ms
    denied = denials(connection, action_digest=request.action_digest, agent=request.agent, since_ms=since_ms)
    return doubt_of_silence(request, denied, now_ms)
