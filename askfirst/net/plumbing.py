"""Git for keeping and putting back: plumbing commands, and nothing that the repository brings along.

The environment is ``askfirst.git_environment``'s (no hooks, no filters, no fsmonitor, no prompts, no transport), as for
``askfirst.git_reader``, with these differences: output may be long, input can be given, and what is run may write where
its caller says so. ``reference-transaction`` is a hook, too, so moving a ref runs nothing.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.errors import RescueError
from askfirst.git_environment import LIST_FILTERS, emptied, git_environment
from askfirst.git_facts import above

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_TIMEOUT_S: Final = 120.0
_QUIET: Final = (
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("core.untrackedCache", "false"),
    ("core.splitIndex", "false"),
    ("pack.writeReverseIndex", "false"),
    ("advice.detachedHead", "false"),
)
_IDENTITY: Final = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "askfirst"), ("EMAIL", "askfirst@localhost"))
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """Runs git in one repository.

    Attributes:
        git_dir: absolute; of a linked work tree its own.
        work_tree: absolute, ``""`` for a bare repository.
        index: of this file instead of the repository's own, ``""`` for its own.
        settings: that switch off the programs which the configuration names.
    """

    git_dir: str
    work_tree: str = ""
    index: str = ""
    settings: tuple[tuple[str, str], ...] = ()

    def run(self, *arguments: str, stdin: bytes = b"", codes: Collection[int] = (0,)) -> bytes:
        """Standard output.

        Raises:
            RescueError: git refused, is missing or took too long.
        """
        environ = {"GIT_DIR": self.git_dir, **({"GIT_INDEX_FILE": self.index} if self.index else {})}
        environ |= {"GIT_WORK_TREE": self.work_tree} if self.work_tree else {}
        folder = self.work_tree if os.path.isdir(self.work_tree) else self.git_dir  # the tree may be what was deleted
        done = _run(arguments, stdin, environ, folder, self.settings)
        if done.returncode not in codes:
            said = os.fsdecode(done.stderr).strip().partition("\n")[0] or f"exit code {done.returncode}"
            raise RescueError(f"git {arguments[0]} failed in {folder}: {said[:300]}")
        return done.stdout

    def text(self, *arguments: str, codes: Collection[int] = (0,)) -> str:
        """Standard output without the last newline."""
        return os.fsdecode(self.run(*arguments, codes=codes)).removesuffix("\n")

    def fields(self, *arguments: str, stdin: bytes = b"", codes: Collection[int] = (0,)) -> list[str]:
        """The parts of standard output that NUL bytes end."""
        parts = os.fsdecode(self.run(*arguments, stdin=stdin, codes=codes)).split("\0")
        return [part for part in parts if part]

    def has(self, names: Iterable[str]) -> set[str]:
        """Those of these objects that the repository holds."""
        asked = "".join(f"{name}\n" for name in dict.fromkeys(names))
        if not asked:
            return set()
        lines = self.run("cat-file", "--batch-check=%(objectname)", "--buffer", stdin=asked.encode()).decode()
        return {line for line in lines.splitlines() if not line.endswith(" missing")}


def locate(folder: str, git_dir: str = "") -> Git | None:
    """The repository that a folder lies in, or is; None where there is none.

    Raises:
        RescueError: git is missing, or what is there cannot be read.
    """
    if not may_be_in_one(folder, git_dir):
        return None
    environ = {"GIT_DIR": git_dir} if git_dir else {}
    done = _run(("rev-parse", "--is-bare-repository", "--absolute-git-dir", "--show-toplevel"), b"", environ, folder)
    is_bare, _, found = os.fsdecode(done.stdout).removesuffix("\n").partition("\n")
    if not found:
        if b"not a git repository" in done.stderr and not git_dir and not os.path.lexists(os.path.join(folder, ".git")):
            return None
        said = os.fsdecode(done.stderr).strip().partition("\n")[0]
        raise RescueError(f"the repository at {folder} cannot be read: {said[:200]}")
    top = ""
    if not done.returncode:
        found, top = _parted(found, folder, environ)
    elif is_bare != "true" and os.path.basename(found) == ".git":  # the folder lies in the git folder itself
        top = os.path.dirname(found)
    filters = _run(LIST_FILTERS, b"", {"GIT_DIR": found}, folder)
    if filters.returncode not in {0, 1}:
        raise RescueError(f"the configuration of the repository at {folder} cannot be read")
    keys = (os.fsdecode(part) for part in filters.stdout.split(b"\0") if part)
    return Git(git_dir=found, work_tree=top, settings=emptied(keys))


def may_be_in_one(folder: str, git_dir: str = "") -> bool:
    """Whether a folder may lie in a repository: it or one above has a ``.git``, or a ``HEAD`` as every bare one has.

    Else git finds nothing either, and to ask it takes some two milliseconds while a hook waits.
    From: git(1) under ``--git-dir``, gitrepository-layout(5).
    """
    marks = (os.path.join(each, name) for each in above(folder) for name in (".git", "HEAD"))
    return os.path.isdir(folder) and (bool(git_dir) or any(map(os.path.lexists, marks)))


def _parted(lines: str, folder: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """The folder of git and the work tree, which git has told in two lines, or in more where they have such names."""
    git_dir, _, top = lines.partition("\n")
    if "\n" not in top:
        return git_dir, top
    top = os.fsdecode(_run(("rev-parse", "--show-toplevel"), b"", environ, folder).stdout).removesuffix("\n")
    return lines.removesuffix(f"\n{top}"), top


def _run(
    arguments: tuple[str, ...],
    stdin: bytes,
    environ: Mapping[str, str],
    folder: str,
    more: tuple[tuple[str, str], ...] = (),
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "-C", folder, *arguments],
            input=stdin,
            env=git_environment(os.environ, (*_QUIET, *more), {**_IDENTITY, **environ}),
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RescueError(f"git {arguments[0]} took more than {_TIMEOUT_S:.0f} s in {folder}") from error
    except (OSError, ValueError) as error:
        raise RescueError(f"git cannot be run in {folder}: {error}") from error
