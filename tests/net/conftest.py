"""A world of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from askfirst.testing.world import World, make_world
from askfirst.undo_config import UndoConfig


@pytest.fixture
def config() -> UndoConfig:
    return UndoConfig()


@pytest.fixture
def world(tmp_path: Path, config: UndoConfig) -> World:
    return make_world(tmp_path, config)
