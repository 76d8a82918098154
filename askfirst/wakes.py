"""Agents that went on or stopped while people decide: told as they start, and woken up when somebody has decided.

What a wake-up says carries no authority: hosts tell the model not to take it for consent, and the gate alone lets the
command pass. So it states facts, and what to run again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from askfirst import answers
from askfirst.errors import RequestNotFoundError
from askfirst.host import NoOpinion, Tell, Wake
from askfirst.recent import Recent
from askfirst.request import RequestState

if TYPE_CHECKING:
    from askfirst.desk import Desk
    from askfirst.engine import Case
    from askfirst.gate import Attempt
    from askfirst.host import Agent, BeforeTool, SessionStarted, TurnEnded, Verdict
    from askfirst.hub import Hub

_SESSIONS_MAX = 1024
_Session = tuple[str, str, str]
"""One of a host on a machine; its name alone is the word of whoever relays a hook."""


class Wakes:
    """Who is owed word of which decision.

    Args:
        desk: knows what became of requests.
        hub: tells of changes as they happen.
    """

    def __init__(self, *, desk: Desk, hub: Hub) -> None:
        self._desk = desk
        self._hub = hub
        self._owed: Recent[_Session, set[str]] = Recent(_SESSIONS_MAX)
        self._waiting: dict[_Session, asyncio.Event] = {}

    def told_pending(self, event: BeforeTool, request_id: str) -> None:
        """The session of this call went on without the decision."""
        self._owed.touch(_session(event.call.machine, event.agent), set).add(request_id)

    async def started(self, event: SessionStarted) -> Verdict:
        """How approvals work, and what was decided while the session was away."""
        decided = await self._decided(_session(event.machine, event.agent))
        return Tell(reason="\n".join([answers.HOW_APPROVALS_WORK, *map(answers.decided, decided)]))

    async def turn_ended(self, event: TurnEnded, attempt: Attempt) -> Verdict:
        """Word of what was decided, as soon as something is; nothing where nothing is open or somebody else listens."""
        session = _session(event.machine, event.agent)
        if not event.can_wake:
            return NoOpinion()
        newer = asyncio.Event()
        previous = self._waiting.get(session)
        if previous is not None:
            previous.set()  # one hook a session: it would be woken twice
        self._waiting[session] = newer
        try:
            decided = await self._awaited(session, attempt, newer)
        finally:
            if self._waiting.get(session) is newer:
                del self._waiting[session]
        return Wake(reason="\n".join(map(answers.decided, decided))) if decided else NoOpinion()

    async def _awaited(self, session: _Session, attempt: Attempt, newer: asyncio.Event) -> list[Case]:
        with self._hub.subscriber() as changes:  # registered first, read afterwards (I3)
            await self._recall(session)
            ends = [asyncio.ensure_future(each.wait()) for each in (attempt.gone, newer)]
            try:
                while self._owed.get(session):
                    decided = await self._decided(session)
                    if decided:
                        return decided
                    change = asyncio.ensure_future(changes.get())
                    left_s = attempt.until_s - asyncio.get_running_loop().time()
                    await asyncio.wait({change, *ends}, timeout=max(0.0, left_s), return_when=asyncio.FIRST_COMPLETED)
                    is_over = not change.done() or any(each.done() for each in ends)
                    change.cancel()
                    if is_over:
                        return []
            finally:
                for each in ends:
                    each.cancel()
        return []

    async def _recall(self, session: _Session) -> None:
        """What a broker before us has told this session: whatever of it waits, and nobody listens for."""
        for request_id in await self._desk.waiting_calls(*session):
            if not self._hub.has_waiter(request_id):
                self._owed.setdefault(session, set()).add(request_id)

    async def _decided(self, session: _Session) -> list[Case]:
        """What was decided of what is owed, each told once."""
        owed = self._owed.get(session, set())
        decided = []
        for request_id in sorted(owed):
            try:
                case = await self._desk.case(request_id)
            except RequestNotFoundError:
                owed.discard(request_id)
                continue
            if _is_open(case):
                continue
            owed.discard(request_id)
            if _is_news(case):
                decided.append(case)
        return decided


def _is_open(case: Case) -> bool:
    """Whether somebody may still decide: what has expired can be approved late."""
    if case.request.state is RequestState.EXPIRED:
        return case.grant is None and case.request.terms.late_grant_ttl_ms > 0
    return case.waits_for_people


def _is_news(case: Case) -> bool:
    """Whether the agent does not know it yet: not what it has run meanwhile, and not its own withdrawal."""
    if case.request.state in {RequestState.CANCELLED, RequestState.SUPERSEDED}:
        return False
    return case.grant is None or case.open_grant is not None


def _session(machine: str, agent: Agent) -> _Session:
    return machine, agent.host, agent.session
