from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from audit.testing import Broker, Store, found_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


# Deadlines are wall-clock assertions, and other people use this machine.
settings.register_profile("askfirst", deadline=None)
settings.load_profile("askfirst")


@pytest.fixture
def make_store(tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Makes stores with a founded log, each in a folder of its own."""
    stores = list[Store]()

    def make(seed: int = 1) -> Store:
        stores.append(found_store(tmp_path / f"store-{len(stores)}", seed))
        return stores[-1]

    yield make
    for store in stores:
        store.engine.dispose()


@pytest.fixture
def store(make_store: Callable[..., Store]) -> Store:
    return make_store()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path / "state")
    yield made
    made.stop()
