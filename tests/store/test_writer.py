"""The writer's bounds and what it does with work that fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from askfirst.errors import InputError, OverloadedError, StoreError
from askfirst.store import schema
from askfirst.store.database import open_sqlite
from askfirst.store.writer import Writer
from askfirst.testing.bench import MemoryAuditLog


def row(key: str) -> Callable[[sa.Connection], None]:
    def work(connection: sa.Connection) -> None:
        connection.execute(schema.meta.insert(), {"key": key, "value": ""})

    return work


def refuse(_connection: sa.Connection) -> None:
    raise InputError("no")


def keys(path: Path) -> list[str]:
    engine = open_sqlite(path)
    with engine.begin() as connection:
        found = list(connection.scalars(sa.select(schema.meta.c.key).order_by(schema.meta.c.key)))
    engine.dispose()
    return found


def test_beyond_the_bound_work_is_refused_at_once_and_the_rest_is_done(tmp_path: Path) -> None:
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


def test_work_that_fails_takes_nothing_of_its_neighbours_with_it(tmp_path: Path) -> None:
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


def test_work_whose_caller_has_gone_does_not_stop_the_writer(tmp_path: Path) -> None:
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


def test_a_closed_disk_refuses_everything_from_then_on(tmp_path: Path) -> None:
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
