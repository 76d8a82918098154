"""One git command under judgement, with the questions that several subcommands ask."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from askfirst.effects import Risk, Touch
from askfirst.facts import UNKNOWN, GitPlace
from askfirst.shell.deletes import Grade, effect
from askfirst.shell.options import MAX_JUDGED, clipped, some

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from askfirst.effects import Effect
    from askfirst.facts import Commits, Facts, Repository, Unknown
    from askfirst.shell.command import Word
    from askfirst.shell.git.call import GitCall
    from askfirst.shell.options import Options
    from askfirst.shell.ports import Rules

_SHOWN_COMMITS = 12  # hex digits of an object id that people read; git finds the commit by them


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A git command, what can be asked, and the book that makes effects of rules."""

    call: GitCall
    facts: Facts
    book: Rules

    @property
    def options(self) -> Options:
        """The subcommand's options and operands."""
        return self.call.options

    @property
    def place(self) -> GitPlace:
        """The repository to ask about; where it is not known the facts are ``NoFacts``, so that any place will do."""
        return self.call.place or GitPlace(folder="/")

    def effect(self, rule: str, target: str, loss: Grade, *, paths: Iterable[Word] = (), remote: str = "") -> Effect:
        """The effect of a rule with a graded loss.

        Args:
            rule: its id.
            target: for people.
            loss: how bad it is.
            paths: what it touches beside the repository.
            remote: the remote that it changes.
        """
        return replace(effect(self.book, rule, self.call.command, target, loss), touches=self.touches(paths, remote))

    def touches(self, paths: Iterable[Word] = (), remote: str = "") -> tuple[Touch, ...]:
        """The repository on this machine, and what beside it is touched; nothing where it is not known."""
        place = self.call.place
        if place is None:
            return ()
        folder = place.work_tree or place.folder
        also = (Touch(kind="path", path=posixpath.join(place.folder, word.text)) for word in paths if word.known)
        far = (Touch(kind="remote", path=folder, git_dir=place.git_dir, name=remote),) if remote else ()
        return (Touch(kind="repository", path=folder, git_dir=place.git_dir), *also, *far)

    def too_many(self, rule: str, words: Sequence[Word]) -> Iterable[Effect]:
        """The effect of more operands than are judged one by one."""
        if len(words) > MAX_JUDGED:
            what = f"{len(words)} refs, more than are looked at"
            yield self.effect(rule, what, Grade(risk=Risk.HIGH, what=what))

    def note(self, rule: str, target: str, what: str = "") -> Effect:
        """The effect of a rule at the rule's own risk."""
        made = self.book.effect(rule, self.call.command, target=clipped(target), what=clipped(what or target))
        return replace(made, touches=self.touches())

    def repository(self) -> Repository | None:
        """The repository; None when there is none or it cannot be read."""
        found = self.facts.repository(self.place)
        return None if found is UNKNOWN else found

    def changed_tracked(self, paths: Iterable[Word] = (), *, staged: bool = True) -> Grade:
        """What a command loses that puts committed (or, without ``staged``, indexed) content over tracked files.

        Paths that are not known are asked about as the whole tree, which holds them.
        """
        words = tuple(paths)
        known = tuple(word.text for word in words) if all(word.known for word in words) else ()
        found = self.facts.changes(self.place, known)
        if found is UNKNOWN:
            return Grade(risk=Risk.HIGH, what="every uncommitted change to tracked files" + _within(words))
        lost = found.tracked if staged else found.unstaged
        if not lost and not found.more:
            return Grade(risk=Risk.MEDIUM, what="nothing: no tracked file is changed", facts=("no changed files",))
        count = f"{len(lost)}{'+' if found.more else ''} changed file{'' if len(lost) == 1 else 's'}"
        return Grade(risk=Risk.HIGH, what=f"uncommitted changes to {some(lost)}", facts=(count,))

    def dropped(self, ref: str, *, new: str = "") -> Grade:
        """What is lost when the full ref name ``ref`` is deleted, or moved to the revision ``new``."""
        found = self.facts.dropped(self.place, ref, new=new)
        return commits_lost(found, ref)


def commits_lost(found: Commits | Unknown, ref: str) -> Grade:
    """The loss of commits that only ``ref`` holds."""
    name = ref.removeprefix("refs/heads/").removeprefix("refs/tags/").removeprefix("refs/remotes/")
    if found is UNKNOWN:
        return Grade(risk=Risk.HIGH, what=f"the commits that only {name} holds")
    if not found.count:
        return Grade(risk=Risk.MEDIUM, what="no commit: other refs hold them all", facts=("held by other refs",))
    count = f"{found.count}{'+' if found.more else ''} commit{'' if found.count == 1 else 's'}"
    back = f"way back until the next gc: {found.tip[:_SHOWN_COMMITS]}"
    return Grade(risk=Risk.HIGH, what=f"{count} that only {name} holds", facts=(back,), reversible=True)


def gravest(*losses: Grade) -> Grade:
    """The losses as one: the highest risk, and the words of those that reach it."""
    risk = max(loss.risk for loss in losses)
    worst = [loss for loss in losses if loss.risk == risk]
    return Grade(
        risk=risk,
        what=" and ".join(dict.fromkeys(loss.what for loss in worst)),
        facts=tuple(dict.fromkeys(fact for loss in losses for fact in loss.facts)),
        reversible=all(loss.reversible for loss in worst),
    )


def _within(words: Sequence[Word]) -> str:
    return f" in {some([word.shown or word.text for word in words])}" if words else ""
