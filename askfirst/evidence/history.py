"""Evidence about the way back: stash entries, reflogs, unreachable objects, rewritten commits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.evidence.commits import COUNT_MAX, short
from askfirst.evidence.git_steps import DropStash, ForgetReflog, Prune, Rewrite
from askfirst.evidence.values import LISTED_MAX, Commit, Commits, text_of
from askfirst.facts import UNKNOWN

if TYPE_CHECKING:
    from askfirst.evidence.commits import Holders
    from askfirst.evidence.eye import Eye, Found
    from askfirst.facts import GitPlace

_NAMES_SHOWN: Final = 3
_REFS: Final = ("--exclude=refs/askfirst/*", "--glob=refs/*", "HEAD")
_SLOW: Final = "git did not answer in time, or the repository cannot be read"


@dataclass(frozen=True, slots=True)
class History:
    """Looks at one repository."""

    eye: Eye
    place: GitPlace
    found: Found
    holders: Holders

    def take(self, step: DropStash | ForgetReflog | Prune | Rewrite, *, without_reflogs: bool) -> None:
        """Answer one step; ``without_reflogs``: these go in the same line, so that they hold nothing."""
        match step:
            case DropStash():
                self._stash(step.which)
            case ForgetReflog():
                self._reflog()
            case Prune():
                self._prune(without_reflogs=without_reflogs)
            case Rewrite():
                self._rewrite(step)

    def _stash(self, which: str) -> None:
        """Stash entries that are dropped: with their files, because nothing else names them."""
        entries = self.holders.stash()
        if entries is UNKNOWN:
            self.found.gap("the stash entries", _SLOW)
            return
        numbered = [(f"stash@{{{number}}}", *row) for number, row in enumerate(entries)]
        gone = [row for row in numbered if not which or which.removeprefix("refs/") == row[0] or which == row[1]]
        if which and not gone:
            self.found.gap(f"the stash entry {text_of(which)}", "there is no such entry now", failed=False)
            return
        commits = tuple(self._entry(row) for row in gone[:LISTED_MAX])
        rollback = tuple(f"git stash store -m 'brought back' {short(row[1])}" for row in gone[:LISTED_MAX])
        name = f"the stash {which}" if which else "the stash"
        self.found.exhibits.append(
            Commits(where=text_of(name), count=len(gone), is_stash=True, listed=commits, rollback=rollback)
        )
        self.found.state["stash entries"] = (
            f"{len(entries)} entries, newest {short(entries[0][0]) if entries else 'none'}"
        )

    def _entry(self, row: tuple[str, str, str, str]) -> Commit:
        selector, oid, at, subject = row
        changed = self._names("diff-tree", "-r", "-z", "--name-only", "--no-commit-id", f"{oid}^1", oid)
        untracked = self._names("ls-tree", "-r", "-z", "--name-only", f"{oid}^3")
        names = [text_of(name, 80) for name in (*changed, *untracked)]
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        files = f": {', '.join(names[:_NAMES_SHOWN])}{more}" if names else ""
        at_s = int(at) if at.isdigit() else 0
        return Commit(id=oid, subject=text_of(f"{selector} {subject}{files}"), author="", at_s=at_s, pushed=False)

    def _names(self, *arguments: str) -> list[str]:
        out = self.eye.reader.run(self.place, "--no-replace-objects", *arguments)
        return [] if out is UNKNOWN or out.code else out.fields

    def _reflog(self) -> None:
        """Commits that only reflogs still know, stash entries among them."""
        rollback = ("git branch rescued ID, while git keeps the objects",)
        self.holders.between(
            ["--reflog"],
            ["--not", *_REFS, *self.holders.other_heads()],
            ["--glob=refs/remotes/*"],
            where="the reflogs",
            rollback=rollback,
        )

    def _prune(self, *, without_reflogs: bool) -> None:
        """Objects that nothing reaches and that are deleted for good."""
        options = ["--no-reflogs"] if without_reflogs else []
        listed = self.holders.lines(
            "fsck", "--unreachable", "--no-progress", "--no-dangling", "--connectivity-only", *options
        )
        if listed is UNKNOWN:
            self.found.gap("the objects that nothing reaches", _SLOW)
            return
        rows = [line.split(" ") for line in listed if line.startswith("unreachable ")]
        commits = [row[2] for row in rows if len(row) == 3 and row[1] == "commit"]
        others = sum(len(row) == 3 and row[1] in {"blob", "tree", "tag"} for row in rows)
        shown = (
            self.holders.described(
                ["rev-list", "--no-walk=sorted", f"--max-count={LISTED_MAX}", *commits[: 10 * LISTED_MAX]],
                frozenset(commits),
            )
            if commits
            else ()
        )
        and_more = f" and {others} loose contents and folders" if others else ""
        self.found.exhibits.append(
            Commits(
                where=f"what nothing reaches{and_more}",
                fate="pruned",
                count=min(len(commits), COUNT_MAX),
                unpushed=min(len(commits), COUNT_MAX),
                listed=shown,
            )
        )

    def _rewrite(self, step: Rewrite) -> None:
        """Commits that copies replace."""
        if not step.branch:
            where, old, holders = "every branch and tag", ["--branches", "--tags", "HEAD"], ["--not"]
            rollback = ("git refs before the rewrite are in refs/original or the reflog, unless it prunes them",)
        else:
            tip = self.holders.oid(step.branch)
            base = [step.upstream] if step.upstream else []
            if not tip or (base and step.upstream != "HEAD^@" and not self.holders.oid(step.upstream)):
                self.found.gap(f"the commits that {text_of(step.branch)} has of its own", "a name means no commit now")
                return
            where, old, holders = text_of(step.branch), [tip], ["--not", *base]
            rollback = (f"git reset --keep {short(tip)}",)
        remotes = ["--glob=refs/remotes/*"]
        self.holders.between(old, holders, remotes, where=where, rollback=rollback, fate="rewritten")
        if step.onto:
            self._left_behind(step)

    def _left_behind(self, step: Rewrite) -> None:
        """What a rebase onto something else does not take along."""
        left, onto = self.holders.oid(step.upstream), self.holders.oid(step.onto)
        repository = self.eye.git.repository(self.place)
        if not left or not onto or repository is UNKNOWN or repository is None:
            self.found.gap(f"what a rebase onto {text_of(step.onto)} leaves behind", "a name means no commit now")
            return
        branch = step.branch if step.branch != "HEAD" else repository.branch
        self.holders.let_go([left], where=text_of(step.upstream), moved=[f"refs/heads/{branch}"], kept=[onto])
