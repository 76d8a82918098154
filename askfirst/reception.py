"""The reception: keeps what channels hear, raw, before anything else, then has it handled, one after the other.

- Deliveries and the provider's cursor are on disk in one commit; only then is the provider told (I3). The same delivery
  again is kept once. What was kept and not handled is handled after a restart.
- A delivery that its channel cannot read is set apart and written down; the next one is handled all the same.
- Where a channel cannot find out now whether something counts, it is tried again with growing pauses while others go
  on; after ``PATIENCE_S`` it is given up, set apart and written down. Nothing counts meanwhile.
- What was decided stays decided whether or not the person could be told.
- Where several brokers share a store, the one that has the channel's lease handles; any may take in.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from askfirst.audit_port import Actor, Entry, EntryType
from askfirst.errors import ChannelError, OverloadedError, StoreAwayError, StoreError
from askfirst.knocks import Knocks
from askfirst.store import inbox
from askfirst.store.inbox import Delivered, Standing
from askfirst.store.locking import BusyError
from askfirst.store.reading import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from askfirst.audit_port import AuditLog, Value
    from askfirst.clock import Clock
    from askfirst.hearing import Hearing, Telling
    from askfirst.inbound import Inbound
    from askfirst.ports import Listener
    from askfirst.store.writer import Writer

RAW_MAX_BYTES = 1024 * 1024
INBOUND_MAX = 100
"""What one delivery may say at most."""
PATIENCE_S = 3600
KEPT_DAYS = 30
"""How long handled deliveries are kept, for questions and against repetitions."""
TELL_MAX_S = 20.0
_ID_MAX_CHARS = 200
_DAY_MS = 86_400_000
_BATCH = 64
_PAUSE_FIRST_MS = 1_000
_PAUSE_MAX_MS = 60_000
_IDLE_S = 5.0
_SHARED_IDLE_S = 0.5
"""How often the lease's holder looks for what another broker took in, seconds."""
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Later:
    """A delivery that is tried again."""

    at_ms: int
    pause_ms: int


class Reception:
    """Implements ``askfirst.ports.Reception`` for all listeners of one broker.

    Args:
        writer: all writes go through it.
        reader: a read-only engine of the same store.
        audit: the log that the writer seals.
        clock: for arrivals and pauses.
        hearing: decides what comes of each thing.
        listeners: by scheme.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        reader: sa.Engine,
        audit: AuditLog,
        clock: Clock,
        hearing: Hearing,
        listeners: Mapping[str, Listener],
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._audit = audit
        self._clock = clock
        self._hearing = hearing
        self._listeners = listeners
        self._knocks = Knocks(writer=writer, audit=audit, clock=clock)
        self._taken = {scheme: asyncio.Event() for scheme in listeners}
        self._later: dict[tuple[str, str], _Later] = {}
        self._telling: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def take(self, scheme: str, deliveries: Sequence[tuple[str, bytes]], *, cursor: str | None = None) -> None:
        """See ``askfirst.ports.Reception``."""
        now_ms = self._clock.now_ms()
        kept = [_delivered(scheme, each, now_ms) for each in deliveries]

        def work(connection: sa.Connection) -> None:
            inbox.keep(connection, kept)
            if cursor is not None:
                inbox.move_cursor(connection, scheme, cursor)

        await self._writer.write(work)
        if kept:
            self._taken[scheme].set()

    async def cursor(self, scheme: str) -> str:
        """See ``askfirst.ports.Reception``."""
        return await read(self._reader, lambda connection: inbox.cursor(connection, scheme))

    async def turned_away(self, scheme: str, door: str, reason: str) -> None:
        """See ``askfirst.ports.Reception``."""
        await self._knocks.note(scheme, door, reason)

    async def run(self, scheme: str) -> None:
        """Handle what this channel heard, until cancelled; first what an earlier process left."""
        taken = self._taken[scheme]
        forgotten_ms = 0
        while True:
            taken.clear()
            with contextlib.suppress(OverloadedError):  # tried again in the next round
                while await self.handle_waiting(scheme):
                    pass
                if self._clock.now_ms() - forgotten_ms > _DAY_MS:
                    await self._forget()
                    forgotten_ms = self._clock.now_ms()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(taken.wait(), self._idle_s(scheme))

    async def handle_waiting(self, scheme: str) -> int:
        """Handle what waits now and is not put off, in the order of arrival; how many that were.

        People are told beside it: who is slow to be told holds up nobody's decision.
        """
        passed_over = sum(1 for each, _ in (*self._later, *self._telling) if each == scheme)
        waiting = await read(self._reader, lambda connection: inbox.waiting(connection, scheme, _BATCH + passed_over))
        now_ms = self._clock.now_ms()
        due = [each for each in waiting if self._is_due(each, now_ms)]
        for each in due:
            await self._handle(each)
        return len(due)

    async def told(self) -> None:
        """Return when everybody is told what became of what was handled."""
        await asyncio.gather(*self._telling.values())

    def _is_due(self, delivery: Delivered, now_ms: int) -> bool:
        key = (delivery.scheme, delivery.id)
        return key not in self._telling and (key not in self._later or self._later[key].at_ms <= now_ms)

    def _idle_s(self, scheme: str) -> float:
        idle_s = _SHARED_IDLE_S if self._writer.is_shared else _IDLE_S
        now_ms = self._clock.now_ms()
        dues = [later.at_ms for (each, _), later in self._later.items() if each == scheme]
        return min([idle_s, *(max(0.01, (at_ms - now_ms) / 1000) for at_ms in dues)])

    async def _handle(self, delivery: Delivered) -> None:
        key = (delivery.scheme, delivery.id)
        try:
            tellings = await self._hear(delivery)
        except (StoreAwayError, OverloadedError):
            raise
        except BusyError as error:
            self._put_off(key, ChannelError(str(error)))
        except StoreError as error:  # this alone cannot be stored, or nothing can: then this cannot, either
            await self._set_apart(delivery, str(error))
        except ChannelError as error:
            is_old = self._clock.now_ms() - delivery.received_at_ms > PATIENCE_S * 1000
            if not (is_old or error.is_permanent):
                self._put_off(key, error)
                return
            await self._set_apart(delivery, str(error))
        except sa.exc.IntegrityError:  # another broker was at the very same
            self._put_off(key, ChannelError("another broker handles it, too"))
        except Exception as error:  # noqa: BLE001  # a channel's bug, or what we cannot digest, is not the others'
            _log.exception("a delivery of %s could not be handled", delivery.scheme)
            await self._set_apart(delivery, type(error).__name__)
        else:
            task = asyncio.create_task(self._tell(delivery, tellings))
            self._telling[key] = task
            task.add_done_callback(lambda _: self._telling.pop(key, None))
            self._later.pop(key, None)

    async def _hear(self, delivery: Delivered) -> list[Telling]:
        listener = self._listeners[delivery.scheme]
        heard = [await self._hearing.hear(listener, each) for each in _parsed(listener, delivery)]
        return [each for each in heard if each is not None]

    async def _tell(self, delivery: Delivered, tellings: list[Telling]) -> None:
        """Tell the person, then call it handled; that they cannot be told, or not in time, changes nothing."""
        for tell in tellings:
            try:
                await asyncio.wait_for(tell(), TELL_MAX_S)
            except (ChannelError, TimeoutError) as error:
                _log.warning("%s could not tell what became of a delivery: %s", delivery.scheme, error)
            except Exception:  # noqa: BLE001  # a channel's bug, after it was decided
                _log.exception("%s could not tell what became of a delivery", delivery.scheme)
        with contextlib.suppress(StoreError):  # then it is handled once more, to the same end
            await self._writer.write(lambda connection: inbox.settle(connection, delivery, Standing.HANDLED))

    def _put_off(self, key: tuple[str, str], error: ChannelError) -> None:
        pause_ms = self._later[key].pause_ms * 2 if key in self._later else _PAUSE_FIRST_MS
        pause_ms = min(_PAUSE_MAX_MS, max(pause_ms, round(error.retry_after_s * 1000)))
        self._later[key] = _Later(at_ms=self._clock.now_ms() + pause_ms, pause_ms=pause_ms)
        _log.warning("a delivery of %s is tried again in %d s: %s", key[0], pause_ms // 1000, error)

    async def _set_apart(self, delivery: Delivered, cause: str) -> None:
        data: dict[str, Value] = {
            "delivery": delivery.id,
            "delivery_sha256": hashlib.sha256(delivery.id.encode()).hexdigest(),  # an id may be redacted as a token
            "sha256": hashlib.sha256(delivery.raw).hexdigest(),
            "len": len(delivery.raw),
            "cause": cause[:_ID_MAX_CHARS],
        }
        actor = Actor(type="system", id="broker", channel=delivery.scheme)

        def work(connection: sa.Connection) -> None:
            if inbox.settle(connection, delivery, Standing.SET_APART):
                self._audit.append(connection, Entry(type=EntryType.CHANNEL_MALFORMED, actor=actor, data=data))

        await self._writer.write(work)
        self._later.pop((delivery.scheme, delivery.id), None)

    async def _forget(self) -> None:
        before_ms = self._clock.now_ms() - KEPT_DAYS * _DAY_MS
        await self._writer.write(lambda connection: inbox.forget(connection, before_ms))


def _parsed(listener: Listener, delivery: Delivered) -> tuple[Inbound, ...]:
    """What it says; that it is no delivery at all is final, whatever the channel thinks of trying again."""
    if len(delivery.raw) > RAW_MAX_BYTES:
        raise ChannelError(f"longer than {RAW_MAX_BYTES:,} bytes", is_permanent=True)
    try:
        found = listener.parse(delivery.raw)
    except ChannelError as error:
        raise ChannelError(str(error), is_permanent=True) from error
    if len(found) > INBOUND_MAX:
        raise ChannelError(f"says more than {INBOUND_MAX} things", is_permanent=True)
    return found


def _delivered(scheme: str, delivery: tuple[str, bytes], now_ms: int) -> Delivered:
    """As it is kept: of an id that is none, and of what is too long to be read, enough to know it again."""
    id_, raw = delivery
    if not (0 < len(id_) <= _ID_MAX_CHARS and id_.isprintable()):
        id_ = f"sha256:{hashlib.sha256(id_.encode('utf-8', 'backslashreplace')).hexdigest()}"
    return Delivered(scheme=scheme, id=id_, raw=raw[: RAW_MAX_BYTES + 1], received_at_ms=now_ms)
