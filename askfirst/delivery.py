"""What is delivered now of that which is owed: as fast as the service takes it, of each message the newest update."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.pace import Bucket, Buckets
from askfirst.store.outbox import UPDATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.ports import Capabilities
    from askfirst.store.outbox import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A round of deliveries.

    Attributes:
        go: what is delivered now, most urgent first.
        wait_ms: how long until something more of what is due may go, 0 where all of it goes.
    """

    go: tuple[Delivery, ...]
    wait_ms: int = 0


class Pace:
    """How fast one channel delivers.

    Args:
        caps: of the channel.
        now_ms: when it begins.
    """

    def __init__(self, caps: Capabilities, now_ms: int) -> None:
        self._all = None if caps.rate is None else Bucket(caps.rate, now_ms)
        self._each = None if caps.recipient_rate is None else Buckets(caps.recipient_rate)
        self._blocked_until_ms = 0

    def block(self, until_ms: int) -> None:
        """The service wants to hear nothing more until then."""
        self._blocked_until_ms = max(self._blocked_until_ms, until_ms)

    def plan(self, due: Sequence[Delivery], now_ms: int) -> Plan:
        """What goes now; the rates are used up by it."""
        go: list[Delivery] = []
        waits: list[int] = []
        for delivery in newest(due):
            wait_ms = self._wait_ms(delivery, now_ms)
            if wait_ms:
                waits.append(wait_ms)
                continue
            for bucket in self._buckets(delivery, now_ms):
                bucket.take(now_ms)
            go.append(delivery)
        return Plan(go=tuple(go), wait_ms=min(waits, default=0))

    def _wait_ms(self, delivery: Delivery, now_ms: int) -> int:
        waits = [each.wait_ms(now_ms) for each in self._buckets(delivery, now_ms)]
        return max(self._blocked_until_ms - now_ms, *waits, 0)

    def _buckets(self, delivery: Delivery, now_ms: int) -> list[Bucket]:
        own = [] if self._each is None else [self._each.of(delivery.recipient, now_ms)]
        return own if self._all is None else [self._all, *own]


def newest(due: Sequence[Delivery]) -> list[Delivery]:
    """The same in this order, of several updates of one message the newest alone: it shows what they all would."""
    last = {each.message_id: each.id for each in sorted(due, key=lambda each: each.id) if each.kind == UPDATE}
    return [each for each in due if each.kind != UPDATE or each.id == last[each.message_id]]
