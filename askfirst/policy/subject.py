"""The parts of a call that rules are matched against, one at a time.

A call is as free as its strictest part. Every effect is a subject; so is every command (or path) that no effect speaks
of. A rule that lets ``rm -rf build`` pass thus says nothing about the force push behind it.
"""

from __future__ import annotations

import itertools
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.effects import EffectKind, Risk
from askfirst.effects import Outcome as Found
from askfirst.errors import InputError
from askfirst.policy.patterns import UNREAD
from askfirst.policy.wording import guesses, wording
from askfirst.replacing import replace
from askfirst.shell.command import HOLE, UNKNOWN_SHOWN
from askfirst.tool_arguments import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from askfirst.effects import Effect
    from askfirst.policy.patterns import Glob
    from askfirst.policy.question import Place, Question
    from askfirst.shell.command import Command

SUBJECTS_MAX = 500
"""More parts than that are not judged one by one; the call is asked about."""
_ON_PATHS = frozenset({EffectKind.DELETES_FILES, EffectKind.DISCARDS_CHANGES, EffectKind.READS_SECRETS})
"""Kinds whose target is a path also where it is relative."""
_MAY_HIT_PATHS = _ON_PATHS | {EffectKind.ESCALATES, EffectKind.PERSISTS, EffectKind.TAMPERS, EffectKind.SENDS_SECRETS}
_PATH_KEYS = frozenset({"file_path", "path", "notebook_path", "filename", "file", "filepath", "paths", "uri"})
_MARKS = (*UNREAD, UNKNOWN_SHOWN)
_WHOLE_TREE = "the work tree"
"""What git's effects call the folder they work in."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths that a subject is about.

    Attributes:
        known: absolute, ``..`` and (where looked up) symlinks resolved; each in every form it has.
        is_unsure: there is one that cannot be told, or one whose name and real place differ.
    """

    known: tuple[str, ...] = ()
    is_unsure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One part of a call.

    Attributes:
        effect: None for a part that has no effect.
        command: the simple command; ``""`` for tools that are no shell.
        readings: its words, each unknown part a ``HOLE``; several where commands show as the same text.
        guesses: what else a shell may make of them.
        risk: as the analysis found it.
        is_understood: nothing about it is left open.
        paths: what it is about.
        branches: the branches that it may be about.
    """

    effect: Effect | None
    command: str
    risk: Risk
    is_understood: bool
    paths: Paths
    branches: tuple[str, ...]
    readings: tuple[tuple[str, ...], ...] = ()
    guesses: tuple[tuple[str | Glob, ...], ...] = ()


def subjects_of(question: Question) -> tuple[Subject, ...]:
    """The parts of a call, at least one."""
    found = question.classification
    understood = found.outcome is not Found.PASS
    parts = [_effect_subject(effect, question, understood=understood) for effect in found.effects]
    told = {effect.command for effect in found.effects}
    if question.call.tool == "Bash" or found.commands:
        silent = [text for text in found.commands or (question.call.command,) if text not in told]
        parts += [_silent_command(text, question, understood=understood) for text in silent]
    else:
        parts += _tool_subjects(question, understood=understood)
    if not parts or (not understood and all(each.is_understood for each in parts)):
        parts.append(_silent_command(question.call.command, question, understood=understood))
    parsed: dict[str, list[Command]] = {}
    for command in found.parsed:
        parsed.setdefault(command.shown, []).append(command)
    return tuple(dict.fromkeys(_worded(each, parsed.get(each.command, ())) for each in parts))


def _worded(subject: Subject, commands: Sequence[Command]) -> Subject:
    """The subject with the words of what shows as its text."""
    readings = tuple(dict.fromkeys(map(wording, commands))) or _told_apart(subject.command)
    return replace(subject, readings=readings, guesses=tuple(dict.fromkeys(itertools.chain(*map(guesses, commands)))))


def _told_apart(command: str) -> tuple[tuple[str, ...], ...]:
    """The words of a command of which only the text is there; what follows the first thing unread in one is open."""
    words = []
    for word in command.split():
        cut = min((at for at in map(word.find, _MARKS) if at >= 0), default=-1)
        words.append(word if cut < 0 else word[:cut] + HOLE)
    return (tuple(words),) if words else ()


def _effect_subject(effect: Effect, question: Question, *, understood: bool) -> Subject:
    return Subject(
        effect=effect,
        command=effect.command if question.call.command or question.classification.commands else "",
        risk=effect.risk,
        is_understood=understood or effect.kind is not EffectKind.OPAQUE,
        paths=_target_paths(effect, question.place),
        branches=_branches(effect.command, _hit_branch(effect), question.place),
    )


def _silent_command(command: str, question: Question, *, understood: bool) -> Subject:
    return Subject(
        effect=None,
        command=command,
        risk=Risk.LOW,
        is_understood=understood,
        paths=Paths(),
        branches=_branches(command, "", question.place),
    )


def _tool_subjects(question: Question, *, understood: bool) -> Iterator[Subject]:
    try:
        named = [leaf.text for leaf in leaves(dict(question.call.arguments)) if leaf.key in _PATH_KEYS and leaf.text]
    except (InputError, RecursionError):
        named = []  # such arguments are an effect of their own
    for path in dict.fromkeys(named) or ("",):
        yield Subject(
            effect=None,
            command="",
            risk=Risk.LOW,
            is_understood=understood,
            paths=_paths(path.removeprefix("file://"), question.call.cwd, question.place) if path else Paths(),
            branches=_branches("", "", question.place),
        )


def _target_paths(effect: Effect, place: Place) -> Paths:
    if effect.kind not in _MAY_HIT_PATHS:
        return Paths()
    if effect.target == _WHOLE_TREE:
        return _paths(".", effect.cwd, place)
    if effect.target.startswith("/") or effect.kind in _ON_PATHS:
        return _paths(effect.target, effect.cwd, place)
    return Paths(is_unsure=True)


def absolute(path: str, cwd: str) -> str:
    """A path as named, made absolute; ``""`` when that cannot be done by its text."""
    if not path or any(mark in path for mark in UNREAD) or "/.*" in f"/{path}":
        return ""
    if not path.startswith("/") and not cwd.startswith("/"):
        return ""
    return posixpath.normpath(posixpath.join(cwd, path)).replace("//", "/")


def _paths(path: str, cwd: str, place: Place) -> Paths:
    named = absolute(path, cwd)
    if not named:
        return Paths(is_unsure=True)
    real = place.real.get(named, named)
    return Paths(tuple(dict.fromkeys((named, real))))


def _hit_branch(effect: Effect) -> str:
    """The branch that an effect of git names, e.g. ``main`` for ``main on origin``; ``""`` when none."""
    if not effect.rule.startswith("git."):
        return ""
    first = effect.target.split(" ", 1)[0].removeprefix("refs/heads/")
    return first if " on " in effect.target or effect.rule.startswith("git.branch") else ""


def _branches(command: str, hit: str, place: Place) -> tuple[str, ...]:
    if hit:
        return (hit,)
    words = command.split()
    if words[:2] != ["git", "push"]:
        return (place.branch,) if place.branch else ()
    pushed = [word for word in words[2:] if not word.startswith("-")][1:]
    named = [word.rpartition(":")[2].lstrip("+").removeprefix("refs/heads/") for word in pushed]
    return tuple(dict.fromkeys(place.branch if name in {"HEAD", "@"} else name for name in named)) or (
        (place.branch,) if place.branch else ()
    )
