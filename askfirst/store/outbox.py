"""Deliveries that are owed: written in the transaction that causes them, carried out afterwards (I3).

A row says which request is to be shown where; what is shown is rendered when it is delivered, so it is never stale.
Every message that was ever sent is a row, and every change of the request owes each of them an update (I10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from askfirst.store.locking import unlocked
from askfirst.store.schema import outbox
from askfirst.store.schema import request as request_table
from askfirst.store.statement import Statement, constant, inserted, updated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SEND = "send"
UPDATE = "update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One owed delivery.

    Attributes:
        message_id: the row that sent the message which an update changes; of a message, its own row.
        external_id: that message's id in its channel, ``""`` while it was never sent.
    """

    id: int
    request_id: str
    recipient: str
    kind: str
    attempts: int
    message_id: int
    external_id: str

    @property
    def scheme(self) -> str:
        """The channel's part of the recipient."""
        return self.recipient.partition(":")[0]


def owe_messages(connection: sa.Connection, request_id: str, recipients: Iterable[str], at_ms: int) -> None:
    """Owe each of these recipients a message of its own, not before then."""
    rows = [
        {
            "request_id": request_id,
            "channel": recipient.partition(":")[0],
            "recipient": recipient,
            "kind": SEND,
            "next_at_ms": at_ms,
        }
        for recipient in dict.fromkeys(recipients)
    ]
    _INSERT.change_many(connection, rows)


def owe_updates(connection: sa.Connection, request_id: str, now_ms: int) -> None:
    """Owe every message about this request an update."""
    _OWE_UPDATES.change(connection, request_id=request_id, now_ms=now_ms)


def drop_unsent(connection: sa.Connection, request_id: str, now_ms: int) -> None:
    """Owe nobody a first message any more that quiet hours still hold back: there is nothing left to decide."""
    _DROP_UNSENT.change(connection, request_id=request_id, now_ms=now_ms)


def due(connection: sa.Connection, scheme: str, now_ms: int, limit: int) -> list[Delivery]:
    """A channel's deliveries whose time has come.

    First messages about what waits for people, then updates, then messages about what is over; each oldest first. An
    update waits until its message was sent.
    """
    return [
        Delivery(
            id=id_,
            request_id=request_id,
            recipient=recipient,
            kind=kind,
            attempts=attempts,
            message_id=message_id or id_,
            external_id=external_id or "",
        )
        for id_, request_id, recipient, kind, attempts, message_id, external_id in _DUE.rows(
            connection, scheme=scheme, now_ms=now_ms, limit=limit
        )
    ]


def schemes(connection: sa.Connection) -> set[str]:
    """Channels that owe something."""
    return set(connection.scalars(sa.select(outbox.c.channel).where(_open).distinct()))


def claim(connection: sa.Connection, deliveries: Sequence[Delivery], until_ms: int) -> None:
    """Keep other brokers from these deliveries until then: by that time they are recorded, or their broker is gone."""
    ids = [each.id for each in deliveries]
    if ids:
        connection.execute(outbox.update().where(outbox.c.id.in_(ids)).values(next_at_ms=until_ms))


def next_due(connection: sa.Connection, scheme: str) -> int | None:
    """When a channel's next delivery is due, milliseconds since the epoch; None when none can be made."""
    result: int | None = _NEXT_DUE.scalar(connection, scheme=scheme)
    return result


def delivered(connection: sa.Connection, delivery: Delivery, external_id: str) -> None:
    """It was delivered, as the message with this id; an update has shown what earlier ones would have."""
    _DELIVERED.change(connection, id_=delivery.id, new_done=1, new_external_id=external_id)
    if delivery.kind == UPDATE:
        _FOLD.change(connection, request_id=delivery.request_id, message_id=delivery.message_id, newest=delivery.id)


def put_off(connection: sa.Connection, delivery: Delivery, attempts: int, next_at_ms: int) -> None:
    """It could not be delivered; it is tried again then."""
    values = {"attempts": attempts, "next_at_ms": next_at_ms}
    connection.execute(outbox.update().where(outbox.c.id == delivery.id).values(**values))


def give_up(connection: sa.Connection, delivery: Delivery) -> None:
    """It cannot be delivered; of a message, nor can its updates."""
    mine = outbox.c.id == delivery.id
    connection.execute(outbox.update().where(mine).values(attempts=delivery.attempts + 1))
    gone = (mine | (outbox.c.message_id == delivery.id)) if delivery.kind == SEND else mine
    connection.execute(outbox.update().where(outbox.c.request_id == delivery.request_id, gone).values(done=1))


# A value would have SQLite prepare the statement anew each time: is it in the index?
_open = outbox.c.done == constant(0)
_alive = _open | outbox.c.external_id.is_not(None)  # sent, or still to be sent: not given up
_sent = outbox.alias("sent")
_with_message = outbox.outerjoin(_sent, _sent.c.id == outbox.c.message_id)
_of_channel = outbox.c.channel == sa.bindparam("scheme")
_owed = _open & ((outbox.c.kind == SEND) | _sent.c.external_id.is_not(None))
_INSERT = inserted(outbox, "request_id", "channel", "recipient", "kind", "next_at_ms")
_of_request = outbox.c.request_id == sa.bindparam("request_id")
_OWE_UPDATES = Statement(
    outbox.insert()
    .inline()
    .from_select(
        ["request_id", "channel", "recipient", "kind", "next_at_ms", "message_id"],
        sa.select(
            outbox.c.request_id,
            outbox.c.channel,
            outbox.c.recipient,
            sa.literal(UPDATE),
            sa.bindparam("now_ms", type_=sa.BigInteger),
            outbox.c.id,
        ).where(_of_request, outbox.c.kind == SEND, _alive),
    )
)
_held = (outbox.c.kind == SEND) & _open & (outbox.c.attempts == 0)
_DROP_UNSENT = Statement(
    outbox.update().where(_of_request, _held, outbox.c.next_at_ms > sa.bindparam("now_ms")).values(done=1)
)
_DELIVERED = updated(outbox, ("done", "external_id"), outbox.c.id == sa.bindparam("id_"))
_FOLD = Statement(
    outbox.update()
    .where(
        _of_request,
        _open,
        outbox.c.message_id == sa.bindparam("message_id"),
        outbox.c.id < sa.bindparam("newest"),
    )
    .values(done=1)
)
_NEXT_DUE = Statement(sa.select(sa.func.min(outbox.c.next_at_ms)).select_from(_with_message).where(_owed, _of_channel))
_waits = outbox.c.request_id.in_(
    sa.select(request_table.c.id).where(
        request_table.c.id == outbox.c.request_id, request_table.c.state == constant("pending")
    )
)
_rank = sa.case(
    ((outbox.c.kind == SEND) & _waits, constant(0)), (outbox.c.kind == UPDATE, constant(1)), else_=constant(2)
)
_DUE = unlocked(
    sa.select(
        outbox.c.id,
        outbox.c.request_id,
        outbox.c.recipient,
        outbox.c.kind,
        outbox.c.attempts,
        outbox.c.message_id,
        _sent.c.external_id,
    )
    .select_from(_with_message)
    .where(_owed, _of_channel, outbox.c.next_at_ms <= sa.bindparam("now_ms"))
    .order_by(_rank, outbox.c.id)
    .limit(sa.bindparam("limit")),
    outbox,
)
