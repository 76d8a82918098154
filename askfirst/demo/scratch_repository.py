"""A git repository with something to lose: two commits that no other copy has, and work that is not committed."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.errors import Error

if TYPE_CHECKING:
    from pathlib import Path

GIT_TIMEOUT_S = 30
UNPUSHED = ("Teach the parser two new words", "Keep what the parser read")
UNSAVED = "notes.md"


class GitError(Error):
    """git refused; the message has the command and its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScratchRepository:
    """The repository.

    Attributes:
        path: its work tree, absolute.
    """

    path: Path

    def unpushed(self) -> tuple[str, ...]:
        """The subjects of the commits that would be lost with this copy, newest first."""
        return tuple(self._git("log", "--format=%s", "origin/main..HEAD").splitlines())

    def has_unsaved_work(self) -> bool:
        """Whether the uncommitted change is still there."""
        return bool(self._git("status", "--porcelain", "--", UNSAVED))

    def resets(self) -> int:
        """How many times HEAD was reset, as the reflog has it."""
        return sum(line.startswith("reset: ") for line in self._git("reflog", "--format=%gs").splitlines())

    def _git(self, *arguments: str) -> str:
        return _git(self.path, *arguments)


def make(folder: Path) -> ScratchRepository:
    """Make the repository and the bare one that it pushes to in an empty folder.

    Raises:
        GitError: git is missing or refuses.
    """
    path = folder / "parser"
    _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    _git(folder, "clone", "--quiet", "origin.git", path.name)
    for name, value in {"user.name": "Scripted Agent", "user.email": "agent@example.invalid"}.items():
        _git(path, "config", name, value)
    _git(path, "checkout", "--quiet", "-B", "main")
    for number, subject in enumerate(("Start the parser", *reversed(UNPUSHED))):
        (path / "parser.py").write_text(f"VERSION = {number}\n", encoding="utf-8")
        (path / UNSAVED).write_text("To do: everything\n", encoding="utf-8")
        _git(path, "add", "--all")
        _git(path, "commit", "--quiet", f"--message={subject}")
        if number == 0:
            _git(path, "push", "--quiet", "--set-upstream", "origin", "main")
    (path / UNSAVED).write_text("To do: everything\nAn idea that is nowhere else\n", encoding="utf-8")
    return ScratchRepository(path=path)


def _git(folder: Path, *arguments: str) -> str:
    """What git prints; nothing of the person's configuration applies."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    command = ("git", *arguments)
    try:
        done = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=GIT_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"`{' '.join(command)}` does not run: {error}") from error
    if done.returncode != 0:
        raise GitError(f"`{' '.join(command)}` ended with code {done.returncode}: {done.stderr.strip()}")
    return done.stdout
