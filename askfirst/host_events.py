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
from askfirst.request import RequestState
from askfirst.waiting import Way, can_be_answered_at, way_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.engine import Case
    from askfirst.gate import Attempt, Gate
    from askfirst.host import Allow, HookEvent, Verdict
    from askfirst.host_config import HostsConfig
    from askfirst.host_prompts import HostPrompts
    from askfirst.people import People
    from askfirst.wakes import Wakes


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

    def __init__(self, *, here: AtThisMachine, config: HostsConfig, prompts: HostPrompts, wakes: Wakes) -> None:
        self._here = here
        self._config = config
        self._prompts = prompts
        self._wakes = wakes
        self._deferred: dict[str, str] = {}
        self.defer_after_s = float(config.defer_after_s)

    def way(self, event: BeforeTool, case: Case) -> Way:
        """How this call waits; only one call of a session is deferred at a time."""
        way = way_of(event, self._config, can_be_answered_here=self._here.can_answer(case))
        if way is not Way.DEFER:
            return way
        if self._deferred.setdefault(event.agent.session, case.request.id) != case.request.id:
            return Way.HOLD
        return way

    def called(self, event: BeforeTool) -> None:
        """A prompt for this call comes without its id."""
        self._prompts.called(event)

    def released(self, event: BeforeTool, allow: Allow) -> None:
        """A prompt for this call has been answered by people already."""
        self._prompts.released(event, allow)

    def asked_here(self, event: BeforeTool, case: Case) -> None:
        """A prompt for this call stands for this case."""
        self._prompts.asked_here(event, case)

    async def ran(self, event: AfterTool) -> bool:
        """What was open about this call is over; a Yes at the host's prompt has become a grant."""
        return await self._prompts.ran(event)

    def told_pending(self, event: BeforeTool, case: Case) -> None:
        """The agent goes on without the decision, and is owed word of it."""
        self._wakes.told_pending(event.agent, case.request.id)

    def settled(self, case: Case) -> None:
        """A request has ended, so that another call of its session may be deferred."""
        session = case.request.agent.session
        if case.request.state is not RequestState.PENDING and self._deferred.get(session) == case.request.id:
            del self._deferred[session]


class HostEvents:
    """Answers the events of every host."""

    def __init__(self, *, gate: Gate, prompts: HostPrompts, wakes: Wakes, settings: Settings) -> None:
        self._gate = gate
        self._prompts = prompts
        self._wakes = wakes
        self._settings = settings

    async def answer(self, event: HookEvent, attempt: Attempt) -> Verdict:
        """The verdict on an event."""
        match event:
            case BeforeTool():
                return await self._gate.before(event, attempt)
            case PromptShown():
                return await self._prompts.shown(event, attempt)
            case QuestionsShown():
                return await self._prompts.asked(event, attempt)
            case SessionStarted():
                return await self._wakes.started(event)
            case TurnEnded():
                return await self._wakes.turn_ended(event, attempt)
            case ConfigChanged():
                return await self._settings.changed(event)
            case AfterTool():
                await self._gate.after(event)
            case Notice():
                pass
            case _ as never:
                assert_never(never)
        return NoOpinion()
