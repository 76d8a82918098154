"""Open a PostgreSQL database that several brokers share (15 or newer, psycopg 3).

Rules kept here, which let every broker run the same engine over the same tables:
- A writing transaction sees what others have committed (READ COMMITTED) and locks each request before it decides on it
  (``askfirst.store.locking``). It never waits for a lock while it holds one, but for the log's head, which comes last.
- A reading transaction sees one moment and can write nothing.
- A commit that returned is on disk: ``synchronous_commit`` is not off, whatever the server's default is.
- A broker that is stopped in the middle of a transaction loses it, so that it cannot hold up the others.

Passwords come from the URL or from libpq's own places (``PGPASSFILE``, ``~/.pgpass``, ``PGPASSWORD``); no message
shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from askfirst.errors import ConfigError, StoreAwayError, StoreError
from askfirst.store.database import migrate
from askfirst.store.statement import DIRECT, PIPELINE, SHARED
from askfirst.store.views import create_views, drop_views

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.pool import ConnectionPoolEntry

OLDEST_SERVER = 15
MIGRATION_LOCK = 0x61736B66_00000001
"""Advisory lock (64 bits) of whoever migrates, or founds the log: brokers may start at the same moment."""

_SETTINGS = {
    "application_name": "askfirst",
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "20s",
    "client_min_messages": "warning",
}
_KEEPALIVE = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""libpq's options, seconds: a server that vanished is noticed within half a minute.
From: https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-PARAMKEYWORDS"""


def parse_url(url: str) -> sa.URL:
    """The URL ``postgresql://…`` as SQLAlchemy takes it, for psycopg 3.

    Raises:
        ConfigError: it is none, or psycopg is not installed.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigError("store.url is no URL, expected postgresql://user@host/database") from None
    if parsed.drivername not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ConfigError(f"store.url begins with {parsed.drivername!r}, expected postgresql://user@host/database")
    try:
        import psycopg  # noqa: F401, PLC0415  # an extra; only asked for here
    except ImportError:
        raise ConfigError("a store on PostgreSQL needs psycopg; run `pip install 'askfirst[postgres]'`") from None
    return parsed.set(drivername="postgresql+psycopg")


def conninfo(url: sa.URL) -> str:
    """The same for libpq and its programs."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def open_postgres(url: sa.URL) -> sa.Engine:
    """The writing engine, with one connection; the database is migrated as needed.

    Raises:
        StoreError: it cannot be reached, is too old, or was written by a newer release.
    """
    engine = sa.create_engine(
        url,
        isolation_level="READ COMMITTED",
        poolclass=sa.QueuePool,
        pool_size=1,
        max_overflow=1,
        execution_options={SHARED: True, DIRECT: True},
        connect_args={**_KEEPALIVE, "options": _options(_SETTINGS), "prepare_threshold": None},
    )
    sa.event.listen(engine, "connect", _require_durable)
    _send_together(engine)
    try:
        with engine.begin() as connection:
            _require_version(connection)
            lock_for_migration(connection)
            drop_views(connection)
            migrate(connection)
            create_views(connection)
    except sa.exc.DBAPIError as error:
        engine.dispose()
        raise StoreError(f"cannot use the store {url.render_as_string()}: {error.orig}") from error
    except StoreError:
        engine.dispose()
        raise
    return engine


def open_postgres_reader(url: sa.URL) -> sa.Engine:
    """A read-only engine; its errors are ``StoreAwayError`` when the database cannot be reached."""
    engine = sa.create_engine(
        url,
        isolation_level="REPEATABLE READ",
        pool_size=4,
        execution_options={"postgresql_readonly": True},
        connect_args={**_KEEPALIVE, "options": _options(_SETTINGS), "prepare_threshold": 2},
    )
    sa.event.listen(engine, "handle_error", _translate)
    return engine


def lock_for_migration(connection: sa.Connection) -> None:
    """Keep other brokers from migrating or founding a log until this transaction ends."""
    connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})


def _options(settings: dict[str, str]) -> str:
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def _send_together(engine: sa.Engine) -> None:
    """Give each connection a pipeline for statements; what SQLAlchemy runs itself comes after them, in its turn."""
    from askfirst.store.pipeline import Pipeline  # noqa: PLC0415  # needs psycopg, an extra

    numbered: Callable[..., sa.Dialect] = type(engine.dialect)
    dialect = numbered(paramstyle="numeric_dollar", dbapi=engine.dialect.dbapi)

    def on_connect(driver: Any, record: ConnectionPoolEntry) -> None:
        record.info[PIPELINE] = Pipeline(driver, dialect)

    def pipeline(connection: sa.Connection) -> Pipeline:
        made: Pipeline = connection.info[PIPELINE]
        return made

    sa.event.listen(engine, "connect", on_connect)
    sa.event.listen(engine, "before_cursor_execute", lambda connection, *_: pipeline(connection).settle())
    sa.event.listen(engine, "commit", lambda connection: pipeline(connection).commit())
    sa.event.listen(engine, "rollback", lambda connection: pipeline(connection).forget())
    sa.event.listen(engine, "rollback_savepoint", lambda connection, *_: pipeline(connection).forget())


def _require_durable(connection: Any, _record: object) -> None:
    """A server may acknowledge commits that a crash then loses; ours are acknowledged once they are on disk."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'"
        )
    connection.commit()


def _require_version(connection: sa.Connection) -> None:
    number = int(connection.exec_driver_sql("show server_version_num").scalar_one())
    if number // 10_000 < OLDEST_SERVER:
        raise StoreError(f"the database is PostgreSQL {number // 10_000}, expected {OLDEST_SERVER} or newer")


def _translate(context: ExceptionContext) -> Exception | None:
    """Readers hear of a database that is away in one class of ours."""
    if context.is_disconnect or isinstance(context.sqlalchemy_exception, sa.exc.OperationalError):
        cause = str(context.original_exception).partition("\n")[0]
        return StoreAwayError(f"the database is away: {cause}")
    return None
