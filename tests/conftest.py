"""What every test gets: a home of its own, and a desk over a real store in a temporary folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from askfirst.testing.bench import Bench, bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can reach the person's own state, configuration or git identity."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("ASKFIRST_STATE_DIR", "ASKFIRST_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def desk_bench(tmp_path: Path) -> Iterator[Bench]:
    """A desk over a SQLite store, with a clock that stands still until told otherwise."""
    with bench(tmp_path / "askfirst.db") as made:
        yield made
