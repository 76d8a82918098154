"""The gate: from a host's tool call to its verdict.

Order of things for one call: analyse, ask the policy, look for a grant, else make a request and wait, in the way that
its host can (``askfirst.waiting``). The action is
resolved again after the wait, and only a grant for what would run *now* is redeemed: whatever changed meanwhile (HEAD,
a script's text) is a new request (I2).
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, assert_never

from askfirst import answers
from askfirst.asking import Analyst
from askfirst.canary import REFUSED, is_canary
from askfirst.canonical import digest
from askfirst.engine import Content
from askfirst.engine.scopes import covers
from askfirst.entries import outcome_of, passed_entry, refused_entry
from askfirst.errors import NobodyToAskError, RescueError
from askfirst.host import Allow, AskHere, Defer, Deny, NoOpinion
from askfirst.policy.ruling import Outcome
from askfirst.request import Claim, Receipt, RequestState
from askfirst.sight import LookAgainError
from askfirst.waiting import Way

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from askfirst.asking import Asking, Look
    from askfirst.desk import Desk
    from askfirst.effects import Classification
    from askfirst.engine import Case
    from askfirst.host import AfterTool, BeforeTool, Verdict
    from askfirst.request import Action, Use

__all__ = ["Analyst", "Attempt", "Gate"]

_ROUNDS_MAX = 3
"""How often an action may change under a waiting hook before the gate gives up and denies."""


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


class Waits:
    """How hosts wait, as far as the gate asks and tells; this one holds every call and knows no prompts."""

    defer_after_s = 0.0

    def way(self, event: BeforeTool, case: Case) -> Way:
        """How this call waits."""
        del event, case
        return Way.HOLD

    def called(self, event: BeforeTool) -> None:
        """A call is about to be judged."""

    def released(self, event: BeforeTool, allow: Allow) -> None:
        """The call passes, with these arguments."""

    def asked(self, event: BeforeTool, case: Case) -> None:
        """This case is about the call; it may have been decided before."""

    def refused(self, event: BeforeTool, look: Look) -> None:
        """The policy denies the call, and there is no request of it."""

    def asked_here(self, event: BeforeTool, case: Case) -> None:
        """The host asks at its own prompt."""

    def told_pending(self, event: BeforeTool, case: Case) -> None:
        """The agent goes on without the decision."""

    async def ran(self, event: AfterTool) -> bool:
        """A call has run that no grant was redeemed for; whether one is now."""
        del event
        return False


class Gate:
    """Lets pass, asks, or denies."""

    def __init__(
        self,
        *,
        desk: Desk,
        asking: Asking,
        passed: Callable[[BeforeTool, Classification], None] = lambda _event, _found: None,
        head_of: Callable[[str], str] = lambda _folder: "",
        waits: Waits | None = None,
        seen: Callable[[BeforeTool], None] = lambda _event: None,
    ) -> None:
        self._seen = seen  # told of every call before it is judged; must return at once
        self._waits = waits or Waits()
        self._head_of = head_of  # the commit at HEAD of the repository that a folder is in
        self._passed = passed  # told of every call that needs nobody; must return at once
        self._desk = desk
        self._asking = asking

    async def before(self, event: BeforeTool, attempt: Attempt) -> Verdict:
        """The verdict on a call that is about to run; where the host gives it no id, the attempt's is its own.

        Raises:
            LookAgainError: it would run on another machine, and has to be judged by a newer sight of it.
        """
        event = replace(event, tool_use_id=event.tool_use_id or attempt.id)
        self._waits.called(event)
        self._seen(event)
        look = await self._asking.look(event.call, event.agent, Claim(reason=event.justification))
        if is_canary(event.call):
            await self._desk.note(refused_entry(look, reason="the canary of a check"))
            return Deny(reason=REFUSED)
        match look.ruling.outcome:
            case Outcome.ALLOW | Outcome.SHADOW:
                self._passed(event, look.found)
                if look.ruling.shadowed_by:
                    self._desk.note_soon(passed_entry(look))
                return NoOpinion()
            case Outcome.DENY:
                return await self._denied(event, look, answers.by_policy(event.call, look.ruling))
            case Outcome.ASK:
                verdict = await self._ask(event, attempt, look)
                if isinstance(verdict, Allow):
                    self._waits.released(event, verdict)
                return verdict

    async def after(self, event: AfterTool) -> None:
        """Record how a released call went; a call that was never gated leaves no trace."""
        found = _use_of(event, await self._desk.running(event.agent.session))
        if found is None and await self._waits.ran(event):
            found = _use_of(event, await self._desk.running(event.agent.session))
        if found is None:
            return
        case, use = found
        ran = replace(use.action or case.request.action, tool=event.call.tool, arguments=event.call.acting_arguments)
        sight = event.call.sight
        head = await asyncio.to_thread(self._head_of, ran.cwd) if sight is None else sight.head
        await self._desk.executed(
            case.request.id,
            action_digest=ran.digest(),
            outcome=outcome_of(event),
            detail=event.detail,
            tool_use_id=use.tool_use_id,
            receipt=Receipt(exit_code=event.exit_code, duration_ms=event.duration_ms, head=head),
        )

    async def _ask(self, event: BeforeTool, attempt: Attempt, look: Look) -> Verdict:
        for _ in range(_ROUNDS_MAX):
            action = await self._asking.resolve(look)
            verdict = await self._by_old_grant(event, attempt, look, action)
            if verdict is not None:
                return verdict
            look = await self._asking.examine(look)
            if look.ruling.outcome is Outcome.DENY:
                return await self._denied(event, look, answers.by_policy(event.call, look.ruling))
            try:
                case = await self._enter(event, look, action)
            except NobodyToAskError as error:
                return await self._denied(event, look, answers.nobody_to_ask(event.call, str(error)), str(error))
            self._waits.asked(event, case)
            has_waited = case.waits_for_people
            case, early = await self._waited(event, attempt, case)
            if early is not None:
                return early
            if has_waited and event.call.sight is not None and case.request.state is RequestState.APPROVED:
                raise LookAgainError
            if case.request.state is not RequestState.APPROVED:
                if case.request.state is RequestState.EXPIRED:
                    self._waits.told_pending(event, case)
                return Deny(reason=answers.refusal(case, event.call, action.digest()))
            verdict = await self._release(event, attempt, look, case, has_waited=has_waited)
            if verdict is not None:
                return verdict
            look = await self._asking.look(event.call, event.agent, look.claim)
        return Deny(reason=answers.unavailable("what the command depends on keeps changing"))

    async def _denied(self, event: BeforeTool, look: Look, told: str, reason: str = "") -> Deny:
        """A denial without a request: written down, and known should the call run all the same."""
        self._waits.refused(event, look)
        await self._desk.note(refused_entry(look, reason=reason))
        return Deny(reason=told)

    async def _enter(self, event: BeforeTool, look: Look, action: Action) -> Case:
        """Make the request or join it; a retry that says more answers what a reviewer has asked back."""
        key = digest([event.agent.host, event.agent.session, event.tool_use_id, action.digest()])
        case = await self._desk.ask(self._asking.draft(look, action, key=key, tool_use_id=event.tool_use_id))
        said, known = look.claim.reason, case.request.claim.reason
        if case.asked_back is None or said in {"", known}:
            return case
        claim = replace(case.request.claim, reason=said)
        amend = await self._asking.amended(case.request, None, claim, event.call.sight)
        return (await self._desk.amend(case.request.id, amend)).case

    async def _waited(self, event: BeforeTool, attempt: Attempt, case: Case) -> tuple[Case, Verdict | None]:
        """The case after the wait, and the verdict where its host goes on before it is decided."""
        if not case.waits_for_people:
            return case, None
        match self._waits.way(event, case):
            case Way.ASK_HERE:
                self._waits.asked_here(event, case)
                return case, AskHere(reason=answers.asked_here(case))
            case Way.RELEASE:
                self._waits.told_pending(event, case)
                return case, Deny(reason=answers.refusal(case, event.call))
            case Way.DEFER:
                case = await self._wait(case, attempt, self._waits.defer_after_s)
                return case, Defer() if case.waits_for_people else None
            case Way.HOLD:
                return await self._wait(case, attempt), None
            case _ as never:
                assert_never(never)

    async def _wait(self, case: Case, attempt: Attempt, limit_s: float = math.inf) -> Case:
        left_s = min(attempt.until_s - asyncio.get_running_loop().time(), limit_s)
        wait = asyncio.ensure_future(self._desk.wait(case.request.id, max(0.0, left_s)))
        gone = asyncio.ensure_future(attempt.gone.wait())
        try:
            await asyncio.wait({wait, gone}, return_when=asyncio.FIRST_COMPLETED)
            return wait.result() if wait.done() else case
        finally:
            wait.cancel()
            gone.cancel()

    async def _by_old_grant(self, event: BeforeTool, attempt: Attempt, look: Look, action: Action) -> Verdict | None:
        """The verdict where an approval that was given before covers this very action."""
        act = action.digest()
        content = _content(look, action)
        for case in await self._desk.granted(act, event.agent.session):
            assert case.grant is not None  # it was looked up by its grant
            terms = self._asking.terms(look)
            if not covers(case.grant, case.request, act, content, terms):
                verdict = await self._release_edited(event, attempt, case, act)
                if verdict is not None:
                    return verdict
                continue
            try:
                step = await self._desk.redeem(
                    case.request.id,
                    action_digest=act,
                    attempt=attempt.id,
                    tool_use_id=event.tool_use_id,
                    content=content,
                    terms=terms,
                    sight=event.call.sight,
                    known=case,
                )
            except RescueError as error:
                return Deny(reason=answers.not_kept(case, str(error)))
            if step.done:
                return Allow(arguments=event.call.arguments)
        return None

    async def _release(
        self, event: BeforeTool, attempt: Attempt, look: Look, case: Case, *, has_waited: bool
    ) -> Verdict | None:
        """The verdict on an approved case; None when it is about something else than what would run now."""
        action = await self._asking.resolve(look)
        if action.digest() != case.request.action_digest:
            return await self._release_edited(event, attempt, case, action.digest(), has_waited=has_waited)
        content = None if has_waited else _content(look, action)
        return await self._redeem(event, attempt, case, Allow(arguments=event.call.arguments), content)

    async def _release_edited(
        self, event: BeforeTool, attempt: Attempt, case: Case, act: str, *, has_waited: bool = False
    ) -> Verdict | None:
        """Where people approved other arguments than this call's: hand them over, or say what to run."""
        if act not in {each.action_digest for each in case.earlier}:
            return None
        request = case.request
        if not request.is_edited or not event.can_rewrite:
            return Deny(reason=answers.changed(case, event.call))
        comments = {key: value for key, value in event.call.arguments.items() if key not in event.call.acting_arguments}
        edited = replace(event.call, arguments={**comments, **request.action.arguments})
        look = await self._asking.look(edited, event.agent, request.claim)
        action = await self._asking.resolve(look)
        if action.digest() != request.action_digest:
            return None
        allow = Allow(arguments=edited.arguments, reason=answers.edited(case))
        return await self._redeem(event, attempt, case, allow, None if has_waited else _content(look, action))

    async def _redeem(
        self, event: BeforeTool, attempt: Attempt, case: Case, allow: Allow, content: Content | None
    ) -> Verdict | None:
        """The verdict; None when what it would hit has changed, so that people are asked anew.

        ``content`` is what would run, where this call has not just waited for it.
        """
        if attempt.gone.is_set():
            return Deny(reason=answers.refusal(case, event.call))  # nobody hears it; the grant stays for the next one
        try:
            step = await self._desk.redeem(
                case.request.id,
                action_digest=case.request.action_digest,
                attempt=attempt.id,
                tool_use_id=event.tool_use_id,
                content=content,
                sight=event.call.sight,
                known=case,
            )
        except RescueError as error:
            return Deny(reason=answers.not_kept(case, str(error)))
        if step.done:
            return allow
        if step.case.request.state is RequestState.PENDING:
            return None
        is_open = step.case.open_grant is not None
        told = answers.overruled(step.case, step.note) if is_open else answers.refusal(step.case, event.call)
        return Deny(reason=told)


def _content(look: Look, action: Action) -> Content:
    return Content(action=action, effects=look.found.effects, risk=look.ruling.risk)


def _use_of(event: AfterTool, cases: Sequence[Case]) -> tuple[Case, Use] | None:
    """The release there that this outcome is of: by the call's id, or by what ran where the host gives calls no ids."""
    for case in cases:
        for use in case.grant.uses if case.grant is not None else ():
            action = use.action or case.request.action
            is_it = (
                use.tool_use_id == event.tool_use_id
                if event.tool_use_id
                else (action.tool, action.arguments) == (event.call.tool, event.call.acting_arguments)
            )
            if is_it and not use.outcome and action.machine == event.call.machine:
                return case, use
    return None
