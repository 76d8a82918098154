"""Git push: what it can take from others.

A forced push loses the commits that the remote branch holds and nothing else does. How the remote stands now cannot be
known without the network: the remote-tracking ref is as old as the last fetch. So a plain force is always asked about,
``--force-with-lease`` (which fails when the remote has moved) only when our own ref shows a loss or shows nothing.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.facts import UNKNOWN
from askfirst.shell.deletes import Grade
from askfirst.shell.git.case import gravest
from askfirst.shell.git.refs import no_verify
from askfirst.shell.options import MAX_JUDGED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.effects import Effect
    from askfirst.shell.command import Word
    from askfirst.shell.git.case import Case

_SHARED = (
    "main",
    "master",
    "trunk",
    "develop",
    "development",
    "production",
    "prod",
    "staging",
    "stable",
    "release",
    "release[/-]*",
)
"""Branches that by their names belong to everybody, besides the remote's default branch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One ref of the remote: ``source`` is what is pushed there, ``""`` deletes it."""

    remote: str
    branch: str
    source: str
    forced: bool
    is_tag: bool = False


def push(case: Case) -> Iterable[Effect]:
    """``git push``: one effect for each remote ref that is forced or deleted; a plain push is recorded."""
    options = case.options
    if options.has("dry-run"):
        return
    yield from no_verify(case)
    remote = options.value("repo") or next(iter(options.words), None)
    if options.has("mirror"):
        loss = Grade(risk=Risk.CRITICAL, what="every remote ref that differs from or is missing in this repository")
        yield case.effect("git.push-mirror", _shown(remote), loss, remote=_remote_of(case, remote))
        return
    if options.has("prune"):
        loss = Grade(risk=Risk.HIGH, what="remote branches that have no local branch of the same name")
        yield case.effect("git.push-prune", _shown(remote), loss, remote=_remote_of(case, remote))
    yield from case.too_many("git.push-force", options.words)
    targets = list(targets_of(case))
    for target in targets:
        yield _effect(case, target)
    if not targets:
        yield case.note("git.push", _shown(remote))


def _remote_of(case: Case, remote: Word | None) -> str:
    """The remote that is meant; without a word for it git takes the branch's own, else ``origin``."""
    if remote is not None:
        return remote.text if remote.known else ""
    repository = case.repository()
    upstream = repository.upstream if repository is not None else ""
    return upstream.removeprefix("refs/remotes/").partition("/")[0] or "origin"


def _shown(remote: Word | None) -> str:
    return "the remote" if remote is None else remote.shown or remote.text


def targets_of(case: Case) -> Iterable[Target]:
    """Every ref of the remote that the command line forces or deletes by name."""
    options = case.options
    words = options.words
    remote = words[0].text if words else "origin"
    if options.value("repo"):
        words = (words[0], *words) if words else ()
    specs = list(words[1:])
    forced = _is_forced(case)
    if words[1:2] and words[1].text == "tag":
        specs = [replace(word, text=f"refs/tags/{word.text}") for word in words[2:]]
    for spec in specs[:MAX_JUDGED]:
        target = _target(spec, remote, forced=forced, deletes=options.has("delete"))
        if target is not None:
            yield _resolved(case, target)
    if not specs and (forced or options.has("delete")):
        yield _resolved(case, Target(remote=remote, branch="", source="HEAD", forced=True))


def _is_forced(case: Case) -> bool:
    """Also by options that only newer versions of git know, or that a misspelling of ``--force`` could be."""
    given = case.options.given - {"force-if-includes"}
    return any(name.startswith("force") for name in given)


def _target(spec: Word, remote: str, *, forced: bool, deletes: bool) -> Target | None:
    """The forced or deleted ref that a refspec names; None for a plain one."""
    source, colon, destination = spec.text.partition(":")
    plus = source.startswith("+") or destination.startswith("+")
    source = source.removeprefix("+")
    destination = destination.removeprefix("+") if colon else source
    if deletes or (colon and destination and not source):
        return _named(remote, destination, source="", forced=False)
    if not (forced or plus):
        return None
    return _named(remote, destination, source=source or "HEAD", forced=True)


def _named(remote: str, destination: str, *, source: str, forced: bool) -> Target:
    is_tag = destination.startswith("refs/tags/")
    branch = destination.removeprefix("refs/heads/").removeprefix("refs/tags/").removeprefix("heads/")
    return Target(remote=remote, branch=branch, source=source, forced=forced, is_tag=is_tag)


def _resolved(case: Case, target: Target) -> Target:
    """The target with the current branch where the command line names none."""
    if target.branch not in {"", "HEAD", "@"}:
        return target
    repository = case.repository()
    upstream = repository.upstream.removeprefix(f"refs/remotes/{target.remote}/") if repository else ""
    name = upstream if upstream and not upstream.startswith("refs/") else repository.branch if repository else ""
    return replace(target, branch=name)


def _effect(case: Case, target: Target) -> Effect:
    shown = f"{target.branch or 'the current branch'} on {target.remote}"
    deletes = not target.source
    loss = _loss(case, target)
    if not target.is_tag and is_shared(case, target.branch) and loss.risk >= Risk.HIGH:
        loss = replace(loss, risk=Risk.CRITICAL, what=f"{loss.what}; {target.branch} is shared")
    return case.effect("git.push-delete" if deletes else "git.push-force", shown, loss, remote=target.remote)


def _loss(case: Case, target: Target) -> Grade:
    known = target.branch and "/" not in target.remote.rstrip("/")
    tracking = f"refs/remotes/{target.remote}/{target.branch}"
    found = case.dropped(tracking, new=target.source) if known and not target.is_tag else None
    unseen = Grade(risk=Risk.HIGH, what=f"commits on {target.remote} that were not fetched")
    if found is None:
        return Grade(risk=Risk.HIGH, what=f"what {target.branch or 'the branch'} holds on {target.remote}")
    has_lease = case.options.has("force-with-lease") and not case.options.has("force") and target.forced
    return found if has_lease and not _has_plus(case) else gravest(found, replace(unseen, facts=found.facts))


def _has_plus(case: Case) -> bool:
    return any(word.text.startswith("+") for word in case.options.words)


def is_shared(case: Case, branch: str) -> bool:
    """Whether a branch is the remote's default or has a name that every team shares."""
    found = case.facts.repository(case.place)
    return is_shared_name(branch, found.default_branch if found is not UNKNOWN and found is not None else "")


def is_shared_name(branch: str, default_branch: str) -> bool:
    """The same, where the default branch is known."""
    named = any(fnmatch.fnmatchcase(branch, pattern) for pattern in _SHARED)
    return named or (branch != "" and branch == default_branch)
