"""Git commands that overwrite or delete files of the work tree: reset, checkout, restore, clean, rm, stash and more.

What is lost is what no commit and no other ref holds. Git itself refuses to lose work in the plain forms (a switch
over changed files, ``rm`` of a changed file, ``worktree remove`` of a dirty one); those forms are not asked about.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.facts import UNKNOWN, Kind
from askfirst.shell.command import Word
from askfirst.shell.deletes import Grade
from askfirst.shell.git.case import gravest
from askfirst.shell.options import listed, some
from askfirst.shell.precious import is_regenerable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.effects import Effect
    from askfirst.shell.git.case import Case

_CLEAN_LOOKED_AT = 64  # entries that `git clean` would delete and that we look into; more than these are a loss
_FILE_NAME = re.compile(
    r"\.(py|pyi|js|jsx|ts|tsx|mjs|cjs|json|toml|ya?ml|md|rst|txt|html?|s?css|less|go|rs|c|cc|cpp|cxx|h|hh|hpp|java|kts?"
    r"|rb|php|sh|bash|zsh|sql|lock|cfg|ini|conf|xml|csv|vue|svelte|swift|scala|lua|pl|r|ipynb|proto|tf|gradle|env|log)$",
    re.IGNORECASE,
)


def reset(case: Case) -> Iterable[Effect]:
    """``git reset``: only the forms that touch the work tree lose anything; the others move a branch."""
    if not case.options.has("hard", "merge", "keep"):
        return
    revision = next((word for word in case.options.operands), None)
    moved = _moved_branch(case, revision)
    if case.options.has("hard", "merge"):
        yield case.effect("git.reset-hard", "the work tree", gravest(case.changed_tracked(), *moved))
    elif moved:
        yield case.effect("git.reset-hard", "the current branch", gravest(*moved))


def _moved_branch(case: Case, revision: Word | None) -> tuple[Grade, ...]:
    """The commits that the current branch alone holds and that a reset to ``revision`` leaves behind."""
    if revision is None or revision.text in {"HEAD", "@"}:
        return ()
    repository = case.repository()
    if repository is None or not revision.known:
        return (Grade(risk=Risk.HIGH, what="the commits after it"),)
    ref = f"refs/heads/{repository.branch}" if repository.branch else "HEAD"
    return (case.dropped(ref, new=revision.text),)


def checkout(case: Case) -> Iterable[Effect]:
    """``git checkout``: a switch that git lets through only without loss, or files put over those of the work tree."""
    options = case.options
    if options.has("patch"):
        return
    yield from _forced_branch(case, "-B", options.words)
    paths, from_commit = checkout_paths(case)
    if paths or options.has("ours", "theirs", "pathspec-from-file"):
        loss = case.changed_tracked(paths, staged=from_commit)
        yield case.effect("git.checkout-paths", listed(paths) or "the work tree", loss)
    elif options.has("force"):
        yield case.effect("git.checkout-force", "the work tree", case.changed_tracked())


def checkout_paths(case: Case) -> tuple[tuple[Word, ...], bool]:
    """The paths that a checkout overwrites, and whether their content comes from a commit (else the index)."""
    options = case.options
    if options.rest is not None:
        return options.rest, bool(options.operands)
    if not options.operands or options.has("-b", "-B", "orphan", "detach", "track"):
        return (), False
    first, *others = options.operands
    if others:
        names_commit = first.known and not _looks_like_path(first) and not _is_only_path(case, first)
        return (tuple(others), True) if names_commit else (options.operands, False)
    if _looks_like_path(first) or _is_only_path(case, first):
        return (first,), False
    return (), False


def _looks_like_path(word: Word) -> bool:
    text = word.text
    return (
        word.glob
        or text in {".", ".."}
        or text.startswith(("./", "../", "/", ":", "~"))
        or text.endswith("/")
        or "*" in text
        or _FILE_NAME.search(text) is not None
    )


def _is_only_path(case: Case, word: Word) -> bool:
    """Whether the disk has a file of this name and the repository no commit."""
    if not word.known or case.facts.commit(case.place, word.text) is not None:
        return False
    there = case.facts.path(posixpath.join(case.place.folder, word.text))
    return there is UNKNOWN or there.kind is not Kind.MISSING


def switch(case: Case) -> Iterable[Effect]:
    """``git switch``: as checkout of a branch."""
    yield from _forced_branch(case, "force-create", case.options.words)
    if case.options.has("force", "discard-changes"):
        yield case.effect("git.checkout-force", "the work tree", case.changed_tracked())


_TRUNKS = frozenset({"main", "master", "develop", "trunk", "production"})
"""Branches that are there in nearly every repository."""


def _forced_branch(case: Case, option: str, starts: tuple[Word, ...]) -> Iterable[Effect]:
    """``checkout -B`` and ``switch -C``: an existing branch of this name is moved."""
    branch = case.options.value(option)
    if branch is None:
        return
    ref = f"refs/heads/{branch.text}"
    if branch.known and case.facts.commit(case.place, ref) is None:
        return
    start = starts[0].text if starts else "HEAD"
    loss = case.dropped(ref, new=start)
    is_shared = branch.text in _TRUNKS and not start.endswith(f"/{branch.text}")
    if case.repository() is None and not is_shared:  # nothing known: most of the time the branch is new
        loss = Grade(risk=Risk.MEDIUM, what=f"where {branch.text} pointed to, if it exists")
    yield case.effect("git.branch-force", branch.text, loss)


def restore(case: Case) -> Iterable[Effect]:
    """``git restore``: overwrites the work tree; with ``--staged`` alone nothing is lost that the files do not have."""
    options = case.options
    staged = options.has("staged") and not options.has("no-staged")
    worktree = options.has("worktree") or not (staged or options.has("no-worktree"))
    named = options.words or options.has("pathspec-from-file")
    if not worktree or not named or options.has("patch"):
        return
    loss = case.changed_tracked(options.words, staged=staged or options.has("source"))
    yield case.effect("git.restore", listed(options.words), loss)


def clean(case: Case) -> Iterable[Effect]:
    """``git clean``: loses what the dry run with the same options lists, less what can be built again."""
    options = case.options
    if options.has("dry-run"):
        return
    if not options.has("force", "interactive"):
        required = case.call.setting("clean.requireforce")
        if required is None and case.facts.setting(case.place, "clean.requireForce") in {UNKNOWN, None}:
            return
        if required == "true":
            return
    yield case.effect("git.clean", listed(options.words) or "the work tree", _cleaned(case))


def clean_options(case: Case) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The options and pathspecs of a ``git clean`` that say what it deletes; unknown paths mean the whole tree."""
    options = case.options
    flags = [f"-{letter}" for letter in "dxX" if options.has(f"-{letter}")]
    forced_twice = sum(w.text.count("f") for w in case.call.words if re.fullmatch(r"-[a-zA-Z]+", w.text)) > 1
    excluded = [f"-e={word.text}" for word in options.values.get("exclude", ())]
    paths = tuple(word.text for word in options.words if word.known)
    if len(paths) < len(options.words):
        paths = ()
    return (*flags, *(["-ff"] if forced_twice else []), *excluded), paths


def _cleaned(case: Case) -> Grade:
    options = case.options
    found = case.facts.cleanable(case.place, *clean_options(case))
    if found is UNKNOWN:
        ignored = " and ignored" if options.has("-x", "-X") else ""
        return Grade(risk=Risk.HIGH, what=f"every untracked{ignored} file")
    lost = [path for path in found[:_CLEAN_LOOKED_AT] if _is_lost(case, path)] + list(found[_CLEAN_LOOKED_AT:])
    listing = f"git clean would delete {len(found)} entries"
    if not lost:
        return Grade(risk=Risk.MEDIUM, what="nothing that cannot be built again", facts=(listing,))
    names = some([posixpath.relpath(path, case.place.folder) for path in lost])
    return Grade(risk=Risk.HIGH, what=f"{len(lost)} untracked: {names}", facts=(listing,))


def _is_lost(case: Case, path: str) -> bool:
    if is_regenerable(posixpath.relpath(path, case.place.folder), certain=True):
        return False
    loss = case.facts.loss(path)
    return loss is UNKNOWN or bool(loss.untracked or loss.precious or loss.repositories or loss.more)


def stash(case: Case) -> Iterable[Effect]:
    """``git stash drop`` and ``clear``; the other forms keep what they touch."""
    what = case.options.words[0].text if case.options.words else "push"
    if what not in {"drop", "clear"}:
        return
    repository = case.repository()
    facts = (f"{repository.stashes} stash entries now",) if repository else ()
    target = listed(case.options.words[1:]) if what == "drop" else "every stash"
    loss = Grade(risk=Risk.HIGH, what=target or "the newest stash", facts=facts)
    yield case.effect(f"git.stash-{what}", target or "stash@{0}", loss)


def remove(case: Case) -> Iterable[Effect]:
    """``git rm``: without force git keeps whatever differs from the last commit."""
    options = case.options
    if options.has("cached", "dry-run"):
        return
    loss = Grade(risk=Risk.MEDIUM, what="files that the last commit holds", reversible=True)
    if options.has("force"):
        loss = case.changed_tracked(options.words)
    elif options.has("-r") and any(word.text in {".", "*", "./", ":/", "/"} for word in options.words):
        loss = gravest(loss, case.changed_tracked(options.words))
    yield case.effect("git.rm", listed(options.words), loss)


def read_tree(case: Case) -> Iterable[Effect]:
    """``git read-tree``: ``--reset -u`` is a hard reset."""
    if case.options.has("reset") and case.options.has("-u"):
        yield case.effect("git.reset-hard", "the work tree", case.changed_tracked())


def checkout_index(case: Case) -> Iterable[Effect]:
    """``git checkout-index -f``: puts the index over the work tree, unless it writes elsewhere."""
    if case.options.has("force") and not case.options.has("prefix", "temp"):
        yield case.effect("git.checkout-paths", "the work tree", case.changed_tracked(case.options.words, staged=False))


def worktree(case: Case) -> Iterable[Effect]:
    """``git worktree remove``: git refuses a dirty one unless forced."""
    words = case.options.words
    if not words or words[0].text != "remove":
        return
    target = listed(words[1:])
    if case.options.has("force"):
        yield case.effect(
            "git.worktree-remove-force", target, Grade(risk=Risk.HIGH, what=f"the work tree {target}"), paths=words[1:]
        )
    else:
        loss = Grade(risk=Risk.MEDIUM, what=f"the work tree {target}; its commits stay", reversible=True)
        yield case.effect("git.worktree-remove", target, loss, paths=words[1:])


def submodule(case: Case) -> Iterable[Effect]:
    """``git submodule deinit`` and ``update --force``: both put files over changed ones when forced."""
    words = case.options.words
    what = words[0].text if words else "status"
    if what not in {"deinit", "update"} or not case.options.has("force"):
        return
    target = listed(words[1:]) or "every submodule"
    yield case.effect("git.submodule-force", target, Grade(risk=Risk.HIGH, what=f"uncommitted changes in {target}"))


def clone(case: Case) -> Iterable[Effect]:
    """``git clone`` into a folder that holds something: git refuses, so that it is only recorded."""
    words = case.options.words
    if not words:
        return
    name = words[1] if len(words) > 1 else words[0]
    folder = name.text if len(words) > 1 else posixpath.basename(name.text.rstrip("/")).removesuffix(".git")
    there = case.facts.path(posixpath.join(case.place.folder, folder)) if name.known and folder else UNKNOWN
    if there is not UNKNOWN and there.kind is Kind.FOLDER and not there.empty:
        loss = Grade(risk=Risk.MEDIUM, what="nothing: git refuses a folder that is not empty", facts=("not empty",))
        yield case.effect("git.clone-over", folder, loss, paths=(Word(text=folder),))


def move(case: Case) -> Iterable[Effect]:
    """``git mv -f``: overwrites its destination."""
    words = case.options.words
    if case.options.has("force") and len(words) > 1 and not case.options.has("dry-run"):
        loss = case.changed_tracked(words[-1:])
        there = case.facts.path(posixpath.join(case.place.folder, words[-1].text)) if words[-1].known else UNKNOWN
        if there is not UNKNOWN and there.kind is Kind.MISSING:
            loss = Grade(risk=Risk.MEDIUM, what="nothing: the destination does not exist")
        yield case.effect("git.mv-force", listed(words[-1:]), loss)
