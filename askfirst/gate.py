"""The gate: from a host's tool call to its verdict.

Order of things for one call: analyse, ask the policy, look for a grant, else make a request and wait. The action is
resolved again after the wait, and only a grant for what would run *now* is redeemed: whatever changed meanwhile (HEAD,
a script's text) is a new request (I2).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from askfirst import answers
from askfirst.canonical import digest
from askfirst.desk import Draft
from askfirst.host import Allow, Deny, NoOpinion
from askfirst.policy import needs_person, terms_for
from askfirst.request import Claim, RequestState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from askfirst.call import ToolCall
    from askfirst.clock import Clock
    from askfirst.config import Config
    from askfirst.desk import Desk
    from askfirst.effects import Classification
    from askfirst.engine import Case
    from askfirst.host import AfterTool, Agent, BeforeTool, Verdict
    from askfirst.request import Action

_ROUNDS_MAX = 3
"""How often an action may change under a waiting hook before the gate gives up and denies."""


class Analyst(Protocol):
    """Finds out what a call would do; may look at the disk, takes a bounded time."""

    async def look(self, call: ToolCall) -> Classification:
        """The classification of this call."""
        ...

    def resolve(self, call: ToolCall, agent: Agent, scripts: Iterable[str] = ()) -> Action:
        """The complete action of this call as the disk stands now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One hook process that waits.

    Attributes:
        id: chosen by the process; only the same process may hear an allow twice.
        until_s: event-loop time at which it wants an answer, whatever it is.
        gone: set when the process is no longer there to hear it.
    """

    id: str
    until_s: float
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class Gate:
    """Lets pass, asks, or denies."""

    def __init__(
        self,
        *,
        desk: Desk,
        analyst: Analyst,
        config: Config,
        clock: Clock,
        passed: Callable[[BeforeTool, Classification], None] = lambda _event, _found: None,
    ) -> None:
        self._passed = passed  # told of every call that needs nobody; must return at once
        self._desk = desk
        self._analyst = analyst
        self._config = config
        self._clock = clock

    async def before(self, event: BeforeTool, attempt: Attempt) -> Verdict:
        """The verdict on a call that is about to run."""
        found = await self._analyst.look(event.call)
        if not needs_person(found, self._config):
            self._passed(event, found)
            return NoOpinion()
        for _ in range(_ROUNDS_MAX):
            action = await self._resolve(event, found)
            if await self._use_old_grant(action, attempt, event):
                return Allow(arguments=event.call.arguments)
            case = await self._ask(event, found, action)
            case = await self._wait(case, attempt)
            if case.request.state is not RequestState.APPROVED:
                return Deny(reason=answers.refusal(case))
            if (await self._resolve(event, found)).digest() == case.request.action_digest:
                return await self._release(case, attempt, event)
            found = await self._analyst.look(event.call)
        return Deny(reason=answers.unavailable("what the command depends on keeps changing"))

    async def after(self, event: AfterTool) -> None:
        """Record how a released call went; a call that was never gated leaves no trace."""
        case = await self._desk.released(event.agent.session, event.tool_use_id)
        if case is None:
            return
        ran = replace(case.request.action, tool=event.call.tool, arguments=event.call.acting_arguments)
        await self._desk.executed(
            case.request.id,
            action_digest=ran.digest(),
            outcome="ok" if event.ok else "failed",
            detail=event.detail,
        )

    async def _resolve(self, event: BeforeTool, found: Classification) -> Action:
        return await asyncio.to_thread(self._analyst.resolve, event.call, event.agent, found.scripts)

    async def _ask(self, event: BeforeTool, found: Classification, action: Action) -> Case:
        now_ms = self._clock.now_ms()
        key = digest([event.agent.host, event.agent.session, event.tool_use_id, action.digest()])
        return await self._desk.ask(
            Draft(
                key=key,
                agent=event.agent,
                tool_use_id=event.tool_use_id,
                action=action,
                classification=found,
                terms=terms_for(found, self._config, now_ms),
                claim=Claim(reason=event.justification),
            )
        )

    async def _wait(self, case: Case, attempt: Attempt) -> Case:
        left_s = attempt.until_s - asyncio.get_running_loop().time()
        wait = asyncio.ensure_future(self._desk.wait(case.request.id, max(0.0, left_s)))
        gone = asyncio.ensure_future(attempt.gone.wait())
        try:
            await asyncio.wait({wait, gone}, return_when=asyncio.FIRST_COMPLETED)
            return wait.result() if wait.done() else case
        finally:
            wait.cancel()
            gone.cancel()

    async def _use_old_grant(self, action: Action, attempt: Attempt, event: BeforeTool) -> bool:
        """Whether an approval that came when nobody waited covers this very action."""
        act = action.digest()
        for case in await self._desk.granted(act):
            step = await self._desk.redeem(
                case.request.id, action_digest=act, attempt=attempt.id, tool_use_id=event.tool_use_id
            )
            if step.done:
                return True
        return False

    async def _release(self, case: Case, attempt: Attempt, event: BeforeTool) -> Verdict:
        if attempt.gone.is_set():
            return Deny(reason=answers.refusal(case))  # nobody hears it; the grant stays for the next attempt
        step = await self._desk.redeem(
            case.request.id,
            action_digest=case.request.action_digest,
            attempt=attempt.id,
            tool_use_id=event.tool_use_id,
        )
        if step.done:
            return Allow(arguments=event.call.arguments)
        return Deny(reason=answers.refusal(step.case))
