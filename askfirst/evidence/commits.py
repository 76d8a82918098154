"""Which commits lose what holds them, when refs move or go.

Reachability is counted as git's garbage collector does it: replacement refs are not followed, hidden refs of our own
and the stash hold nothing, HEADs of linked work trees do.

From: git-rev-list(1), git-for-each-ref(1), git-worktree(1), git-fsck(1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from askfirst.evidence.values import LISTED_MAX, Commit, Commits, text_of
from askfirst.facts import UNKNOWN
from askfirst.git_facts import REVISION_MAX_CHARS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal

    from askfirst.evidence.eye import Eye, Found
    from askfirst.facts import GitPlace, Unknown

COUNT_MAX: Final = 100_000
_LISTED_UNPUSHED: Final = 1_000
_FORMAT: Final = "--format=%H%x00%an%x00%at%x00%s"
_OWN: Final = "refs/askfirst/*"
_ID_CHARS: Final = 12
_OID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ARGUMENTS_MAX: Final = 2_000
"""Object ids and excluded refs of one question; more would not fit a command line."""
_SLOW: Final = "git did not answer in time, or the repository cannot be read"


class Holders:
    """The refs of one repository as they stand, and what moving some of them would let go."""

    def __init__(self, eye: Eye, place: GitPlace, found: Found) -> None:
        self._eye = eye
        self._place = place
        self._found = found

    def lines(self, *arguments: str) -> list[str] | Unknown:
        """The lines of a look at the repository; ``UNKNOWN`` when git refuses or takes too long."""
        out = self._eye.reader.run(self._place, "--no-replace-objects", *arguments)
        if out is UNKNOWN or out.code:
            return UNKNOWN
        return out.text.split("\n") if out.text else []

    def refs(self) -> dict[str, str] | Unknown:
        """Full name -> object id of every ref that is not our own."""
        found = self.lines("for-each-ref", "--format=%(objectname) %(refname)")
        if found is UNKNOWN:
            return UNKNOWN
        pairs = [line.partition(" ") for line in found]
        return {name: oid for oid, _, name in pairs if not name.startswith("refs/askfirst/")}

    def oid(self, revision: str) -> str:
        """The object id of a commit, ``""`` where it names none."""
        if not revision or revision.startswith("-") or len(revision) > REVISION_MAX_CHARS:
            return ""
        found = self.lines("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return found[0] if found and found is not UNKNOWN and _OID.fullmatch(found[0]) else ""

    def other_heads(self) -> list[str]:
        """HEADs of linked work trees, which hold their commits; none where git is too old to list them safely."""
        out = self._eye.reader.run(self._place, "worktree", "list", "--porcelain", "-z")
        if out is UNKNOWN or out.code:
            return []
        heads: list[str] = []
        for block in out.text.split("\0\0")[1:]:  # the first is the main work tree
            members = block.strip("\0").split("\0")
            heads += [each.removeprefix("HEAD ") for each in members if each.startswith("HEAD ")]
        return [each for each in heads if _OID.fullmatch(each) and set(each) != {"0"}]

    def stash(self) -> list[tuple[str, str, str]] | Unknown:
        """Stash entries, newest first: object id, time and subject of each."""
        if not self.oid("refs/stash"):
            return []
        form = "--format=%H%x00%ct%x00%s"
        found = self.lines("rev-list", "--walk-reflogs", "--no-commit-header", "--encoding=UTF-8", form, "refs/stash")
        if found is UNKNOWN:
            return UNKNOWN
        return [(row[0], row[1], row[2]) for line in found if len(row := line.split("\0")) == 3]

    def let_go(
        self,
        old: Sequence[str],
        *,
        where: str,
        moved: Sequence[str] = (),
        kept: Sequence[str] = (),
        rollback: tuple[str, ...] = (),
        fate: Literal["lost", "rewritten", "overwritten", "pruned"] = "lost",
    ) -> Commits | None:
        """The commits that only ``old`` (object ids) hold once the refs ``moved`` are elsewhere.

        Args:
            old: where the refs stand now.
            where: what holds them, for people.
            moved: full names of the refs that no longer count as holding.
            kept: object ids that hold something afterwards.
            rollback: how to bring them back.
            fate: what becomes of them.

        Returns:
            None when it cannot be found out; a gap says so.
        """
        excluded = [f"--exclude={name}" for name in (*moved, "refs/stash", _OWN)]
        if len(old) + len(excluded) + len(kept) > _ARGUMENTS_MAX:
            self._found.gap(f"the commits that only {where} holds", "too many refs move at once")
            return None
        holders = ["--not", *kept, *excluded, "--glob=refs/*"]
        remotes = [*(f"--exclude={name}" for name in moved), "--glob=refs/remotes/*"]
        return self.between(old, holders, remotes, where=where, rollback=rollback, fate=fate)

    def between(
        self,
        old: Sequence[str],
        holders: Sequence[str],
        remotes: Sequence[str],
        *,
        where: str,
        rollback: tuple[str, ...] = (),
        fate: Literal["lost", "rewritten", "overwritten", "pruned"] = "lost",
    ) -> Commits | None:
        """The commits of ``old`` without those of ``holders`` (arguments of rev-list that begin with ``--not``)."""
        count = self._count([*old, *holders])
        unpushed = self._count([*old, *holders, *remotes]) if count else 0
        if count is UNKNOWN or unpushed is UNKNOWN:
            self._found.gap(f"the commits that only {where} holds", _SLOW)
            return None
        listed = self._listed([*old, *holders], [*old, *holders, *remotes]) if count else ()
        commits = Commits(
            where=text_of(where),
            fate=fate,
            count=min(count, COUNT_MAX),
            more=count > COUNT_MAX,
            unpushed=min(unpushed, COUNT_MAX),
            listed=listed,
            rollback=rollback if count else (),
        )
        self._found.exhibits.append(commits)
        return commits

    def whole_repository(self, folder: str) -> None:
        """What goes with the repository itself: every commit that no remote had when it was last fetched."""
        stash = self.stash()
        if stash is UNKNOWN:
            self._found.gap(f"the stash of {folder}", _SLOW)
            stash = []
        heads = [*(["HEAD"] if self.oid("HEAD") else []), *self.other_heads()]
        old = [*heads, *(row[0] for row in stash)][:_ARGUMENTS_MAX]
        holders = ["--branches", "--tags", "--not", "--glob=refs/remotes/*"]
        self.between(old, holders, ["--glob=refs/remotes/*"], where=f"the repository {folder}", fate="pruned")

    def _count(self, arguments: Sequence[str]) -> int | Unknown:
        found = self.lines("rev-list", "--count", f"--max-count={COUNT_MAX + 1}", *arguments)
        return int(found[0]) if found and found is not UNKNOWN and found[0].isdigit() else UNKNOWN

    def _listed(self, arguments: Sequence[str], unpushed: Sequence[str]) -> tuple[Commit, ...]:
        alone = self.lines("rev-list", f"--max-count={_LISTED_UNPUSHED}", *unpushed)
        never = frozenset() if alone is UNKNOWN else frozenset(alone)
        return self.described(["rev-list", f"--max-count={LISTED_MAX}", *arguments], never)

    def described(self, command: Sequence[str], unpushed: frozenset[str]) -> tuple[Commit, ...]:
        """Commits with subject, author and time; ``command`` is a rev-list without a format."""
        program, *rest = command
        found = self.lines(program, "--no-commit-header", "--encoding=UTF-8", _FORMAT, *rest)
        rows = [line.split("\0") for line in (found if found is not UNKNOWN else [])]
        return tuple(
            Commit(
                id=oid,
                subject=text_of(subject),
                author=text_of(author, 100),
                at_s=int(at) if at.isdigit() else 0,
                pushed=oid not in unpushed,
            )
            for oid, author, at, subject in (row for row in rows if len(row) == 4)
        )


def after_moves(
    refs: Mapping[str, str], moves: Mapping[str, str], branch: str, head: str
) -> tuple[list[str], list[str], list[str]]:
    """Object ids that moved refs leave, names of the moved refs, and object ids that they hold afterwards.

    Args:
        refs: every ref and its object id.
        moves: full name, or ``HEAD``, -> the new object id; ``""`` when it goes.
        branch: the current branch without ``refs/heads/``, ``""`` when HEAD is detached.
        head: HEAD's object id.
    """
    full = {(f"refs/heads/{branch}" if name == "HEAD" and branch else name): new for name, new in moves.items()}
    old = [refs.get(name, head if name == "HEAD" else "") for name in full]
    held = [new for new in full.values() if new]
    if "HEAD" not in full and not branch and head:
        held.append(head)  # a detached HEAD that stays holds what it stands on
    return [each for each in old if each], [name for name in full if name != "HEAD"], held


def short(oid: str) -> str:
    """The beginning of an object id, by which git finds it."""
    return oid[:_ID_CHARS]
