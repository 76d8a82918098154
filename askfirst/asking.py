"""From a tool call to what people would be asked: analysis, ruling, terms. The same for hooks, programs and edits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from askfirst.call import ToolCall
from askfirst.canonical import canonical
from askfirst.engine import Amend, Content, Renew
from askfirst.errors import InputError, NotAllowedError
from askfirst.evidence.gather import stated
from askfirst.evidence.values import Evidence
from askfirst.intake import Draft
from askfirst.policy.bounds import are_met
from askfirst.policy.question import Question
from askfirst.policy.ruling import Outcome
from askfirst.request import Claim
from askfirst.sight import LookAgainError, unseen, whose_word
from askfirst.terms import terms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from askfirst.clock import Clock
    from askfirst.effects import Classification
    from askfirst.evidence.gather import Gathered
    from askfirst.host import Agent
    from askfirst.policy.ruling import Ruling
    from askfirst.request import Action, Request
    from askfirst.sight import Sight
    from askfirst.terms import Terms

ARGUMENTS_MAX_BYTES = 262_144


class Analyst(Protocol):
    """Finds out what a call would do; may look at the disk, takes a bounded time."""

    async def look(self, call: ToolCall) -> Classification:
        """The classification of this call."""
        ...

    def resolve(self, call: ToolCall, agent: Agent, scripts: Iterable[str] = ()) -> Action:
        """The complete action of this call as the disk stands now."""
        ...


class Gatherer(Protocol):
    """Finds out what a call would lose; ``askfirst.evidence.gather`` is the one."""

    async def gather(self, call: ToolCall, found: Classification, *, only_state: bool = False) -> Gathered:
        """The evidence on a call, read-only and in bounded time; ``only_state``: what decisions are bound to."""
        ...


class Ruler(Protocol):
    """Says what happens to a call: the policy of this moment."""

    def at_once(self, question: Question) -> Ruling | None:
        """The ruling, where it needs no look at git or at many paths: a thread would cost more than it saves."""
        ...

    def rule_on(self, question: Question) -> Ruling:
        """The ruling; a policy that cannot be read rules ``deny`` with the reason. Called in a thread."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One call, seen through."""

    call: ToolCall
    agent: Agent
    claim: Claim
    found: Classification
    ruling: Ruling
    evidence: Evidence = field(default_factory=Evidence)
    requires_approval: bool = False


class Asking:
    """Looks at calls, and words what is asked about them.

    Args:
        analyst: finds the effects.
        ruler: rules on them.
        clock: dates the terms.
        gatherer: finds out what a call would lose before people are asked; None: nobody looks.
    """

    def __init__(self, *, analyst: Analyst, ruler: Ruler, clock: Clock, gatherer: Gatherer | None = None) -> None:
        self._analyst = analyst
        self._ruler = ruler
        self._clock = clock
        self._gatherer = gatherer

    async def look(
        self, call: ToolCall, agent: Agent, claim: Claim | None = None, *, requires_approval: bool = False
    ) -> Look:
        """What this call would do, and what the policy says about it."""
        claim = claim or Claim()
        found = await self._analyst.look(call)
        ruling = await self._rule(call, agent, claim, found, requires_approval=requires_approval)
        return Look(
            call=call, agent=agent, claim=claim, found=found, ruling=ruling, requires_approval=requires_approval
        )

    async def _rule(
        self, call: ToolCall, agent: Agent, claim: Claim, found: Classification, *, requires_approval: bool
    ) -> Ruling:
        question = Question(
            call=call,
            classification=found,
            agent=agent,
            at=datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC),
            claim=claim,
            requires_approval=requires_approval,
        )
        ruling = self._ruler.at_once(question)
        return ruling if ruling is not None else await asyncio.to_thread(self._ruler.rule_on, question)

    async def examine(self, look: Look) -> Look:
        """The look with evidence, for a call that people are about to be asked about.

        A look that failed makes its effects graver; then the policy is asked once more, and only a ruling that still
        asks, or denies, takes the place of the first.
        """
        if self._gatherer is None:
            return look
        gathered = await self._gather(look.call, look.found)
        closer = replace(look, found=gathered.found, evidence=gathered.evidence)
        if gathered.found is look.found:
            return closer
        ruling = await self._rule(
            look.call, look.agent, look.claim, gathered.found, requires_approval=look.requires_approval
        )
        return replace(closer, ruling=ruling) if ruling.outcome in {Outcome.ASK, Outcome.DENY} else closer

    async def _gather(self, call: ToolCall, found: Classification, *, only_state: bool = False) -> Gathered:
        """What would be lost; on another machine, as that one says.

        Raises:
            LookAgainError: that machine has not looked yet.
        """
        assert self._gatherer is not None  # nobody comes here without one
        if call.sight is None:
            return await self._gatherer.gather(call, found, only_state=only_state)
        if call.sight.evidence is None:
            raise LookAgainError
        return stated(call.sight.evidence, found)

    async def resolve(self, look: Look) -> Action:
        """The complete action as the disk stands now."""
        return await asyncio.to_thread(self._analyst.resolve, look.call, look.agent, look.found.scripts)

    async def moved(self, request: Request, sight: Sight | None = None) -> str:
        """What of this action is not as it was approved (I2), in words; ``""``: it would run as it was.

        Args:
            request: what was approved.
            sight: of the machine where it would run, as it is now, where that is another one.
        """
        was = request.action
        call = _call(request, was.arguments, sight or (unseen(was.machine, was.cwd) if was.machine else None))
        now = await asyncio.to_thread(self._analyst.resolve, call, request.agent, was.files)
        if now.digest() == request.action_digest:
            return ""
        changed = [path for path, sha256 in was.files.items() if now.files.get(path) != sha256]
        if changed:
            return f"{changed[0]} is not what it was when this was asked"
        if now.head != was.head:
            return f"HEAD is at {now.head[:12] or 'no commit'} now, it was at {was.head[:12] or 'no commit'}"
        return f"{was.cwd} is another folder now"

    def now_ms(self) -> int:
        """The clock by which terms are made."""
        return self._clock.now_ms()

    def terms(self, look: Look) -> Terms:
        """The terms of a request that is made now."""
        return terms_of(look.ruling, self._clock.now_ms())

    def draft(self, look: Look, action: Action, *, key: str, tool_use_id: str = "") -> Draft:
        """What people would be asked about this call."""
        return Draft(
            key=key,
            agent=look.agent,
            tool_use_id=tool_use_id,
            action=action,
            classification=look.found,
            risk=look.ruling.risk,
            evidence=look.evidence,
            terms=self.terms(look),
            claim=look.claim,
            notes=() if look.call.sight is None or not action.cwd else (whose_word(action.machine),),
        )

    async def content(self, look: Look) -> Content:
        """What would run, as a version of a request."""
        return Content(
            action=await self.resolve(look),
            effects=look.found.effects,
            risk=max(look.found.risk, look.ruling.risk),
            expanded=look.found.expanded,
            evidence=look.evidence,
        )

    async def edited(self, request: Request, arguments: Mapping[str, object]) -> Content:
        """The request's action with these arguments instead, analysed anew.

        Raises:
            InputError: they are no arguments of this tool.
            NotAllowedError: the policy denies what they would do, or asks others or more people about it.
        """
        look = await self._examined(request, arguments, request.claim)
        if look.ruling.outcome is Outcome.DENY:
            raise NotAllowedError(f"your edit is denied by the policy: {look.ruling.reason}")
        if _asks_more(look.ruling, request.terms):
            raise NotAllowedError(
                f"your edit is for others or more people to approve, by the rule {look.ruling.rule}; "
                "deny it, and say what to do"
            )
        return replace(await self.content(look), terms=self.terms(look))

    async def amended(
        self, request: Request, arguments: Mapping[str, object] | None, claim: Claim, sight: Sight | None = None
    ) -> Amend:
        """A new version of a request: evidence and ruling are made anew for it (I8).

        Raises:
            InputError: the arguments are none of this tool's, or it is a question.
            NotAllowedError: the policy denies what they would do.
        """
        if request.question and arguments is not None:
            raise InputError("a question is asked as it stands; amend its claim, or withdraw it and ask anew")
        arguments = request.action.arguments if arguments is None else arguments
        look = await self._examined(request, arguments, claim, sight)
        if look.ruling.outcome is Outcome.DENY:
            raise NotAllowedError(f"denied by the policy: {look.ruling.reason}")
        return Amend(content=await self.content(look), claim=claim, terms=self.terms(look))

    async def _examined(
        self, request: Request, arguments: Mapping[str, object], claim: Claim, sight: Sight | None = None
    ) -> Look:
        call = _call(request, arguments, sight)
        return await self.examine(await self.look(call, request.agent, claim, requires_approval=True))

    async def state_of(self, request: Request, sight: Sight | None = None) -> str:
        """The digest of the state that the request's action would meet now; ``""`` where nobody looks.

        Raises:
            LookAgainError: it would run on another machine, which has not looked at it yet.
        """
        if self._gatherer is None:
            return ""
        call = _call(request, request.action.arguments, sight)
        found = await self._analyst.look(call)
        return (await self._gather(call, found, only_state=True)).evidence.state_digest

    async def renewed(self, request: Request, sight: Sight | None = None) -> Renew:
        """The request anew, because what its action would meet has changed since people approved it.

        Raises:
            NotAllowedError: the policy denies it now.
        """
        look = await self._examined(request, request.action.arguments, request.claim, sight)
        if look.ruling.outcome is Outcome.DENY:
            raise NotAllowedError(f"denied by the policy: {look.ruling.reason}")
        return Renew(content=await self.content(look), terms=self.terms(look))


def _asks_more(ruling: Ruling, agreed: Terms) -> bool:
    """Whether people would be asked on stricter terms about this than those on which they are being asked."""
    return ruling.outcome is Outcome.ASK and not (
        are_met(ruling.stages, by=agreed.stages)
        and ruling.assurance_min <= agreed.assurance_min
        and ruling.witness_required <= agreed.witness_required
    )


def _call(request: Request, arguments: Mapping[str, object], sight: Sight | None = None) -> ToolCall:
    known = request.action.arguments
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        raise InputError(f"{unknown[0]!r} is no argument of what was asked; known: {', '.join(sorted(known))}")
    if len(canonical(dict(arguments))) > ARGUMENTS_MAX_BYTES:
        raise InputError(f"the arguments are longer than {ARGUMENTS_MAX_BYTES} bytes")
    if request.action.command:
        command = arguments.get("command", "")
        if not isinstance(command, str):
            raise InputError("the command is no text", field="command")
        if not command.strip():
            raise InputError("the command is empty", field="command")
    was = request.action
    if sight is None and was.machine:  # a reviewer changes it, or nothing was stated anew: all that is known is old
        sight = unseen(was.machine, was.cwd, head=was.head, files=was.files)
    return ToolCall(tool=was.tool, arguments=dict(arguments), cwd=was.cwd, session=was.session, sight=sight)
