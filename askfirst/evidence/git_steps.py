"""The steps of a git command: which refs move, what is discarded, cleaned, pushed, pruned. Values.

Each step is one question to the repository; ``git_commands`` finds them, ``git_look`` asks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

ALL_REMOTE: Final = "*"
"""In ``Push.refs``: every ref of the remote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A ref moves to the revision ``new``, or goes when that is ``""``; ``ref`` is a full name or ``HEAD``."""

    ref: str
    new: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """HEAD goes elsewhere: commits of a detached one lose what held them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropRefs:
    """Every ref below ``prefix`` goes."""

    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Uncommitted work in tracked files goes.

    Attributes:
        paths: pathspecs from the command's folder; none means everything.
        staged: what is only in the index goes, too.
        target: the revision whose files are put over the work tree, and over what is in their way.
        submodules: those too.
    """

    paths: tuple[str, ...] = ()
    staged: bool = True
    target: str = ""
    submodules: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """``git clean`` with these options and pathspecs."""

    options: tuple[str, ...]
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A whole folder or file goes; absolute. ``is_worktree``: it is a linked work tree with a HEAD of its own."""

    path: str
    is_worktree: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DropStash:
    """Stash entries go: ``which`` one, e.g. ``stash@{1}``, or every one when ``""``."""

    which: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Refs of a remote are overwritten or deleted: (name, source; ``""`` deletes). ``ALL_REMOTE``: see ``mirrors``."""

    remote: str
    refs: tuple[tuple[str, str], ...]
    mirrors: bool = False
    prunes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetReflog:
    """The reflogs go, and with them the way back to what they alone hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prune:
    """Unreachable objects are deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """Commits are replaced by copies: those in ``branch`` that are not in ``upstream``; both ``""``: all of them.

    With ``onto`` the copies go there, and what only ``upstream`` held is left behind.
    """

    upstream: str = ""
    branch: str = ""
    onto: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Something that cannot be known before it runs."""

    about: str


Step: TypeAlias = (
    Move | Leave | DropRefs | Discard | Clean | Folder | DropStash | Push | ForgetReflog | Prune | Rewrite | Unseen
)
