"""Backups of the store, made while brokers go on writing, and putting one back.

- SQLite: the online backup API, from a read-only connection into one file.
- PostgreSQL: ``pg_dump`` in its custom format, put back by ``pg_restore``; both see one moment of the database.

A backup holds what people were asked and what they decided, so its file is 0600. The keys are not in it: whoever has
them could forge the log, so they are kept apart (docs/deploy.md).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from askfirst.errors import StoreError
from askfirst.store import restored, schema
from askfirst.store.database import open_sqlite, open_sqlite_reader, quoted, require_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.store.restored import Restored

_LOG_TABLES = (schema.meta, schema.audit, schema.tile, schema.tree, schema.cosignature, schema.blob)
_PAGE = 1000
_PAGES_A_STEP = 1024
"""SQLite's backup copies so many pages (4 KiB) before it lets others go on."""


def backup_sqlite(path: Path, out: Path) -> None:
    """Copy the store to ``out``, which appears whole or not at all.

    Raises:
        StoreError: there is no store, ``out`` exists already, or it cannot be written.
    """
    _require_store(path)
    with _draft(out) as draft:
        _copy(path, draft)


def backup_postgres(url: sa.URL, out: Path) -> None:
    """Dump the database to ``out``, which appears whole or not at all.

    Raises:
        StoreError: ``out`` exists already, or pg_dump is missing or says why not.
    """
    with _draft(out) as draft:
        _run(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={draft}")


def require_no_store(path: Path) -> None:
    """Nothing lies where a backup is to be put back.

    A write-ahead log or journal that the lost store left behind counts: SQLite would play it into whatever file takes
    the store's name. From: https://sqlite.org/howtocorrupt.html §1.4

    Raises:
        StoreError: something does.
    """
    if path.exists():
        raise StoreError(
            f"there is a store at {path}; move it away, with its -wal file, to restore another, and name it by --old, "
            "so that you hear what is lost"
        )
    for left in (path.with_name(f"{path.name}{end}") for end in ("-wal", "-journal")):
        if left.exists():
            raise StoreError(
                f"{left} is left of the store that is gone and would be mixed into the restored one; move it away, "
                "beside the rest of that store if there is any"
            )


def restore_sqlite(backup: Path, folder: Path) -> Path:
    """A copy of the backup in the store's folder, on disk and found sound, ready to be renamed to the store.

    Raises:
        StoreError: it is no store of ours, is damaged, or a newer release has written it.
    """
    _require_store(backup)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".restored.", suffix=".db", delete=False) as made:
        copy = Path(made.name)
    try:
        _copy(backup, copy)
        _require_known(open_sqlite_reader(copy))
    except StoreError:
        copy.unlink()
        raise
    return copy


def restore_postgres(backup: Path, url: sa.URL) -> None:
    """Put a dump back into an empty database, completely or not at all.

    Raises:
        StoreError: the database is not empty, pg_restore is missing or says why not, or what was put back was written
            by a newer release, which can use it.
    """
    engine = sa.create_engine(url)
    try:
        if sa.inspect(engine).has_table(schema.tree.name):
            raise StoreError("the database holds a store already; restore into an empty one")
    except sa.exc.DBAPIError as error:
        raise StoreError(f"cannot use the database {url.render_as_string()}: {error.orig}") from error
    finally:
        engine.dispose()
    _run(url, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", backup)
    _require_known(sa.create_engine(url))


def mark_restored(place: Path | sa.URL, about: Restored) -> None:
    """Let the next broker on this store take back what is open in it, before it serves anybody.

    Raises:
        StoreError: a newer release has written it.
    """
    engine = sa.create_engine(f"sqlite:///{place}" if isinstance(place, Path) else place)
    try:
        with engine.begin() as connection:
            require_known(connection)
            restored.mark(connection, about)
    finally:
        engine.dispose()


@contextmanager
def copied_log(reader: sa.Engine, vkey: Path) -> Iterator[Path]:
    """The log of a shared database as a store file that is gone afterwards, with the published key beside it.

    Args:
        reader: a read-only engine, whose transactions see one moment.
        vkey: the key file of this broker's state folder; it may be missing.
    """
    with tempfile.TemporaryDirectory(prefix="askfirst-log-", dir=vkey.parent) as folder:
        path = Path(folder) / "askfirst.db"
        engine = open_sqlite(path)
        with reader.connect() as source, engine.begin() as target:
            source.execution_options(stream_results=True, yield_per=_PAGE)
            for table in _LOG_TABLES:
                for rows in source.execute(table.select()).mappings().partitions(_PAGE):
                    target.execute(table.insert(), [dict(row) for row in rows])
        engine.dispose()
        if vkey.exists():
            shutil.copyfile(vkey, path.with_name(vkey.name))
        yield path


def _require_store(path: Path) -> None:
    if not path.is_file():
        raise StoreError(f"there is no store at {path}")


def _require_known(engine: sa.Engine) -> None:
    try:
        with engine.connect() as connection:
            require_known(connection)
    finally:
        engine.dispose()


def _copy(source: Path, target: Path) -> None:
    """By SQLite's backup API; the copy is one file, checked and on disk.

    From: https://sqlite.org/backup.html
    """
    try:
        with (
            closing(sqlite3.connect(f"file:{quoted(source)}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            if old.execute("select count(*) from sqlite_master where name in ('tree', 'request')").fetchone() != (2,):
                raise StoreError(f"{source} is no store of Askfirst")
            old.backup(new, pages=_PAGES_A_STEP)
            new.execute("pragma journal_mode=delete")
            if (found := new.execute("pragma integrity_check").fetchone()[0]) != "ok":
                raise StoreError(f"{source} is damaged: {found}")
    except sqlite3.Error as error:
        raise StoreError(f"cannot copy {source}: {error}") from error
    _sync(target)


@contextmanager
def _draft(out: Path) -> Iterator[Path]:
    """A file beside ``out`` that takes its place when the block ends well; 0600."""
    if out.exists():
        raise StoreError(f"{out} exists already; name another file")
    try:
        descriptor, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    except OSError as error:
        raise StoreError(f"cannot write {out}: {error.strerror}") from error
    os.close(descriptor)
    draft = Path(name)
    try:
        yield draft
        _sync(draft)
        out.hardlink_to(draft)
        _sync(out.parent)
    except FileExistsError:
        raise StoreError(f"{out} exists already; name another file") from None
    finally:
        draft.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _run(url: sa.URL, program: str, *arguments: str | Path) -> None:
    """One of PostgreSQL's programs on this database; the password goes by its environment, which others cannot read."""
    if shutil.which(program) is None:
        raise StoreError(f"{program} was not found; install PostgreSQL's client programs, as new as its server")
    environ = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    database = f"--dbname={url.set(drivername='postgresql', password=None).render_as_string()}"
    command = [program, database, *arguments]
    done = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StoreError(f"{program} ended with code {done.returncode}: {done.stderr.strip()[:500]}")
