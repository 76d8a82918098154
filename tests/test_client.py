"""Starting a broker: what keeps it from running is told to whoever wanted it."""

from __future__ import annotations

from pathlib import Path

import pytest

from askfirst.client import start_broker
from askfirst.errors import ConfigError, StoreError
from askfirst.paths import state_paths

pytestmark = pytest.mark.slow  # each starts a broker


def test_a_configuration_that_cannot_be_used_is_told_by_the_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[polcy]\n", encoding="utf-8")
    monkeypatch.setenv("ASKFIRST_CONFIG", str(config))
    with pytest.raises(ConfigError, match=r"the broker did not start: .*unknown key 'polcy'; did you mean 'policy'\?"):
        start_broker(state_paths(tmp_path / "state"))


def test_a_store_that_cannot_be_used_is_told_by_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKFIRST_CONFIG", str(tmp_path / "none.toml"))
    paths = state_paths(tmp_path / "state")
    paths.log.write_text("askfirst: an older sentence\n", encoding="utf-8")
    paths.store.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match=r"the broker did not start: cannot use the store .*: file is not a database"):
        start_broker(paths)
