"""What a command really destroys, measured, beside what the evidence said that it would."""

from __future__ import annotations

import asyncio
import hashlib
import os
import pathlib
import stat
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from askfirst.analyst import DiskAnalyst
from askfirst.call import ToolCall
from askfirst.evidence.gather import Gatherer
from askfirst.evidence.sources import sources
from askfirst.evidence.values import Commits, Evidence, Files
from askfirst.evidence_config import EvidenceConfig
from askfirst.testing.repositories import git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def gathered(command: str, folder: Path, config: EvidenceConfig | None = None, limit_s: float = 30) -> Evidence:
    """The evidence on a shell command, with time enough on a busy machine."""
    call = ToolCall(tool="Bash", arguments={"command": command}, cwd=str(folder), session="s")
    found = DiskAnalyst().classify(call)
    gatherer = Gatherer(sources(config or EvidenceConfig()), limit_s=limit_s)
    return asyncio.run(gatherer.gather(call, found)).evidence


@dataclass(frozen=True)
class Standing:
    """Everything below a folder: content of each file by its path, and what each repository's refs reach."""

    files: dict[bytes, bytes]
    commits: frozenset[str]
    blobs: frozenset[bytes]


def standing(root: Path, repositories: tuple[Path, ...]) -> Standing:
    files: dict[bytes, bytes] = {}
    for folder, names, entries in os.walk(os.fsencode(root)):
        names[:] = [name for name in names if not name.endswith(b".git")]
        for name in entries:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            content = os.readlink(path) if stat.S_ISLNK(mode) else pathlib.Path(os.fsdecode(path)).read_bytes()
            if name != b".git":
                files[path] = hashlib.sha256(content).digest()
    commits: set[str] = set()
    blobs: set[bytes] = set()
    for each in repositories:
        if (each / ".git").is_dir() or (each / "HEAD").exists():
            tips = _tips(each)
            reached = git(each, "rev-list", "--exclude=refs/stash", "--all", *tips).split()
            commits |= {*reached, *_stash(each)}
            blobs |= _contents(each, [*tips, *_stash(each)])
    return Standing(files=files, commits=frozenset(commits), blobs=frozenset(blobs))


def _tips(repository: Path) -> list[str]:
    """HEADs of linked work trees."""
    rows = git(repository, "worktree", "list", "--porcelain").split("\n")
    return [row[5:] for row in rows if row.startswith("HEAD ") and set(row[5:]) != {"0"}]


def _stash(repository: Path) -> list[str]:
    done = subprocess.run(
        ["git", "-C", str(repository), "rev-list", "-g", "refs/stash"], capture_output=True, text=True, check=False
    )
    return done.stdout.split()


def _contents(repository: Path, tips: list[str]) -> set[bytes]:
    listed = git(repository, "rev-list", "--all", "--objects", "--no-object-names", *tips)
    raw = subprocess.run(
        ["git", "-C", str(repository), "cat-file", "--batch"], input=listed.encode(), capture_output=True, check=True
    ).stdout
    found: set[bytes] = set()
    while raw:
        head, _, rest = raw.partition(b"\n")
        _, kind, size = head.split(b" ")
        if kind == b"blob":
            found.add(hashlib.sha256(rest[: int(size)]).digest())
        raw = rest[int(size) + 1 :]
    return found


@dataclass(frozen=True)
class Destroyed:
    """What was there before and is nowhere afterwards; contents that a lost commit had count with that commit."""

    commits: frozenset[str]
    files: frozenset[bytes]


def destroyed(before: Standing, after: Standing) -> Destroyed:
    kept = before.blobs | after.blobs | set(after.files.values())
    gone = {path for path, content in before.files.items() if after.files.get(path) != content and content not in kept}
    return Destroyed(commits=before.commits - after.commits, files=frozenset(gone))


@dataclass(frozen=True)
class Trial:
    """One command: what the evidence said, and what it destroyed when it ran."""

    evidence: Evidence
    destroyed: Destroyed
    exit_code: int

    def told_commits(self) -> tuple[int, frozenset[str]]:
        """How many commits the evidence counts, and which it lists."""
        found = [each for each in self.evidence.exhibits if isinstance(each, Commits)]
        return sum(each.count for each in found), frozenset(commit.id for each in found for commit in each.listed)

    def told_files(self) -> tuple[int, frozenset[str]]:
        """How many only copies the evidence counts, and the paths of the files that it lists."""
        found = [each for each in self.evidence.exhibits if isinstance(each, Files)]
        names = frozenset(f"{each.where}/{file.path}" for each in found for file in each.largest)
        return sum(each.only_copies for each in found), names


@pytest.fixture
def trial(tmp_path: Path) -> Callable[..., Trial]:
    """Gathers evidence, checks that nothing changed by that, runs the command for real and measures."""

    def run(command: str, folder: Path, *repositories: Path, gated: bool = True) -> Trial:
        known = repositories or (folder,)
        before = standing(tmp_path, known)
        raw = _everything(tmp_path)
        evidence = gathered(command, folder)
        assert _everything(tmp_path) == raw, "looking has changed something"
        done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, check=False, env=_environment())
        return Trial(
            evidence=evidence, destroyed=destroyed(before, standing(tmp_path, known)), exit_code=done.returncode
        )

    return run


def _everything(root: Path) -> dict[str, tuple[float, int]]:
    return {
        os.path.join(folder, name): (found.st_mtime_ns, found.st_size)
        for folder, _, names in os.walk(root)
        for name in names
        if (found := os.lstat(os.path.join(folder, name)))
    }


def _environment() -> dict[str, str]:
    identity = {
        f"GIT_{role}_{part}": "ada@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
    }
    return {**os.environ, **identity, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_EDITOR": "true"}


@pytest.fixture
def gather() -> Callable[..., Evidence]:
    return gathered
