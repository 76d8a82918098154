from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from audit.testing import Broker, Store, found_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


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


def there_is(program: str) -> str:
    """The program that tools/install.py has installed; missing is an error, never a skip."""
    path = shutil.which(program)
    if path is None:
        pytest.fail(f"there is no {program}: run `make test`, or once `python3 tools/install.py openssl`")
    return path


@pytest.fixture
def openssl() -> str:
    return there_is("openssl")


@pytest.fixture
def ssh_keygen() -> str:
    return there_is("ssh-keygen")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path / "state")
    yield made
    made.stop()
