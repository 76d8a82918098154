"""Brokers' cores over one store, each with a real log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from askfirst.testing.postgres import Server, server
from audit.testing_core import Core, core


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
