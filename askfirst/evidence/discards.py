"""Evidence about uncommitted work: what git would discard, put other files over, or clean away.

Git deletes untracked files that are in the way of those it checks out (git-reset(1), ``--hard``), so the names of the
target's tree that the index does not have are looked for on the disk, too.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.evidence.eye import fingerprint
from askfirst.evidence.file_walk import Tally, Walker, gaps_of
from askfirst.evidence.git_steps import Discard
from askfirst.evidence.values import text_of
from askfirst.facts import UNKNOWN, GitPlace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.evidence.commits import Holders
    from askfirst.evidence.eye import Eye, Found
    from askfirst.evidence.git_steps import Clean
    from askfirst.facts import Repository
    from askfirst.git_facts import Entry

_SUBMODULES_MAX: Final = 16
_UNREAD: Final = "git did not answer in time, or the index cannot be read"


@dataclass(frozen=True, slots=True)
class Discards:
    """Looks at one work tree."""

    eye: Eye
    place: GitPlace
    found: Found
    holders: Holders

    def take(self, step: Discard | Clean, repository: Repository) -> None:
        """Answer one step."""
        if isinstance(step, Discard):
            self._discard(step, repository)
        else:
            self._clean(step)

    def _discard(self, step: Discard, repository: Repository) -> None:
        """What a reset, checkout or restore takes away."""
        if not repository.root:
            return  # a bare repository has no work tree
        tally = Tally(base=repository.root, project=repository.root)
        self._changed(self.place, step, tally, repository.root)
        if step.target:
            self._in_the_way(step, tally, repository.root)
        recurses = step.submodules or self.eye.git.setting(self.place, "submodule.recurse") not in {None, "false"}
        if recurses:
            self._submodules(step, tally, repository.root)
        self.found.exhibits.append(tally.files("discarded"))
        within = f" ({', '.join(step.paths[:3])})" if step.paths else ""
        name = f"uncommitted changes in {text_of(repository.root)}{text_of(within)}"
        self.found.state[name] = tally.state
        for about, reason in gaps_of(tally):
            self.found.gap(about, reason)

    def _changed(self, place: GitPlace, step: Discard, tally: Tally, root: str) -> None:
        entries = self.eye.git.status(place, step.paths)
        if entries is UNKNOWN:
            self.found.gap(f"the uncommitted changes in {text_of(root)}", _UNREAD)
            return
        left_index = {entry.path for entry in entries if entry.xy[:1] == "D"}
        for entry in entries:
            if entry.kind == "?" and entry.path in left_index and step.staged:
                self._add(os.path.join(root, entry.path), "untracked", tally)
            elif entry.is_unstaged:
                self._add(os.path.join(root, entry.path), "modified", tally)
            elif entry.is_staged and step.staged and not entry.is_submodule:
                self._staged(entry, root, tally)

    def _staged(self, entry: Entry, root: str, tally: Tally) -> None:
        """A file whose content is in the index only; on the disk it may be gone."""
        path = os.path.join(root, entry.path)
        if os.path.lexists(path):
            self._add(path, "staged", tally)
        else:
            tally.add(path, os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, 0, 0, 0, 0)), "staged")

    def _add(self, path: str, standing: str, tally: Tally) -> None:
        try:
            tally.add(path, os.lstat(path), standing)  # type: ignore[arg-type]  # one of the three named here
        except OSError:
            tally.unread.append(path)

    def _in_the_way(self, step: Discard, tally: Tally, root: str) -> None:
        """Untracked files that lie where the target has files or folders."""
        target = self.holders.oid(step.target)
        if not target:
            return  # it names no commit: git refuses
        top = GitPlace(folder=root, git_dir=self.place.git_dir, work_tree=self.place.work_tree)
        theirs = self.eye.reader.run(top, "ls-tree", "-r", "-z", "--name-only", "--full-tree", target)
        ours = self.eye.reader.run(top, "ls-files", "-z")
        if theirs is UNKNOWN or ours is UNKNOWN or theirs.code or ours.code:
            self.found.gap(f"the untracked files in the way of {text_of(step.target)}", _UNREAD)
            return
        tracked = frozenset(ours.fields)
        walker = Walker(self.eye, tally)
        for path in _blocked(root, [name for name in theirs.fields if name not in tracked], tracked):
            walker.walk(path)

    def _submodules(self, step: Discard, tally: Tally, root: str) -> None:
        """Changes inside of submodules, each looked at as a repository of its own."""
        listed = self.eye.reader.run(GitPlace(folder=root), "ls-files", "-z", "--stage")
        if listed is UNKNOWN or listed.code:
            self.found.gap(f"the submodules of {text_of(root)}", _UNREAD)
            return
        paths = [row.partition("\t")[2] for row in listed.fields if row.startswith("160000 ")]
        for path in paths[:_SUBMODULES_MAX]:
            folder = os.path.join(root, path)
            if os.path.lexists(os.path.join(folder, ".git")):
                whole = Discard(staged=step.staged)
                self._changed(GitPlace(folder=folder), whole, tally, folder)
        if len(paths) > _SUBMODULES_MAX:
            self.found.gap(f"the changes in {len(paths) - _SUBMODULES_MAX} more submodules", "there are too many")

    def _clean(self, step: Clean) -> None:
        """What ``git clean`` deletes: the list of its own dry run, looked into."""
        listed = self.eye.git.cleanable(self.place, step.options, step.paths)
        if listed is UNKNOWN:
            self.found.gap("what git clean would delete", _UNREAD)
            return
        root = os.path.realpath(self.place.folder)
        tally = Tally(base=root, project=root)
        walker = Walker(self.eye, tally)
        for path in listed:
            walker.walk(path)
        tally.more = tally.more or len(listed) > len(set(listed))
        self.found.exhibits.append(tally.files("deleted"))
        names = fingerprint(sorted(os.fsencode(path) for path in listed))
        self.found.state[f"what git clean would delete in {text_of(root)}"] = f"{tally.state} {names}"
        for about, reason in gaps_of(tally):
            self.found.gap(about, reason)


def _blocked(root: str, names: list[str], tracked: frozenset[str]) -> Iterator[str]:
    """Paths on the disk that stand where one of these names would be written, each once."""
    seen: set[str] = set()
    for name in names:
        parts = name.split("/")
        for depth in range(1, len(parts) + 1):
            inner = "/".join(parts[:depth])
            if inner in seen:
                continue
            path = os.path.join(root, inner)
            is_last = depth == len(parts)
            if not os.path.lexists(path):
                break
            if (is_last or not os.path.isdir(path) or os.path.islink(path)) and inner not in tracked:
                seen.add(inner)
                yield path
                break
