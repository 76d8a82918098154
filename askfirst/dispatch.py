"""The dispatcher: carries out owed deliveries, each recorded as sent or failed.

- Each channel has a queue of its own, so that a slow service holds up nobody else: first messages about what waits for
  people, then updates, then the rest, as fast as the service takes them (``askfirst.delivery``).
- A delivery that fails is tried again with growing pauses, at most ``ATTEMPTS_MAX`` times, and not before the service
  wants to hear of us again. One that can never succeed is given up at once.
- Where everybody whom a request was to be shown to cannot be told, the next of its route are.
- A crash between delivery and record delivers twice, never not at all.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from askfirst.audit_port import Actor, Entry, EntryType
from askfirst.card import card_of
from askfirst.delivery import Pace
from askfirst.errors import ChannelError, OverloadedError
from askfirst.store import outbox, records
from askfirst.store.reading import read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import sqlalchemy as sa

    from askfirst.audit_port import AuditLog, Value
    from askfirst.card import Card
    from askfirst.clock import Clock
    from askfirst.ports import Channel
    from askfirst.store.outbox import Delivery
    from askfirst.store.writer import Writer


ATTEMPTS_MAX = 8
PAUSE_FIRST_MS = 1_000
PAUSE_MAX_MS = 60_000
RETRY_AFTER_MAX_S = 3600.0
"""Longest pause that a service can ask for, seconds."""
IDLE_S = 5.0
UNSERVED_S = 30.0
OVERLOADED_MS = 1_000
CLAIM_MS = 60_000
"""How long a broker that takes a delivery may need; if it dies, another one delivers that much later."""
PATIENCE_S = 0.05
"""Pause after a wake-up, seconds: whoever waits for a decision goes first, and several changes become one round."""
_BATCH = 64
_log = logging.getLogger(__name__)


class Dispatcher:
    """Delivers what is owed by these channels, for one broker.

    Args:
        writer: all writes go through it.
        reader: a read-only engine of the same store.
        audit: the log that the writer seals.
        clock: decides what is due.
        channels: by scheme.
        machine: this machine's name, for people.
        on_unreachable: hears of each message that was given up: its request, and why.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        reader: sa.Engine,
        audit: AuditLog,
        clock: Clock,
        channels: Mapping[str, Channel],
        machine: str,
        on_unreachable: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._audit = audit
        self._clock = clock
        self._channels = channels
        self._machine = machine
        self._on_unreachable = on_unreachable
        self._owed = {scheme: asyncio.Event() for scheme in channels}
        self._paces = {scheme: Pace(each.caps, clock.now_ms()) for scheme, each in channels.items()}

    def wake(self) -> None:
        """Something new is owed; on the event loop."""
        for each in self._owed.values():
            each.set()

    async def run(self, scheme: str) -> None:
        """Deliver by one channel until cancelled."""
        owed = self._owed[scheme]
        while True:
            try:
                count, wait_ms = await self._round(scheme)
            except OverloadedError:  # what is owed stays owed
                count, wait_ms = 0, OVERLOADED_MS
            if count and not wait_ms:
                continue
            owed.clear()
            pause_s = await self._pause_s(scheme, wait_ms)
            try:
                await asyncio.wait_for(owed.wait(), pause_s)
                await asyncio.sleep(PATIENCE_S)
            except TimeoutError:
                continue

    async def run_unserved(self) -> None:
        """Give up, until cancelled, what is owed by channels that are no longer there."""
        while True:
            await self.give_up_unserved()
            await asyncio.sleep(UNSERVED_S)

    async def deliver_due(self) -> int:
        """Carry out what is due now and may go; how many deliveries that were."""
        rounds = [await self._round(scheme) for scheme in self._channels]
        return sum(count for count, _ in rounds) + await self.give_up_unserved()

    async def give_up_unserved(self) -> int:
        """Give up what is owed by channels that are not there; how many deliveries that were."""
        known = ", ".join(sorted(self._channels))
        count = 0
        for scheme in sorted(await read(self._reader, outbox.schemes) - self._channels.keys()):
            error = ChannelError(f"no channel {scheme!r}, expected one of {known}", is_permanent=True)
            for delivery in await self._take(scheme, lambda due: due):
                await self._record_failure(delivery, error)
                count += 1
        return count

    async def _pause_s(self, scheme: str, wait_ms: int) -> float:
        """How long nothing is to be done: until something is due, or until the service takes what is due already."""
        now_ms = self._clock.now_ms()
        due_ms = await read(self._reader, lambda connection: outbox.next_due(connection, scheme))
        until_ms = now_ms + wait_ms if wait_ms else due_ms
        return IDLE_S if until_ms is None else min(IDLE_S, max(0.01, (until_ms - now_ms) / 1000))

    async def _round(self, scheme: str) -> tuple[int, int]:
        """Carry out what is due; how many deliveries went, and how long others have to wait, milliseconds."""
        waits: list[int] = []

        def choose(due: list[Delivery]) -> list[Delivery]:
            plan = self._paces[scheme].plan(due, self._clock.now_ms())
            waits.append(plan.wait_ms)
            return list(plan.go)

        chosen = await self._take(scheme, choose)
        await asyncio.gather(*(self._deliver(each) for each in chosen))
        return len(chosen), waits[-1]

    async def _take(self, scheme: str, choose: Callable[[list[Delivery]], list[Delivery]]) -> list[Delivery]:
        """What is chosen of that which is due; where other brokers deliver too, of what none of them has taken."""
        now_ms = self._clock.now_ms()
        if not self._writer.is_shared:
            due = await read(self._reader, lambda connection: outbox.due(connection, scheme, now_ms, _BATCH))
            return choose(due)

        def work(connection: sa.Connection) -> list[Delivery]:
            chosen = choose(outbox.due(connection, scheme, now_ms, _BATCH))
            outbox.claim(connection, chosen, now_ms + CLAIM_MS)
            return chosen

        return await self._writer.write(work)

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            shown = await self._hand_over(delivery)
        except ChannelError as error:
            await self._record_failure(delivery, error)
        except Exception as error:  # noqa: BLE001  # a channel's bug is that delivery's failure, not the others'
            _log.exception("delivery to %s failed", delivery.recipient)
            await self._record_failure(delivery, ChannelError(type(error).__name__))
        else:
            await self._record(delivery, *shown)

    async def _hand_over(self, delivery: Delivery) -> tuple[str, Card]:
        """The message's id in its channel, and what it shows now."""
        channel = self._channels[delivery.scheme]
        card = await self.card(delivery.request_id)
        if delivery.kind == outbox.SEND:
            key = f"{delivery.request_id}:{delivery.message_id}"
            return await channel.send(card, delivery.recipient, key), card
        await channel.update(card, delivery.recipient, delivery.external_id)
        return delivery.external_id, card

    async def card(self, request_id: str) -> Card:
        """What people would be shown of this request now."""
        case = await read(self._reader, lambda connection: records.read(connection, request_id))
        return card_of(case, machine=self._machine, seen=self._audit.head.seen)

    async def _record(self, delivery: Delivery, external_id: str, card: Card) -> None:
        data: dict[str, Value] = {"message": external_id, "version": card.version, "act": card.action_digest}

        def work(connection: sa.Connection) -> None:
            outbox.delivered(connection, delivery, external_id)
            self._append(connection, delivery, EntryType.CHANNEL_SENT, data)

        await self._writer.write(work, is_brief=True)

    async def _record_failure(self, delivery: Delivery, error: ChannelError) -> None:
        """Write it down, and when it is tried again.

        A service that asks us to wait has not refused: that is no attempt.
        """
        now_ms = self._clock.now_ms()
        asked_ms = round(min(error.retry_after_s, RETRY_AFTER_MAX_S) * 1000)
        attempts = delivery.attempts + (0 if asked_ms else 1)
        last = error.is_permanent or attempts >= ATTEMPTS_MAX
        if asked_ms:
            self._paces[delivery.scheme].block(now_ms + asked_ms)
        pause_ms = max(asked_ms, min(PAUSE_MAX_MS, PAUSE_FIRST_MS << delivery.attempts))

        def work(connection: sa.Connection) -> None:
            if last:
                outbox.give_up(connection, delivery)
            else:
                outbox.put_off(connection, delivery, attempts, now_ms + pause_ms)
            data: dict[str, Value] = {"cause": str(error), "attempt": delivery.attempts + 1, "given_up": last}
            self._append(connection, delivery, EntryType.CHANNEL_FAILED, data)

        await self._writer.write(work)
        if last and delivery.kind == outbox.SEND:
            await self._on_unreachable(delivery.request_id, f"{delivery.recipient}: {error}")

    def _append(
        self, connection: sa.Connection, delivery: Delivery, entry_type: EntryType, data: Mapping[str, Value]
    ) -> None:
        entry = Entry(
            type=entry_type,
            request=delivery.request_id,
            actor=Actor(type="system", id="broker", channel=delivery.scheme),
            data={"recipient": delivery.recipient, "kind": delivery.kind, **data},
        )
        self._audit.append(connection, entry)
