"""Git commands that move or delete refs, rewrite history or destroy the way back to lost commits.

A commit is lost when no ref holds it any more; until the next gc its id still finds it, so ids go into the facts.
What destroys that way back (reflog expire, gc --prune=now, update-ref -d …) is always asked about.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.facts import UNKNOWN
from askfirst.shell.deletes import Grade
from askfirst.shell.options import MAX_JUDGED, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.effects import Effect
    from askfirst.shell.command import Word
    from askfirst.shell.git.case import Case

_KEPT_DAYS = 14
_EXPIRY_SETTINGS = ("gc.pruneexpire", "gc.reflogexpire", "gc.reflogexpireunreachable")


def branch(case: Case) -> Iterable[Effect]:
    """``git branch``: ``-D``, ``-f``, ``-M`` and ``-C``; git refuses ``-d`` of what is not merged."""
    options = case.options
    words = options.words
    if options.has("remotes"):
        return
    if options.has("-D") or (options.has("delete") and options.has("force")):
        yield from case.too_many("git.branch-delete", words)
        for word in words[:MAX_JUDGED]:
            yield case.effect("git.branch-delete", word.shown or word.text, _deleted(case, word, "refs/heads/"))
    elif options.has("-M", "-C") or (options.has("move", "copy") and options.has("force")):
        if words:
            yield from _renamed_over(case, words[-1], alone=len(words) == 1)
    elif options.has("force") and words and not options.has("delete", "list"):
        start = words[1].text if len(words) > 1 else "HEAD"
        loss = _moved(case, words[0], "refs/heads/", start)
        if loss is not None:
            yield case.effect("git.branch-force", words[0].text, loss)


def _deleted(case: Case, word: Word, namespace: str) -> Grade:
    """The loss of deleting a ref. One that does not exist now may have come into being before: unknown."""
    if not word.known:
        return Grade(risk=Risk.HIGH, what=f"the commits that only {word.shown or 'the branch'} holds")
    return case.dropped(namespace + word.text)


def _moved(case: Case, word: Word, namespace: str, start: str) -> Grade | None:
    """The loss of moving a ref to another revision; None when there is no such ref."""
    if word.known and case.facts.commit(case.place, namespace + word.text) is None:
        return None
    return case.dropped(namespace + word.text, new=start)


def _renamed_over(case: Case, new: Word, *, alone: bool) -> Iterable[Effect]:
    ref = f"refs/heads/{new.text}"
    there = case.facts.commit(case.place, ref) if new.known else UNKNOWN
    repository = case.repository()
    if there is None or (repository and repository.branch == new.text):
        return
    loss = case.dropped(ref)
    if there is UNKNOWN and alone:  # `git branch -M main` of a fresh repository: nearly always nothing is there
        loss = Grade(risk=Risk.MEDIUM, what=f"where {new.text} pointed to, if it exists")
    yield case.effect("git.branch-force", new.text, loss)


def tag(case: Case) -> Iterable[Effect]:
    """``git tag -d`` and ``-f``."""
    options = case.options
    words = options.words
    if options.has("delete"):
        yield from case.too_many("git.tag-delete", words)
        for word in words[:MAX_JUDGED]:
            yield case.effect("git.tag-delete", word.shown or word.text, _deleted(case, word, "refs/tags/"))
    elif options.has("force") and words and not options.has("list", "verify"):
        loss = _moved(case, words[0], "refs/tags/", words[1].text if len(words) > 1 else "HEAD")
        if loss is not None:
            yield case.effect("git.tag-force", words[0].text, loss)


def update_ref(case: Case) -> Iterable[Effect]:
    """``git update-ref``: deletes or moves any ref without a question and, with -d, its reflog."""
    options = case.options
    if options.has("stdin"):
        yield case.effect("git.update-ref", "refs from standard input", Grade(risk=Risk.HIGH, what="refs"))
    elif options.has("delete", "-d"):
        target = listed(options.words[:1])
        loss = Grade(risk=Risk.HIGH, what=f"{target} and its reflog", facts=case.dropped(target).facts)
        yield case.effect("git.update-ref", target, loss)
    elif len(options.words) > 1:
        ref, new = options.words[0], options.words[1]
        if not ref.known or case.facts.commit(case.place, ref.text) is not None:
            yield case.effect("git.update-ref", ref.shown or ref.text, case.dropped(ref.text, new=new.text))


def symbolic_ref(case: Case) -> Iterable[Effect]:
    """``git symbolic-ref --delete``."""
    if case.options.has("delete"):
        target = listed(case.options.words)
        yield case.effect("git.update-ref", target, Grade(risk=Risk.HIGH, what=f"the symbolic ref {target}"))


def reflog(case: Case) -> Iterable[Effect]:
    """``git reflog expire``, ``delete`` and ``drop``: the way back."""
    words = case.options.words
    if not words or words[0].text not in {"expire", "delete", "drop"} or case.options.has("dry-run"):
        return
    times = [case.options.value(name) for name in ("expire", "expire-unreachable")]
    if words[0].text == "expire" and all(time is None or _keeps_weeks(time.text) for time in times):
        return
    yield case.effect("git.reflog-expire", listed(words[1:]) or "the reflog", _way_back())


def _keeps_weeks(expiry: str) -> bool:
    """Whether an expiry time leaves at least what git leaves by itself to unreachable commits: 30 days, 2 weeks."""
    found = re.fullmatch(r"(\d+)[. ](day|week|month|year)s?([. ]ago)?", expiry)
    days = {"day": 1, "week": 7, "month": 30, "year": 365}
    return expiry in {"", "never"} or (found is not None and int(found[1]) * days[found[2]] >= _KEPT_DAYS)


def collect(case: Case) -> Iterable[Effect]:
    """``git gc`` when it prunes at once; otherwise it keeps weeks of unreachable commits."""
    until = case.options.value("prune")
    expiries = [case.call.setting(key) for key in _EXPIRY_SETTINGS]
    named = [value for value in (until.text if until else None, *expiries) if value is not None]
    unknown = any(setting.key in _EXPIRY_SETTINGS and setting.value is None for setting in case.call.settings)
    if unknown or not all(_keeps_weeks(value) for value in named):
        yield case.effect("git.gc-prune", "unreachable objects", _way_back())


def prune(case: Case) -> Iterable[Effect]:
    """``git prune``: deletes unreachable objects whatever their age."""
    if not case.options.has("dry-run"):
        yield case.effect("git.gc-prune", "unreachable objects", _way_back())


def repack(case: Case) -> Iterable[Effect]:
    """``git repack -a -d``: drops unreachable objects that were packed."""
    options = case.options
    if options.has("-a") and options.has("-d") and not options.has("-A", "keep-unreachable", "cruft"):
        yield case.effect("git.gc-prune", "unreachable objects", _way_back())


def _way_back() -> Grade:
    return Grade(risk=Risk.HIGH, what="the way back to dropped commits and stashes")


def rewrite(case: Case) -> Iterable[Effect]:
    """``git filter-branch``, ``filter-repo``, ``fast-import --force``, ``replace``: rewrite history wholesale."""
    options = case.options
    name = case.call.name
    if options.has("dry-run", "analyze", "list") or (name == "fast-import" and not options.has("force")):
        return
    if name == "replace" and not options.words:
        return
    if name == "lfs":
        yield from _lfs(case)
        return
    yield case.effect("git.rewrite-history", "every branch", Grade(risk=Risk.HIGH, what="the commits as they are"))


def _lfs(case: Case) -> Iterable[Effect]:
    """``git lfs migrate`` rewrites every commit; ``prune --force`` also drops local copies that it would keep."""
    words = {word.text for word in case.options.words}
    if words & {"import", "export"}:
        yield case.effect("git.rewrite-history", "every branch", Grade(risk=Risk.HIGH, what="the commits as they are"))
    elif "prune" in words and case.options.has("force", "f"):
        yield case.effect("git.gc-prune", "old large files", Grade(risk=Risk.HIGH, what="local copies of large files"))


def commit(case: Case) -> Iterable[Effect]:
    """``git commit``: ``--amend`` of a pushed commit and ``--no-verify`` are recorded."""
    yield from no_verify(case)
    repository = case.repository() if case.options.has("amend") else None
    if repository is None or not repository.upstream:
        return
    if case.facts.commit(case.place, repository.upstream) == repository.head:
        loss = Grade(risk=Risk.MEDIUM, what="a commit that is pushed", facts=("HEAD is pushed",), reversible=True)
        yield case.effect("git.rewrite-pushed", "HEAD", loss)


def no_verify(case: Case) -> Iterable[Effect]:
    """Hooks that are skipped: recorded."""
    if case.options.has("no-verify"):
        yield case.note("git.no-verify", case.call.name)


def fetch(case: Case) -> Iterable[Effect]:
    """``git fetch`` and ``pull``: a forced refspec moves local branches."""
    words = case.options.words[1:]
    yield from case.too_many("git.fetch-force", words)
    for word in words[:MAX_JUDGED]:
        source, colon, destination = word.text.partition(":")
        forced = source.startswith("+") or case.options.has("force")
        if not (colon and destination and forced) or destination.startswith("refs/remotes/"):
            continue
        ref = destination if destination.startswith("refs/") else f"refs/heads/{destination}"
        if case.facts.commit(case.place, ref) is not None:
            yield case.effect("git.fetch-force", ref, case.dropped(ref, new="FETCH_HEAD"))


def remote(case: Case) -> Iterable[Effect]:
    """``git remote remove`` and ``set-url``: recorded; the commits can be fetched again."""
    words = case.options.words
    if words and words[0].text in {"remove", "rm", "set-url"}:
        yield case.note("git.remote-change", listed(words[1:2]) or "a remote", f"the remote {listed(words[1:2])}")
