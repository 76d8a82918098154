"""How many requests wait for people, counted in their index alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from askfirst.request import RequestState
from askfirst.store.schema import request as table
from askfirst.store.statement import Statement, constant

if TYPE_CHECKING:
    from collections.abc import Sequence

_BATCH = 500
"""Ids in one query."""
_WAITS = table.c.state == constant(RequestState.PENDING.value)


def _counted(*where: sa.ColumnElement[bool]) -> Statement:
    rows = sa.select(constant(1)).select_from(table).where(_WAITS, *where)
    return Statement(sa.select(sa.func.count()).select_from(rows.limit(sa.bindparam("limit")).subquery()))


_OF_ALL = _counted()
_OF_HOST = _counted(table.c.host == sa.bindparam("host"))


def count(connection: sa.Connection, limit: int, host: str | None = None) -> int:
    """How many wait, of a host or of all; ``limit`` where it is as many or more."""
    if host is None:
        return _OF_ALL.scalar(connection, limit=limit) or 0
    return _OF_HOST.scalar(connection, limit=limit, host=host) or 0


def still(connection: sa.Connection, ids: Sequence[str]) -> list[str]:
    """Those of these requests that wait."""
    batches = (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))
    return [
        found
        for batch in batches
        for found in connection.scalars(sa.select(table.c.id).where(table.c.id.in_(batch), _WAITS))
    ]
