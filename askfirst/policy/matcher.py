"""Whether a rule is about a part of a call: yes, no, or maybe.

*Maybe* means that something the rule asks for could not be found out, or holds for one of several readings only. Such
a rule counts as far as it makes the ruling stricter, and not where it would make it looser.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from askfirst.policy.patterns import any_name_matches, command_matches, path_matches, words_match, words_may_match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from askfirst.effects import EffectKind, Risk
    from askfirst.policy.question import Question
    from askfirst.policy.subject import Subject


class Fit(enum.IntEnum):
    """How far a rule fits; the least of several is that of all together."""

    NO = 0
    MAYBE = 1
    YES = 2


class Condition(Protocol):
    """An expression over a call."""

    def fits(self, subject: Subject, question: Question) -> Fit:
        """MAYBE when it cannot be evaluated for this call."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """A stretch of the week.

    Attributes:
        days: on which it begins, Monday is 0.
        start_min: minutes after midnight.
        end_min: the same; at or before ``start_min`` it is of the next day.
        timezone: IANA name.
    """

    days: frozenset[int]
    start_min: int
    end_min: int
    timezone: str

    def holds(self, at: datetime) -> bool:
        """Whether a moment lies in it."""
        local = at.astimezone(ZoneInfo(self.timezone))
        minute = local.hour * 60 + local.minute
        if self.start_min < self.end_min:
            return local.weekday() in self.days and self.start_min <= minute < self.end_min
        if minute >= self.start_min:
            return local.weekday() in self.days
        return minute < self.end_min and (local - timedelta(days=1)).weekday() in self.days


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """What must hold for a part of a call; what is empty is not asked for. See ``RawMatch`` for the meaning of each.

    Attributes:
        paths: globs, absolute or relative to the project.
        inside: whether all of what is hit lies in the project; empty: not asked for.
        branch_is: ``protected`` or ``default``; ``""``: not asked for.
        protected: globs of protected branches.
        confidence_below: 0 when not asked for; nobody's confidence is below that.
    """

    effects: frozenset[EffectKind] = frozenset()
    rules: tuple[str, ...] = ()
    risks: frozenset[Risk] = frozenset()
    tools: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    inside: frozenset[bool] = frozenset()
    repositories: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    branch_is: str = ""
    protected: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    times: tuple[Week, ...] = ()
    confidence_below: float = 0.0
    conditions: tuple[Condition, ...] = ()

    def fits(self, subject: Subject, question: Question) -> Fit:
        """How far it fits; tested from the cheap to the dear."""
        worst = Fit.YES
        for test in _TESTS:
            worst = min(worst, test(self, subject, question))
            if worst is Fit.NO:
                return Fit.NO
        return worst


def _about_effect(asked: Matcher, subject: Subject, _question: Question) -> Fit:
    if asked.risks and subject.risk not in asked.risks:
        return Fit.NO
    if not asked.effects and not asked.rules:
        return Fit.YES
    effect = subject.effect
    if effect is None or (asked.effects and effect.kind not in asked.effects):
        return Fit.NO
    return _named(asked.rules, effect.rule)


def _about_agent(asked: Matcher, _subject: Subject, question: Question) -> Fit:
    agent = question.agent
    fits = (
        _named(asked.tools, question.call.tool),
        _named(asked.hosts, agent.host),
        _named(asked.agents, agent.subagent or "main"),
        _named(asked.sessions, agent.session or question.call.session),
        _named(asked.models, agent.model),
    )
    return min(fits)


def _about_command(asked: Matcher, subject: Subject, _question: Question) -> Fit:
    if not asked.commands:
        return Fit.YES
    fits = [max(_fit_of(pattern, words) for pattern in asked.commands) for words in subject.readings]
    if fits and min(fits) is Fit.YES:
        return Fit.YES
    may = Fit.MAYBE in fits or Fit.YES in fits or any(_may_mean(each, subject) for each in asked.commands)
    return Fit.MAYBE if may else Fit.NO


def _fit_of(pattern: str, words: Sequence[str]) -> Fit:
    if words_match(pattern, words):
        return Fit.YES
    return Fit.MAYBE if words_may_match(pattern, words) else Fit.NO


def _may_mean(pattern: str, subject: Subject) -> bool:
    """Whether it is about what a shell may make of the words, or about their text without its quotes."""
    return any(words_may_match(pattern, each) for each in subject.guesses) or (
        bool(subject.command) and command_matches(pattern, subject.command)
    )


def _about_paths(asked: Matcher, subject: Subject, question: Question) -> Fit:
    if not asked.paths and not asked.inside:
        return Fit.YES
    if not subject.paths.known:
        return Fit.MAYBE if subject.paths.is_unsure else Fit.NO
    worst = Fit.YES
    project = question.place.project
    if asked.paths:
        worst = _all_or_some(_is_at(asked.paths, path, project) for path in subject.paths.known)
    if asked.inside:
        if not project:
            return min(worst, Fit.MAYBE)
        inside = [path == project or path.startswith(project.rstrip("/") + "/") for path in subject.paths.known]
        worst = min(worst, _all_or_some(each in asked.inside for each in inside))
    return worst


def _about_repository(asked: Matcher, subject: Subject, question: Question) -> Fit:
    worst = _named(asked.repositories, question.place.repository)
    if asked.branches:
        worst = min(worst, _all_or_some(any_name_matches(asked.branches, each) for each in subject.branches))
    if asked.branch_is:
        worst = min(worst, _all_or_some(_is_branch(asked, each, question) for each in subject.branches))
    return worst


def _about_time(asked: Matcher, _subject: Subject, question: Question) -> Fit:
    return _yes_if(not asked.times or any(each.holds(question.at) for each in asked.times))


def _about_claim(asked: Matcher, _subject: Subject, question: Question) -> Fit:
    if not asked.confidence_below:
        return Fit.YES
    confidence = question.claim.confidence
    return _yes_if(confidence is not None and not confidence >= asked.confidence_below)  # NaN is below everything


def _about_condition(asked: Matcher, subject: Subject, question: Question) -> Fit:
    return min((each.fits(subject, question) for each in asked.conditions), default=Fit.YES)


_TESTS: tuple[Callable[[Matcher, Subject, Question], Fit], ...] = (
    _about_effect,
    _about_agent,
    _about_time,
    _about_claim,
    _about_repository,
    _about_command,
    _about_paths,
    _about_condition,
)


def _yes_if(holds: bool) -> Fit:  # noqa: FBT001  # a conversion
    return Fit.YES if holds else Fit.NO


def _named(patterns: tuple[str, ...], name: str) -> Fit:
    return _yes_if(not patterns or any_name_matches(patterns, name))


def _all_or_some(holds: Iterable[bool]) -> Fit:
    """YES when all hold, MAYBE when some do, NO when none does or there are none."""
    found = set(holds)
    if found == {True}:
        return Fit.YES
    return Fit.MAYBE if True in found else Fit.NO


def _is_at(patterns: tuple[str, ...], path: str, project: str) -> bool:
    below = f"{project.rstrip('/')}/"
    for pattern in patterns:
        if pattern.startswith("/"):
            if path_matches(pattern, path):
                return True
        elif project and path == project:
            if pattern == "**":
                return True
        elif project and path.startswith(below) and path_matches(pattern, path[len(below) :]):
            return True
    return False


def _is_branch(asked: Matcher, branch: str, question: Question) -> bool:
    place = question.place
    is_default = bool(place.default_branch) and branch == place.default_branch
    if asked.branch_is == "default":
        return is_default
    is_known = place.protected and branch == place.branch
    return is_default or is_known or any_name_matches(asked.protected, branch)
