"""What keeping and putting back costs, beside git itself on the same tree, in one run.

``python benchmarks/undo.py [FILES…]`` (1,000, 10,000 and 100,000 by default). A tenth of the files are changed, a tenth
are untracked. The command is ``git reset --hard HEAD~1`` with ``git clean -fdx``, really run: it takes away half of the
tracked files, too. Each step is shown as so many times ``git status``; what is kept and put back also beside what a
person would do by hand, on a copy: ``git stash push --all`` before, ``git reset --hard ORIG_HEAD`` and ``git stash
pop --index`` afterwards.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.net.gather import holding_words
from askfirst.rescue import Order
from askfirst.testing.repositories import git, make_repository
from askfirst.testing.world import make_world, shell

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 3
POP = ("stash", "pop", "--quiet", "--index")
COMMAND = "git reset -q --hard HEAD~1; git clean -qfdx"


def main(sizes: list[int]) -> None:
    print(f"{'files':>8} {'git status':>11} {'foresee':>14} {'keep':>14} {'note':>14} {'put back':>14}", end="")
    print(f" {'stash':>14} {'reset, pop':>14}")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            report(size, Path(folder))


def report(size: int, folder: Path) -> None:
    app = make(folder / "app", size)
    world = make_world(folder)
    status_s = best(lambda: git(app, "status", "--porcelain=v2"))
    by_hand_s = by_hand(app, folder / "twin")
    world.keeper.trash.purge(world.caught(COMMAND, app).snapshot)
    effects = world.effects(COMMAND, app)
    request, action = world.request, world.request.action
    foresee_s = best(lambda: asyncio.run(world.keeper.foresee(action, effects)))
    kept: list[str] = []
    keep_s = best(lambda: kept.append(asyncio.run(world.keeper.catch(request, action, effects)).snapshot))
    for each in kept[:-1]:
        world.keeper.trash.purge(each)
    print(holding_words(world.keeper.trash.holding(kept[-1])), file=sys.stderr)
    shell(COMMAND, app)
    note_s = best(lambda: world.note(kept[-1]), rounds=1)
    order = Order(request_id=world.request.id, snapshot=kept[-1], turn=0, by="local:ann", channel="web")
    back_s = best(lambda: asyncio.run(world.keeper.restore(order)), rounds=1)
    times = (foresee_s, keep_s, note_s, back_s, *by_hand_s)
    shown = " ".join(f"{1000 * s:8.0f} ({s / status_s:3.0f}×)" for s in times)
    print(f"{size:>8} {1000 * status_s:8.0f} ms {shown}", flush=True)


def by_hand(app: Path, twin: Path) -> tuple[float, float]:
    """Seconds that git's own way to keep everything takes, and the way back."""
    shutil.copytree(app, twin, symlinks=True)
    git(twin, "status")  # its index knows the copies' times, as that of the original does
    keep_s = best(lambda: git(twin, "stash", "push", "--quiet", "--all"), rounds=1)
    git(twin, "reset", "--quiet", "--hard", "HEAD~1")
    back_s = best(lambda: (git(twin, "reset", "-q", "--hard", "ORIG_HEAD"), git(twin, *POP)), rounds=1)
    shutil.rmtree(twin)
    return keep_s, back_s


def make(app: Path, size: int) -> Path:
    make_repository(app)
    git(app, "config", "gc.auto", "0")  # else it packs in the background while times are taken
    for number in range(size):
        path = app / f"d{number % 100}/f{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{number}\n" * 50, encoding="utf-8")
        if number == size // 2:
            git(app, "add", ".")
            git(app, "commit", "--quiet", "-m", "half")
    git(app, "add", ".")
    git(app, "commit", "--quiet", "-m", "all")
    for number in range(0, size, 10):
        (app / f"d{number % 100}/f{number}.txt").write_text("changed\n", encoding="utf-8")
        (app / f"d{number % 100}/new{number}.txt").write_text("new\n", encoding="utf-8")
    git(app, "status", "--porcelain")
    return app


def best(act: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median seconds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [1_000, 10_000, 100_000])
