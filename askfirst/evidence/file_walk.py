"""Walks what a command would delete or overwrite, and asks git what it knows of each file.

* Names are bytes-safe texts as ``os.fsdecode`` makes them; links are counted and never followed.
* A repository inside counts with its own tracked, ignored and untracked files; what lies in a ``.git`` folder is its
  history and not counted as files.
* The walk ends at the deadline or at ``ENTRIES_MAX``; what it has seen by then is a lower bound.
"""

from __future__ import annotations

import fnmatch
import hashlib
import heapq
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from askfirst.evidence.values import LISTED_MAX, File, Files, text_of
from askfirst.facts import UNKNOWN, GitPlace
from askfirst.git_facts import above
from askfirst.shell.precious import is_precious, is_regenerable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from askfirst.evidence.eye import Eye
    from askfirst.evidence.values import Standing

ENTRIES_MAX: Final = 500_000
_REPOSITORIES_MAX: Final = 8
_CHECK_EVERY: Final = 256


@dataclass
class Tally:
    """What was seen so far; paths are shown relative to ``base``."""

    base: str
    project: str
    count: int = 0
    size_bytes: int = 0
    more: bool = False
    newest_at_s: int = 0
    standings: dict[str, int] = field(default_factory=dict)
    only_copies: int = 0
    only_copy_bytes: int = 0
    outside: int = 0
    repositories: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    _largest: list[tuple[bool, int, str, int, Standing]] = field(default_factory=list)
    _lines: list[bytes] = field(default_factory=list)

    def add(self, path: str, found: os.stat_result, standing: Standing) -> None:
        """Count one file."""
        name = self._name(path)
        rebuilt = is_regenerable(name, certain=True)
        only = _is_only_copy(name, standing, rebuilt=rebuilt)
        at_s = max(0, int(found.st_mtime))
        self.count += 1
        self.size_bytes += found.st_size
        self.newest_at_s = max(self.newest_at_s, at_s)
        self.standings[standing] = self.standings.get(standing, 0) + 1
        self.only_copies += only
        self.only_copy_bytes += found.st_size if only else 0
        self.outside += not _is_within(path, self.project)
        row = (only, found.st_size, name, at_s, standing)
        if len(self._largest) < LISTED_MAX:
            heapq.heappush(self._largest, row)
        elif row > self._largest[0]:
            heapq.heapreplace(self._largest, row)
        if not rebuilt:
            changed = found.st_mtime_ns if only else 0
            self._lines.append(f"{standing} {found.st_size} {changed} ".encode() + os.fsencode(path))

    def _name(self, path: str) -> str:
        """The path as seen from the base; ``relpath`` takes ten times as long, so only what lies elsewhere gets it."""
        inside = self.base.rstrip("/") + "/"
        return path[len(inside) :] if path.startswith(inside) else os.path.relpath(path, self.base)

    def files(self, act: Literal["deleted", "overwritten", "discarded"]) -> Files:
        """What was seen, as a value."""
        return Files(
            where=text_of(self.base),
            act=act,
            count=self.count,
            size_bytes=self.size_bytes,
            more=self.more,
            newest_at_s=self.newest_at_s,
            standings=dict(sorted(self.standings.items())),
            only_copies=self.only_copies,
            only_copy_bytes=self.only_copy_bytes,
            largest=tuple(
                File(path=text_of(name), size_bytes=size_bytes, at_s=at_s, standing=standing)
                for _, size_bytes, name, at_s, standing in sorted(self._largest, reverse=True)
            ),
            outside=self.outside,
            repositories=tuple(text_of(each) for each in self.repositories),
        )

    @property
    def state(self) -> str:
        """What was seen, so that a change of it shows: number, and a hash over names, sizes and times."""
        if self.more:
            return "more than could be looked at"
        lines = b"\0".join(sorted(self._lines))
        return f"{self.count} files, {hashlib.sha256(lines).hexdigest()[:16]}"


def _is_only_copy(name: str, standing: Standing, *, rebuilt: bool) -> bool:
    if standing == "tracked":
        return False
    if standing in {"modified", "staged"}:
        return True
    return not rebuilt or is_precious(os.path.basename(name))


def _is_within(path: str, folder: str) -> bool:
    return bool(folder) and (path == folder or path.startswith(folder.rstrip("/") + "/"))


@dataclass(frozen=True, slots=True)
class _Ground:
    """What git says of the files of one work tree: absolute paths of each kind; ``top`` is ``""`` outside of any."""

    top: str = ""
    modified: frozenset[str] = frozenset()
    staged: frozenset[str] = frozenset()
    untracked: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    is_known: bool = True

    def standing(self, path: str, above: Standing | None) -> Standing:
        """What git knows of a file, whose folder has the standing ``above`` where all of that has one."""
        if not self.top or not self.is_known:
            return "unversioned"
        if above is not None:
            return above
        if path in self.modified:
            return "modified"
        if path in self.staged:
            return "staged"
        return self.of_folder(path) or "tracked"

    def of_folder(self, path: str) -> Standing | None:
        """The standing that everything below has, None when git has to be asked file by file."""
        if path in self.untracked:
            return "untracked"
        return "ignored" if path in self.ignored else None


class Walker:
    """Walks paths into one tally."""

    def __init__(self, eye: Eye, tally: Tally) -> None:
        self._eye = eye
        self._tally = tally
        self._seen: set[str] = set()
        self._entries = 0

    def walk(self, path: str, names: tuple[str, ...] = ()) -> None:
        """Count a file, or everything below a folder; with ``names`` only what is called so."""
        parent = os.path.realpath(os.path.dirname(path))
        path = os.path.join(parent, os.path.basename(path)) if os.path.basename(path) else parent
        try:
            found = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return
        except (OSError, ValueError):
            self._tally.unread.append(path)
            return
        top = _top_above(parent)
        ground = self._ground(top, path) if top else _Ground()
        if not stat.S_ISDIR(found.st_mode):
            self._file(path, found, ground.standing(path, _inherited(ground, parent)))
            return
        self._folder(path, ground, names)

    def _folder(self, start: str, ground: _Ground, names: tuple[str, ...]) -> None:
        pending = [(start, ground, _inherited(ground, start), not names or _matches(start, names))]
        while pending:
            if self._is_over():
                return
            folder, ground, above_all, everything = pending.pop()
            entries = self._listed(folder)
            if any(entry.name == ".git" for entry in entries) and folder != ground.top:
                ground, above_all = self._ground(folder, folder), None
            if ".git" in {entry.name for entry in entries} and everything:
                self._tally.repositories.append(folder)
            for entry in entries:
                self._entries += 1
                if entry.name == ".git" and ground.top:
                    continue
                counts = everything or _matches(entry.name, names)
                if entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, ground, above_all or ground.of_folder(entry.path), counts))
                elif counts:
                    self._entry(entry, ground, above_all)

    def _is_over(self) -> bool:
        is_over = self._entries >= ENTRIES_MAX or not self._eye.deadline.left_s()
        self._tally.more = self._tally.more or is_over
        return is_over

    def _listed(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return list(entries)
        except OSError:
            self._tally.unread.append(folder)
            self._tally.more = True
            return []

    def _entry(self, entry: os.DirEntry[str], ground: _Ground, above_all: Standing | None) -> None:
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:
            return  # it has gone meanwhile
        self._file(entry.path, found, ground.standing(entry.path, above_all))

    def _file(self, path: str, found: os.stat_result, standing: Standing) -> None:
        if path not in self._seen:
            self._seen.add(path)
            self._tally.add(path, found, standing)

    def _ground(self, top: str, path: str) -> _Ground:
        """What git says of everything below a path in the work tree at ``top``."""
        too_many = len(self._tally.repositories) >= _REPOSITORIES_MAX
        entries = UNKNOWN if too_many else self._eye.git.status(GitPlace(folder=top), [path], "--literal-pathspecs")
        if entries is UNKNOWN:
            self._tally.unread.append(top)
            return _Ground(top=top, is_known=False)
        absolute = [(entry, os.path.join(top, entry.path.rstrip("/"))) for entry in entries]
        return _Ground(
            top=top,
            modified=frozenset(path for entry, path in absolute if entry.is_unstaged),
            staged=frozenset(path for entry, path in absolute if entry.is_staged and not entry.is_unstaged),
            untracked=frozenset(path for entry, path in absolute if entry.kind == "?"),
            ignored=frozenset(path for entry, path in absolute if entry.kind == "!"),
        )


def _top_above(folder: str) -> str:
    """The work tree that a folder lies in, ``""`` for none."""
    if ".git" in folder.split("/"):
        return ""  # in a repository's own folder, of which git says nothing
    return next((each for each in above(folder) if os.path.lexists(os.path.join(each, ".git"))), "")


def _inherited(ground: _Ground, folder: str) -> Standing | None:
    """The standing that a folder has from itself or one above it."""
    if not ground.top:
        return None
    while _is_within(folder, ground.top) and folder != ground.top:
        found = ground.of_folder(folder)
        if found is not None:
            return found
        folder = os.path.dirname(folder)
    return None


def _matches(path: str, names: tuple[str, ...]) -> bool:
    name = os.path.basename(path).lower()
    return any(fnmatch.fnmatchcase(name, each.lower()) for each in names)


def gaps_of(tally: Tally) -> Iterator[tuple[str, str]]:
    """What a walk did not see: (what, why), for people. A lower bound is no whole answer, so it is one of them."""
    for path in dict.fromkeys(tally.unread):
        yield f"what lies in {text_of(path)}", "it could not be read in time or is not ours to read"
    if tally.more and not tally.unread:
        yield f"the rest of {text_of(tally.base)}", f"there was no time to look at more than {tally.count:,} files"
