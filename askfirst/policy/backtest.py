"""What a policy would have done to calls of the past, those that people denied set apart.

The figure that matters is *false allow on human-denied*: calls that a person refused and that the candidate would let
pass. Agreement says little: where people approve 93 %, a policy that approves everything agrees with 93 %.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from askfirst.call import ToolCall
from askfirst.host import Agent
from askfirst.policy.question import Question
from askfirst.policy.ruling import Outcome
from askfirst.request import Claim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from askfirst.effects import Classification
    from askfirst.policy.policy import Policy
    from askfirst.policy.question import Place
    from askfirst.policy.ruling import Ruling

EXAMPLES_MAX = 10
ERASED = "erased"
NEVER_KEPT = "not in the log"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCall:
    """A call as the log has it.

    Attributes:
        at: when it was made, RFC 3339.
        ended: what became of it: ``approved``, ``denied``, ``expired``, ``passed``, ``refused``, ...
        question: None when its arguments are not in the log, so that nothing can be said about it.
        is_erased: whether they were; those of a call that was answered from an earlier denial, or a stop, never are.
    """

    at: str
    ended: str
    question: Question | None
    is_erased: bool = False

    @property
    def title(self) -> str:
        """The command, or the tool's name."""
        if self.question is None:
            return ERASED if self.is_erased else NEVER_KEPT
        return self.question.call.command or self.question.call.tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A call and what a policy would do to it now."""

    past: PastCall
    ruling: Ruling


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a policy would have done.

    Attributes:
        counts: how it ended -> what the policy would do -> number of calls.
        false_allows: calls that a person denied and that would pass.
        saved: calls that a person approved and that would pass: prompts saved.
        newly_stopped: calls that passed and would be asked about or denied, and those that a person approved and that
            would be denied.
        erased: calls about which nothing can be said, because their arguments were erased.
        never_kept: the same, because their arguments never were in the log.
    """

    counts: Mapping[str, Mapping[str, int]]
    false_allows: tuple[Replayed, ...]
    saved: tuple[Replayed, ...]
    newly_stopped: tuple[Replayed, ...]
    erased: int
    never_kept: int

    @property
    def unread(self) -> int:
        """Calls that were not tried."""
        return self.erased + self.never_kept

    @property
    def total(self) -> int:
        """Calls that were tried."""
        return sum(sum(each.values()) for each in self.counts.values())


def past_call(
    entry: Mapping[str, Any], classify: Callable[[ToolCall], Classification], place_of: Callable[[str], Place]
) -> PastCall:
    """The call in a log entry with ``input`` and ``ended`` (``audit.history``).

    Args:
        entry: as the log has it.
        classify: our analysis, as it is today.
        place_of: the repository around a folder, as it is today.
    """
    agent, action = entry.get("agent", {}), entry.get("action", {})
    at, ended = str(entry.get("t", "")), str(entry.get("ended", ""))
    arguments = entry.get("input")
    if not isinstance(arguments, dict):
        return PastCall(at=at, ended=ended, question=None, is_erased="input" in action)
    session, cwd = str(agent.get("session", "")), str(agent.get("cwd", ""))
    call = ToolCall(tool=str(action.get("tool", "")), arguments=arguments, cwd=cwd, session=session)
    question = Question(
        call=call,
        classification=classify(call),
        agent=Agent(
            host=str(agent.get("name", "")),
            session=session,
            model=str(agent.get("model", "")),
            subagent=str(agent.get("subagent", "")),
        ),
        at=_moment(at),
        place=place_of(cwd),
        claim=Claim(),
    )
    return PastCall(at=at, ended=ended, question=question)


def backtest(calls: Iterable[PastCall], policy_for: Callable[[Question], Policy]) -> Report:
    """Try a policy on past calls."""
    replayed, unread = [], Counter[bool]()
    for each in calls:
        if each.question is None:
            unread[each.is_erased] += 1
            continue
        ruling = policy_for(each.question).rule_on(each.question)
        replayed.append(Replayed(past=each, ruling=ruling))
    counts: dict[str, Counter[str]] = {}
    for one in replayed:
        counts.setdefault(one.past.ended, Counter())[one.ruling.outcome.value] += 1
    return Report(
        counts=counts,
        false_allows=_those(replayed, {"denied"}, allowed=True),
        saved=_those(replayed, {"approved"}, allowed=True),
        newly_stopped=tuple(each for each in replayed if _is_stopped(each)),
        erased=unread[True],
        never_kept=unread[False],
    )


def _those(replayed: list[Replayed], ended: set[str], *, allowed: bool) -> tuple[Replayed, ...]:
    return tuple(each for each in replayed if each.past.ended in ended and _passes(each) is allowed)


def _is_stopped(one: Replayed) -> bool:
    may = {"passed": {Outcome.ALLOW}, "approved": {Outcome.ALLOW, Outcome.ASK}}.get(one.past.ended)
    return may is not None and one.ruling.outcome not in may


def _passes(one: Replayed) -> bool:
    return one.ruling.outcome is Outcome.ALLOW


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
