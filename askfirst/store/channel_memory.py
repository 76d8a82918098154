"""What a channel must not forget: small texts by key, e.g. which topic of a group belongs to which repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from askfirst.store.schema import channel_memory

if TYPE_CHECKING:
    from collections.abc import Iterable


def recall(connection: sa.Connection, channel: str, key: str) -> str:
    """The text under this key, ``""`` for none."""
    found = sa.select(channel_memory.c.value).where(channel_memory.c.channel == channel, channel_memory.c.key == key)
    return connection.scalar(found) or ""


def remember(connection: sa.Connection, channel: str, key: str, value: str) -> None:
    """Put a text there, in place of what was there."""
    values = {"channel": channel, "key": key, "value": value}
    changed = {"value": value}
    keys: Iterable[str] = ("channel", "key")
    if connection.dialect.name == "sqlite":
        connection.execute(
            sqlite.insert(channel_memory).values(values).on_conflict_do_update(index_elements=keys, set_=changed)
        )
    else:
        connection.execute(
            postgresql.insert(channel_memory).values(values).on_conflict_do_update(index_elements=keys, set_=changed)
        )


def forget(connection: sa.Connection, channel: str, key: str) -> None:
    """Take it away."""
    connection.execute(channel_memory.delete().where(channel_memory.c.channel == channel, channel_memory.c.key == key))
