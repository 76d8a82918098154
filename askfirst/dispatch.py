"""The dispatcher: carries out owed deliveries, each recorded as sent or failed.

A delivery that fails is tried again with growing pauses, for as long as it could still matter to the request's
deadline, at most ``ATTEMPTS_MAX`` times. A crash between delivery and record delivers twice, never not at all.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from askfirst.audit_port import Actor, Entry, EntryType
from askfirst.card import card_of
from askfirst.errors import ChannelError
from askfirst.store import outbox, records
from askfirst.store.reading import read

if TYPE_CHECKING:
    from collections.abc import Mapping

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
IDLE_S = 5.0
CLAIM_MS = 60_000
"""How long a broker that takes a delivery may need; if it dies, another one delivers that much later."""
PATIENCE_S = 0.05
"""Pause after a wake-up, seconds: whoever waits for a decision goes first, and several changes become one round."""
_BATCH = 64
_log = logging.getLogger(__name__)


class Dispatcher:
    """Delivers what is owed by these channels, for one broker."""

    def __init__(
        self,
        *,
        writer: Writer,
        reader: sa.Engine,
        audit: AuditLog,
        clock: Clock,
        channels: Mapping[str, Channel],
        machine: str,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._audit = audit
        self._clock = clock
        self._channels = channels
        self._machine = machine
        self._owed = asyncio.Event()

    def wake(self) -> None:
        """Something new is owed; on the event loop."""
        self._owed.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            while await self.deliver_due():
                pass
            self._owed.clear()
            due_ms = await read(self._reader, outbox.next_due)
            pause_s = IDLE_S if due_ms is None else min(IDLE_S, max(0.01, (due_ms - self._clock.now_ms()) / 1000))
            try:
                await asyncio.wait_for(self._owed.wait(), pause_s)
                await asyncio.sleep(PATIENCE_S)
            except TimeoutError:
                continue

    async def deliver_due(self) -> int:
        """Carry out what is due now; how many deliveries that were."""
        now_ms = self._clock.now_ms()
        due = await self._take(now_ms)
        await asyncio.gather(*(self._deliver(each) for each in due))
        return len(due)

    async def _take(self, now_ms: int) -> list[Delivery]:
        """What is due; where other brokers deliver from the same outbox, what none of them has taken."""
        if not self._writer.is_shared:
            return await read(self._reader, lambda connection: outbox.due(connection, now_ms, _BATCH))

        def work(connection: sa.Connection) -> list[Delivery]:
            due = outbox.due(connection, now_ms, _BATCH)
            outbox.claim(connection, due, now_ms + CLAIM_MS)
            return due

        return await self._writer.write(work)

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            external_id = await self._hand_over(delivery)
        except ChannelError as error:
            await self._record_failure(delivery, str(error))
        except Exception as error:  # noqa: BLE001  # a channel's bug is that delivery's failure, not the others'
            _log.exception("delivery to %s failed", delivery.recipient)
            await self._record_failure(delivery, type(error).__name__)
        else:
            await self._record(delivery, EntryType.CHANNEL_SENT, external_id)

    async def _hand_over(self, delivery: Delivery) -> str:
        channel = self._channels.get(delivery.scheme)
        if channel is None:
            known = ", ".join(sorted(self._channels))
            raise ChannelError(f"no channel {delivery.scheme!r}, expected one of {known}")
        card = await self.card(delivery.request_id)
        if delivery.kind == outbox.SEND:
            return await channel.send(card, delivery.recipient, f"{delivery.request_id}:{delivery.message_id}")
        await channel.update(card, delivery.recipient, delivery.external_id)
        return delivery.external_id

    async def card(self, request_id: str) -> Card:
        """What people would be shown of this request now."""
        case = await read(self._reader, lambda connection: records.read(connection, request_id))
        return card_of(case, machine=self._machine, seen=self._audit.head.seen)

    async def _record(self, delivery: Delivery, entry_type: EntryType, external_id: str) -> None:
        def work(connection: sa.Connection) -> None:
            outbox.delivered(connection, delivery, external_id)
            self._append(connection, delivery, entry_type, {"message": external_id})

        await self._writer.write(work)

    async def _record_failure(self, delivery: Delivery, cause: str) -> None:
        pause_ms = min(PAUSE_MAX_MS, PAUSE_FIRST_MS << delivery.attempts)
        last = delivery.attempts + 1 >= ATTEMPTS_MAX
        next_at_ms = None if last else self._clock.now_ms() + pause_ms

        def work(connection: sa.Connection) -> None:
            outbox.failed(connection, delivery, next_at_ms)
            data: dict[str, Value] = {"cause": cause, "attempt": delivery.attempts + 1, "given_up": last}
            self._append(connection, delivery, EntryType.CHANNEL_FAILED, data)

        await self._writer.write(work)

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
