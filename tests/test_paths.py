"""The state folder: ours alone, with a socket path that every system takes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from askfirst.errors import ConfigError
from askfirst.paths import StatePaths, state_paths, write_private


def test_a_new_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    paths = state_paths(tmp_path / "a" / "b")
    assert stat.S_IMODE(paths.root.stat().st_mode) == 0o700


def test_a_folder_that_is_open_to_others_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.raises(ConfigError, match="open to others; name a folder of its own"):
        state_paths(folder)


@pytest.mark.parametrize("below", ["file", "file/state", "dangling"])
def test_what_cannot_be_a_folder_is_refused_in_a_sentence(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"cannot be the state folder: .*; choose another with ASKFIRST_STATE_DIR"):
        state_paths(tmp_path / below)


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKFIRST_STATE_DIR", str(tmp_path / "named"))
    assert state_paths().root == tmp_path / "named"


@pytest.mark.parametrize("length", [10, 60, 90, 200])
def test_the_socket_path_is_never_too_long(length: int) -> None:
    paths = StatePaths(Path("/x" * (length // 2)))
    assert len(bytes(paths.socket)) <= 100


def test_two_long_folders_have_two_sockets() -> None:
    first, second = StatePaths(Path("/" + "a" * 200)), StatePaths(Path("/" + "b" * 200))
    assert first.socket != second.socket


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.glob(".file.*")) == []
