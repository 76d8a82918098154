"""Deliveries that a channel's door turned away, in the log: at which door, why, and how many more there were.

Nobody knows who sent them, so the bounds are of each door and of all: nobody grows the log by knocking.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from askfirst.audit_port import Actor, Entry, EntryType
from askfirst.errors import Error
from askfirst.pace import Bucket, Buckets, take_each
from askfirst.ports import Rate
from askfirst.recent import Recent
from askfirst.visible import visible

if TYPE_CHECKING:
    from askfirst.audit_port import AuditLog, Value
    from askfirst.clock import Clock
    from askfirst.store.writer import Writer

_EACH = Rate(burst=3, per_s=3 / 3600)
_ALL = Rate(burst=60, per_s=60 / 3600)
_DOORS_MAX = 1024
_REASON_MAX_CHARS = 200


class Knocks:
    """Writes down what was not let in; one a broker.

    Args:
        writer: all writes go through it.
        audit: the log that the writer seals.
        clock: for how often.
    """

    def __init__(self, *, writer: Writer, audit: AuditLog, clock: Clock) -> None:
        self._writer = writer
        self._audit = audit
        self._clock = clock
        self._each = Buckets(_EACH, _DOORS_MAX)
        self._all = Bucket(_ALL, clock.now_ms())
        self._unwritten: Recent[str, int] = Recent(_DOORS_MAX)

    async def note(self, scheme: str, door: str, reason: str) -> None:
        """Something was turned away at this door, e.g. ``webhook:pager``; what is too much is counted in the next."""
        now_ms = self._clock.now_ms()
        if not take_each((self._each.of(door, now_ms), self._all), now_ms):
            self._unwritten[door] = self._unwritten.get(door, 0) + 1
            return
        unwritten = self._unwritten.pop(door, 0)
        data: dict[str, Value] = {
            "recipient": visible(door),
            "reason": visible(reason[:_REASON_MAX_CHARS]),
            **({"unwritten": unwritten} if unwritten else {}),
        }
        actor = Actor(type="system", id="broker", channel=scheme)
        entry = Entry(type=EntryType.CHANNEL_REFUSED, actor=actor, data=data)
        with contextlib.suppress(Error):  # it stays turned away, whether that can be written down or not
            await self._writer.write(lambda connection: self._audit.append(connection, entry))
