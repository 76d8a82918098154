"""Open the database: pragmas, permissions, migrations.

SQLite runs in WAL mode with ``synchronous=FULL``: a commit that returned is on disk. One connection in one process
writes (SQLite before 3.51.3 can corrupt a WAL that two connections write at once, https://sqlite.org/wal.html); all
others are opened read-only. ``mmap_size`` stays 0.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from askfirst.errors import StoreError
from askfirst.store.statement import DIRECT
from askfirst.store.views import create_views, drop_views

if TYPE_CHECKING:
    from collections.abc import Callable

_MIGRATIONS = Path(__file__).parent / "migrations"


def open_sqlite(path: Path) -> sa.Engine:
    """The writing engine of a SQLite file, which is created (0600) and migrated as needed.

    Raises:
        StoreError: the file cannot be opened, is no database of ours, or was written by a newer release.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.close(descriptor)
    except OSError as error:
        raise StoreError(f"cannot open the store {path}: {error.strerror}") from error
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        poolclass=sa.StaticPool,
        connect_args={"check_same_thread": False, "timeout": 5.0},
        execution_options={DIRECT: True},
    )
    _prepare(engine, write_pragmas)
    try:
        with engine.begin() as connection:
            drop_views(connection)
            migrate(connection)
            create_views(connection)
    except sa.exc.DatabaseError as error:
        engine.dispose()
        raise StoreError(f"cannot use the store {path}: {error.orig}") from error
    except StoreError:
        engine.dispose()
        raise
    return engine


def open_sqlite_reader(path: Path) -> sa.Engine:
    """A read-only engine of an existing SQLite file; its connections never write, migrate or checkpoint."""
    uri = f"file:{quoted(path)}?mode=ro"
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=uri, query={"uri": "true"}),
        pool_size=4,
        poolclass=sa.QueuePool,
        connect_args={"check_same_thread": False, "timeout": 5.0},
    )
    _prepare(engine, _read_pragmas)
    return engine


def migrate(connection: sa.Connection) -> None:
    """Bring the schema to this release's, in the caller's transaction.

    Raises:
        StoreError: a newer release has written it.
    """
    scripts = ScriptDirectory.from_config(_config())
    if _known(connection, scripts) == scripts.get_current_head():
        return
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(f"cannot migrate the store: {error}") from error


def require_known(connection: sa.Connection) -> None:
    """This release can use the store.

    Raises:
        StoreError: a newer release has written it.
    """
    _known(connection, ScriptDirectory.from_config(_config()))


def is_current(connection: sa.Connection) -> bool:
    """Whether the schema is this release's own."""
    scripts = ScriptDirectory.from_config(_config())
    return MigrationContext.configure(connection).get_current_revision() == scripts.get_current_head()


def _known(connection: sa.Connection, scripts: ScriptDirectory) -> str | None:
    """The schema of a store, None where there is none yet."""
    current = MigrationContext.configure(connection).get_current_revision()
    if current in {None, scripts.get_current_head()}:
        return current
    if current not in {each.revision for each in scripts.walk_revisions()}:
        raise StoreError(f"the store has schema {current}, which this release does not know; upgrade askfirst")
    return current


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _prepare(engine: sa.Engine, pragmas: Callable[[Any], None]) -> None:
    """Hand transactions to SQLAlchemy: the driver's own begin would be deferred and commit behind our back.

    From: https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#pysqlite-serializable
    """

    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.text_factory = _text
        pragmas(connection)

    def on_begin(connection: sa.Connection) -> None:
        connection.connection.cursor().execute("BEGIN IMMEDIATE" if pragmas is write_pragmas else "BEGIN")

    sa.event.listen(engine, "connect", on_connect)
    sa.event.listen(engine, "begin", on_begin)


def _text(stored: bytes) -> str:
    """A text of the store. One that is damaged is no JSON any more: its row is passed over, not all rows beside it."""
    return stored.decode("utf-8", "backslashreplace")


def write_pragmas(connection: Any) -> None:
    """Set up a connection that writes: what a commit returned is on disk."""
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "wal_autocheckpoint=4000",  # pages; the writer comes first, and not while somebody waits for a commit
        "foreign_keys=ON",
        "mmap_size=0",
        "trusted_schema=OFF",
        "secure_delete=ON",  # what is erased leaves no trace in the file
    ):
        connection.execute(f"PRAGMA {pragma}")


def _read_pragmas(connection: Any) -> None:
    for pragma in ("query_only=ON", "mmap_size=0", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}")


def quoted(path: Path) -> str:
    """The path inside a SQLite URI: https://sqlite.org/uri.html#the_uri_path."""
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
