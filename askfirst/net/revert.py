"""Putting a repository back as a shot has it: only what is asked for, in an order that a crash can cut at any point.

Objects come first, then files, then refs in one transaction that checks that nobody moved them meanwhile, then state
files, and the index at the end, by renaming its lock. Everything is made by replacing, so that doing it again after a
crash ends in the same state.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from askfirst.errors import RescueError
from askfirst.net.content import copy_content, write_all
from askfirst.net.differences import (
    HEAD,
    INDEX,
    OWN_STATE,
    REF,
    SHARED_STATE,
    WORK,
    key,
    named,
    repository_of,
)
from askfirst.net.folder import Folder
from askfirst.net.index import SYMLINK, read_entries
from askfirst.net.pouch import opened
from askfirst.net.tree import finish_folder, is_as_kept, put
from askfirst.net.work_tree import lineage

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from askfirst.net.index import Entry
    from askfirst.net.plumbing import Git
    from askfirst.net.shot import Shot
    from askfirst.net.tree import Item, Tree

_LOCK_PATIENCE_S: Final = 5.0
_BLOBS_AT_ONCE: Final = 500
_HEAD: Final = "HEAD"
_WHY: Final = "askfirst undo"
_OURS: Final = b"askfirst undo\n"
_MTIME: Final = re.compile(rb"([^\0]+)\0(?:.*\n)??  mtime: (\d+):(\d+)\n(?:.*\n){2}.*flags: [0-9a-f]+\n")
"""One entry of ``git ls-files --debug -z``: its name, and when its file was written, as the index remembers."""


def revert(shot: Shot, now: Mapping[str, str], path: Callable[[str], str], *, made: Collection[str] = ()) -> list[str]:
    """Put back everything that these differences name.

    Args:
        shot: how it is to be.
        now: what is to be put back, with what is there (``askfirst.net.differences``).
        path: where kept content lies.
        made: differences that the action itself made: names that were empty before are emptied again.

    Returns:
        sentences about what could not be put back.

    Raises:
        RescueError: it was not done, or not to the end; doing it again goes on.
        OSError: the same.
    """
    if not os.path.isdir(shot.common_dir):
        raise RescueError(f"the repository {shot.common_dir} is gone")
    _revive(shot, path)
    git = repository_of(shot)
    problems = _objects(shot, git, path)
    files = named(now, WORK)
    with _index_lock(git, wanted=bool(files) or key(INDEX) in now):
        if shot.work_tree and (files or key(WORK) in now):
            problems += _work(shot, git, files, path, made)
        _refs(shot, git, now, made)
        _state(shot.own, named(now, OWN_STATE), path)
        _state(shot.shared, named(now, SHARED_STATE), path)
        if key(INDEX) in now:
            _index(shot, git, path)
    return problems


def _revive(shot: Shot, path: Callable[[str], str]) -> None:
    """Make the folders of a linked work tree again that was removed."""
    if os.path.isdir(shot.git_dir):
        return
    os.makedirs(shot.git_dir, exist_ok=True)
    with Folder(shot.git_dir) as folder:
        for item in shot.own.items:
            put(folder, item, path)
    if shot.work_tree:
        os.makedirs(shot.work_tree, exist_ok=True)
        with Folder(shot.work_tree) as folder:
            for item in shot.work.items:
                if item.name == ".git":
                    put(folder, item, path)


def _objects(shot: Shot, git: Git, path: Callable[[str], str]) -> list[str]:
    """Give the repository back the objects that it may have lost meanwhile."""
    if shot.objects:
        with open(path(shot.objects), "rb") as file:
            git.run("index-pack", "--stdin", "--fix-thin", stdin=file.read())
    wanted = {*shot.refs.values(), *([] if shot.head.startswith("ref: ") else [shot.head])}
    missing = wanted - git.has(wanted)
    if missing and shot.bundle:
        git.run("bundle", "unbundle", path(shot.bundle))
        missing -= git.has(missing)
    return [f"the commit {each[:12]} is gone from the repository, and so is its hidden ref" for each in sorted(missing)]


@contextlib.contextmanager
def _index_lock(git: Git, *, wanted: bool) -> Iterator[None]:
    """Hold the index as git itself does, where that is wanted.

    Raises:
        RescueError: another git holds it.
    """
    if not wanted:
        yield
        return
    lock = os.path.join(git.git_dir, "index.lock")
    until = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            with open(lock, "xb") as file:
                file.write(_OURS)
            break
        except FileExistsError:
            _take_over(lock)
            if time.monotonic() > until:
                raise RescueError(
                    f"another git process holds {lock}; try again, or remove that file if no git runs"
                ) from None
            time.sleep(0.05)
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(lock)


def _take_over(lock: str) -> None:
    """Remove a lock that our own crash has left: git writes an index into its locks, never these words."""
    with contextlib.suppress(FileNotFoundError):
        with open(lock, "rb") as file:
            is_ours = file.read(len(_OURS) + 1) == _OURS
        if is_ours:
            os.unlink(lock)


def _index(shot: Shot, git: Git, path: Callable[[str], str]) -> None:
    index = os.path.join(git.git_dir, "index")
    if not shot.index:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(index)
        return
    fresh = f"{index}.askfirst"
    with open(path(shot.index), "rb") as source, open(fresh, "wb") as target:
        copy_content(source.fileno(), target.fileno(), 0, os.fstat(source.fileno()).st_size)
        os.fsync(target.fileno())
    os.replace(fresh, index)


def _refs(shot: Shot, git: Git, now: Mapping[str, str], made: Collection[str]) -> None:
    """Move refs and HEAD back; one that was moved since ``now`` was read stops it.

    What is to go goes first: ``topic`` cannot be made while there is a ``topic/a``.
    """
    names = [name for name in named(now, REF) if shot.refs.get(name) or name in shot.symbolic or key(REF, name) in made]
    there = {name: now[key(REF, name)] for name in names}
    gone = [name for name in names if name not in shot.refs and name not in shot.symbolic]
    _transact(git, [f"delete {name}\0{_id(there[name])}\0" for name in gone])
    moved = [name for name in names if name in shot.refs]
    _transact(
        git,
        [f"update {name}\0{shot.refs[name]}\0{_id(there[name]) or '0' * len(shot.refs[name])}\0" for name in moved],
    )
    for name in names:
        if name in shot.symbolic:
            git.run("symbolic-ref", "-m", _WHY, name, shot.symbolic[name])
    if key(HEAD) in now and shot.head.startswith("ref: "):
        git.run("symbolic-ref", "-m", _WHY, _HEAD, shot.head.removeprefix("ref: "))
    elif key(HEAD) in now:
        git.run("update-ref", "--no-deref", "-m", _WHY, _HEAD, shot.head)


def _transact(git: Git, lines: list[str]) -> None:
    if lines:
        text = "".join(f"option no-deref\0{line}" for line in lines)
        git.run("update-ref", "-z", "-m", _WHY, "--stdin", stdin=os.fsencode(text))


def _id(mark: str) -> str:
    """The object id that a ref held, ``""`` where it was missing or pointed to another one."""
    return "" if mark.startswith("refs/") else mark


def _state(tree: Tree, names: list[str], path: Callable[[str], str]) -> None:
    """Put state files back. A log that only grew stays: it tells of this, too."""
    if not names:
        return
    with Folder(tree.root) as folder:
        kept = tree.by_name()
        wanted = [name for name in names if not _grew(folder, kept.get(name), path)]
        put_back(folder, kept, wanted, path, empties=True)


def _grew(folder: Folder, item: Item | None, path: Callable[[str], str]) -> bool:
    """Whether a log begins with what was kept of it."""
    if item is None or item.kind != "file" or not item.name.startswith("logs/") or item.name == "logs/refs/stash":
        return False
    try:
        with folder.reading(item.name) as now, opened(path, item.stored) as (then, start):
            return os.pread(now, item.size, 0) == os.pread(then, item.size, start)
    except OSError:
        return False


def _work(shot: Shot, git: Git, names: list[str], path: Callable[[str], str], made: Collection[str]) -> list[str]:
    os.makedirs(shot.work_tree, exist_ok=True)
    kept = shot.work.by_name()
    before = replace(git, index=path(shot.index)) if shot.index else None
    entries = {each.name: each for each in read_entries(before) if each.is_plain} if before is not None else {}
    held = set(shot.work.tops)
    wanted = set(names)
    blobs = [entries[name] for name in sorted(wanted) if name in entries and name not in kept and name not in held]
    others = wanted - {each.name for each in blobs}
    with Folder(shot.work_tree) as folder:
        above = {each for parent in {name.rpartition("/")[0] for name in wanted} for each in lineage(parent)}
        fresh = {name for name, found in folder.look_at(above).items() if found is None}
        emptied = [name for name in others if name in kept or name in held or key(WORK, name) in made]
        put_back(folder, kept, emptied, path, empties=True)
        problems = _put_blobs(shot, git, folder, blobs, before)
        for name in fresh - kept.keys():
            with contextlib.suppress(FileNotFoundError), folder.inside(name) as descriptor:
                os.fchmod(descriptor, shot.modes.get(name, shot.usual_modes[2]))
        return problems


def put_back(
    folder: Folder, kept: Mapping[str, Item], names: Collection[str], path: Callable[[str], str], *, empties: bool
) -> None:
    """Put these names back as they were; those that were empty are emptied.

    Raises:
        RescueError: kept content is no longer what was kept.
        OSError: something could not be written.
    """
    if empties:
        for name in sorted((each for each in names if each not in kept), reverse=True):
            found = folder.look(name)
            if found is not None and os.path.isdir(os.path.join(folder.path, name)):
                folder.remove_empty(name)
            elif found is not None:
                folder.remove(name)
    wanted = [kept[name] for name in sorted(names) if name in kept]
    there = folder.look_at(item.name for item in wanted)
    items = [item for item in wanted if not is_as_kept(folder, item, there[item.name], path)]
    for item in items:
        put(folder, item, path)
    for item in reversed(items):
        if item.kind == "folder":
            finish_folder(folder, item)


def _put_blobs(shot: Shot, git: Git, folder: Folder, blobs: list[Entry], before: Git | None) -> list[str]:
    """Write files as the objects that the shot's index names, byte for byte."""
    problems: list[str] = []
    times = _times(before) if before is not None and blobs else {}
    for start in range(0, len(blobs), _BLOBS_AT_ONCE):
        some = blobs[start : start + _BLOBS_AT_ONCE]
        for entry, content in zip(some, _contents(git, [each.object_id for each in some]), strict=True):
            if content is None:
                problems.append(f"{entry.name} cannot be put back: the repository does not have its content")
                continue
            _put_blob(shot, folder, entry, content, times.get(entry.name))
    return problems


def _put_blob(shot: Shot, folder: Folder, entry: Entry, content: bytes, mtime_ns: int | None) -> None:
    if entry.mode == SYMLINK:
        folder.link(entry.name, os.fsdecode(content))
        return
    usual = shot.usual_modes[1 if entry.mode == "100755" else 0]
    with folder.replacing(entry.name) as target:
        write_all(target, content)
        os.fchmod(target, shot.modes.get(entry.name, usual))
        if mtime_ns is not None:
            os.utime(target, ns=(mtime_ns, mtime_ns))


def _contents(git: Git, object_ids: list[str]) -> list[bytes | None]:
    """The objects' content in this order; None for one that is missing."""
    out = git.run("cat-file", "--batch", "--buffer", stdin="".join(f"{each}\n" for each in object_ids).encode())
    found: list[bytes | None] = []
    at = 0
    for _ in object_ids:
        end = out.index(b"\n", at)
        head = out[at:end].split(b" ")
        if head[-1] == b"missing":
            found.append(None)
            at = end + 1
            continue
        size = int(head[2])
        found.append(out[end + 1 : end + 1 + size])
        at = end + 2 + size
    return found


def _times(before: Git) -> dict[str, int]:
    """Name to the modification time that an index remembers, nanoseconds since the epoch."""
    rows = _MTIME.findall(before.run("ls-files", "--debug", "-z"))
    return {os.fsdecode(name): int(seconds) * 10**9 + int(ns) for name, seconds, ns in rows}
