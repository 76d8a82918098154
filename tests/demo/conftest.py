"""What the demo's tests share: the installed clients and folders of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def installed(variable: str, pin: str) -> Path:
    """A client that tools/install.py has put into .cache; missing is an error, never a skip."""
    root = Path(__file__).parent.parent.parent
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
