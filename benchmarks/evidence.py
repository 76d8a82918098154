"""Evidence on large work trees, beside `git status` on the same tree: `python benchmarks/evidence.py [--quick]`.

Trees of 1,000, 10,000 and 100,000 files, of which half are tracked and half are loose. Each figure is the median of
three after one run that warms the disk's cache; the ratio is what counts. `--quick` leaves the largest tree out.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.analyst import DiskAnalyst
from askfirst.call import ToolCall
from askfirst.evidence.gather import Gatherer
from askfirst.evidence.sources import sources
from askfirst.evidence_config import EvidenceConfig
from askfirst.testing.repositories import git

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.effects import Classification

SIZES = (1_000, 10_000, 100_000)
COMMANDS = ("git reset --hard HEAD~1", "git clean -fdx", "rm -rf loose", "git branch -D topic")
RUNS = 3


def tree(root: Path, files: int) -> Path:
    """A repository with so many files, two commits and a branch."""
    git(root.parent, "init", "-q", "-b", "main", str(root))
    for kind in ("tracked", "loose"):
        for number in range(files // 2):
            folder = root / kind / str(number // 100)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{number}.txt").write_text(f"{number}\n", encoding="utf-8")
    git(root, "add", "tracked")
    git(root, "commit", "-q", "-m", "first")
    git(root, "branch", "topic")
    git(root, "commit", "-q", "--allow-empty", "-m", "second")
    return root


def median_s(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def once(gatherer: Gatherer, call: ToolCall, found: Classification) -> None:
    asyncio.run(gatherer.gather(call, found))


def main() -> None:
    sizes = SIZES[:-1] if "--quick" in sys.argv else SIZES
    analyst = DiskAnalyst()
    gatherer = Gatherer(sources(EvidenceConfig()))
    print(f"{'files':>9}  {'command':<26}{'git status ms':>14}{'evidence ms':>13}{'ratio':>8}  complete")
    for files in sizes:
        with tempfile.TemporaryDirectory() as folder:
            root = tree(Path(folder, "tree"), files)
            status = ["git", "--no-optional-locks", "-C", str(root), "status", "--porcelain", "-uall"]
            plain_s = median_s(partial(subprocess.run, status, capture_output=True, check=True))
            for command in COMMANDS:
                call = ToolCall(tool="Bash", arguments={"command": command}, cwd=str(root), session="s")
                found = analyst.classify(call)
                evidence = asyncio.run(gatherer.gather(call, found)).evidence
                took_s = median_s(partial(once, gatherer, call, found))
                is_whole = not evidence.gaps and not any(getattr(each, "more", False) for each in evidence.exhibits)
                print(
                    f"{files:>9,}  {command:<26}{plain_s * 1000:>14.0f}{took_s * 1000:>13.0f}"
                    f"{took_s / plain_s:>8.1f}  {'yes' if is_whole else 'no, and says so'}"
                )


if __name__ == "__main__":
    main()
