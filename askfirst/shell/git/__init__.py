"""What a git command would do: ``judge_git`` finds its effects, ``nested`` what else it runs.

Subcommands that are neither in the table of judges nor known to be harmless are opaque, or an effect when their
arguments look destructive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from askfirst.effects import Risk
from askfirst.facts import NoFacts
from askfirst.shell.deletes import Grade, grade_overwrite, hit
from askfirst.shell.git import programs, push, refs, tree
from askfirst.shell.git.call import parse_git
from askfirst.shell.git.case import Case
from askfirst.shell.git.programs import Nested, nested
from askfirst.shell.git.syntax import HARMLESS
from askfirst.shell.options import part
from askfirst.shell.places import locate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.shell.command import Command
    from askfirst.shell.ports import Rules

__all__ = ["Nested", "judge_git", "nested"]

_JUDGES: Final[Mapping[str, Callable[[Case], Iterable[Effect]]]] = {
    "branch": refs.branch,
    "checkout": tree.checkout,
    "checkout-index": tree.checkout_index,
    "clean": tree.clean,
    "clone": tree.clone,
    "commit": refs.commit,
    "config": programs.config,
    "fast-import": refs.rewrite,
    "fetch": refs.fetch,
    "filter-branch": refs.rewrite,
    "filter-repo": refs.rewrite,
    "gc": refs.collect,
    "lfs": refs.rewrite,
    "merge": refs.no_verify,
    "mv": tree.move,
    "prune": refs.prune,
    "pull": refs.fetch,
    "push": push.push,
    "read-tree": tree.read_tree,
    "rebase": refs.no_verify,
    "reflog": refs.reflog,
    "remote": refs.remote,
    "repack": refs.repack,
    "replace": refs.rewrite,
    "reset": tree.reset,
    "restore": tree.restore,
    "rm": tree.remove,
    "stash": tree.stash,
    "submodule": tree.submodule,
    "switch": tree.switch,
    "symbolic-ref": refs.symbolic_ref,
    "tag": refs.tag,
    "update-ref": refs.update_ref,
    "worktree": tree.worktree,
}

_WRITERS = frozenset({"archive", "diff", "diff-index", "diff-tree", "log", "show", "whatchanged"})
_LOOKS_DESTRUCTIVE = frozenset({"force", "hard", "delete", "prune", "mirror", "-f", "-D", "destroy", "purge"})


def judge_git(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """Every effect of a command whose program is git; none when it is harmless."""
    call = parse_git(command)
    case = Case(call=call, facts=facts if call.place else NoFacts(), book=book)
    yield from programs.steered(case)
    yield from _output(case)
    judge = _JUDGES.get(call.name)
    if judge is not None:
        yield from judge(case)
    elif call.name == "credential" and call.words and call.words[0].text == "fill":
        yield case.note("git.credential-fill", "stored passwords")
    elif call.name not in HARMLESS and not nested(command, case.facts):
        yield _opaque(case)


def _output(case: Case) -> Iterable[Effect]:
    """The file that ``diff``, ``log``, ``show`` or ``archive`` writes instead of printing."""
    if case.call.name not in _WRITERS:
        return
    short = case.options.values.get("output", ())
    spelled = [part(word, word.text.partition("=")[2]) for word in case.call.words if word.text.startswith("--output=")]
    for word in dict.fromkeys((*short, *spelled)):
        spot = locate(word, case.call.command, case.facts, follow=True)
        yield hit(case.book, "filesystem.overwrite", case.call.command, spot, grade_overwrite(spot, case.facts))


def _opaque(case: Case) -> Effect:
    name = case.call.name or "a subcommand that is not known"
    looks_bad = case.options.has(*_LOOKS_DESTRUCTIVE)
    return case.effect("git.unknown", name, Grade(risk=Risk.HIGH if looks_bad else Risk.MEDIUM, what=name))
