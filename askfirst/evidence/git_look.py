"""Evidence about git commands: asks the repository what each step of ``git_steps`` would take away."""

from __future__ import annotations

import os
import re
import shlex
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from askfirst.effects import Hit
from askfirst.evidence import git_steps as steps
from askfirst.evidence.commits import Holders, after_moves, short
from askfirst.evidence.discards import Discards
from askfirst.evidence.files import look_at
from askfirst.evidence.git_commands import about, steps_of
from askfirst.evidence.git_push import PushLook
from askfirst.evidence.history import History
from askfirst.evidence.values import Files, text_of
from askfirst.facts import UNKNOWN
from askfirst.rules.book import RuleBook
from askfirst.shell.git.call import parse_git
from askfirst.shell.git.case import Case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.effects import Effect
    from askfirst.evidence.eye import Eye, Found, Subject
    from askfirst.evidence.remotes import Remotes
    from askfirst.facts import GitPlace, Repository
    from askfirst.shell.command import Command

_COMMANDS_MAX: Final = 32
_SELF: Final = re.compile(r"(?:HEAD|@)(?=$|[~^])")


@dataclass(frozen=True, slots=True)
class GitSource:
    """Every git command of a call, its repository by repository.

    Attributes:
        remotes: asks remotes how they stand now, where that is allowed.
    """

    remotes: Remotes
    about: str = "what git would lose"
    is_stateful: bool = True

    def concerns(self, subject: Subject) -> bool:
        """Whether git runs at all: what is lost may show only when all of its commands are seen together."""
        return any(each.program == "git" for each in subject.found.parsed)

    def covers(self, effect: Effect) -> bool:
        """Whether a git rule found it."""
        return effect.rule.startswith("git.")

    def look(self, subject: Subject, eye: Eye, found: Found) -> None:
        """All steps of one repository together: what two commands lose only together is lost, too."""
        commands = [each for each in subject.found.parsed if each.program == "git"]
        if len(commands) > _COMMANDS_MAX:
            found.gap(f"what the last {len(commands) - _COMMANDS_MAX} git commands would lose", "there are too many")
        by_place: dict[GitPlace, list[steps.Step]] = defaultdict(list)
        for command in commands[:_COMMANDS_MAX]:
            self._read(command, eye, found, by_place)
        for place, wanted in by_place.items():
            PlaceLook(eye, place, found, self.remotes).take(wanted, subject.call.cwd)

    def _read(self, command: Command, eye: Eye, found: Found, by_place: dict[GitPlace, list[steps.Step]]) -> None:
        call = parse_git(command)
        case = Case(call=call, facts=eye.disk, book=RuleBook.load())
        wanted = steps_of(case)
        if not wanted:
            return
        if call.place is None:
            where = f"on {command.where}" if command.where else "in a repository that is not known"
            found.gap(about(case), f"it runs {where}", failed=not command.where)
            return
        by_place[call.place] += wanted


class PlaceLook:
    """Looks at one repository."""

    def __init__(self, eye: Eye, place: GitPlace, found: Found, remotes: Remotes) -> None:
        self._eye = eye
        self._place = place
        self._found = found
        self._remotes = remotes
        self._holders = Holders(eye, place, found)

    def take(self, wanted: Sequence[steps.Step], cwd: str) -> None:
        """Answer every step; what needs a repository and finds none is a gap."""
        folders = [each for each in wanted if isinstance(each, steps.Folder)]
        rest = [each for each in wanted if not isinstance(each, steps.Folder)]
        for folder in folders:
            self._folder(folder, cwd)
        if not rest:
            return
        repository = self._eye.git.repository(self._place)
        refs = self._holders.refs() if repository is not UNKNOWN and repository is not None else UNKNOWN
        if repository is None:
            self._found.gap(f"the repository of {text_of(self._place.folder)}", "there is none", failed=False)
            return
        if repository is UNKNOWN or refs is UNKNOWN:
            reason = "git cannot read it: it is corrupt, locked, not ours, or too slow"
            self._found.gap(f"the repository of {text_of(self._place.folder)}", reason)
            return
        name = text_of(repository.root or repository.git_dir)
        head = repository.branch or "detached"
        self._found.state[f"HEAD of {name}"] = f"{head} {short(repository.head) or 'without a commit'}"
        self._moves(rest, repository, refs)
        self._others(rest, repository)

    def _others(self, wanted: Sequence[steps.Step], repository: Repository) -> None:
        forgets = any(isinstance(each, steps.ForgetReflog) for each in wanted)
        for step in dict.fromkeys(wanted):
            match step:
                case steps.Discard() | steps.Clean():
                    Discards(self._eye, self._place, self._found, self._holders).take(step, repository)
                case steps.DropStash() | steps.ForgetReflog() | steps.Prune() | steps.Rewrite():
                    history = History(self._eye, self._place, self._found, self._holders)
                    history.take(step, without_reflogs=forgets)
                case steps.Push():
                    PushLook(self._eye, self._place, self._found, self._holders, self._remotes).push(step, repository)
                case steps.Unseen():
                    self._found.gap(step.about, "it is known only when it runs")
                case steps.Move() | steps.Leave() | steps.DropRefs() | steps.Folder():
                    continue
                case _ as never:
                    assert_never(never)

    def _moves(self, wanted: Sequence[steps.Step], repository: Repository, refs: dict[str, str]) -> None:
        """All moving refs at once, in order: a later revision may speak of an earlier move."""
        moves: dict[str, str] = {}
        for step in wanted:
            match step:
                case steps.Move():
                    self._move(step, repository, refs, moves)
                case steps.Leave() if not repository.branch and repository.head:
                    moves["HEAD"] = ""
                case steps.DropRefs():
                    moves |= {name: "" for name in refs if name.startswith(step.prefix)}
                case _:
                    continue
        if not moves:
            return
        old, moved, held = after_moves(refs, moves, repository.branch, repository.head)
        for name in moved:
            self._found.state[f"{text_of(name)} in {text_of(repository.root or repository.git_dir)}"] = short(
                refs.get(name, "")
            )
        if not old:
            return
        kept = [*held, *self._holders.other_heads()]
        self._holders.let_go(
            old,
            where=_where(moves, repository.branch),
            moved=moved,
            kept=kept,
            rollback=_rollback(moves, refs, repository),
        )

    def _move(self, step: steps.Move, repository: Repository, refs: dict[str, str], moves: dict[str, str]) -> None:
        ref = self._full(step.ref, refs)
        if ref != "HEAD" and ref not in refs:
            return  # nothing is there: nothing is lost
        new = self._target(step.new, repository, moves) if step.new else ""
        if step.new and not new:
            self._found.gap(f"where {text_of(step.new)} is", "it names no commit now", failed=False)
        moves[ref] = new

    def _target(self, revision: str, repository: Repository, moves: dict[str, str]) -> str:
        """The commit that a revision means once the earlier moves are made."""
        current = moves.get("HEAD") or moves.get(f"refs/heads/{repository.branch}")
        if current and _SELF.match(revision):
            revision = _SELF.sub(current, revision, count=1)
        return self._holders.oid(revision)

    def _full(self, ref: str, refs: dict[str, str]) -> str:
        """The ref that ``update-ref`` means: its names are full, but for HEAD and the like."""
        return ref if ref == "HEAD" or ref in refs or ref.startswith("refs/") else f"refs/heads/{ref}"

    def _folder(self, step: steps.Folder, cwd: str) -> None:
        if step.refused:
            if os.path.isdir(step.path) and os.listdir(step.path):
                self._found.exhibits.append(
                    Files(where=f"{text_of(step.path)} (git refuses it)", act="overwritten", count=0)
                )
            return
        look_at([Hit(path=step.path)], "deleted", cwd, self._eye, self._found)
        if step.is_worktree:
            self._worktree(step.path)

    def _worktree(self, path: str) -> None:
        """The commits that only the HEAD of a work tree holds."""
        place = type(self._place)(folder=path)
        inner = self._eye.git.repository(place)
        if inner is UNKNOWN or inner is None:
            self._found.gap(f"the work tree {text_of(path)}", "git cannot read it")
        elif not inner.branch and inner.head:
            heads = [each for each in self._holders.other_heads() if each != inner.head]
            rollback = (f"git branch rescued {short(inner.head)}",)
            self._holders.let_go([inner.head], where=f"the work tree {text_of(path)}", kept=heads, rollback=rollback)


def _where(moves: dict[str, str], branch: str) -> str:
    names = [re.sub(r"^refs/(heads|tags|remotes)/", "", name) for name in moves]
    names = [(branch or "the detached HEAD") if name == "HEAD" else name for name in names]
    return " and ".join(names) if len(names) <= 3 else f"{len(names)} refs"


def _rollback(moves: dict[str, str], refs: dict[str, str], repository: Repository) -> tuple[str, ...]:
    """Commands that put the refs back where they are now."""
    lines = []
    for name, new in list(moves.items())[:10]:
        old = short(refs.get(name, "") or repository.head)
        branch = name.removeprefix("refs/heads/")
        is_current = name == "HEAD" or branch == repository.branch
        quoted = shlex.quote(text_of(branch))
        if is_current and repository.branch:
            lines.append(f"git reset --keep {old}" if new else f"git branch {quoted} {old}")
        elif name == "HEAD":
            lines.append(f"git branch rescued {old}")
        elif name.startswith("refs/heads/") and not branch.startswith("-"):
            lines.append(f"git branch {'-f ' if new else ''}{quoted} {old}")
        else:
            lines.append(f"git update-ref {shlex.quote(text_of(name))} {old}")
    return tuple(line for line in lines if not line.endswith(" "))
