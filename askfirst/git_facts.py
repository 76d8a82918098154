"""Answers the questions about git repositories, by plumbing commands and their NUL-separated output."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from askfirst.facts import UNKNOWN, Changes, Commits, GitPlace, Repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from askfirst.facts import Unknown
    from askfirst.git_reader import GitReader

MAX_NAMES: Final = 20
"""Names that a list in an answer holds at most."""
_MAX_COMMITS: Final = 100
REVISION_MAX_CHARS: Final = 1000
_MAX_PATHS: Final = 200
_CLEAN_LINE: Final = "Would remove "
_ESCAPES: Final = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*(\.[^\n\0]+)?\.[A-Za-z][A-Za-z0-9-]*")


class Entry:
    """One entry of ``git status --porcelain=v2``: ``kind`` is ``1``, ``u``, ``?`` or ``!``; ``xy`` its two letters."""

    __slots__ = ("is_submodule", "kind", "path", "xy")

    def __init__(self, record: str) -> None:
        self.kind = record[:1]
        fields = {"1": 8, "u": 10}.get(self.kind, 1)
        parts = record.split(" ", fields)
        self.path = parts[-1]
        self.xy = parts[1] if fields > 1 else ""
        self.is_submodule = fields > 1 and parts[2].startswith("S")

    @property
    def is_staged(self) -> bool:
        """The index holds content that HEAD does not."""
        return self.kind == "u" or self.xy[:1] in {"M", "A", "T", "R", "C"}

    @property
    def is_unstaged(self) -> bool:
        """The work tree holds content that the index does not; a deleted file holds none."""
        return self.kind == "u" or (self.xy[1:] in {"M", "A", "T"} and not self.is_submodule)


class GitFacts:
    """The git half of ``askfirst.facts.Facts``."""

    def __init__(self, reader: GitReader) -> None:
        self._git = reader
        self._repositories: dict[GitPlace, Repository | Unknown | None] = {}

    def status(self, place: GitPlace, paths: Sequence[str], *options: str) -> list[Entry] | Unknown:
        """Entries of the status in these pathspecs; submodules are not looked into, their own settings would count."""
        if len(paths) > _MAX_PATHS:
            return UNKNOWN
        found = self._git.run(
            place, *options, "status", "--porcelain=v2", "-z", "--no-renames", "--ignore-submodules=dirty",
            *(["--ignored=matching"] if "--literal-pathspecs" in options else []),
            "--untracked-files=normal", "--", *paths,
        )  # fmt: skip
        if found is UNKNOWN or found.code:
            return UNKNOWN
        return [Entry(record) for record in found.fields]

    def repository(self, place: GitPlace) -> Repository | Unknown | None:
        """The repository at a place."""
        if place not in self._repositories:
            self._repositories[place] = self._repository(place)
        return self._repositories[place]

    def _repository(self, place: GitPlace) -> Repository | Unknown | None:
        found = self._git.run(place, "rev-parse", "--absolute-git-dir", "--show-toplevel")
        if found is UNKNOWN:
            return UNKNOWN
        if not found.stdout:
            return None if _no_repository_above(place) else UNKNOWN
        if found.code:  # it stopped at the second: there is no work tree
            return self._bare(place, found.text)
        git_dir, _, root = found.text.partition("\n")
        if "\n" in root:  # a folder with such a name
            top = self._git.run(place, "rev-parse", "--show-toplevel")
            if top is UNKNOWN or top.code:
                return UNKNOWN
            git_dir, root = found.text.removesuffix(f"\n{top.text}"), top.text
        return self._described(place, root=root, git_dir=git_dir)

    def _bare(self, place: GitPlace, git_dir: str) -> Repository | Unknown:
        branch = self._symbolic(place, "HEAD")
        head = self.commit(place, "HEAD")
        if branch is UNKNOWN or head is UNKNOWN:
            return UNKNOWN
        return Repository(root="", git_dir=git_dir, head=head or "", branch=branch.removeprefix("refs/heads/"))

    def _described(self, place: GitPlace, *, root: str, git_dir: str) -> Repository | Unknown:
        found = self._git.run(
            place, "status", "--porcelain=v2", "--branch", "--show-stash", "-z", "--untracked-files=no",
            "--ignore-submodules=all",
        )  # fmt: skip
        default = self._symbolic(place, "refs/remotes/origin/HEAD")
        if found is UNKNOWN or found.code or default is UNKNOWN:
            return UNKNOWN
        told = dict(line[2:].split(" ", 1) for line in found.fields if line.startswith("# "))
        branch = told.get("branch.head", "(detached)")
        upstream = self._upstream(place) if "branch.upstream" in told else ""
        head = told.get("branch.oid", "(initial)")
        return Repository(
            root=root,
            git_dir=git_dir,
            head="" if head == "(initial)" else head,
            branch="" if branch == "(detached)" else branch,
            default_branch=default.removeprefix("refs/remotes/origin/"),
            upstream=upstream,
            stashes=int(told.get("stash", "0")),
        )

    def _upstream(self, place: GitPlace) -> str:
        found = self._git.run(place, "rev-parse", "--symbolic-full-name", "@{upstream}")
        return "" if found is UNKNOWN or found.code else found.text

    def _symbolic(self, place: GitPlace, ref: str) -> str | Unknown:
        """Where a symbolic ref points; ``""`` when it is none."""
        found = self._git.run(place, "symbolic-ref", "--quiet", ref)
        if found is UNKNOWN:
            return UNKNOWN
        return "" if found.code else found.text

    def changes(self, place: GitPlace, paths: tuple[str, ...] = ()) -> Changes | Unknown:
        """Uncommitted changes; a path that git finds nothing for has none."""
        entries = self.status(place, paths)
        if entries is UNKNOWN:
            return UNKNOWN
        untracked = [entry.path for entry in entries if entry.kind == "?"]
        loose = set(untracked)
        staged = [entry.path for entry in entries if entry.is_staged or (entry.xy[:1] == "D" and entry.path in loose)]
        unstaged = [entry.path for entry in entries if entry.is_unstaged]
        return Changes(
            staged=tuple(staged[:MAX_NAMES]),
            unstaged=tuple(unstaged[:MAX_NAMES]),
            untracked=tuple(untracked[:MAX_NAMES]),
            more=max(len(staged), len(unstaged), len(untracked)) > MAX_NAMES,
        )

    def cleanable(self, place: GitPlace, options: tuple[str, ...], paths: tuple[str, ...]) -> tuple[str, ...] | Unknown:
        """Absolute paths that a dry run of ``git clean`` with these options lists."""
        flags = [flag for flag in options if re.fullmatch(r"-[dxXf]+", flag)]
        excludes = [f"--exclude={flag.removeprefix('-e=')}" for flag in options if flag.startswith("-e=")]
        found = self._git.run(place, "clean", "--dry-run", *flags, *excludes, "--", *paths)
        if found is UNKNOWN or found.code:
            return UNKNOWN
        lines = [line for line in found.text.split("\n") if line.startswith(_CLEAN_LINE)]
        names = [_unquoted(line.removeprefix(_CLEAN_LINE)) for line in lines]
        return tuple(os.path.normpath(os.path.join(place.folder, name)) for name in names)

    def commit(self, place: GitPlace, revision: str) -> str | Unknown | None:
        """Object id of a commit; a revision that would be read as an option is not looked up."""
        if not revision or revision.startswith("-") or len(revision) > REVISION_MAX_CHARS:
            return UNKNOWN
        found = self._git.run(place, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        if found is UNKNOWN:
            return UNKNOWN
        if found.code:
            return UNKNOWN if self.repository(place) in {UNKNOWN, None} else None
        return found.text

    def dropped(self, place: GitPlace, ref: str, *, new: str = "") -> Commits | Unknown:
        """Commits that only ``ref`` holds. The stash does not count as holding: it is meant to go."""
        old = self.commit(place, ref)
        kept = self.commit(place, new) if new else None
        repository = self.repository(place)
        if repository is UNKNOWN or repository is None or old in {UNKNOWN, None} or (new and kept in {UNKNOWN, None}):
            return UNKNOWN
        excluded = [ref, "refs/stash"]
        if ref.startswith("refs/remotes/"):
            excluded.append("/".join(ref.split("/")[:3]) + "/HEAD")
        others = ["HEAD"] if not repository.branch and ref != "HEAD" and repository.head else []
        found = self._git.run(
            place, "rev-list", f"--max-count={_MAX_COMMITS + 1}", str(old), "--not", *([str(kept)] if kept else []),
            *others, *(f"--exclude={name}" for name in excluded), "--glob=refs/*",
        )  # fmt: skip
        if found is UNKNOWN or found.code:
            return UNKNOWN
        ids = found.text.split()
        more = len(ids) > _MAX_COMMITS
        return Commits(count=min(len(ids), _MAX_COMMITS), more=more, tip=ids[0] if ids else "")

    def setting(self, place: GitPlace, key: str) -> str | Unknown | None:
        """The value of a configuration key, from all of git's files."""
        if not _KEY.fullmatch(key):
            return None
        found = self._git.run(place, "config", "--null", "--get", key)
        if found is UNKNOWN or found.code not in {0, 1}:
            return UNKNOWN
        return found.fields[0] if found.fields else None

    def holds_own_work(self, folder: str, *, is_linked: bool) -> bool:
        """Whether a nested repository has work that would go with its folder; True when that cannot be seen.

        Args:
            folder: top of its work tree, or a bare repository.
            is_linked: its ``.git`` is a file: branches and stashes live elsewhere and stay.
        """
        place = GitPlace(folder=folder)
        changes = self.changes(place)
        repository = self.repository(place)
        if changes is UNKNOWN or repository is UNKNOWN or repository is None:
            return True
        if changes.tracked or changes.untracked or (repository.stashes and not is_linked):
            return True
        own, kept = (
            (["HEAD"], ["--branches", "--tags", "--remotes"]) if is_linked else (["HEAD", "--branches"], ["--remotes"])
        )
        if not repository.head:
            return False
        found = self._git.run(place, "rev-list", "--max-count=1", *own, "--not", *kept)
        return found is UNKNOWN or bool(found.code) or bool(found.stdout)


def _no_repository_above(place: GitPlace) -> bool:
    """Whether no folder above has a ``.git``: only then does git's failure mean that there is no repository."""
    return not place.git_dir and os.path.isdir(place.folder) and top_above(place.folder) is None


def above(folder: str) -> Iterator[str]:
    """The folder and every folder above it, links resolved, nearest first."""
    current = os.path.realpath(folder)
    while True:
        yield current
        parent = os.path.dirname(current)
        if parent == current:
            return
        current = parent


def top_above(folder: str) -> str | None:
    """The nearest folder, this one or above it, that has a ``.git``."""
    return next((each for each in above(folder) if os.path.lexists(os.path.join(each, ".git"))), None)


def _unquoted(name: str) -> str:
    """A path as git prints it for people, without its C quoting."""
    if not (len(name) > 1 and name.startswith('"') and name.endswith('"')):
        return name
    raw = bytearray()
    rest = re.finditer(r"\\([0-7]{3})|\\(.)|([^\\]+)", name[1:-1], re.DOTALL)
    for octal, letter, plain in (match.groups() for match in rest):
        raw += (
            bytes([int(octal, 8)])
            if octal
            else bytes([_ESCAPES[letter]])
            if letter in _ESCAPES
            else os.fsencode(plain or letter)
        )
    return os.fsdecode(bytes(raw))
