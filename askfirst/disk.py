"""Facts from this machine: reads the file system and git, changes nothing, and is done in time.

* One object answers for one analysis: it has one budget of time, and what it has found does not change under way.
* Counting stops at a number of entries or at the deadline; what was not counted is a loss.
* A look at a dead network mount can block in the kernel; no budget helps against that.
"""

from __future__ import annotations

import glob
import itertools
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from askfirst.facts import UNKNOWN, GitPlace, Kind, Loss, PathFacts
from askfirst.git_facts import MAX_NAMES, GitFacts, above, top_above
from askfirst.git_reader import Deadline, GitReader
from askfirst.shell.precious import is_precious, is_regenerable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from askfirst.facts import Changes, Commits, Repository, Unknown

DEFAULT_BUDGET_S: Final = 0.25
_MAX_ENTRIES: Final = 20_000
_MAX_REPOSITORIES: Final = 4
_UNUSABLE = (OSError, ValueError)  # ValueError: a NUL in the path


@dataclass
class _Walk:
    """What a walk has seen so far; names are absolute."""

    files: int = 0
    size_bytes: int = 0
    entries: int = 0
    more: bool = False
    precious: list[str] = field(default_factory=list)
    repositories: list[str] = field(default_factory=list)


class Disk:
    """``askfirst.facts.Facts`` about this machine, for one analysis.

    Args:
        budget_s: seconds for all looks together.
        environ: the environment of the call; git gets ``PATH``, ``HOME`` and ``XDG_CONFIG_HOME`` from it.
        made_here: files that this session wrote and that did not exist before, absolute.
    """

    def __init__(
        self,
        *,
        budget_s: float = DEFAULT_BUDGET_S,
        environ: Mapping[str, str] | None = None,
        made_here: Collection[str] = (),
    ) -> None:
        environ = os.environ if environ is None else environ
        self._home = environ.get("HOME", "")
        self._made_here = frozenset(made_here)
        self._deadline = Deadline(budget_s)
        self._git = GitFacts(GitReader(self._deadline, environ))
        self._paths: dict[str, PathFacts | Unknown] = {}
        self._losses: dict[str, Loss | Unknown] = {}

    def home(self) -> str | Unknown:
        """Home folder, resolved."""
        return os.path.realpath(self._home) if os.path.isabs(self._home) else UNKNOWN

    def project(self, cwd: str) -> str | Unknown:
        """The nearest folder above with a ``.git``, unless that is the home folder; else the folder itself."""
        if not os.path.isdir(cwd):
            return UNKNOWN
        home = self.home()
        found = top_above(cwd)
        return os.path.realpath(cwd) if found is None or found in {home, "/"} else found

    def path(self, path: str) -> PathFacts | Unknown:
        """What lies at a path."""
        if path not in self._paths:
            self._paths[path] = self._path(path) if self._deadline.left_s() else UNKNOWN
        return self._paths[path]

    def _path(self, path: str) -> PathFacts | Unknown:
        try:
            real = os.path.realpath(path)
            found = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return PathFacts(kind=Kind.MISSING, real=os.path.realpath(path))
        except _UNUSABLE:
            return UNKNOWN
        kind = _kind(found.st_mode)
        size = found.st_size if kind is Kind.FILE else 0
        return PathFacts(
            kind=kind,
            real=real,
            size_bytes=size,
            empty=(kind is Kind.FILE and not size) or (kind is Kind.FOLDER and _is_empty(path)),
            mount=kind is Kind.FOLDER and os.path.ismount(path),
        )

    def holds(self, outer: str, inner: str) -> bool | Unknown:
        """Compares device and inode on the way up: links, ``..`` and case are as the disk sees them."""
        try:
            sought = os.stat(outer)
            return any(os.path.samestat(sought, os.stat(folder)) for folder in above(inner) if os.path.lexists(folder))
        except _UNUSABLE:
            return UNKNOWN

    def expand_glob(self, pattern: str, limit: int) -> tuple[str, ...] | Unknown:
        """What the shell's globbing gives; ``**`` is ``*``, as without ``globstar``."""
        found: list[str] = []
        try:
            for path in itertools.islice(glob.iglob(pattern), limit + 1):
                if not self._deadline.left_s():
                    return UNKNOWN
                found.append(path)
        except _UNUSABLE:
            return UNKNOWN
        return UNKNOWN if len(found) > limit else tuple(sorted(found))

    def read_script(self, path: str, max_bytes: int) -> bytes | Unknown | None:
        """The content of a regular file; never waits on a pipe or a terminal."""
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except _UNUSABLE:
            return UNKNOWN
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            content = os.read(descriptor, max_bytes + 1)
        except OSError:
            return UNKNOWN
        finally:
            os.close(descriptor)
        return UNKNOWN if len(content) > max_bytes else content

    def loss(self, path: str) -> Loss | Unknown:
        """What deleting the path would lose; of a link only the link goes."""
        if path not in self._losses:
            self._losses[path] = self._loss(path)
        return self._losses[path]

    def _loss(self, path: str) -> Loss | Unknown:
        there = self.path(path)
        if there is UNKNOWN or there.kind is Kind.MISSING:
            return UNKNOWN if there is UNKNOWN else Loss()
        walk = self._walk(path)
        if walk is None:
            return UNKNOWN
        parent = os.path.realpath(os.path.dirname(path))
        top = top_above(parent)
        seen = _Seen(walk=walk, path=os.path.join(parent, os.path.basename(path)), made_here=path in self._made_here)
        repositories = tuple(folder for folder in walk.repositories if self._has_work(folder))
        if top is None:
            return seen.without_repository(repositories)
        entries = self._git.status(GitPlace(folder=parent), [seen.path], "--literal-pathspecs")
        if entries is UNKNOWN:
            return UNKNOWN
        ignored = [os.path.join(top, entry.path.rstrip("/")) for entry in entries if entry.kind == "!"]
        untracked = [os.path.join(top, entry.path.rstrip("/")) for entry in entries if entry.kind == "?"]
        modified = [entry.path for entry in entries if entry.is_unstaged]
        return seen.in_repository(top, repositories, modified=modified, untracked=untracked, ignored=ignored)

    def _has_work(self, folder: str) -> bool:
        dot_git = os.path.join(folder, ".git")
        if not os.path.lexists(dot_git):  # a bare repository: its branches are its work
            return True
        return self._git.holds_own_work(folder, is_linked=os.path.isfile(dot_git))

    def _walk(self, path: str) -> _Walk | None:
        walk = _Walk()
        try:
            if os.path.islink(path) or not os.path.isdir(path):
                found = os.lstat(path)
                walk.files, walk.size_bytes = 1, found.st_size
                walk.precious += [path] if is_precious(path) else []
            else:
                self._walk_folders(path, walk)
        except _UNUSABLE:
            return None
        return walk

    def _walk_folders(self, top: str, walk: _Walk) -> None:
        """Counts below a folder; names inside folders that tools rebuild say nothing about their worth."""
        folders = [(top, is_regenerable(os.path.basename(top), certain=True))]
        while folders:
            folder, rebuilt = folders.pop()
            with os.scandir(folder) as entries:
                listed = list(itertools.islice(entries, _MAX_ENTRIES))
            walk.entries += len(listed)
            if walk.entries >= _MAX_ENTRIES or not self._deadline.left_s():
                walk.more = True
                return
            if _is_repository(listed):
                walk.repositories.append(folder)
                walk.more = walk.more or len(walk.repositories) > _MAX_REPOSITORIES
            folders += _counted(listed, walk, rebuilt=rebuilt)

    def repository(self, place: GitPlace) -> Repository | Unknown | None:
        """The repository at a place."""
        return self._git.repository(place)

    def changes(self, place: GitPlace, paths: tuple[str, ...] = ()) -> Changes | Unknown:
        """Uncommitted changes."""
        return self._git.changes(place, paths)

    def cleanable(self, place: GitPlace, options: tuple[str, ...], paths: tuple[str, ...]) -> tuple[str, ...] | Unknown:
        """What ``git clean`` would delete."""
        return self._git.cleanable(place, options, paths)

    def commit(self, place: GitPlace, revision: str) -> str | Unknown | None:
        """Object id of a commit."""
        return self._git.commit(place, revision)

    def dropped(self, place: GitPlace, ref: str, *, new: str = "") -> Commits | Unknown:
        """Commits that only one ref holds."""
        return self._git.dropped(place, ref, new=new)

    def setting(self, place: GitPlace, key: str) -> str | Unknown | None:
        """A git configuration value."""
        return self._git.setting(place, key)


def _counted(entries: list[os.DirEntry[str]], walk: _Walk, *, rebuilt: bool) -> Iterator[tuple[str, bool]]:
    """Counts the files among the entries and gives the folders to go on with."""
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name != ".git":
                yield entry.path, rebuilt or is_regenerable(entry.name, certain=True)
            continue
        walk.files += 1
        walk.size_bytes += entry.stat(follow_symlinks=False).st_size
        if not rebuilt and is_precious(entry.name):
            walk.precious.append(entry.path)


def _is_repository(entries: list[os.DirEntry[str]]) -> bool:
    """A work tree's top, or a bare repository."""
    names = {entry.name for entry in entries}
    return ".git" in names or {"HEAD", "objects", "refs"} <= names


def _kind(mode: int) -> Kind:
    tests = (
        (stat.S_ISREG, Kind.FILE),
        (stat.S_ISDIR, Kind.FOLDER),
        (stat.S_ISLNK, Kind.LINK),
        (stat.S_ISBLK, Kind.DEVICE),
        (stat.S_ISCHR, Kind.DEVICE),
    )
    return next((kind for test, kind in tests if test(mode)), Kind.OTHER)


def _is_empty(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return False


@dataclass(frozen=True)
class _Seen:
    """A walk and the path it began at, resolved but for its last component."""

    walk: _Walk
    path: str
    made_here: bool

    def without_repository(self, repositories: tuple[str, ...]) -> Loss:
        """The loss where no git holds anything."""
        return self._loss(
            repositories,
            untracked=(os.path.basename(self.path),) if self.walk.files else (),
            precious=tuple(self.walk.precious[:MAX_NAMES]),
        )

    def in_repository(
        self, top: str, repositories: tuple[str, ...], *, modified: list[str], untracked: list[str], ignored: list[str]
    ) -> Loss:
        """The loss in a work tree whose top is ``top``; untracked and ignored paths are absolute."""
        loose = [*untracked, *ignored]
        real = {
            name: os.path.join(os.path.realpath(os.path.dirname(name)), os.path.basename(name))
            for name in self.walk.precious
        }
        precious = [name for name, path in real.items() if any(_is_at_or_below(path, each) for each in loose)]
        return self._loss(
            repositories,
            modified=tuple(modified[:MAX_NAMES]),
            untracked=tuple(os.path.relpath(path, top) for path in untracked[:MAX_NAMES]) if self.walk.files else (),
            ignored=tuple(os.path.relpath(path, top) for path in ignored[:MAX_NAMES]),
            precious=tuple(os.path.relpath(name, top) for name in precious[:MAX_NAMES]),
            tracked_clean=bool(self.walk.files) and not modified and not loose,
            in_repository=True,
        )

    def _loss(self, repositories: tuple[str, ...], **found: object) -> Loss:
        return Loss(
            files=self.walk.files,
            size_bytes=self.walk.size_bytes,
            more=self.walk.more,
            repositories=repositories[:MAX_NAMES],
            made_here=self.made_here,
            **found,  # type: ignore[arg-type]  # the fields of Loss that the two callers name
        )


def _is_at_or_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)
