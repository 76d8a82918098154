"""Messages that channels have sent: rows of the outbox that are done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from askfirst.request import GrantState, RequestState
from askfirst.store.outbox import SEND, UPDATE, owe_updates
from askfirst.store.schema import grant as grant_table
from askfirst.store.schema import outbox
from askfirst.store.schema import request as request_table

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMessage:
    """A message about a request that waits, or whose grant is open; ``external_id`` is its channel's name for it."""

    id: int
    request_id: str
    recipient: str
    external_id: str


def read_open(connection: sa.Connection, scheme: str, limit: int = 1000) -> list[OpenMessage]:
    """What this channel has sent that people may still act on, oldest first."""
    granted = sa.select(grant_table.c.request_id).where(grant_table.c.state == GrantState.ISSUED.value)
    is_open = (request_table.c.state == RequestState.PENDING.value) | request_table.c.id.in_(granted)
    rows = connection.execute(
        sa.select(outbox.c.id, outbox.c.request_id, outbox.c.recipient, outbox.c.external_id)
        .join(request_table, request_table.c.id == outbox.c.request_id)
        .where(outbox.c.channel == scheme, outbox.c.kind == SEND, outbox.c.external_id.is_not(None), is_open)
        .order_by(outbox.c.id)
        .limit(limit)
    )
    return [OpenMessage(id=id_, request_id=of, recipient=to, external_id=name) for id_, of, to, name in rows]


def is_unreachable(connection: sa.Connection, request_id: str) -> bool:
    """Whether every message that this request was to be shown by is given up."""
    sends = sa.select(outbox.c.done, outbox.c.external_id).where(
        outbox.c.request_id == request_id, outbox.c.kind == SEND
    )
    rows = connection.execute(sends).all()
    return bool(rows) and all(done and external_id is None for done, external_id in rows)


def owe_updates_of(connection: sa.Connection, messages: Sequence[OpenMessage], now_ms: int) -> None:
    """Owe each of these messages an update."""
    rows = [
        {
            "request_id": each.request_id,
            "channel": each.recipient.partition(":")[0],
            "recipient": each.recipient,
            "kind": UPDATE,
            "next_at_ms": now_ms,
            "message_id": each.id,
        }
        for each in messages
    ]
    if rows:
        connection.execute(outbox.insert(), rows)


def adopt(
    connection: sa.Connection,
    request_id: str,
    recipient: str,
    external_id: str,
    now_ms: int,
    *,
    is_stale: bool = True,
) -> bool:
    """Remember a message that was sent although nobody owed it, or its answer was lost; False if it is known.

    One that may be stale is owed an update.
    It is known by its own name: what was sent to a group may stand in one of the group's topics.
    """
    scheme = recipient.partition(":")[0]
    known = sa.select(outbox.c.id).where(
        outbox.c.channel == scheme, outbox.c.request_id == request_id, outbox.c.external_id == external_id
    )
    if connection.execute(known.limit(1)).first() is not None:
        return False
    values = {
        "request_id": request_id,
        "channel": scheme,
        "recipient": recipient,
        "kind": SEND,
        "next_at_ms": now_ms,
        "done": 1,
        "external_id": external_id,
    }
    connection.execute(outbox.insert().values(**values))
    if is_stale:
        owe_updates(connection, request_id, now_ms)
    return True
