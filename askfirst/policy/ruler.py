"""The policy of this moment, with what it needs to know of the disk looked up: what gate and API ask."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.facts import UNKNOWN
from askfirst.policy.place import look_around, real_paths
from askfirst.policy.question import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.call import ToolCall
    from askfirst.facts import Facts
    from askfirst.policy.policy import Policy
    from askfirst.policy.question import Question
    from askfirst.policy.ruling import Ruling
    from askfirst.policy.source import PolicySource


class Ruler:
    """Rules on calls by the layers as they are now.

    Args:
        source: the layers.
        facts: makes the facts for one call, with a time limit of their own.
    """

    def __init__(self, source: PolicySource, facts: Callable[[], Facts]) -> None:
        self._source = source
        self._facts = facts

    def rule_on(self, question: Question) -> Ruling:
        """The ruling. It reads a few files, and where a rule asks for a branch, git's: call it in a thread."""
        policy, placed = self._placed(question)
        return policy.rule_on(placed)

    def setters(self, question: Question) -> dict[str, str]:
        """Which rule has set a term of that ruling where it was another one than the ruling names."""
        policy, placed = self._placed(question)
        return policy.setters(placed)

    def _placed(self, question: Question) -> tuple[Policy, Question]:
        facts = self._facts_of(question)
        project, policy = self._here(question, facts)
        return policy, _placed(question, project, policy, facts) if question.place == Place() else question

    def _facts_of(self, question: Question) -> Facts:
        sight = question.call.sight
        return self._facts() if sight is None else sight.facts

    def at_once(self, question: Question) -> Ruling | None:
        """The ruling, where the layers that hold here ask nothing about branches or paths."""
        project, policy = self._here(question, self._facts_of(question))
        if policy.asks_repository or policy.asks_paths:
            return None
        if question.place == Place():
            question = replace(question, place=Place(project=project))
        return policy.rule_on(question)

    def policy_for(self, question: Question) -> Policy:
        """The layers that hold where the call would run."""
        return self._here(question, self._facts_of(question))[1]

    def _here(self, question: Question, facts: Facts) -> tuple[str, Policy]:
        project = _project(question.call, facts)
        sight = question.call.sight
        if sight is None:
            return project, self._source.current(project)
        return project, self._source.stated(sight.machine, project, sight.project)


def _project(call: ToolCall, facts: Facts) -> str:
    """The real path of the folder whose ``askfirst.toml`` counts; ``""`` when the host did not say where it is."""
    real = _real(call)
    if not real:
        return ""
    project = facts.project(real)
    return real if project is UNKNOWN else project


def _real(call: ToolCall) -> str:
    """The real working directory, as the machine says where the call would run."""
    if call.sight is not None:
        return call.sight.cwd
    return os.path.realpath(call.cwd) if call.cwd else ""


def _placed(question: Question, project: str, policy: Policy, facts: Facts) -> Question:
    """The question with what the rules ask about its place, and no more."""
    place = look_around(_real(question.call), facts) if policy.asks_repository else Place(project=project)
    placed = replace(question, place=place)
    if not policy.asks_paths:
        return placed
    return replace(placed, place=replace(place, real=real_paths(placed)))
