"""How many requests wait for people, and whose they are, counted in their index alone."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa

from askfirst.request import RequestState
from askfirst.store.schema import request as table
from askfirst.store.statement import Statement, constant


def _counted(*where: sa.ColumnElement[bool]) -> Statement:
    waits = sa.select(table.c.counted_as).where(table.c.state == constant(RequestState.PENDING.value), *where)
    rows = waits.limit(sa.bindparam("limit")).subquery()
    return Statement(sa.select(rows.c.counted_as, sa.func.count()).group_by(rows.c.counted_as))


_OF_ALL = _counted()
_OF_HOST = _counted(table.c.host == sa.bindparam("host"))


def count(connection: sa.Connection, limit: int, host: str | None = None) -> Counter[str]:
    """How many wait, of a host or of all, by whose they are (``counted_as``); at most ``limit`` are counted."""
    rows = _OF_ALL.rows(connection, limit=limit) if host is None else _OF_HOST.rows(connection, limit=limit, host=host)
    return Counter(dict(rows))
