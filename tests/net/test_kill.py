"""kill -9 in the middle: what was being kept is gone without a trace, what was being put back is finished."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from askfirst.testing.repositories import commit, git, make_repository
from askfirst.testing.world import make_world, repository, shell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
CHILD = Path(__file__).with_name("dies_midway.py")
COMMAND = "git stash clear; rm -rf notes; git reset --hard HEAD~1; git clean -fdx"
POINTS = 14


def died(folder: Path, what: str, deadly: int) -> subprocess.CompletedProcess[str]:
    """What became of it; without the bytecode of modules, which the first of them alone would write."""
    return subprocess.run(
        [sys.executable, "-B", str(CHILD), str(folder), what, str(deadly)], capture_output=True, text=True, check=False
    )


def points(last: int) -> list[int]:
    """Some moments from the first to the last."""
    return sorted({1 + round(number * (last - 1) / (POINTS - 1)) for number in range(POINTS)})


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = make_repository(tmp_path / "app")
    commit(folder, "second.txt")
    (folder / "a.txt").write_text("stashed\n", encoding="utf-8")
    git(folder, "stash", "push", "--quiet")
    (folder / "a.txt").write_text("dirty\n", encoding="utf-8")
    (folder / "notes").mkdir()
    for number in range(5):
        (folder / f"notes/{number}").write_text("x" * number, encoding="utf-8")
    return folder


def hidden(app: Path) -> list[str]:
    return git(app, "for-each-ref", "--format=%(refname)", "refs/askfirst").splitlines()


def test_a_snapshot_that_was_cut_off_leaves_nothing_behind(tmp_path: Path, app: Path) -> None:
    before = repository(app)
    whole = died(tmp_path, "keep", 0)
    snapshot, total = whole.stdout.split()
    world = make_world(tmp_path)
    assert world.keeper.trash.purge(snapshot)
    for deadly in points(int(total)):
        assert died(tmp_path, "keep", deadly).returncode == -signal.SIGKILL
        assert asyncio.run(world.keeper.unsettled()) == []
        for about in world.keeper.trash.every():  # it died after the last step
            world.keeper.trash.purge(about.id)
        assert hidden(app) == []
        assert [path.name for path in world.keeper.trash.root.iterdir()] == []
        assert repository(app) == before


def test_a_restoration_that_was_cut_off_is_finished(tmp_path: Path, app: Path) -> None:
    before = repository(app)
    world = make_world(tmp_path)
    rescue = world.run(COMMAND, app)
    saved = tmp_path / "saved"
    saved.mkdir()
    for name in ("app", "state"):
        shutil.copytree(tmp_path / name, saved / name, symlinks=True)
    total = int(died(tmp_path, "undo", 0).stdout)
    for deadly in points(total):
        for name in ("app", "state"):
            shutil.rmtree(tmp_path / name)
            shutil.copytree(saved / name, tmp_path / name, symlinks=True)
        assert died(tmp_path, "undo", deadly).returncode == -signal.SIGKILL
        again = make_world(tmp_path)
        again.request = world.request
        orders = asyncio.run(again.keeper.unsettled())
        if orders:
            assert [each.snapshot for each in orders] == [rescue.snapshot]
            asyncio.run(again.keeper.restore(orders[0]))
            asyncio.run(again.keeper.settled(orders[0]))
        else:
            again.undo(rescue.snapshot)
        assert repository(app) == before, deadly
        assert asyncio.run(again.keeper.unsettled()) == []


def test_a_command_that_was_never_released_keeps_nothing(tmp_path: Path, app: Path) -> None:
    world = make_world(tmp_path)
    rescue = world.caught(COMMAND, app)
    assert hidden(app)
    asyncio.run(world.keeper.drop(rescue.snapshot))
    assert hidden(app) == []
    assert world.keeper.trash.every() == []
    shell("git fsck --strict", app)
