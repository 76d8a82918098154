"""Whatever a folder holds, and whatever happens to it: what was kept comes back to the last bit."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from askfirst.net.differences import tree_differences
from askfirst.net.folder import Folder
from askfirst.net.manifest import Holding, dump, load_holding
from askfirst.net.pouch import Pouch
from askfirst.net.revert import put_back
from askfirst.net.tree import Tree, take
from askfirst.testing.repositories import git, make_repository
from askfirst.testing.world import files, make_world, repository, shell

NAMES = st.binary(min_size=1, max_size=12).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in {b".", b".."} and name.lower() != b".git"
)
CONTENTS = st.one_of(st.binary(max_size=50), st.just(b"\r\n" * 3), st.just(bytes(3_000)))
NODES = st.recursive(
    st.one_of(
        st.tuples(st.just("file"), CONTENTS, st.sampled_from([0o644, 0o600, 0o755, 0o444])),
        st.tuples(st.just("link"), st.sampled_from(["a", "/nowhere", "../x", "."]), st.just(0)),
    ),
    lambda below: st.tuples(
        st.just("folder"), st.dictionaries(NAMES, below, max_size=4), st.sampled_from([0o755, 0o700, 0o555])
    ),
    max_leaves=12,
)
TREES = st.dictionaries(NAMES, NODES, max_size=5)


def build(folder: Path, tree: dict[bytes, tuple[str, object, int]]) -> None:
    """Make a generated tree real."""
    for name, (kind, what, mode) in tree.items():
        path = folder / os.fsdecode(name)
        if kind == "link":
            path.symlink_to(str(what))
            continue
        if isinstance(what, bytes):
            path.write_bytes(what)
        elif isinstance(what, dict):
            path.mkdir()
            build(path, what)
        path.chmod(mode)


def spoil(folder: Path, seed: int) -> None:
    """Delete, overwrite, replace and add, at random."""
    dice = random.Random(seed)
    shell("chmod -R u+w .", folder)
    for path in sorted(folder.rglob("*"), key=lambda path: dice.random()):
        if not os.path.lexists(path) or ".git" in path.parts:
            continue
        act = dice.choice(["keep", "delete", "write", "link", "mode"])
        is_folder = path.is_dir() and not path.is_symlink()
        if act == "delete" or (act in {"write", "link"} and is_folder):
            shutil.rmtree(path) if is_folder else path.unlink()
        if act == "link":
            path.unlink(missing_ok=True)
            path.symlink_to("elsewhere")
        elif act == "write" and not is_folder:
            path.unlink()
            path.write_text("spoilt", encoding="utf-8")
        elif act == "mode" and not path.is_symlink() and path.exists():
            path.chmod(0o750)
    (folder / "made by the command").write_text("x", encoding="utf-8")


def fresh(folder: Path) -> Path:
    if folder.exists():
        shell(f"chmod -R u+rwx '{folder}'; rm -rf '{folder}'", folder.parent)
    folder.mkdir(parents=True)
    return folder


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(tree=TREES, seed=st.integers(0, 1_000_000))
def test_files_come_back(tmp_path: Path, tree: dict[bytes, tuple[str, object, int]], seed: int) -> None:
    folder, kept = fresh(tmp_path / "data"), fresh(tmp_path / "kept")
    build(folder, tree)
    before = files(folder)
    pouch = Pouch(str(kept), max_bytes=10**9, max_entries=10**5, seconds=60)
    with Folder(str(tmp_path)) as above:
        taken = take(above, ["data"], pouch)
    spoil(folder, seed)
    back(taken, pouch, tmp_path)
    assert files(folder) == before


def back(taken: Tree, pouch: Pouch, folder: Path) -> None:
    """Read it from what is stored, and put it back."""
    [tree] = load_holding(dump(Holding(trees=(taken,)))).trees
    assert tree == taken
    with Folder(str(folder)) as above:
        now = dict(tree_differences(tree, above, pouch.path))
        put_back(above, tree.by_name(), list(now), pouch.path, empties=True)
        assert dict(tree_differences(tree, above, pouch.path)) == {}


COMMANDS = (
    "git reset -q --hard HEAD~1",
    "git clean -qfdx",
    "git checkout -q -f topic",
    "git stash clear",
    "git branch -q -D topic",
    "git checkout -q -- .",
)


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    committed=TREES,
    staged=TREES,
    loose=TREES,
    commands=st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=3, unique=True),
)
def test_repositories_come_back(
    tmp_path: Path,
    committed: dict[bytes, tuple[str, object, int]],
    staged: dict[bytes, tuple[str, object, int]],
    loose: dict[bytes, tuple[str, object, int]],
    commands: list[str],
) -> None:
    world = make_world(tmp_path)
    app = fresh(tmp_path / "app")
    shutil.rmtree(app)
    make_repository(app)
    git(app, "branch", "topic")
    for number, tree in enumerate((committed, staged, loose)):
        (app / f"part{number}").mkdir()
        build(app / f"part{number}", tree)
        shell("chmod -R u+rwX .", app)  # git itself stumbles over what it cannot change
        if number < 2:
            git(app, "add", ".")
        if number == 0:
            git(app, "commit", "--quiet", "--allow-empty", "-m", "parts")
    before = repository(app)
    command = "; ".join(commands)
    rescue = world.caught(command, app)
    shell(command, app, check=False)
    if rescue.snapshot:
        world.note(rescue.snapshot)
        world.undo_if_changed(rescue.snapshot)
        assert repository(app) == before
