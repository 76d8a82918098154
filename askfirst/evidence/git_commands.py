"""What a git command would do, as ``git_steps``. Pure.

A command line that is not known in full, or a form that is not read here, gives ``Unseen``, which becomes a gap.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from askfirst.evidence.git_steps import (
    Clean,
    Discard,
    DropRefs,
    DropStash,
    Folder,
    ForgetReflog,
    Leave,
    Move,
    Prune,
    Push,
    Rewrite,
    Step,
    Unseen,
)
from askfirst.shell.git.push import targets_of
from askfirst.shell.git.tree import checkout_paths, clean_options
from askfirst.shell.options import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from askfirst.shell.command import Word
    from askfirst.shell.git.case import Case


def steps_of(case: Case) -> tuple[Step, ...]:
    """What this git command would do; nothing for one that loses nothing."""
    reader = _READERS.get(case.call.name)
    if reader is None:
        return ()
    found = tuple(reader(case))
    unknown = [word.shown or word.text for word in case.options.words if not word.known]
    if unknown and found:
        return (*found, Unseen(about=f"what {unknown[0]} stands for in git {case.call.name}"))
    return found


def _names(words: Iterable[Word]) -> tuple[str, ...]:
    return tuple(word.text for word in words if word.known)


def _reset(case: Case) -> Iterator[Step]:
    options = case.options
    paths = options.rest or ()
    revision = options.operands[0].text if options.operands and options.operands[0].known else "HEAD"
    if options.has("hard", "merge"):
        yield Discard(target=revision, submodules=options.has("recurse-submodules"))
    if options.operands and not paths and len(options.operands) == 1 and revision not in {"HEAD", "@"}:
        yield Move(ref="HEAD", new=revision)


def _checkout(case: Case) -> Iterator[Step]:
    options = case.options
    if options.has("patch"):
        return
    paths, from_commit = checkout_paths(case)
    if paths or options.has("ours", "theirs", "pathspec-from-file"):
        target = options.operands[0].text if from_commit and options.operands else ""
        yield Discard(paths=_names(paths), staged=from_commit, target=target)
        return
    yield from _switched(case, "-B")


def _switched(case: Case, forced_branch: str) -> Iterator[Step]:
    options = case.options
    branch = options.value(forced_branch)
    start = next(iter(_names(options.operands)), "HEAD")
    if branch is not None and branch.known:
        yield Move(ref=f"refs/heads/{branch.text}", new=start)
    if options.has("force", "discard-changes"):
        yield Discard(target=start, submodules=options.has("recurse-submodules"))
    if not options.has("-b", "create"):
        yield Leave()


def _switch(case: Case) -> Iterator[Step]:
    yield from _switched(case, "force-create")


def _restore(case: Case) -> Iterator[Step]:
    options = case.options
    staged = options.has("staged") and not options.has("no-staged")
    worktree = options.has("worktree") or not (staged or options.has("no-worktree"))
    if options.has("patch") or not worktree:
        return
    source = options.value("source")
    yield Discard(
        paths=_names(options.words),
        staged=staged or source is not None,
        target=source.text if source is not None and source.known else "",
    )


def _clean(case: Case) -> Iterator[Step]:
    if not case.options.has("dry-run"):
        options, paths = clean_options(case)
        yield Clean(options=options, paths=paths)


def _stash(case: Case) -> Iterator[Step]:
    words = _names(case.options.words)
    if words[:1] == ("clear",):
        yield DropStash(which="")
    elif words[:1] == ("drop",):
        which = words[1] if len(words) > 1 else "stash@{0}"
        yield DropStash(which=f"stash@{{{which}}}" if which.isdigit() else which)


def _remove(case: Case) -> Iterator[Step]:
    if not case.options.has("cached", "dry-run"):
        yield Discard(paths=_names(case.options.words))


def _move(case: Case) -> Iterator[Step]:
    words = case.options.words
    if case.options.has("force") and len(words) > 1 and words[-1].known and not case.options.has("dry-run"):
        yield Folder(path=_path(case, words[-1].text))


def _read_tree(case: Case) -> Iterator[Step]:
    if case.options.has("reset") and case.options.has("-u"):
        yield Discard(target=next(iter(_names(case.options.words)), "HEAD"))


def _checkout_index(case: Case) -> Iterator[Step]:
    if case.options.has("force") and not case.options.has("prefix", "temp"):
        yield Discard(paths=_names(case.options.words), staged=False)


def _worktree(case: Case) -> Iterator[Step]:
    words = _names(case.options.words)
    if words[:1] == ("remove",):
        for word in words[1:]:
            yield Folder(path=_path(case, word), is_worktree=True)


def _submodule(case: Case) -> Iterator[Step]:
    words = _names(case.options.words)
    if case.options.has("force") and words[:1] in {("deinit",), ("update",)}:
        if words[1:]:
            yield from (Folder(path=_path(case, word)) for word in words[1:])
        else:
            yield Discard(submodules=True, paths=(":(exclude)*",))


def _clone(case: Case) -> Iterator[Step]:
    words = case.options.words
    if not words or not words[-1].known:
        return
    name = words[1].text if len(words) > 1 else posixpath.basename(words[0].text.rstrip("/")).removesuffix(".git")
    if name:
        yield Folder(path=_path(case, name), refused=True)


def _branch(case: Case) -> Iterator[Step]:
    options, words = case.options, _names(case.options.words)
    space = "refs/remotes/" if options.has("remotes") else "refs/heads/"
    if options.has("-D", "delete"):
        yield from (Move(ref=space + word) for word in words)
    elif options.has("-M", "-C") or (options.has("move", "copy") and options.has("force")):
        source = words[0] if len(words) > 1 else "HEAD"
        yield from (Move(ref=space + word, new=source) for word in words[-1:])
    elif options.has("force") and words and not options.has("list"):
        yield Move(ref=space + words[0], new=words[1] if len(words) > 1 else "HEAD")


def _tag(case: Case) -> Iterator[Step]:
    options, words = case.options, _names(case.options.words)
    if options.has("delete"):
        yield from (Move(ref=f"refs/tags/{word}") for word in words)
    elif options.has("force") and words and not options.has("list", "verify"):
        yield Move(ref=f"refs/tags/{words[0]}", new=words[1] if len(words) > 1 else "HEAD")


def _update_ref(case: Case) -> Iterator[Step]:
    options, words = case.options, _names(case.options.words)
    if options.has("stdin"):
        yield Unseen(about="the refs that standard input names")
    elif options.has("delete", "-d"):
        yield from (Move(ref=word) for word in words[:1])
    elif len(words) > 1:
        yield Move(ref=words[0], new=words[1])


def _symbolic_ref(case: Case) -> Iterator[Step]:
    if case.options.has("delete"):
        yield Leave()


def _reflog(case: Case) -> Iterator[Step]:
    words = case.options.words
    if words and words[0].text in {"expire", "delete", "drop"} and not case.options.has("dry-run"):
        yield ForgetReflog()


def _prune(case: Case) -> Iterator[Step]:
    if not case.options.has("dry-run"):
        expiries = {setting.key for setting in case.call.settings}
        if expiries & {"gc.reflogexpire", "gc.reflogexpireunreachable"}:
            yield ForgetReflog()
        yield Prune()


def _rewrite(case: Case) -> Iterator[Step]:
    options = case.options
    if options.has("dry-run", "analyze", "list", "delete"):
        return
    yield Rewrite()
    if case.call.name == "filter-repo":  # it resets the work tree, expires the reflogs and prunes afterwards
        yield Discard()
        yield ForgetReflog()
        yield Prune()
        yield DropRefs(prefix="refs/remotes/origin/")


def _rebase(case: Case) -> Iterator[Step]:
    options, words = case.options, _names(case.options.words)
    if options.has("abort"):
        yield Discard()
    elif not options.has("continue", "skip", "quit", "edit-todo", "show-current-patch"):
        upstream = "" if options.has("root") else words[0] if words else "@{upstream}"
        branch = words[1] if len(words) > 1 else "HEAD"
        onto = options.value("onto")
        yield Rewrite(upstream=upstream, branch=branch, onto=onto.text if onto is not None and onto.known else "")


def _commit(case: Case) -> Iterator[Step]:
    if case.options.has("amend") and not case.options.has("dry-run"):
        yield Rewrite(upstream="HEAD^@", branch="HEAD")


def _aborted(case: Case) -> Iterator[Step]:
    if case.options.has("abort"):
        yield Discard()


def _fetch(case: Case) -> Iterator[Step]:
    for word in case.options.words[1:]:
        source, colon, destination = word.text.partition(":")
        if word.known and colon and destination and (source.startswith("+") or case.options.has("force")):
            ref = destination if destination.startswith("refs/") else f"refs/heads/{destination}"
            yield Move(ref=ref)


def _push(case: Case) -> Iterator[Step]:
    options = case.options
    if options.has("dry-run"):
        return
    named = options.value("repo") or next(iter(options.words), None)
    remote = named.text if named is not None and named.known else "" if named is not None else "origin"
    if options.has("mirror", "prune"):
        yield Push(remote=remote, refs=(), mirrors=options.has("mirror"), prunes=True)
    targets = list(targets_of(case))
    if targets:
        spaces = [("refs/tags/" if each.is_tag else "refs/heads/") for each in targets]
        refs = tuple((space + each.branch, each.source) for space, each in zip(spaces, targets, strict=True))
        yield Push(remote=targets[0].remote, refs=refs)


def _remote(case: Case) -> Iterator[Step]:
    words = _names(case.options.words)
    if words[:1] in {("remove",), ("rm",)} and len(words) > 1:
        yield DropRefs(prefix=f"refs/remotes/{words[1]}/")


def _path(case: Case, name: str) -> str:
    return posixpath.normpath(posixpath.join(case.place.folder, name))


_READERS: Final[Mapping[str, Callable[[Case], Iterator[Step]]]] = {
    "am": _aborted,
    "branch": _branch,
    "checkout": _checkout,
    "checkout-index": _checkout_index,
    "cherry-pick": _aborted,
    "clean": _clean,
    "clone": _clone,
    "commit": _commit,
    "fast-import": _rewrite,
    "fetch": _fetch,
    "filter-branch": _rewrite,
    "filter-repo": _rewrite,
    "gc": _prune,
    "lfs": _rewrite,
    "merge": _aborted,
    "mv": _move,
    "prune": _prune,
    "push": _push,
    "read-tree": _read_tree,
    "rebase": _rebase,
    "reflog": _reflog,
    "remote": _remote,
    "repack": _prune,
    "replace": _rewrite,
    "reset": _reset,
    "restore": _restore,
    "revert": _aborted,
    "rm": _remove,
    "stash": _stash,
    "submodule": _submodule,
    "switch": _switch,
    "symbolic-ref": _symbolic_ref,
    "tag": _tag,
    "update-ref": _update_ref,
    "worktree": _worktree,
}


def about(case: Case) -> str:
    """The command in short, for a gap."""
    return f"git {case.call.name} {listed(case.options.words)}".rstrip()
