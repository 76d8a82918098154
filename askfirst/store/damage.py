"""Which open requests of a store cannot be read: a copy can be sound as a file, and its log verify, without them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from askfirst.errors import UnreadableError
from askfirst.request import Grant, GrantState, Request, RequestState, Review, load
from askfirst.store import schema
from askfirst.store.database import is_current, open_sqlite_reader
from askfirst.store.postgres import open_postgres_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PAGE = 1000
_open = sa.union(
    sa.select(schema.request.c.id).where(schema.request.c.state == RequestState.PENDING.value),
    sa.select(schema.grant.c.request_id).where(schema.grant.c.state == GrantState.ISSUED.value),
)
_PARTS: tuple[tuple[Callable[[str], object], sa.Column[Any], sa.Column[Any]], ...] = (
    (partial(load, Request), schema.request.c.id, schema.request.c.body),
    (partial(load, Request), schema.request_version.c.request_id, schema.request_version.c.body),
    (partial(load, Review), schema.review.c.request_id, schema.review.c.body),
    (partial(load, Grant), schema.grant.c.request_id, schema.grant.c.body),
)


def find_unreadable(place: Path | sa.URL) -> list[str]:
    """Ids of the requests that wait or have an open grant, and of which a part cannot be read; oldest first.

    Each is read: 2 s where 100,000 wait. Of a store that an older release has written none is: its
    records have that release's form until a broker upgrades it.
    """
    engine = open_sqlite_reader(place) if isinstance(place, Path) else open_postgres_reader(place)
    try:
        with engine.connect() as connection:
            return sorted(set(_unreadable(connection))) if is_current(connection) else []
    finally:
        engine.dispose()


def _unreadable(connection: sa.Connection) -> Iterator[str]:
    connection = connection.execution_options(stream_results=True, yield_per=_PAGE)
    for read, id_, body in _PARTS:
        for request_id, text in connection.execute(sa.select(id_, body).where(id_.in_(_open))):
            try:
                read(text)
            except UnreadableError:
                yield request_id
