"""The store that the configuration names: a SQLite file, or a PostgreSQL database that several brokers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.store.database import open_sqlite, open_sqlite_reader

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An open store.

    Attributes:
        engine: for the writer alone.
        reader: for everybody; writes nothing.
        url: of the database that is shared with other brokers; None for a file of our own.
    """

    engine: sa.Engine
    reader: sa.Engine
    url: sa.URL | None = None


def open_store(path: Path, url: str = "") -> Store:
    """The database at ``url``, or the file at ``path`` when that is empty; created and migrated as needed.

    Raises:
        ConfigError: the URL cannot be used.
        StoreError: the store cannot be used.
    """
    if not url:
        return Store(engine=open_sqlite(path), reader=open_sqlite_reader(path))
    from askfirst.store.postgres import open_postgres, open_postgres_reader, parse_url  # noqa: PLC0415  # an extra

    parsed = parse_url(url)
    return Store(engine=open_postgres(parsed), reader=open_postgres_reader(parsed), url=parsed)
