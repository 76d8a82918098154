"""Brokers' cores over one store, each with a real log."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa

from askfirst.errors import StoreAwayError
from askfirst.store import schema
from askfirst.store.database import open_sqlite
from askfirst.testing.postgres import Server, server
from audit.testing_core import Core, core

BACK_S = 20.0
"""How long a database that was started again may take to answer, seconds."""
T = TypeVar("T")


@pytest.fixture
def peers(tmp_path: Path, postgres: Server) -> Iterator[Callable[[], Core]]:
    """Makes brokers that share one database."""
    url = postgres.create()
    with ExitStack() as stack:
        yield lambda: stack.enter_context(core(tmp_path / "unused.db", url))
    postgres.drop(url)


@pytest.fixture
def make_peer(tmp_path: Path, store_url: str) -> Iterator[Callable[..., Core]]:
    """Opens a broker on this test's store, of either kind; on a file only one at a time."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(core(tmp_path / "askfirst.db", store_url, **options))


@pytest.fixture
def peer_on(tmp_path: Path) -> Iterator[Callable[[str], Core]]:
    """Opens a broker on the database at a URL."""
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(core(tmp_path / "unused.db", url))


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server of this test alone, which may be killed."""
    with server() as made:
        yield made


async def _insist(act: Callable[[], Awaitable[T]]) -> T:
    loop = asyncio.get_running_loop()
    until = loop.time() + BACK_S
    while loop.time() < until:
        try:
            return await act()
        except StoreAwayError:
            await asyncio.sleep(0.02)
    raise AssertionError("the database did not come back")


@pytest.fixture
def insist() -> Callable[[Callable[[], Awaitable[T]]], Awaitable[T]]:
    """Tries until the database is back."""
    return _insist


def _row(key: str) -> Callable[[sa.Connection], int]:
    def work(connection: sa.Connection) -> int:
        connection.execute(schema.meta.insert(), {"key": key, "value": ""})
        return threading.get_ident()

    return work


@pytest.fixture
def row() -> Callable[[str], Callable[[sa.Connection], int]]:
    """Makes work that writes a key, and returns the thread that did it."""
    return _row


def _keys(path: Path) -> list[str]:
    engine = open_sqlite(path)
    with engine.begin() as connection:
        found = list(connection.scalars(sa.select(schema.meta.c.key).order_by(schema.meta.c.key)))
    engine.dispose()
    return found


@pytest.fixture
def keys() -> Callable[[Path], list[str]]:
    """What such work has left in a store."""
    return _keys
