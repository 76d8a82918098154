"""Facts: the narrow questions that the analysis may ask about this machine, and their typed answers.

The analysis is pure; what it needs to know about the disk and about git repositories it asks through ``Facts``. Every
answer may be ``UNKNOWN``: nobody looked, the look failed, was not finished in time, or came out too large. A caller
that gets ``UNKNOWN`` grades as if the loss were real. "No" (``None``, zero, ``Kind.MISSING``) is another answer.

Paths are absolute unless said otherwise; bytes that are no UTF-8 are surrogate escapes, as ``os.fsdecode`` makes them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias


class _Unknown(enum.Enum):
    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown.UNKNOWN
"""Could not be found out; compare with ``is``."""

Unknown: TypeAlias = Literal[_Unknown.UNKNOWN]


class Kind(enum.StrEnum):
    """What a path is, the path itself and not what a symbolic link points to."""

    MISSING = "missing"
    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    DEVICE = "device"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFacts:
    """What lies at a path.

    Attributes:
        kind: what it is.
        real: the path with every symbolic link and ``..`` resolved, in the last component too.
        size_bytes: size of a file, else 0.
        empty: a file without bytes or a folder without entries.
        mount: a file system is mounted here.
    """

    kind: Kind
    real: str
    size_bytes: int = 0
    empty: bool = False
    mount: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What would be gone for good if a path were deleted with everything below it.

    Names are relative to the repository, or to the path where there is none; each list holds the first few.

    Attributes:
        files: number of files below the path, a lower bound when ``more``.
        size_bytes: their size, a lower bound when ``more``.
        more: counting was stopped at the limit.
        modified: tracked files whose work tree content is in no commit and not in the index.
        untracked: files and folders that git neither tracks nor ignores.
        ignored: files and folders that git ignores.
        precious: files among all those not tracked whose names say that nobody can rebuild them (``.env``, databases).
        repositories: repositories and linked work trees below the path (or the path itself).
        tracked_clean: something tracked is there and equals the index.
        in_repository: the path lies in the work tree of a repository.
        made_here: this session wrote the file itself.
    """

    files: int = 0
    size_bytes: int = 0
    more: bool = False
    modified: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    precious: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    tracked_clean: bool = False
    in_repository: bool = False
    made_here: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPlace:
    """The repository that a git command means.

    Attributes:
        folder: working directory after every ``-C``, absolute.
        git_dir: ``--git-dir`` or ``GIT_DIR``, ``""`` when not given.
        work_tree: ``--work-tree`` or ``GIT_WORK_TREE``, ``""`` when not given.
    """

    folder: str
    git_dir: str = ""
    work_tree: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository as it stands.

    Attributes:
        root: top of the work tree, resolved; ``""`` for a bare one.
        git_dir: its git folder, resolved (of a linked work tree: its own).
        head: object id of HEAD, ``""`` before the first commit.
        branch: the current branch without ``refs/heads/``, ``""`` when HEAD is detached.
        default_branch: where ``refs/remotes/origin/HEAD`` points, e.g. ``main``; ``""`` when the remote told none.
        upstream: what the current branch tracks, e.g. ``refs/remotes/origin/main``, or ``""``.
        stashes: number of stash entries.
    """

    root: str
    git_dir: str
    head: str = ""
    branch: str = ""
    default_branch: str = ""
    upstream: str = ""
    stashes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Uncommitted changes, as names relative to the top of the work tree; each list holds the first few.

    Attributes:
        staged: the index differs from HEAD.
        unstaged: the work tree differs from the index.
        untracked: neither tracked nor ignored.
        more: there are more than the lists hold.
    """

    staged: tuple[str, ...] = ()
    unstaged: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    more: bool = False

    @property
    def tracked(self) -> tuple[str, ...]:
        """Changed tracked files, staged or not, each once."""
        return tuple(dict.fromkeys(self.staged + self.unstaged))


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """Commits that nothing else would hold.

    Attributes:
        count: how many, a lower bound when ``more``.
        more: counting was stopped at the limit.
        tip: object id of the newest one, the way back; ``""`` when there are none.
    """

    count: int = 0
    more: bool = False
    tip: str = ""


class Facts(Protocol):
    """What can be asked. Asking changes nothing and runs nothing of a repository's own."""

    def home(self) -> str | Unknown:
        """Home folder of the person."""
        ...

    def project(self, cwd: str) -> str | Unknown:
        """Root of the project that a folder belongs to: the work tree's top, else the folder itself."""
        ...

    def path(self, path: str) -> PathFacts | Unknown:
        """What lies at a path."""
        ...

    def holds(self, outer: str, inner: str) -> bool | Unknown:
        """Whether ``inner`` is ``outer`` or lies below it: links, ``..`` and case as the disk sees them."""
        ...

    def loss(self, path: str) -> Loss | Unknown:
        """What deleting the path and everything below it would lose; an empty ``Loss`` when nothing is there."""
        ...

    def expand_glob(self, pattern: str, limit: int) -> tuple[str, ...] | Unknown:
        """Existing paths that an absolute glob pattern matches, sorted; ``UNKNOWN`` beyond ``limit``."""
        ...

    def read_script(self, path: str, max_bytes: int) -> bytes | Unknown | None:
        """The content of a regular file; None when there is none; ``UNKNOWN`` when larger or unreadable."""
        ...

    def repository(self, place: GitPlace) -> Repository | Unknown | None:
        """The repository at a place; None when there is none."""
        ...

    def changes(self, place: GitPlace, paths: tuple[str, ...] = ()) -> Changes | Unknown:
        """Uncommitted changes, of the whole work tree or in git pathspecs relative to the place's folder."""
        ...

    def cleanable(self, place: GitPlace, options: tuple[str, ...], paths: tuple[str, ...]) -> tuple[str, ...] | Unknown:
        """Absolute paths that ``git clean`` deletes with these options (``-d -x -X -ff -e=…``) and pathspecs."""
        ...

    def commit(self, place: GitPlace, revision: str) -> str | Unknown | None:
        """Object id of the commit that a revision names; None when it names none."""
        ...

    def dropped(self, place: GitPlace, ref: str, *, new: str = "") -> Commits | Unknown:
        """Commits that only the full ref name ``ref`` holds, once it is deleted or moved to the revision ``new``."""
        ...

    def setting(self, place: GitPlace, key: str) -> str | Unknown | None:
        """The value of a git configuration key, e.g. ``alias.co``; None when it is not set."""
        ...


class NoFacts:
    """Knows nothing: for commands that run elsewhere, and where nobody may look."""

    def home(self) -> str | Unknown:
        """Unknown."""
        return UNKNOWN

    def project(self, cwd: str) -> str | Unknown:
        """Unknown."""
        return UNKNOWN

    def path(self, path: str) -> PathFacts | Unknown:
        """Unknown."""
        return UNKNOWN

    def holds(self, outer: str, inner: str) -> bool | Unknown:
        """Unknown."""
        return UNKNOWN

    def loss(self, path: str) -> Loss | Unknown:
        """Unknown."""
        return UNKNOWN

    def expand_glob(self, pattern: str, limit: int) -> tuple[str, ...] | Unknown:
        """Unknown."""
        return UNKNOWN

    def read_script(self, path: str, max_bytes: int) -> bytes | Unknown | None:
        """Unknown."""
        return UNKNOWN

    def repository(self, place: GitPlace) -> Repository | Unknown | None:
        """Unknown."""
        return UNKNOWN

    def changes(self, place: GitPlace, paths: tuple[str, ...] = ()) -> Changes | Unknown:
        """Unknown."""
        return UNKNOWN

    def cleanable(self, place: GitPlace, options: tuple[str, ...], paths: tuple[str, ...]) -> tuple[str, ...] | Unknown:
        """Unknown."""
        return UNKNOWN

    def commit(self, place: GitPlace, revision: str) -> str | Unknown | None:
        """Unknown."""
        return UNKNOWN

    def dropped(self, place: GitPlace, ref: str, *, new: str = "") -> Commits | Unknown:
        """Unknown."""
        return UNKNOWN

    def setting(self, place: GitPlace, key: str) -> str | Unknown | None:
        """Unknown."""
        return UNKNOWN


class OnlyHome(NoFacts):
    """Knows the home folder and nothing else: for a working directory that does not exist on this machine.

    With the folder that the session works in, a folder above it is not taken for a project of its own.
    """

    def __init__(self, home: str | Unknown, session: str = "") -> None:
        self._home = home
        self._session = session

    def home(self) -> str | Unknown:
        """The home folder it was made with."""
        return self._home

    def project(self, cwd: str) -> str | Unknown:
        """The session's folder, for one above it."""
        is_above = self._session.startswith(cwd.rstrip("/") + "/")
        return self._session if is_above else UNKNOWN


def usable(facts: Facts, *, cwd: str | None, where: str) -> Facts:
    """The facts that say something about a command: none where it runs elsewhere or in a folder that is not here."""
    if where:
        return NoFacts()
    if cwd is None:
        return facts
    found = facts.path(cwd)
    missing = found is not UNKNOWN and found.kind is Kind.MISSING
    return OnlyHome(facts.home()) if missing else facts
