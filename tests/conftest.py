"""What every test gets: a home of its own, a desk over a real store, and the released clients by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("askfirst.testing.channel_suite")

from askfirst.testing.bench import Bench, bench  # noqa: E402
from askfirst.testing.postgres import Server, server  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

# Both look at the wall clock, and other people use this machine.
settings.register_profile("askfirst", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("askfirst")


@pytest.fixture(autouse=True, scope="session")
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test can reach the person's own state, configuration or git identity."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        for name in os.environ:
            if name.startswith(("XDG_", "ASKFIRST_STATE", "ASKFIRST_CONFIG", "GIT_")):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server of this test process."""
    with server() as made:
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where a store is to be: ``""`` stands for a SQLite file, else the URL of an empty database."""
    if request.param == "sqlite":
        yield ""
        return
    made: Server = request.getfixturevalue("postgres")
    url = made.create()
    yield url
    made.drop(url)


@pytest.fixture
def desk_bench(tmp_path: Path, store_url: str) -> Iterator[Bench]:
    """A desk over a store of either kind, with a clock that stands still until told otherwise."""
    with bench(tmp_path / "askfirst.db", store_url) as made:
        yield made


def installed(variable: str, pin: str) -> Path:
    """A client that tools/install.py has put into .cache; missing is an error, never a skip."""
    root = Path(__file__).parent.parent
    pins = dict(line.split("=") for line in (root / "tools/pins.env").read_text().splitlines() if line[0] != "#")
    default = root / ".cache/npm" / pins[pin] / "node_modules/.bin/claude"
    path = Path(os.environ.get(variable, default))
    if not path.exists():
        pytest.fail(f"{path} is missing: run `make test`, or once `python3 tools/install.py claude-code{{,-oldest}}`")
    return path


@pytest.fixture(params=["newest", "oldest"])
def claude(request: pytest.FixtureRequest) -> Path:
    if request.param == "newest":
        return installed("ASKFIRST_CLAUDE_CODE", "CLAUDE_CODE")
    return installed("ASKFIRST_CLAUDE_CODE_OLDEST", "CLAUDE_CODE_OLDEST")


@pytest.fixture
def newest_claude() -> Path:
    return installed("ASKFIRST_CLAUDE_CODE", "CLAUDE_CODE")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "agents-home"  # `home` is the person's, see tests/conftest.py
    folder.mkdir()
    return folder
