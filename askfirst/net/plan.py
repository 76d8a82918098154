"""What an undo would do: the action's own differences are put back, and what is newer is known by name.

Where the host has reported the end of the action, that is exactly what it did: what changed elsewhere since is left
alone, what it made is taken away again, and what was changed once more afterwards is newer work. Where nothing was
reported, everything that differs is put back, except that files which nobody kept are left where they are in a work
tree. In every case a snapshot of what is there is made first.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.net.differences import GONE, HEAD, INDEX, REF, WORK, key, named, repository_differences, tree_differences
from askfirst.net.folder import Folder
from askfirst.net.manifest import After

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from askfirst.net.manifest import Holding
    from askfirst.net.shot import Shot
    from askfirst.net.tree import Tree

_LISTED_MAX: Final = 10
_ID_CHARS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an undo would do.

    Attributes:
        now: what is to be put back, with what is there.
        made: what of it the action had made, so that it is taken away.
        restores: the same for people, a line each.
        newer: what came after the action and would be put aside, a line each.
    """

    now: After
    made: After
    restores: tuple[str, ...] = ()
    newer: tuple[str, ...] = ()


def differences(holding: Holding, path: Callable[[str], str]) -> After:
    """Everything that is now otherwise than in a snapshot.

    Raises:
        RescueError: a repository cannot be read.
        OSError: the same of a folder.
    """
    shots = tuple(repository_differences(shot, path) for shot in holding.every_shot)
    return After(shots=shots, trees=tuple(_tree_now(tree, path) for tree in holding.trees))


def _tree_now(tree: Tree, path: Callable[[str], str]) -> dict[str, str]:
    if not os.path.isdir(tree.root):
        return {item.name: GONE for item in tree.items}
    with Folder(tree.root) as folder:
        return dict(tree_differences(tree, folder, path))


def plan(holding: Holding, now: After, after: After | None) -> Plan:
    """What putting a snapshot back would do, with what differs ``now`` and what differed right ``after`` the action."""
    if after is None or (len(after.shots), len(after.trees)) != (len(now.shots), len(now.trees)):
        empty: tuple[dict[str, str], ...] = tuple({} for _ in now.shots)
        made = After(shots=empty, trees=now.trees)
        chosen = now
        said: tuple[str, ...] = ("nobody reported the end of the command: what is there now is put aside",)
    else:
        made = after
        chosen = now.among(after)
        said = tuple(_newer(chosen, after))
    shots = [line for shot, each in zip(holding.every_shot, chosen.shots, strict=True) for line in _lines(shot, each)]
    trees = [line for tree, each in zip(holding.trees, chosen.trees, strict=True) for line in _tree_lines(tree, each)]
    return Plan(now=chosen, made=made, restores=(*shots, *trees), newer=said if chosen.count else ())


def _newer(now: After, after: After) -> Iterator[str]:
    pairs = zip((*now.shots, *now.trees), (*after.shots, *after.trees), strict=True)
    changed = [name for mine, then in pairs for name, mark in mine.items() if then[name] != mark and mark != GONE]
    shown = [_shown(name) for name in changed if not _is_log(name)]
    yield from (f"changed since: {each}" for each in shown[:_LISTED_MAX])
    if len(shown) > _LISTED_MAX:
        yield f"and {len(shown) - _LISTED_MAX} more"


def _is_log(name: str) -> bool:
    return name.startswith(("own ", "shared "))


def _shown(name: str) -> str:
    if name == key(INDEX):
        return "what is staged"
    return name.removeprefix(f"{WORK} ").removeprefix(f"{REF} ").removeprefix("refs/heads/")


def _lines(shot: Shot, now: dict[str, str]) -> Iterator[str]:
    for name in named(now, REF)[:_LISTED_MAX]:
        target = shot.refs.get(name) or shot.symbolic.get(name, GONE)
        there = now[key(REF, name)]
        was = f" (it is {there[:_ID_CHARS]})" if there else ""
        yield f"{name} at {target[:_ID_CHARS]}{was}" if target else f"{name} goes: the command made it"
    if (more := len(named(now, REF)) - _LISTED_MAX) > 0:
        yield f"and {more} more refs"
    if key(HEAD) in now:
        yield f"HEAD at {shot.head.removeprefix('ref: ')}"
    if key(INDEX) in now:
        yield "what was staged"
    files = _without_folders(shot.work, named(now, WORK))
    if key(WORK) in now:
        yield f"the work tree {shot.work_tree}"
    yield from _files(files, shot.work_tree)


def _tree_lines(tree: Tree, now: dict[str, str]) -> Iterator[str]:
    yield from _files(_without_folders(tree, list(now)), tree.root)


def _without_folders(tree: Tree, names: list[str]) -> list[str]:
    """These names without folders, whose files speak for them; folders where there is nothing else."""
    folders = {item.name for item in tree.items if item.kind == "folder"}
    return [name for name in names if name not in folders] or names


def _files(names: list[str], root: str) -> Iterator[str]:
    yield from names[:_LISTED_MAX]
    if len(names) > _LISTED_MAX:
        yield f"and {len(names) - _LISTED_MAX:,} more files in {root}"
