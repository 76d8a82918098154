"""Small real git repositories for tests."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_IDENTITY = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))
}


def git(folder: Path, *arguments: str) -> str:
    """Runs git in a folder without the person's own settings; what it prints, without the last newline.

    Raises:
        subprocess.CalledProcessError: git refused.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {**_IDENTITY, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",  # a name may be any bytes
        env=environment,
    )
    return done.stdout.strip()


def make_repository(folder: Path) -> Path:
    """A repository with one commit on ``main``: ``a.txt``, ``src/b.py``, and ``.gitignore`` for build/, data/, .env."""
    (folder / "src").mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "a.txt").write_text("one\n", encoding="utf-8")
    (folder / "src/b.py").write_text("b = 1\n", encoding="utf-8")
    (folder / ".gitignore").write_text("build/\ndata/\n.env\n", encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


def make_pushed(folder: Path, remote: Path) -> Path:
    """The repository in ``folder`` with a new bare remote ``origin`` that has its branch ``main``."""
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    git(folder, "remote", "add", "origin", str(remote))
    git(folder, "push", "--quiet", "--set-upstream", "origin", "main")
    git(folder, "remote", "set-head", "origin", "main")
    return folder


def commit(folder: Path, name: str, content: str = "x\n") -> str:
    """Commits a file; the object id of the commit."""
    (folder / name).write_text(content, encoding="utf-8")
    git(folder, "add", name)
    git(folder, "commit", "--quiet", "-m", name)
    return git(folder, "rev-parse", "HEAD")
