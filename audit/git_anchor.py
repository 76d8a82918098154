"""Heads of the log as commits of a git ref: whoever has fetched it, or the server that keeps it, vouches for them.

Made with plumbing alone, so that no branch, index, hook or work tree is touched. Each commit holds ``checkpoint`` and
``log.vkey``; the ref only ever moves forward, and a push is never forced.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

from askfirst.errors import ConfigError, LogError
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
}


def push_checkpoint(
    repository: Path, checkpoint: str, vkeys: Sequence[str], subject: str, *, ref: str = DEFAULT_REF, remote: str = ""
) -> str:
    """Add a commit with this checkpoint to the ref, push it when a remote is named, and return the commit's id.

    The checkpoint that the ref holds already is not committed again, but pushed.

    Raises:
        ConfigError: the ref is no full name of one.
        LogError: it is no repository, or git refuses.
    """
    _require_ref(repository, ref)
    parent = _git(repository, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", may_fail=True).strip()
    commit = parent
    if not parent or _git(repository, "cat-file", "blob", f"{parent}:{_FILE}", may_fail=True) != checkpoint:
        files = {_FILE: checkpoint, "log.vkey": "".join(f"{one}\n" for one in vkeys)}
        lines = [
            f"100644 blob {_git(repository, 'hash-object', '-w', '--stdin', given=text).strip()}\t{name}"
            for name, text in files.items()
        ]
        tree = _git(repository, "mktree", given="".join(f"{line}\n" for line in lines)).strip()
        parents = ("-p", parent) if parent else ()
        commit = _git(repository, "commit-tree", tree, *parents, given=f"{subject}\n").strip()
        _git(repository, "update-ref", ref, commit, parent or "0" * len(commit))
    if remote:
        _git(repository, "push", "--quiet", "--no-verify", "--end-of-options", remote, f"{ref}:{ref}")
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
            env={**os.environ, **_WHO},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LogError(f"git {arguments[0]} cannot be run in {repository}: {error}") from error
    if done.returncode == 0:
        return done.stdout
    if may_fail:
        return ""
    raise LogError(f"git {arguments[0]} failed in {repository}: {done.stderr.strip()[:500] or done.returncode}")
