"""The mark of a store that was put back from a backup, until a broker has made it sound (``askfirst.restoring``).

When that was is kept, for what a channel reads again of the time before.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from askfirst.store.schema import meta

_KEY = "store.restored"
_SETTLED_KEY = "store.restored_at_ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was put back.

    Attributes:
        head: of the log in the backup, ``size:root`` in hexadecimal.
        at: when its last entry was made, RFC 3339.
        lost: how many entries the lost log had beyond it, at least; None: not known.
    """

    head: str
    at: str
    lost: int | None = None


def mark(connection: sa.Connection, restored: Restored) -> None:
    """Note that this store is older than what it stands for."""
    _put(connection, _KEY, json.dumps(asdict(restored)))


def marked(connection: sa.Connection) -> Restored | None:
    """What was put back and not made sound yet."""
    value = _value(connection, _KEY)
    return None if value is None else Restored(**json.loads(value))


def settle(connection: sa.Connection, now_ms: int) -> None:
    """It is sound, from now on."""
    connection.execute(meta.delete().where(meta.c.key == _KEY))
    _put(connection, _SETTLED_KEY, str(now_ms))


def settled_ms(connection: sa.Connection) -> int:
    """When it was made sound last, milliseconds since the epoch; 0 where it never was put back."""
    return int(_value(connection, _SETTLED_KEY) or 0)


def _value(connection: sa.Connection, key: str) -> str | None:
    value: str | None = connection.scalar(sa.select(meta.c.value).where(meta.c.key == key))
    return value


def _put(connection: sa.Connection, key: str, value: str) -> None:
    connection.execute(meta.delete().where(meta.c.key == key))
    connection.execute(meta.insert().values(key=key, value=value))
