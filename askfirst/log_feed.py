"""The log as it grows, for what follows it inside the broker: figures and outgoing webhooks.

The log has every change in one order, durable before anybody hears of it; whoever keeps the index of the last entry
that it has dealt with misses nothing, and needs no outbox of its own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from askfirst.store.reading import read
from askfirst.store.schema import audit

if TYPE_CHECKING:
    from collections.abc import Sequence

BATCH_MAX = 500
_QUERY = sa.select(audit.c.seq, audit.c.body).where(audit.c.seq >= sa.bindparam("first")).order_by(audit.c.seq)
_NEXT = sa.select(sa.func.max(audit.c.seq))


async def entries(reader: sa.Engine, first: int, limit: int = BATCH_MAX) -> Sequence[tuple[int, dict[str, Any]]]:
    """Committed entries from this index on, each with its index; an entry that is no JSON object is ``{}``."""
    query = _QUERY.limit(limit)
    rows = await read(reader, lambda connection: connection.execute(query, {"first": first}).all())
    return [(row.seq, _entry(row.body)) for row in rows]


async def size(reader: sa.Engine) -> int:
    """How many entries there are."""
    last = await read(reader, lambda connection: connection.scalar(_NEXT))
    return 0 if last is None else int(last) + 1


def _entry(body: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(body)
    except ValueError:  # the log's verifier says what is wrong with it; a follower goes on
        return {}
    return entry if isinstance(entry, dict) else {}
