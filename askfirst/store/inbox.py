"""What providers delivered, raw: kept in one commit with the provider's cursor, before anybody looks at it (I3)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from askfirst.store.schema import cursor as cursor_table
from askfirst.store.schema import inbox
from askfirst.store.upsert import upsert

if TYPE_CHECKING:
    from collections.abc import Sequence


class Standing(enum.IntEnum):
    """What became of a delivery."""

    WAITING = 0
    HANDLED = 1
    SET_APART = 2
    """It could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One delivery; ``id`` is the provider's."""

    scheme: str
    id: str
    raw: bytes
    received_at_ms: int


def keep(connection: sa.Connection, deliveries: Sequence[Delivered]) -> None:
    """Keep what is new, in this order."""
    rows = [
        {
            "channel": each.scheme,
            "external_id": each.id,
            "raw": each.raw,
            "received_at_ms": each.received_at_ms,
            "position": position,
        }
        for position, each in enumerate(deliveries)
    ]
    if rows:
        connection.execute(upsert(connection, inbox).on_conflict_do_nothing(), rows)


def move_cursor(connection: sa.Connection, scheme: str, value: str) -> None:
    """Remember how far the provider was read."""
    insert = upsert(connection, cursor_table).values(channel=scheme, value=value)
    connection.execute(insert.on_conflict_do_update(index_elements=["channel"], set_={"value": value}))


def cursor(connection: sa.Connection, scheme: str) -> str:
    """How far the provider was read, ``""`` before the first time."""
    return connection.scalar(sa.select(cursor_table.c.value).where(cursor_table.c.channel == scheme)) or ""


def waiting(connection: sa.Connection, scheme: str, limit: int) -> list[Delivered]:
    """What was not handled yet, in the order of arrival."""
    rows = connection.execute(_WAITING, {"scheme": scheme, "limit": limit})
    return [
        Delivered(scheme=scheme, id=row.external_id, raw=row.raw, received_at_ms=row.received_at_ms) for row in rows
    ]


def settle(connection: sa.Connection, delivery: Delivered, standing: Standing) -> bool:
    """Say what became of it; whether nobody had said so before.

    Of what was handled only the id is kept, to know it again: it holds what people wrote, and what they were shown.
    """
    mine = (inbox.c.channel == delivery.scheme) & (inbox.c.external_id == delivery.id)
    values = {"handled": int(standing), **({"raw": b""} if standing is Standing.HANDLED else {})}
    changed = connection.execute(inbox.update().where(mine, inbox.c.handled == Standing.WAITING).values(**values))
    return changed.rowcount == 1


def forget(connection: sa.Connection, before_ms: int) -> int:
    """Delete what was settled and is older, and how many that were."""
    settled = (inbox.c.handled != Standing.WAITING) & (inbox.c.received_at_ms < before_ms)
    return connection.execute(inbox.delete().where(settled)).rowcount


_WAITING = (
    sa.select(inbox.c.external_id, inbox.c.raw, inbox.c.received_at_ms)
    .where(inbox.c.channel == sa.bindparam("scheme"), inbox.c.handled == 0)
    .order_by(inbox.c.received_at_ms, inbox.c.position)
    .limit(sa.bindparam("limit"))
)
