"""From what an action touches to what is kept of it: repositories are shot, everything else is taken as files."""

from __future__ import annotations

import fnmatch
import functools
import glob
import itertools
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from askfirst.errors import RescueError
from askfirst.net.differences import repository_of
from askfirst.net.folder import Folder
from askfirst.net.manifest import Holding, with_submodules
from askfirst.net.plumbing import Git, locate, may_be_in_one
from askfirst.net.pouch import in_words
from askfirst.net.repository import shoot
from askfirst.net.shot import Shot, Wish
from askfirst.net.tree import Tree, take

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from askfirst.effects import Touch
    from askfirst.net.pouch import Pouch
    from askfirst.net.scope import Scope

_MATCHES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Catcher:
    """Keeps what scopes name.

    Attributes:
        state: our own folder, which is never kept.
        ignored_max_bytes: what a repository's ignored files may add.
    """

    state: str
    ignored_max_bytes: int

    def may_find(self, scope: Scope) -> bool:
        """Whether anything in a scope may be there; quicker than to look."""
        hits = (*scope.repositories, *scope.remotes)
        return bool(scope.paths) or any(may_be_in_one(hit.path, hit.git_dir) for hit in hits)

    def catch(self, scope: Scope, pouch: Pouch, key: str) -> tuple[Holding, tuple[str, ...]]:
        """Everything in a scope as it is now, and sentences about what is not kept.

        Raises:
            RescueError: something of it cannot be kept.
        """
        gaps = list(scope.gaps)
        wish = Wish(
            key=key,
            ignored_max_bytes=self.ignored_max_bytes,
            prunes=scope.prunes,
            bundles=scope.is_critical,
            skips=frozenset({self.state}),
        )
        paths = list(dict.fromkeys(each for hit in scope.paths for each in _expanded(hit)))
        for path in paths:
            self._require_foreign(path)
        gits: dict[str, Git] = {}
        find = functools.cache(locate)  # a push names its repository twice; to find it takes three processes
        linked = [path for path in paths if _add(gits, _linked(path))]
        for folder, git_dir in ((hit.path, hit.git_dir) for hit in scope.repositories):
            _add(gits, find(folder, git_dir))
        shots = [shoot(git, pouch, wish) for git in gits.values()]
        ends = ((hit.name, find(hit.path, hit.git_dir)) for hit in scope.remotes)
        shots += self._remotes(ends, gits, pouch, wish, gaps)
        inner = {each.git_dir for shot in shots for sub in shot.submodules for each in with_submodules(sub)}
        shots = [shot for shot in shots if shot.git_dir not in inner]
        trees = _taken([path for path in paths if path not in linked], pouch)
        gaps += [f"{words}" for shot in shots for words in _left_out(shot)]
        return Holding(shots=tuple(shots), trees=trees), tuple(dict.fromkeys(gaps))

    def again(self, holding: Holding, pouch: Pouch, key: str) -> Holding:
        """The same repositories and paths as in an older snapshot, as they are now.

        Raises:
            RescueError: something of it cannot be kept.
        """
        wish = Wish(key=key, ignored_max_bytes=self.ignored_max_bytes, skips=frozenset({self.state}))
        shots, trees = [], []
        for each in holding.shots:
            work_tree = each.work_tree if os.path.isdir(each.work_tree) else ""
            if os.path.isdir(each.git_dir):
                git = replace(repository_of(each), work_tree=work_tree)
                shots.append(shoot(git, pouch, replace(wish, refs_only=not work_tree)))
            gone = [path for path in (each.git_dir, each.work_tree) if path and not os.path.isdir(path)]
            trees += [Tree(root=root, tops=(top,)) for root, top in map(_anchored, gone)]
        for tree in holding.trees:
            if not os.path.isdir(tree.root):
                trees.append(Tree(root=tree.root, tops=tree.tops))
                continue
            with Folder(tree.root) as folder:
                trees.append(take(folder, tree.tops, pouch))
        return Holding(shots=tuple(shots), trees=tuple(trees))

    def _require_foreign(self, path: str) -> None:
        state, real = os.path.realpath(self.state), os.path.realpath(path)
        if f"{state}/".startswith(f"{real.rstrip('/')}/") or f"{real}/".startswith(f"{state}/"):
            raise RescueError("it touches Askfirst's own state, of which no snapshot can be made")

    def _remotes(
        self, ends: Iterable[tuple[str, Git | None]], gits: dict[str, Git], pouch: Pouch, wish: Wish, gaps: list[str]
    ) -> Iterator[Shot]:
        """The far ends of pushes: of each remote its name, and the repository that knows it."""
        for name, git in ends:
            remote = None if git is None else _local_remote(git, name)
            if remote is None:
                gaps.append(f"what is overwritten on {name} is not kept: it is not on this machine")
            elif remote.git_dir not in gits:
                gits[remote.git_dir] = remote
                yield shoot(remote, pouch, replace(wish, refs_only=True))


def _add(gits: dict[str, Git], git: Git | None) -> bool:
    if git is not None:
        gits.setdefault(git.git_dir, git)
    return git is not None


def _linked(path: str) -> Git | None:
    """The repository of a linked work tree or a submodule at this very path; its objects lie elsewhere."""
    if not os.path.isfile(os.path.join(path, ".git")):
        return None
    try:
        git = locate(path)
    except RescueError:
        return None  # taken as files
    return git if git is not None and os.path.realpath(git.work_tree) == os.path.realpath(path) else None


def _local_remote(git: Git, name: str) -> Git | None:
    """The repository that a remote is, where that is on this machine."""
    url = git.text("remote", "get-url", "--push", name, codes=(0, 2, 128)) or name
    path = url.removeprefix("file://")
    if "://" in path or (":" in path.partition("/")[0] and not os.path.exists(path)):
        return None
    return locate(os.path.join(git.work_tree or git.git_dir, path))


def _left_out(shot: Shot) -> Iterator[str]:
    for words in shot.left_out.values():
        if words:
            yield f"not kept: {words}"
    for each in shot.submodules:
        yield from _left_out(each)


def _expanded(hit: Touch) -> list[str]:
    """The real paths that a hit names: of a link, the link and what it points to, since a write goes through it."""
    if hit.kind == "glob":
        matches = list(itertools.islice(glob.iglob(hit.path), _MATCHES_MAX + 1))
        if len(matches) > _MATCHES_MAX:
            raise RescueError(f"{hit.path} names more than {_MATCHES_MAX:,} paths")
        return [path for match in matches for path in _real(match)]
    if hit.names and not os.path.islink(hit.path):
        return [path for match in _called(hit.path, hit.names) for path in _real(match)]
    return _real(hit.path)


def _called(top: str, names: tuple[str, ...]) -> list[str]:
    """What is called so below a folder, whichever of them a search picks."""
    found: list[str] = []
    for folder, folders, files in os.walk(top):
        found += [
            os.path.join(folder, each)
            for each in (*folders, *files)
            if any(fnmatch.fnmatch(each.lower(), pattern.lower()) for pattern in names)
        ]
        if len(found) > _MATCHES_MAX:
            raise RescueError(f"more than {_MATCHES_MAX:,} paths below {top} are called {' or '.join(names)}")
    return found


def _real(path: str) -> list[str]:
    parent, name = os.path.split(path.rstrip("/"))
    if name in {"", ".", ".."}:
        return [os.path.realpath(path)]
    here = os.path.join(os.path.realpath(parent or "/"), name)
    if os.path.islink(here) and os.path.isfile(here):
        return [here, os.path.realpath(here)]
    return [here]


def _taken(paths: list[str], pouch: Pouch) -> tuple[Tree, ...]:
    """These paths with everything below, one tree for each folder that they lie in."""
    tops: dict[str, list[str]] = {}
    for path in paths:
        if path == "/" or any(path != other and path.startswith(f"{other.rstrip('/')}/") for other in paths):
            if path == "/":
                raise RescueError("the root of the file system is more than a snapshot may hold")
            continue
        root, top = _anchored(path)
        tops.setdefault(root, []).append(top)
    trees = []
    for root, names in tops.items():
        try:
            with Folder(root) as folder:
                trees.append(take(folder, names, pouch))
        except OSError as error:
            raise RescueError(f"{root} cannot be read: {error.strerror or error}") from error
    return tuple(trees)


def _anchored(path: str) -> tuple[str, str]:
    """The nearest folder above that is there, and the first name below it on the way."""
    root, top = os.path.split(path)
    while not os.path.isdir(root):
        root, top = os.path.split(root)
    return root, top


def holding_words(holding: Holding) -> str:
    """What a snapshot holds, for people, e.g. ``every ref of app and 5 files of its work tree; 3 files of docs``."""
    return "; ".join([*map(_shot_words, holding.every_shot), *map(_tree_words, holding.trees)])


def _shot_words(shot: Shot) -> str:
    name = os.path.basename(shot.work_tree or shot.git_dir.removesuffix("/.git"))
    refs = f"every ref of {name} ({len(shot.refs)})"
    if not shot.work_tree:
        return refs
    files = sum(item.kind in {"file", "link"} for item in shot.work.items)
    return f"{refs}, its index and {_count(files, 'file')} that git does not hold"


def _tree_words(tree: Tree) -> str:
    files = [item for item in tree.items if item.kind in {"file", "link"}]
    size = in_words(sum(item.size for item in files))
    where = os.path.join(tree.root, tree.tops[0]) if len(tree.tops) == 1 else tree.root
    if not tree.items:
        return f"that nothing was at {where}"
    return f"{_count(len(files), 'file')} ({size}) in {where}" if files else f"the folders in {where}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
