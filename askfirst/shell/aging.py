"""Facts that age while a command line runs: what an earlier command may have changed is not known any more.

The disk is asked before anything runs. In ``mv src old && rm -rf old`` it says that ``old`` does not exist, in
``git commit --amend && git push --force-with-lease`` that the remote holds nothing that HEAD lacks, in
``git stash pop && git reset --hard`` that no file is changed; each time the truth when the second command runs is
another. ``Aging`` takes such answers back, those that say *nothing is lost*; answers that name a loss stand.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from askfirst.facts import UNKNOWN, Kind, Loss
from askfirst.shell.git.call import parse_git

if TYPE_CHECKING:
    from askfirst.facts import Changes, Commits, Facts, GitPlace, PathFacts, Repository, Unknown
    from askfirst.shell.command import Command

_MOVERS: Final = frozenset({"mv", "gmv", "rename", "mmv", "rsync", "tar", "gtar", "bsdtar", "zip", "ditto"})
"""Programs that can take a file away from one place and put it at another."""
_GIT_MOVERS: Final = frozenset(
    """
    am apply bisect branch checkout cherry-pick commit filter-branch filter-repo merge mv pull read-tree rebase reset
    restore revert rm stash submodule subtree switch symbolic-ref tag update-ref worktree
    """.split()
)
"""Git commands after which refs, the stash or the work tree may be others."""


class Aging:
    """Facts for the commands of one line, in order: ask for a command, then tell that it has run."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._paths_moved = False
        self._refs_moved = False
        self._head_moved = False

    def ran(self, command: Command) -> None:
        """Takes into account what a command may have changed."""
        self._paths_moved = self._paths_moved or command.program in _MOVERS
        if command.program == "git":
            call = parse_git(command)
            only_switches = call.name in {"checkout", "switch"} and not call.options.has("-B", "force-create")
            self._head_moved = self._head_moved or only_switches
            self._refs_moved = self._refs_moved or (not only_switches and (call.name in _GIT_MOVERS or not call.name))
            self._paths_moved = self._paths_moved or call.name == "mv"

    def home(self) -> str | Unknown:
        """Home folder of the person."""
        return self._facts.home()

    def project(self, cwd: str) -> str | Unknown:
        """Root of the project."""
        return self._facts.project(cwd)

    def path(self, path: str) -> PathFacts | Unknown:
        """What lies at a path; that nothing does may have changed."""
        found = self._facts.path(path)
        if found is not UNKNOWN and self._paths_moved and (found.kind is Kind.MISSING or found.empty):
            return UNKNOWN
        return found

    def holds(self, outer: str, inner: str) -> bool | Unknown:
        """Whether one path holds the other."""
        return self._facts.holds(outer, inner)

    def loss(self, path: str) -> Loss | Unknown:
        """What deleting the path would lose."""
        found = self._facts.loss(path)
        return UNKNOWN if self._paths_moved and found == Loss() else found

    def expand_glob(self, pattern: str, limit: int) -> tuple[str, ...] | Unknown:
        """What a glob matches."""
        found = self._facts.expand_glob(pattern, limit)
        return UNKNOWN if self._paths_moved and not found else found

    def read_script(self, path: str, max_bytes: int) -> bytes | Unknown | None:
        """The content of a file."""
        return self._facts.read_script(path, max_bytes)

    def repository(self, place: GitPlace) -> Repository | Unknown | None:
        """The repository; whether it is there and where does not change."""
        found = self._facts.repository(place)
        if found is UNKNOWN or found is None or not (self._refs_moved or self._head_moved):
            return found
        return replace(found, branch="", upstream="")

    def changes(self, place: GitPlace, paths: tuple[str, ...] = ()) -> Changes | Unknown:
        """Uncommitted changes; that there are none may have changed."""
        found = self._facts.changes(place, paths)
        if found is UNKNOWN or found.tracked or found.more:
            return found
        return UNKNOWN if self._refs_moved else found

    def cleanable(self, place: GitPlace, options: tuple[str, ...], paths: tuple[str, ...]) -> tuple[str, ...] | Unknown:
        """What ``git clean`` would delete."""
        found = self._facts.cleanable(place, options, paths)
        return UNKNOWN if (self._refs_moved or self._paths_moved) and not found else found

    def commit(self, place: GitPlace, revision: str) -> str | Unknown | None:
        """Object id of a commit."""
        return UNKNOWN if self._is_stale(revision) else self._facts.commit(place, revision)

    def dropped(self, place: GitPlace, ref: str, *, new: str = "") -> Commits | Unknown:
        """Commits that only one ref holds."""
        stale = self._is_stale(ref) or (bool(new) and self._is_stale(new))
        return UNKNOWN if stale else self._facts.dropped(place, ref, new=new)

    def _is_stale(self, revision: str) -> bool:
        return self._refs_moved or (self._head_moved and revision.startswith(("HEAD", "@")))

    def setting(self, place: GitPlace, key: str) -> str | Unknown | None:
        """A git configuration value."""
        return self._facts.setting(place, key)
