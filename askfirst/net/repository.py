"""A repository as a value: refs, HEAD, index, the state files of merges and rebases, and what only the work tree holds.

- What only the work tree holds (``work_tree``) goes to the trash and not into objects of the repository, so that no
  push ever publishes it and no filter ever sees it.
- What only the index holds (staged content, stages of a conflict) goes to the trash as a pack.
- Hidden refs hold the commits (``pins``).

From: gitrepository-layout(5).
"""

from __future__ import annotations

import fnmatch
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from askfirst.errors import RescueError
from askfirst.net.folder import Folder
from askfirst.net.index import GITLINK, read_entries
from askfirst.net.pins import PINS, bundled, pin
from askfirst.net.plumbing import locate
from askfirst.net.shot import Shot
from askfirst.net.tree import Tree, take
from askfirst.net.work_tree import keep_work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.net.index import Entry
    from askfirst.net.plumbing import Git
    from askfirst.net.pouch import Pouch
    from askfirst.net.shot import Wish

_LOCK_PATIENCE_S: Final = 5.0
OWN: Final = (
    "MERGE_*", "AUTO_MERGE", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "ORIG_HEAD", "FETCH_HEAD", "SQUASH_MSG",
    "BISECT_*", "rebase-merge", "rebase-apply", "sequencer", "logs", "config.worktree", "commondir", "gitdir", "locked",
    "HEAD",
)  # fmt: skip
SHARED: Final = ("config", "logs", "info", "shallow")
_BLOB_AT: Final = len("100644 blob ")


def shoot(git: Git, pouch: Pouch, wish: Wish) -> Shot:
    """The repository as it is now; its hidden refs are made, unless this is a forecast.

    Raises:
        RescueError: it cannot be read, is in use, or is more than a snapshot may hold.
    """
    common = git.text("rev-parse", "--path-format=absolute", "--git-common-dir")
    if not pouch.is_forecast:
        _await_lock(git)
    refs, symbolic = read_refs(git)
    head = read_head(git)
    own = _state(git.git_dir, own_patterns(git.git_dir, common), pouch)
    shared = _state(common, SHARED, pouch)
    work_tree = "" if wish.refs_only else git.work_tree
    index, entries = _index(git, pouch) if work_tree else ("", [])
    kept, left_out, modes, usual = (
        keep_work(git, entries, pouch, wish) if work_tree else (Tree(root=""), {}, {}, (0, 0, 0))
    )
    subs = tuple(shoot(each, pouch, wish) for each in _submodules(work_tree, entries))
    shot = Shot(
        git_dir=git.git_dir,
        common_dir=common,
        work_tree=work_tree,
        head=head,
        refs=refs,
        symbolic=symbolic,
        index=index,
        own=own,
        shared=shared,
        work=kept,
        modes=modes,
        usual_modes=usual,
        left_out=left_out,
        pins="" if pouch.is_forecast else f"{PINS}{wish.key}/",
        submodules=subs,
        objects=_objects(git, entries, pouch, prunes=wish.prunes) if not pouch.is_forecast else "",
    )
    if pouch.is_forecast:
        return shot
    pin(git, shot, pouch)
    return bundled(git, shot, pouch) if wish.bundles else shot


def read_refs(git: Git) -> tuple[dict[str, str], dict[str, str]]:
    """Every ref but the hidden ones: (name to object id, name to the ref it points to)."""
    lines = git.run("for-each-ref", "--format=%(objectname) %(refname) %(symref)").splitlines()
    parts = [os.fsdecode(line).split(" ") for line in lines]
    found = [(name, oid, symref) for oid, name, symref in parts if not name.startswith(PINS)]
    return {name: oid for name, oid, symref in found if not symref}, {n: symref for n, _, symref in found if symref}


def read_head(git: Git) -> str:
    """What HEAD holds: ``ref: refs/heads/main``, or a commit id."""
    branch = git.text("symbolic-ref", "--quiet", "HEAD", codes=(0, 1))
    return f"ref: {branch}" if branch else git.text("rev-parse", "--verify", "HEAD")


def state_names(root: str, patterns: Iterable[str]) -> list[str]:
    """The state files that are there now."""
    try:
        names = os.listdir(root)
    except FileNotFoundError:
        return []
    return sorted(name for name in names if any(fnmatch.fnmatchcase(name, each) for each in patterns))


def own_patterns(git_dir: str, common_dir: str) -> tuple[str, ...]:
    """Names of the state files of one work tree: the main one's logs are those of all."""
    return tuple(each for each in OWN if each != "logs") if git_dir == common_dir else OWN


def _await_lock(git: Git) -> None:
    """Let a git that holds the index finish.

    Raises:
        RescueError: it does not.
    """
    lock = os.path.join(git.git_dir, "index.lock")
    until = time.monotonic() + _LOCK_PATIENCE_S
    while os.path.lexists(lock):
        if time.monotonic() > until:
            raise RescueError(f"another git process holds {lock}; if none runs, remove that file")
        time.sleep(0.05)


def _state(root: str, patterns: tuple[str, ...], pouch: Pouch) -> Tree:
    with Folder(root) as folder:
        return take(folder, state_names(root, patterns), pouch)


def _index(git: Git, pouch: Pouch) -> tuple[str, list[Entry]]:
    """The name of a copy of the index, whole in itself, and its entries."""
    try:
        with Folder(git.git_dir) as folder, folder.reading("index") as source:
            stored, _ = pouch.keep(source, apart=True)
    except FileNotFoundError:
        return "", read_entries(git)
    except OSError as error:
        raise RescueError(f"the index of {git.git_dir} cannot be read: {error.strerror or error}") from error
    if pouch.is_forecast:
        return stored, read_entries(git)
    copy = replace(git, index=pouch.path(stored))
    if any(name.startswith("sharedindex.") for name in os.listdir(git.git_dir)):
        copy.run("update-index", "--no-split-index")
    return stored, read_entries(copy)


def _submodules(work_tree: str, entries: list[Entry]) -> list[Git]:
    """Repositories that are checked out at the gitlinks of an index."""
    found = []
    for path in (os.path.join(work_tree, each.name) for each in entries if each.mode == GITLINK):
        if os.path.lexists(os.path.join(path, ".git")):
            git = locate(path)
            if git is not None and os.path.realpath(git.work_tree) == os.path.realpath(path):
                found.append(git)
    return found


def _objects(git: Git, entries: list[Entry], pouch: Pouch, *, prunes: bool) -> str:
    """The name of a pack with what only the index refers to, and with ``prunes`` what nothing does."""
    wanted = _staged(git, entries) if entries else set()
    if prunes:
        wanted |= _unreachable(git)
    if not wanted:
        return ""
    names = "".join(f"{each}\n" for each in sorted(git.has(sorted(wanted))))
    return pouch.keep_bytes(git.run("pack-objects", "--stdout", "-q", stdin=names.encode()))


def _staged(git: Git, entries: list[Entry]) -> set[str]:
    """Blobs of the index that HEAD's tree does not have at their place."""
    blobs = {each.name: each.object_id for each in entries if each.mode != GITLINK}
    everything = {each.object_id for each in entries if each.mode != GITLINK}
    tip = git.text("rev-parse", "--verify", "--quiet", "HEAD^{tree}", codes=(0, 1))
    if not tip:
        return everything
    lines = (line.partition("\t") for line in git.fields("ls-tree", "-r", "-z", tip))
    held = {blob for meta, _, name in lines if blobs.get(name) == (blob := meta[_BLOB_AT:])}
    return everything - held


def _unreachable(git: Git) -> set[str]:
    """Everything that no ref leads to."""
    every = git.run("cat-file", "--batch-all-objects", "--batch-check=%(objectname)", "--unordered").decode()
    return set(every.split()) - set(git.run("rev-list", "--objects", "--no-object-names", "--all").decode().split())
