"""Where an agent's folder lives on GitHub: remote and branch, read by GitPython without running git.

The folder and its ``.git/config`` are the agent's to write: they choose a conversation, never who may decide there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import git
from git.exc import GitError

from askfirst.errors import ChannelError
from channels.github.place import Repository, remote_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from git.config import GitConfigParser


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A folder's place.

    Attributes:
        repository: that the remote names.
        branch: checked out, ``""`` for a detached head.
        pushed_to: the branch's name at the remote, which may be another.
        head: commit id, ``""`` before the first commit.
    """

    repository: Repository
    branch: str
    pushed_to: str
    head: str


def checkout_of(folder: str, hosts: Collection[str]) -> Checkout:
    """What is checked out in this folder.

    Raises:
        ChannelError: it is no repository with a remote on these hosts.
    """
    if not folder:
        raise ChannelError("the request has no folder, so its pull request cannot be found", is_permanent=True)
    try:
        with git.Repo(folder, search_parent_directories=True) as repo:
            return _checkout(repo, hosts)
    except (GitError, OSError, ValueError, TypeError, KeyError) as error:
        what = type(error).__name__
        raise ChannelError(f"{folder} is no git repository that can be read ({what})", is_permanent=True) from error


def _checkout(repo: git.Repo, hosts: Collection[str]) -> Checkout:
    with repo.config_reader("repository") as config:
        if repo.head.is_detached:
            return Checkout(repository=_remote(repo, config, "", hosts), branch="", pushed_to="", head=_head(repo))
        branch = repo.head.reference.name
        section = f'branch "{branch}"'
        remote = str(config.get_value(section, "remote", default=""))
        merge = str(config.get_value(section, "merge", default=""))
        return Checkout(
            repository=_remote(repo, config, remote, hosts),
            branch=branch,
            pushed_to=merge.removeprefix("refs/heads/") or branch,
            head=_head(repo),
        )


def _head(repo: git.Repo) -> str:
    """Read from the refs alone: looking the object up would start git."""
    try:
        return git.SymbolicReference.dereference_recursive(repo, "HEAD")
    except ValueError:
        return ""  # before the first commit


def _remote(repo: git.Repo, config: GitConfigParser, preferred: str, hosts: Collection[str]) -> Repository:
    """The branch's own remote, else ``origin``, else the first that is on these hosts."""
    names = {each.name for each in repo.remotes}
    order = [name for name in (preferred, "origin") if name in names] + sorted(names)
    seen = []
    for name in order:
        for url in config.get_values(f'remote "{name}"', "url", default=""):
            found = remote_of(str(url))
            if found is not None and found[0] in hosts:
                return found[1]
            seen.append(found[0] if found else "a folder")
    where = f"only on {', '.join(dict.fromkeys(seen))}" if seen else "on no server"
    raise ChannelError(
        f"the repository's remote is {where}, expected one on {' or '.join(sorted(hosts))}", is_permanent=True
    )
