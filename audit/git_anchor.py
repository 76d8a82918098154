"""Heads of the log as commits of a git ref: whoever has fetched it, or the server that keeps it, vouches for them.

Made with plumbing alone, so that no branch, index, hook or work tree is touched. Each commit holds ``checkpoint`` and
``log.vkey``; the ref only ever moves forward, and a push is never forced.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.errors import ConfigError, LogError
from askfirst.git_environment import persons_environment
from audit.note import MAX_NOTE_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DEFAULT_REF: Final = "refs/askfirst/log"
_FILE: Final = "checkpoint"
_TIMEOUT_S: Final = 60
_COMMITS_MAX: Final = 10_000
_WHO: Final = {
    "GIT_AUTHOR_NAME": "Askfirst",
    "GIT_AUTHOR_EMAIL": "log@askfirst.invalid",
    "GIT_COMMITTER_NAME": "Askfirst",
    "GIT_COMMITTER_EMAIL": "log@askfirst.invalid",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tips:
    """What a ref stands on.

    Attributes:
        here: its commit in the repository, ``""`` when there is none.
        heads: commit id and checkpoint of what is here and at the remote, without what the other leads to.
    """

    here: str
    heads: tuple[tuple[str, str], ...]


def find_tips(repository: Path, ref: str, remote: str = "") -> Tips:
    """What the ref stands on, here and at the remote when one is named.

    The remote's commit is fetched, and no ref moves: several machines may add to one remote, and a fresh clone of it
    knows nothing of the ref.

    Raises:
        ConfigError: the ref is no full name of one.
        LogError: it is no repository, git refuses, or a commit holds no checkpoint.
    """
    _require_ref(repository, ref)
    here = _git(repository, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", may_fail=True).strip()
    found = sorted({here, _fetched(repository, ref, remote) if remote else ""} - {""})
    commits = _git(repository, "merge-base", "--independent", *found).split() if found else []
    heads = tuple((commit, _git(repository, "cat-file", "blob", f"{commit}:{_FILE}")) for commit in commits)
    return Tips(here=here, heads=heads)


def _fetched(repository: Path, ref: str, remote: str) -> str:
    """The commit of the ref at the remote, with its history in the repository; ``""`` when it has none."""
    listed = _git(repository, "ls-remote", "--quiet", "--end-of-options", remote, ref).splitlines()
    commit = next((line.partition("\t")[0] for line in listed if line.endswith(f"\t{ref}")), "")
    if commit:
        _git(repository, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--end-of-options", remote, ref)
    return commit


def add_checkpoint(
    repository: Path,
    checkpoint: str,
    vkeys: Sequence[str],
    subject: str,
    *,
    tips: Tips,
    ref: str = DEFAULT_REF,
    remote: str = "",
) -> str:
    """Add a commit with this checkpoint on top of the tips, push it when a remote is named, and return its id.

    The checkpoint that the only tip holds already is not committed again, but pushed. The ref here moves last.

    Raises:
        LogError: git refuses, e.g. because the remote has moved on.
    """
    parents = [commit for commit, _ in tips.heads]
    if [note for _, note in tips.heads] == [checkpoint]:
        [commit] = parents
    else:
        files = {_FILE: checkpoint, "log.vkey": "".join(f"{one}\n" for one in vkeys)}
        lines = [
            f"100644 blob {_git(repository, 'hash-object', '-w', '--stdin', given=text).strip()}\t{name}"
            for name, text in files.items()
        ]
        tree = _git(repository, "mktree", given="".join(f"{line}\n" for line in lines)).strip()
        named = [word for parent in parents for word in ("-p", parent)]
        commit = _git(repository, "commit-tree", tree, *named, given=f"{subject}\n").strip()
    if remote:
        _git(repository, "push", "--quiet", "--no-verify", "--end-of-options", remote, f"{commit}:{ref}")
    _git(repository, "update-ref", ref, commit, tips.here or "0" * len(commit))
    return commit


def read_checkpoints(repository: Path, ref: str = DEFAULT_REF, *, limit: int = _COMMITS_MAX) -> list[tuple[str, str]]:
    """Commit id and checkpoint of each commit of the ref, newest first; none when there is no such ref.

    Raises:
        ConfigError: it is no full name of a ref.
        LogError: it is no repository, or a commit holds no checkpoint.
    """
    _require_ref(repository, ref)
    if not _git(repository, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", may_fail=True).strip():
        return []
    commits = _git(repository, "rev-list", f"--max-count={limit}", ref, "--").split()
    found = list[tuple[str, str]]()
    for commit in commits:
        text = _git(repository, "cat-file", "blob", f"{commit}:{_FILE}")
        if len(text) > MAX_NOTE_BYTES:
            raise LogError(f"{repository} at {commit} holds a checkpoint of {len(text)} characters")
        found.append((commit, text))
    return found


def _require_ref(repository: Path, ref: str) -> None:
    if not ref.startswith("refs/"):
        raise ConfigError(f"{ref!r} is no full name of a ref, expected e.g. {DEFAULT_REF}")
    _git(repository, "check-ref-format", ref)
    _git(repository, "rev-parse", "--git-dir")


def _git(repository: Path, *arguments: str, given: str = "", may_fail: bool = False) -> str:
    """Standard output of one git command; ``""`` when it may fail and does."""
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false", "-C", str(repository), *arguments]
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
            env=persons_environment(os.environ, _WHO),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LogError(f"git {arguments[0]} cannot be run in {repository}: {error}") from error
    if done.returncode == 0:
        return done.stdout
    if may_fail:
        return ""
    raise LogError(f"git {arguments[0]} failed in {repository}: {done.stderr.strip()[:500] or done.returncode}")
