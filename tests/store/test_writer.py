"""The writer's bounds and what it does with work that fails."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
import sqlalchemy as sa

from askfirst.errors import InputError, OverloadedError, StoreError
from askfirst.store.database import open_sqlite
from askfirst.store.writer import CHECKPOINT_EVERY, Writer
from askfirst.testing.bench import MemoryAuditLog

Row: TypeAlias = "Callable[[str], Callable[[sa.Connection], int]]"
Keys: TypeAlias = "Callable[[Path], list[str]]"


def refuse(_connection: sa.Connection) -> None:
    raise InputError("no")


def test_beyond_the_bound_work_is_refused_at_once_and_the_rest_is_done(tmp_path: Path, row: Row, keys: Keys) -> None:
    writer = Writer(open_sqlite(tmp_path / "a.db"), MemoryAuditLog(), queue_max=3)
    held, entered = threading.Event(), threading.Event()

    def hold(_connection: sa.Connection) -> None:
        entered.set()
        held.wait(20)

    first = writer.submit(hold)
    assert entered.wait(20)
    accepted = [writer.submit(row(f"{number}")) for number in range(3)]
    with pytest.raises(OverloadedError, match="3 writes are waiting; try again later"):
        writer.submit(row("one too many"))
    held.set()
    for each in (first, *accepted):
        each.result(20)
    writer.close()
    assert keys(tmp_path / "a.db") == ["0", "1", "2"]


def test_work_that_fails_takes_nothing_of_its_neighbours_with_it(tmp_path: Path, row: Row, keys: Keys) -> None:
    writer = Writer(open_sqlite(tmp_path / "a.db"), MemoryAuditLog())
    held, entered = threading.Event(), threading.Event()

    def hold(_connection: sa.Connection) -> None:
        entered.set()
        held.wait(20)

    writer.submit(hold)
    assert entered.wait(20)
    good, bad, other = writer.submit(row("good")), writer.submit(refuse), writer.submit(row("other"))
    held.set()
    good.result(20)
    other.result(20)
    with pytest.raises(InputError):
        bad.result(20)
    writer.close()
    assert keys(tmp_path / "a.db") == ["good", "other"]


def test_work_whose_caller_has_gone_does_not_stop_the_writer(tmp_path: Path, row: Row, keys: Keys) -> None:
    writer = Writer(open_sqlite(tmp_path / "a.db"), MemoryAuditLog())
    held, entered = threading.Event(), threading.Event()

    def hold(_connection: sa.Connection) -> None:
        entered.set()
        held.wait(20)

    writer.submit(hold)
    assert entered.wait(20)
    assert writer.submit(row("cancelled")).cancel()
    held.set()
    writer.submit(row("later")).result(20)
    writer.close()
    assert keys(tmp_path / "a.db") == ["later"]


def test_a_closed_disk_refuses_everything_from_then_on(tmp_path: Path, row: Row, keys: Keys) -> None:
    failures: list[StoreError] = []
    writer = Writer(open_sqlite(tmp_path / "a.db"), MemoryAuditLog(), on_failure=failures.append)

    def fail(_connection: sa.Connection) -> None:
        raise sa.exc.OperationalError("insert", {}, OSError("disk I/O error"))

    with pytest.raises(StoreError, match="disk I/O error"):
        writer.submit(fail).result(20)
    with pytest.raises(StoreError):
        writer.submit(row("after")).result(20)
    writer.close()
    assert len(failures) == 1
    assert keys(tmp_path / "a.db") == []


def test_what_is_committed_is_brought_into_the_file_before_the_wal_has_grown_long(
    tmp_path: Path, row: Row, keys: Keys
) -> None:
    """A copy of the database file alone, without its WAL, is as far as the last checkpoint."""
    writer = Writer(open_sqlite(tmp_path / "a.db"), MemoryAuditLog())
    for number in range(CHECKPOINT_EVERY):
        writer.submit(row(f"{number:03d}")).result(20)
    writer.submit(refuse).exception(20)  # by then the checkpoint is over
    shutil.copy(tmp_path / "a.db", tmp_path / "copy.db")
    assert keys(tmp_path / "copy.db") == [f"{number:03d}" for number in range(CHECKPOINT_EVERY)]
    writer.close()


def test_a_checkpoint_that_fails_ends_the_writer_and_what_was_answered_stays(
    tmp_path: Path, row: Row, keys: Keys
) -> None:
    failures: list[StoreError] = []
    engine = open_sqlite(tmp_path / "a.db")
    writer = Writer(engine, MemoryAuditLog(), on_failure=failures.append)

    def no_checkpoints(connection: sa.Connection) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        refused, allowed = sqlite3.SQLITE_DENY, sqlite3.SQLITE_OK
        driver.set_authorizer(
            lambda action, name, *_: refused if (action, name) == (sqlite3.SQLITE_PRAGMA, "wal_checkpoint") else allowed
        )

    writer.submit(no_checkpoints).result(20)
    for number in range(1, CHECKPOINT_EVERY):
        writer.submit(row(f"{number:03d}")).result(20)
    with pytest.raises(StoreError, match="the store cannot be written: not authorized"):
        writer.submit(row("after")).result(20)
    writer.close()
    assert len(failures) == 1
    assert keys(tmp_path / "a.db") == [f"{number:03d}" for number in range(1, CHECKPOINT_EVERY)]
