"""Reviews that were turned away before the engine saw them, in the log: who tried to decide on what, and why not.

The same of the same caller is written once, and of one caller only so many an hour: nobody grows the log by trying.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.audit_port import EntryType
from askfirst.engine.case import LogLine
from askfirst.entries import entry_of
from askfirst.errors import RequestNotFoundError
from askfirst.pace import Bucket, Buckets
from askfirst.ports import Rate
from askfirst.recent import Recent
from askfirst.visible import visible

if TYPE_CHECKING:
    from askfirst.audit_port import Actor
    from askfirst.clock import Clock
    from askfirst.desk import Desk

_EACH = Rate(burst=20, per_s=20 / 3600)
_ALL = Rate(burst=200, per_s=200 / 3600)
_KNOWN_MAX = 4096
_SAID_MAX_CHARS = 200


class Refusals:
    """Writes down refused reviews; one a broker, handed to each way in: its bounds are for all of them together.

    Args:
        desk: knows the requests, and writes the entries.
        clock: for how often.
    """

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock
        self._each = Buckets(_EACH)
        self._all = Bucket(_ALL, clock.now_ms())
        self._known: Recent[tuple[str, str, str], None] = Recent(_KNOWN_MAX)

    async def note(self, request_id: str, actor: Actor, reason: str) -> None:
        """This caller wanted to decide on that request and could not; a request that is not there is no matter."""
        known, now_ms = (actor.id, request_id, reason), self._clock.now_ms()
        buckets = (self._each.of(actor.id, now_ms), self._all)
        if known in self._known or any(each.wait_ms(now_ms) for each in buckets):
            return
        try:
            case = await self._desk.case(request_id)
        except RequestNotFoundError:
            return
        self._known[known] = None
        for each in buckets:
            each.take(now_ms)
        line = LogLine(
            type=EntryType.REVIEW_REJECTED,
            actor=actor.id,
            actor_type=actor.type,
            channel=actor.channel,
            assurance=actor.assurance,
            decision={"counted": False, "note": visible(reason[:_SAID_MAX_CHARS])},
        )
        await self._desk.note(entry_of(case.request, line))
