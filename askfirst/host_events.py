"""Everything that hosts tell us, each to whom it concerns: the one door behind the hooks' route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, assert_never

from askfirst.gate import Waits
from askfirst.host import (
    AfterTool,
    BeforeTool,
    ConfigChanged,
    NoOpinion,
    Notice,
    PromptShown,
    QuestionsShown,
    SessionStarted,
    TurnEnded,
)
from askfirst.waiting import Way, can_be_answered_at, way_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.asking import Look
    from askfirst.bypasses import Bypasses
    from askfirst.engine import Case
    from askfirst.gate import Attempt, Gate
    from askfirst.host import Allow, HookEvent, Verdict
    from askfirst.host_config import HostsConfig
    from askfirst.host_prompts import HostPrompts
    from askfirst.notices import Notices
    from askfirst.people import People
    from askfirst.wakes import Wakes


_DEFERRED_MAX = 1024
"""Sessions with a deferred call; one that is forgotten may lose a sibling of it, and nothing else."""


class Settings(Protocol):
    """Whoever looks after hosts' settings files."""

    async def changed(self, event: ConfigChanged) -> Verdict:
        """Whether a session may take a changed settings file up."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AtThisMachine:
    """Whoever sits at this machine.

    Attributes:
        person: their id.
        people: who may decide.
        terminal_decisions: whether the policy lets this machine's terminal decide, now.
    """

    person: str
    people: People
    terminal_decisions: Callable[[], bool]

    def can_answer(self, case: Case) -> bool:
        """Whether their Yes would be all that this request needs."""
        return can_be_answered_at(
            case,
            self.person,
            self.people.electorate(case.request.agent),
            terminal_decisions=self.terminal_decisions(),
        )


class HostWaits(Waits):
    """The ways in which hosts can wait."""

    def __init__(
        self, *, here: AtThisMachine, config: HostsConfig, prompts: HostPrompts, wakes: Wakes, bypasses: Bypasses
    ) -> None:
        self._bypasses = bypasses
        self._here = here
        self._config = config
        self._prompts = prompts
        self._wakes = wakes
        self._deferred: dict[tuple[str, str], str] = {}
        self.defer_after_s = float(config.defer_after_s)

    def way(self, event: BeforeTool, case: Case) -> Way:
        """How this call waits; only one call of a session is deferred until it is taken up, decided or not."""
        way = way_of(event, self._config, can_be_answered_here=self._here.can_answer(case))
        if way is not Way.DEFER:
            return way
        while len(self._deferred) > _DEFERRED_MAX:
            del self._deferred[next(iter(self._deferred))]
        first = self._deferred.setdefault(_session(event), event.tool_use_id)
        return way if first == event.tool_use_id else Way.HOLD

    def called(self, event: BeforeTool) -> None:
        """A prompt for this call comes without its id; one that was deferred is taken up."""
        self._prompts.called(event)
        self._bypasses.forget(event)
        if self._deferred.get(_session(event)) == event.tool_use_id:
            del self._deferred[_session(event)]

    def released(self, event: BeforeTool, allow: Allow) -> None:
        """A prompt for this call has been answered by people already."""
        self._prompts.released(event, allow)
        self._bypasses.forget(event)

    def asked(self, event: BeforeTool, case: Case) -> None:
        """Should this call run without a release, it is known by this case."""
        self._bypasses.asked(event, case)

    def refused(self, event: BeforeTool, look: Look) -> None:
        """It may not run, so that it is told if it does."""
        self._bypasses.refused(event, look)

    def asked_here(self, event: BeforeTool, case: Case) -> None:
        """A prompt for this call stands for this case."""
        self._prompts.asked_here(event, case)

    async def ran(self, event: AfterTool) -> bool:
        """What was open about this call is over; a Yes at the host's prompt has become a grant."""
        return await self._prompts.ran(event)

    def told_pending(self, event: BeforeTool, case: Case) -> None:
        """The agent goes on without the decision, and is owed word of it."""
        self._wakes.told_pending(event, case.request.id)


class HostEvents:
    """Answers the events of every host."""

    def __init__(self, *, gate: Gate, prompts: HostPrompts, wakes: Wakes, settings: Settings, notices: Notices) -> None:
        self._notices = notices
        self._gate = gate
        self._prompts = prompts
        self._wakes = wakes
        self._settings = settings

    async def answer(self, event: HookEvent, attempt: Attempt) -> Verdict:
        """The verdict on an event."""
        match event:
            case BeforeTool():
                self._notices.went_on(event.call.machine, event.agent)
                return await self._gate.before(event, attempt)
            case PromptShown():
                return await self._prompts.shown(event, attempt)
            case QuestionsShown():
                return await self._prompts.asked(event, attempt)
            case SessionStarted():
                return await self._wakes.started(event)
            case TurnEnded():
                self._notices.heard(event)
                return await self._wakes.turn_ended(event, attempt)
            case ConfigChanged():
                return await self._settings.changed(event)
            case AfterTool():
                self._notices.went_on(event.call.machine, event.agent)
                await self._gate.after(event)
            case Notice():
                self._notices.heard(event)
            case _ as never:
                assert_never(never)
        return NoOpinion()


def _session(event: BeforeTool) -> tuple[str, str]:
    return event.call.machine, event.agent.session
