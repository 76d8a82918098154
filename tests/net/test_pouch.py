"""Contents of a snapshot: small ones together in one file, each read back as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from askfirst.errors import RescueError
from askfirst.net.content import PLAIN_MAX_BYTES
from askfirst.net.folder import Folder
from askfirst.net.pouch import Pouch
from askfirst.net.tree import Tree, put, take
from askfirst.testing.full_disk import files_up_to


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept"


def taken(folder: Path, kept: Path) -> tuple[Tree, Pouch]:
    pouch = Pouch(str(kept), max_bytes=10**9, max_entries=10**5, seconds=60)
    with Folder(str(folder.parent)) as above:
        return take(above, [folder.name], pouch), pouch


@pytest.mark.parametrize("size", [0, 1, PLAIN_MAX_BYTES, PLAIN_MAX_BYTES + 1, 3 * PLAIN_MAX_BYTES])
def test_contents_of_every_size_come_back_between_others(tmp_path: Path, kept: Path, size: int) -> None:
    data = tmp_path / "data"
    data.mkdir()
    contents = {"a": b"first", "b": os.urandom(size), "c": b"", "d": b"last"}
    for name, content in contents.items():
        (data / name).write_bytes(content)
    tree, pouch = taken(data, kept)
    for name in contents:
        (data / name).write_bytes(b"spoilt")
    with Folder(str(tmp_path)) as above:
        for item in tree.items:
            put(above, item, pouch.path)
    assert {path.name: path.read_bytes() for path in data.iterdir()} == contents


def test_a_thousand_small_files_take_one_file_and_a_large_one_its_own(tmp_path: Path, kept: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for number in range(1_000):
        (data / str(number)).write_text(f"{number}\n", encoding="utf-8")
    (data / "large").write_bytes(bytes(PLAIN_MAX_BYTES + 1))
    taken(data, kept)
    assert len(list(kept.iterdir())) == 2


@pytest.mark.parametrize("size", [PLAIN_MAX_BYTES, 2 * PLAIN_MAX_BYTES])
def test_a_full_disk_is_said_to_be_the_trash_and_not_what_was_read(tmp_path: Path, kept: Path, size: int) -> None:
    data = tmp_path / "data"
    data.write_bytes(os.urandom(size))
    with files_up_to(1_000), pytest.raises(RescueError, match="the trash cannot be written: File too large"):
        taken(data, kept)


def test_a_common_file_that_lost_its_end_is_noticed_before_anything_is_written(tmp_path: Path, kept: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes(b"precious")
    tree, pouch = taken(data, kept)
    os.truncate(kept / "small", 4)
    data.write_bytes(b"now")
    with Folder(str(tmp_path)) as above, pytest.raises(RescueError, match="was changed since"):
        put(above, tree.items[0], pouch.path)
    assert data.read_bytes() == b"now"
