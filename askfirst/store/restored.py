"""The mark of a store that was put back from a backup, until a broker has made it sound (``askfirst.restoring``)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from askfirst.store.schema import meta

_KEY = "store.restored"


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
    clear(connection)
    connection.execute(meta.insert().values(key=_KEY, value=json.dumps(asdict(restored))))


def marked(connection: sa.Connection) -> Restored | None:
    """What was put back and not made sound yet."""
    value = connection.scalar(sa.select(meta.c.value).where(meta.c.key == _KEY))
    return None if value is None else Restored(**json.loads(value))


def clear(connection: sa.Connection) -> None:
    """It is sound."""
    connection.execute(meta.delete().where(meta.c.key == _KEY))
