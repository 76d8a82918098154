"""Evidence about pushes that overwrite or delete: what the remote would no longer have."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.evidence.commits import short
from askfirst.evidence.values import LISTED_MAX, Ref, Refs, text_of
from askfirst.facts import UNKNOWN
from askfirst.shell.git.push import is_shared_name

if TYPE_CHECKING:
    from typing import Literal

    from askfirst.evidence.commits import Holders
    from askfirst.evidence.eye import Eye, Found
    from askfirst.evidence.git_steps import Push
    from askfirst.evidence.remotes import Remotes
    from askfirst.facts import GitPlace, Repository, Unknown

_SHOWN: Final = LISTED_MAX


@dataclass(frozen=True, slots=True)
class PushLook:
    """Looks at one push."""

    eye: Eye
    place: GitPlace
    found: Found
    holders: Holders
    remotes: Remotes

    def push(self, step: Push, repository: Repository) -> None:
        """What each ref of the remote stands on, as known, and which commits the remote would lose."""
        remote = step.remote or "origin"
        space = f"refs/remotes/{remote}/"
        ours = self.holders.refs()
        if ours is UNKNOWN:
            self.found.gap(f"what {text_of(remote)} holds", "git cannot read the repository")
            return
        live = self.remotes.refs(self.eye, self.place, remote)
        known = live if live is not UNKNOWN and live is not None else _as_fetched(ours, space)
        wanted = dict(step.refs) | (_mirrored(known, ours, mirrors=step.mirrors) if step.prunes else {})
        refs = [self._ref(name, source, known, repository) for name, source in wanted.items()]
        moved = [each for each in refs if each.old and (each.deleted or each.new != each.old)]
        if live is UNKNOWN:
            self.found.gap(f"how {text_of(remote)} stands now", "it did not answer in time, or refused")
        self._refs(remote, moved or refs, live, known, ours)
        for each in refs:
            self.found.state[f"{text_of(each.name)} on {text_of(remote)}"] = short(each.old) or "not known"
        self._commits(remote, moved, ours, space)

    def _ref(self, name: str, source: str, known: dict[str, str], repository: Repository) -> Ref:
        branch = name.removeprefix("refs/heads/")
        return Ref(
            name=text_of(name),
            old=known.get(name, ""),
            new=self.holders.oid(source) if source else "",
            deleted=not source,
            shared=name.startswith("refs/heads/") and is_shared_name(branch, repository.default_branch),
        )

    def _refs(
        self,
        remote: str,
        refs: list[Ref],
        live: dict[str, str] | Unknown | None,
        known: dict[str, str],
        ours: dict[str, str],
    ) -> None:
        is_live = live is not UNKNOWN and live is not None
        seen: Literal["live", "fetched", "unseen"] = "live" if is_live else "fetched" if known else "unseen"
        unseen = [each for each in refs if is_live and each.old and not self.holders.oid(each.old)]
        rollback = tuple(_way_back(remote, each) for each in refs if each.old and each not in unseen)
        self.found.exhibits.append(
            Refs(
                where=text_of(remote),
                refs=tuple(refs[:_SHOWN]),
                count=len(refs),
                seen=seen,
                seen_at_s=0 if is_live else self._fetched_at_s(),
                moved_on=bool(unseen),
                rollback=rollback[:_SHOWN],
            )
        )
        if not known and not ours:
            self.found.gap(f"what {text_of(remote)} holds", "it was never fetched here")

    def _commits(self, remote: str, refs: list[Ref], ours: dict[str, str], space: str) -> None:
        """The commits that no other branch of the remote holds."""
        old = [each.old for each in refs if self.holders.oid(each.old)]
        if not old:
            return
        tracking = {space + each.name.removeprefix("refs/heads/") for each in refs}
        kept = [oid for name, oid in ours.items() if name.startswith(space) and name not in tracking | {space + "HEAD"}]
        new = [each.new for each in refs if each.new]
        names = " and ".join(each.name.removeprefix("refs/heads/") for each in refs[:3])
        more = f" and {len(refs) - 3} more" if len(refs) > 3 else ""
        where = f"{names}{more} on {remote}"
        self.holders.between(old, ["--not", *kept, *new], ["--branches"], where=where, fate="overwritten")

    def _fetched_at_s(self) -> int:
        """When this repository last fetched, 0 where it does not say."""
        repository = self.eye.git.repository(self.place)
        if repository is UNKNOWN or repository is None:
            return 0
        try:
            return int(os.stat(os.path.join(repository.git_dir, "FETCH_HEAD")).st_mtime)
        except OSError:
            return 0


def _way_back(remote: str, ref: Ref) -> str:
    """The command that gives the remote its ref back, which git refuses once somebody else has moved it since.

    With nothing after the colon the ref must not be there, as after a delete. Where it is not known what is pushed,
    the tracking ref is what git compares.

    From: git-push(1), ``--force-with-lease=<refname>:<expect>``.
    """
    expected = f":{short(ref.new)}" if ref.new or ref.deleted else ""
    lease = shlex.quote(f"--force-with-lease={ref.name}{expected}")
    return f"git push {lease} {shlex.quote(text_of(remote))} {short(ref.old)}:{shlex.quote(ref.name)}"


def _as_fetched(ours: dict[str, str], space: str) -> dict[str, str]:
    """The remote's branches as the tracking refs have them."""
    return {
        f"refs/heads/{name.removeprefix(space)}": oid
        for name, oid in ours.items()
        if name.startswith(space) and name != space + "HEAD"
    }


def _mirrored(known: dict[str, str], ours: dict[str, str], *, mirrors: bool) -> dict[str, str]:
    """The refs that a mirror or pruning push changes: (name, source; ``""`` deletes)."""
    gone = {name: "" for name in known if name not in ours and (mirrors or name.startswith("refs/heads/"))}
    if not mirrors:
        return gone
    return gone | {name: oid for name, oid in ours.items() if name in known and known[name] != oid}
