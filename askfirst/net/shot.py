"""A repository as it was, and how it was to be kept: values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.net.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A repository as it was.

    Attributes:
        git_dir: of the work tree.
        common_dir: that all its work trees share.
        work_tree: ``""`` for a bare one, and where only refs were to be kept.
        head: what HEAD held: ``ref: refs/heads/main``, or a commit id.
        refs: name to object id, hidden ones left out.
        symbolic: name to the name it points to.
        index: name of its copy in the pouch, ``""`` where there was none.
        own: state files of this work tree.
        shared: state files of all.
        work: what only the work tree held.
        modes: permissions of files and folders that git holds, where they are not ``usual_modes``.
        usual_modes: of plain files, of executable ones, and of folders.
        left_out: names below the work tree that were not kept, each with words for people; ``""``: our own state.
        objects: name of a pack with what nothing but the index refers to, ``""`` for none.
        bundle: name of a bundle with every commit, ``""`` for none.
        pins: the prefix of its hidden refs, ``""`` for none.
        submodules: repositories in it, as they were.
    """

    git_dir: str
    common_dir: str
    work_tree: str
    head: str
    refs: Mapping[str, str]
    symbolic: Mapping[str, str] = field(default_factory=dict)
    index: str = ""
    own: Tree
    shared: Tree
    work: Tree
    modes: Mapping[str, int] = field(default_factory=dict)
    usual_modes: tuple[int, int, int] = (0o644, 0o755, 0o755)
    left_out: Mapping[str, str] = field(default_factory=dict)
    objects: str = ""
    bundle: str = ""
    pins: str = ""
    submodules: tuple[Shot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a repository is to be kept.

    Attributes:
        key: of its hidden refs.
        ignored_max_bytes: what ignored files may add.
        prunes: keep what nothing refers to as well.
        bundles: keep every commit out of the repository as well.
        refs_only: leave the work tree alone: it is the far end of a push.
        skips: absolute paths that are never kept: our own.
    """

    key: str
    ignored_max_bytes: int
    prunes: bool = False
    bundles: bool = False
    refs_only: bool = False
    skips: frozenset[str] = frozenset()
