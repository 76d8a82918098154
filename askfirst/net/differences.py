"""What lies there now otherwise than in a snapshot, as marks that can be compared later.

A difference is a key (``ref refs/heads/main``, ``head``, ``index``, ``own MERGE_HEAD``, ``shared config``,
``work a.txt``) and a mark of what is there now, ``""`` for nothing. Right after an action has run, its differences are
what it did; later ones are somebody's newer work. So an undo puts back what the action did, and knows what else it
would take away.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from askfirst.net.folder import Folder
from askfirst.net.index import LIST_ENTRIES, read_entries
from askfirst.net.plumbing import Git, locate
from askfirst.net.repository import SHARED, own_patterns, read_head, read_refs, state_names
from askfirst.net.tree import is_as_kept
from askfirst.net.work_tree import changed_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from askfirst.net.shot import Shot
    from askfirst.net.tree import Tree

GONE: Final = ""
REF: Final = "ref"
HEAD: Final = "head"
INDEX: Final = "index"
OWN_STATE: Final = "own"
SHARED_STATE: Final = "shared"
WORK: Final = "work"


def key(kind: str, name: str = "") -> str:
    """The key of a difference."""
    return f"{kind} {name}" if name else kind


def named(keys: Iterable[str], kind: str) -> list[str]:
    """The names among the keys of this kind."""
    return [each[len(kind) + 1 :] for each in keys if each.startswith(f"{kind} ")]


def repository_differences(shot: Shot, path: Callable[[str], str]) -> dict[str, str]:
    """Everything in a repository that is otherwise than in the shot; ``path`` tells where kept content lies.

    Raises:
        RescueError: the repository cannot be read.
        OSError: the same.
    """
    if not os.path.isdir(shot.git_dir):
        return _all_gone(shot, path)
    git = repository_of(shot)
    found = dict(_ref_differences(shot, git))
    found |= _state_differences(OWN_STATE, shot.own, own_patterns(shot.git_dir, shot.common_dir), path)
    found |= _state_differences(SHARED_STATE, shot.shared, SHARED, path)
    return found | _work_differences(shot, git, path) if shot.work_tree else found


def repository_of(shot: Shot) -> Git:
    """The repository of a shot, as it can be reached now."""
    found = locate(shot.work_tree or shot.git_dir)
    if found is not None and found.git_dir == shot.git_dir:
        return replace(found, work_tree=shot.work_tree)
    return Git(git_dir=shot.git_dir, work_tree=shot.work_tree)


def _all_gone(shot: Shot, path: Callable[[str], str]) -> dict[str, str]:
    """Of a linked work tree that was removed: its own part; the rest is where it was."""
    own = {key(OWN_STATE, item.name): GONE for item in shot.own.items}
    return {key(HEAD): GONE, key(INDEX): GONE, **own, **_work_gone(shot, path)}


def _work_gone(shot: Shot, path: Callable[[str], str]) -> dict[str, str]:
    index = None
    if shot.index:
        index = Git(git_dir=shot.common_dir, work_tree=shot.work_tree, index=path(shot.index))
    tracked = [each.name for each in read_entries(index) if each.is_plain] if index is not None else []
    missing = set(shot.work.tops) - shot.work.by_name().keys()
    names = {*tracked, *(item.name for item in shot.work.items)} - missing
    return {key(WORK): GONE, **{key(WORK, name): GONE for name in sorted(names)}}


def _ref_differences(shot: Shot, git: Git) -> Iterator[tuple[str, str]]:
    refs, symbolic = read_refs(git)
    now, before = refs | symbolic, {**shot.refs, **shot.symbolic}
    for name in sorted({*now, *before}):
        if now.get(name) != before.get(name):
            yield key(REF, name), now.get(name, GONE)
    head = read_head(git)
    if head != shot.head:
        yield key(HEAD), head


def _state_differences(kind: str, tree: Tree, patterns: tuple[str, ...], path: Callable[[str], str]) -> dict[str, str]:
    tops = {*tree.tops, *state_names(tree.root, patterns)}
    with Folder(tree.root) as folder:
        found = tree_differences(replace(tree, tops=tuple(sorted(tops))), folder, path)
        return {key(kind, name): mark for name, mark in found if name != "HEAD"}


def tree_differences(
    tree: Tree, folder: Folder, path: Callable[[str], str], skips: Mapping[str, str] | None = None
) -> Iterator[tuple[str, str]]:
    """(name, mark of what is there now) for everything below the tree's tops that is not as it was."""
    kept = tree.by_name()
    now = found_below(folder, tree.tops, skips)
    for name in {**dict.fromkeys(kept), **now}:
        item, there = kept.get(name), now.get(name)
        if item is None or not is_as_kept(folder, item, there, path):
            yield name, mark_of(there)


def mark_of(found: os.stat_result | None) -> str:
    """What lies at a name, told apart from whatever else may lie there later."""
    if found is None:
        return GONE
    if stat.S_ISDIR(found.st_mode):
        return f"{found.st_mode:o}"
    return f"{found.st_mode:o}:{found.st_size}:{found.st_mtime_ns}:{found.st_ino}"


def found_below(
    folder: Folder, tops: Iterable[str], skips: Mapping[str, str] | None = None
) -> dict[str, os.stat_result]:
    """What is there now at and below these names, folders before what is in them."""
    found: dict[str, os.stat_result] = {}
    level = [name for name in tops if not skips or name not in skips]
    while level:
        here = {name: there for name, there in folder.look_at(level).items() if there is not None}
        inner = [name for name, there in here.items() if stat.S_ISDIR(there.st_mode) and name not in found]
        found |= here
        level = [each for name in inner for each in folder.paths(name) if not skips or each not in skips]
    return found


def index_mark(git: Git) -> str:
    """The entries of an index, whatever it remembers of files' times besides."""
    return hashlib.sha256(git.run(*LIST_ENTRIES)).hexdigest()


def _work_differences(shot: Shot, git: Git, path: Callable[[str], str]) -> dict[str, str]:
    before = replace(git, index=path(shot.index)) if shot.index else git
    found: dict[str, str] = {}
    if shot.index and (mark := index_mark(git)) != index_mark(before):
        found[key(INDEX)] = mark
    if not os.path.isdir(shot.work_tree):
        return found | _work_gone(shot, path)
    with Folder(shot.work_tree) as folder:
        loose = [name.rstrip("/") for name in before.fields("ls-files", "--others", "--directory", "-z")]
        tops = dict.fromkeys((*shot.work.tops, *loose))
        now = tree_differences(replace(shot.work, tops=tuple(tops)), folder, path, shot.left_out)
        found |= {key(WORK, name): mark for name, mark in now}
        known = {*shot.work.by_name(), *shot.work.tops}
        changed = changed_names(before) if shot.index else []
        others = folder.look_at(name for name in changed if name not in known)
        return found | {key(WORK, name): mark_of(there) for name, there in others.items()}
