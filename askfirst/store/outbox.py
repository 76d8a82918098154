"""Deliveries that are owed: written in the transaction that causes them, carried out afterwards (I3).

A row says which request is to be shown where; what is shown is rendered when it is delivered, so it is never stale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from askfirst.store.locking import unlocked
from askfirst.store.schema import outbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.request import Request

SEND = "send"
UPDATE = "update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One owed delivery; ``external_id`` is the message that an update changes, ``""`` while it was never sent."""

    id: int
    request_id: str
    recipient: str
    kind: str
    attempts: int
    external_id: str

    @property
    def scheme(self) -> str:
        """The channel's part of the recipient."""
        return self.recipient.partition(":")[0]


def owe(connection: sa.Connection, request: Request, kind: str, now_ms: int) -> None:
    """Owe every recipient of a request a message, or the update of one."""
    rows = [
        {
            "request_id": request.id,
            "channel": recipient.partition(":")[0],
            "recipient": recipient,
            "kind": kind,
            "next_at_ms": now_ms,
        }
        for recipient in request.terms.recipients
    ]
    if rows:
        connection.execute(_INSERT, rows)


def due(connection: sa.Connection, now_ms: int, limit: int) -> list[Delivery]:
    """Deliveries whose time has come, oldest first; an update waits until its message was sent."""
    return [
        Delivery(
            id=row.id,
            request_id=row.request_id,
            recipient=row.recipient,
            kind=row.kind,
            attempts=row.attempts,
            external_id=row.message or "",
        )
        for row in connection.execute(_DUE.on(connection), {"now_ms": now_ms, "limit": limit})
    ]


def claim(connection: sa.Connection, deliveries: Sequence[Delivery], until_ms: int) -> None:
    """Keep other brokers from these deliveries until then: by that time they are recorded, or their broker is gone."""
    ids = [each.id for each in deliveries]
    if ids:
        connection.execute(outbox.update().where(outbox.c.id.in_(ids)).values(next_at_ms=until_ms))


def next_due(connection: sa.Connection) -> int | None:
    """When the next delivery is due, milliseconds since the epoch; None when none can be made."""
    result: int | None = connection.scalar(sa.select(sa.func.min(outbox.c.next_at_ms)).where(_owed))
    return result


def delivered(connection: sa.Connection, delivery: Delivery, external_id: str) -> None:
    """It was delivered, as the message with this id."""
    connection.execute(outbox.update().where(outbox.c.id == delivery.id).values(done=1, external_id=external_id))


def failed(connection: sa.Connection, delivery: Delivery, next_at_ms: int | None) -> None:
    """It could not be delivered; it is tried again then, or never when None, and then nor are its updates."""
    mine = outbox.c.id == delivery.id
    connection.execute(outbox.update().where(mine).values(attempts=delivery.attempts + 1))
    if next_at_ms is not None:
        connection.execute(outbox.update().where(mine).values(next_at_ms=next_at_ms))
        return
    same = (outbox.c.request_id == delivery.request_id) & (outbox.c.recipient == delivery.recipient)
    connection.execute(outbox.update().where(mine | (same if delivery.kind == SEND else mine)).values(done=1))


_sent = outbox.alias("sent")
_message = (
    sa.select(_sent.c.external_id)
    .where(_sent.c.request_id == outbox.c.request_id, _sent.c.recipient == outbox.c.recipient, _sent.c.kind == SEND)
    .order_by(_sent.c.id.desc())
    .limit(1)
    .correlate(outbox)
    .scalar_subquery()
)
_owed = (outbox.c.done == 0) & ((outbox.c.kind == SEND) | _message.is_not(None))
_INSERT = outbox.insert()
_DUE = unlocked(
    sa.select(outbox, _message.label("message"))
    .where(_owed, outbox.c.next_at_ms <= sa.bindparam("now_ms"))
    .order_by(outbox.c.id)
    .limit(sa.bindparam("limit")),
    outbox,
)
