"""What a host asks its own person: shown to people elsewhere, too, and the first answer counts.

- A prompt that the gate has caused (``AskHere``) stands for the gate's request. A Yes there is a review by whoever sits
  at this machine; it is recorded with the run, when the host reports it.
- A prompt of the host's own accord, and a question of the agent's, become requests of their own. An answer at the host
  ends these: it is the host's decision, not one of ours.
- A call that was released a moment ago is not asked about again: rules of the host may ask once more for what the gate
  has let pass.
- A No at the host ends the hook that waits while the host lives on; the request is withdrawn.
- A gated call that ran although nobody had approved it is a bypass (``bypasses``).
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from askfirst import answers
from askfirst.bypasses import OWN_PROMPT
from askfirst.canonical import digest
from askfirst.errors import RescueError
from askfirst.host import Allow, Answered, Deny, NoOpinion
from askfirst.policy.ruling import Outcome
from askfirst.recent import Recent
from askfirst.request import Claim, RequestKind, RequestState, Verdict
from askfirst.review_draft import ReviewDraft
from askfirst.sight import LookAgainError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from askfirst.asking import Asking, Look
    from askfirst.bypasses import Bypasses
    from askfirst.desk import Desk
    from askfirst.engine import Case
    from askfirst.gate import Attempt
    from askfirst.host import AfterTool, BeforeTool, HostQuestion, PromptShown, QuestionsShown
    from askfirst.host import Verdict as HostVerdict
    from askfirst.host_config import HostsConfig
    from askfirst.request import Request

ANSWERED_HERE = "answered at the agent's own prompt"
_RELEASED_S = 30.0
"""A host asks right after its hook has let a call pass, or not at all."""
_KNOWN_MAX = 4096


class Here(Protocol):
    """Who sits at the host's own prompt, and what they may decide there."""

    @property
    def person(self) -> str:
        """Their id."""
        ...

    def can_answer(self, case: Case) -> bool:
        """Whether their Yes would be all that this request needs."""
        ...


@dataclass(frozen=True, slots=True)
class _Released:
    tool_use_id: str
    at_s: float


class HostPrompts:
    """Prompts of hosts.

    Args:
        desk: where requests are made and decided.
        asking: looks at calls.
        here: who sits at this machine.
        config: whether hosts' own prompts are shown elsewhere at all.
        is_alive: whether there is a process with this id.
        bypasses: told of what ran unapproved.
    """

    def __init__(
        self,
        *,
        desk: Desk,
        asking: Asking,
        here: Here,
        config: HostsConfig,
        is_alive: Callable[[int], bool],
        bypasses: Bypasses,
    ) -> None:
        self._desk = desk
        self._asking = asking
        self._here = here
        self._config = config
        self._is_alive = is_alive
        self._bypasses = bypasses
        self._calls: Recent[str, str] = Recent(_KNOWN_MAX)
        self._released: Recent[str, _Released] = Recent(_KNOWN_MAX)
        self._open: Recent[tuple[str, str, str], tuple[str, ...]] = Recent(_KNOWN_MAX)

    # -- what the gate has seen ------------------------------------------------------------------------------------

    def called(self, event: BeforeTool) -> None:
        """A call is about to be judged: a prompt for it comes without its id."""
        if event.can_ask_here or event.runner_pid:
            self._calls[_key(event, event.call.arguments)] = event.tool_use_id

    def released(self, event: BeforeTool, allow: Allow) -> None:
        """The gate lets a call pass, with these arguments."""
        key = _key(event, allow.arguments)
        self._released[key] = _Released(event.tool_use_id, time.monotonic())

    def asked_here(self, event: BeforeTool, case: Case) -> None:
        """The gate has the host ask about this case."""
        self._open[_place(event, event.tool_use_id)] = (case.request.id,)

    # -- prompts ---------------------------------------------------------------------------------------------------

    async def shown(self, event: PromptShown, attempt: Attempt) -> HostVerdict:
        """The answer to a permission prompt; no opinion leaves it to whoever sits there.

        Raises:
            LookAgainError: it would run on another machine, and has to be judged by a newer sight of it.
        """
        look = await self._asking.look(event.call, event.agent, Claim(), requires_approval=True)
        if look.ruling.outcome is Outcome.DENY:
            return Deny(reason=answers.by_policy(event.call, look.ruling))
        case = await self._case(event, look)
        if case is None:
            return Allow(arguments=event.call.arguments) if self._was_released(event) else NoOpinion()
        has_waited = case.request.state is RequestState.PENDING
        case = await self._watched(case.request.id, event.host_pid, attempt)
        if has_waited and event.call.sight is not None and case.request.state is RequestState.APPROVED:
            raise LookAgainError
        if case.request.state is RequestState.PENDING or attempt.gone.is_set():
            return NoOpinion()
        if case.request.state is not RequestState.APPROVED:
            return self._refusal(case, event)
        return await self._redeemed(event, attempt, case)

    async def asked(self, event: QuestionsShown, attempt: Attempt) -> HostVerdict:
        """The answers to the agent's questions, when people elsewhere give all of them first."""
        if not self._config.prompts or not event.questions:
            return NoOpinion()
        tool_use_id = self._calls.get(_key(event, event.call.arguments), "")
        cases = [await self._question(event, each, tool_use_id) for each in event.questions]
        ids = tuple(each.request.id for each in cases)
        self._open[_place(event, tool_use_id)] = ids
        ended = await asyncio.gather(*(self._watched(each, event.host_pid, attempt) for each in ids))
        if any(each.request.state is not RequestState.ANSWERED for each in ended):
            await self._withdraw([each.request for each in ended], "another of these questions was not answered")
            denied = next((each for each in ended if each.request.state is RequestState.DENIED), None)
            return NoOpinion() if denied is None else Deny(reason=answers.refusal(denied))
        return Answered(answers={each.text: _said(case) for each, case in zip(event.questions, ended, strict=True)})

    async def ran(self, event: AfterTool) -> bool:
        """A call that no grant was redeemed for has run: what was open about it is over.

        Returns:
            whether people had approved it, there or elsewhere: then its grant is redeemed now.
        """
        name, session = event.tool_use_id, event.agent.session
        ids = self._open.pop(_place(event, name), ())
        ids = ids or await self._desk.waiting_calls(event.call.machine, event.agent.host, session, name)
        cases = [await self._desk.case(request_id) for request_id in ids]
        settled = [await self._settled(case, event) for case in cases if _is_of(case, event)]
        if not settled:
            settled = [await self._settled(case, event) for case in await self._bypasses.ran(event)]
        return any(settled)

    # -- plumbing --------------------------------------------------------------------------------------------------

    async def _case(self, event: PromptShown, look: Look) -> Case | None:
        """The request that this prompt stands for; None where there is none and none is made."""
        action = await self._asking.resolve(look)
        waiting = await self._desk.waiting_for(action.digest())
        if waiting is not None:
            return waiting
        key = _key(event, event.call.arguments)
        tool_use_id = self._calls.get(key, "")
        known = self._open.get(_place(event, tool_use_id)) if tool_use_id else None
        if known:
            return await self._desk.case(known[0])
        if key in self._released or not self._config.prompts or not (event.agent.interactive or tool_use_id):
            return None
        name = digest(["prompt", event.agent.host, event.agent.session, tool_use_id, action.digest()])
        closer = await self._asking.examine(look)
        if closer.ruling.outcome is not Outcome.DENY:  # here the host's own prompt is open already
            look = closer
        draft = self._asking.draft(replace(look, evidence=closer.evidence), action, key=name, tool_use_id=tool_use_id)
        case = await self._desk.ask(replace(draft, notes=(OWN_PROMPT,)))
        self._open[_place(event, tool_use_id)] = (case.request.id,)
        return case

    def _was_released(self, event: PromptShown) -> bool:
        found = self._released.pop(_key(event, event.call.arguments), None)
        return found is not None and time.monotonic() - found.at_s < _RELEASED_S

    async def _question(self, event: QuestionsShown, asked: HostQuestion, tool_use_id: str) -> Case:
        arguments: dict[str, object] = {"question": asked.text, "options": list(asked.options), "schema": None}
        call = replace(event.call, tool="question", arguments=arguments)
        look = await self._asking.look(call, event.agent, Claim(), requires_approval=True)
        action = await self._asking.resolve(look)
        key = digest(["question", event.agent.host, event.agent.session, tool_use_id, action.digest()])
        draft = self._asking.draft(look, action, key=key, tool_use_id=tool_use_id)
        offers = f" ({' / '.join(asked.options)}; several, with commas between)" if asked.several else ""
        return await self._desk.ask(
            replace(
                draft,
                question=asked.text + offers,
                options=() if asked.several else asked.options,
                notes=(OWN_PROMPT,),
            )
        )

    async def _watched(self, request_id: str, host_pid: int, attempt: Attempt) -> Case:
        """The case when it has ended or the hook's time is up; a person's No at the host withdraws it."""
        left_s = attempt.until_s - asyncio.get_running_loop().time()
        wait = asyncio.ensure_future(self._desk.wait(request_id, max(0.0, left_s)))
        gone = asyncio.ensure_future(attempt.gone.wait())
        try:
            await asyncio.wait({wait, gone}, return_when=asyncio.FIRST_COMPLETED)
            if wait.done():
                return wait.result()
        finally:
            wait.cancel()
            gone.cancel()
        case = await self._desk.case(request_id)
        if host_pid and self._is_alive(host_pid):
            await self._withdraw([case.request], "dismissed at the agent's own prompt")
        return case

    async def _withdraw(self, requests: Sequence[Request], reason: str) -> None:
        for request in requests:
            if request.state is RequestState.PENDING:
                await self._desk.cancel(request.id, reason)

    async def _redeemed(self, event: PromptShown, attempt: Attempt, case: Case) -> HostVerdict:
        act = (await self._asking.resolve(await self._asking.look(event.call, event.agent))).digest()
        if act != case.request.action_digest:
            return Deny(reason=answers.changed(case, event.call))
        try:
            step = await self._desk.redeem(
                case.request.id,
                action_digest=act,
                attempt=attempt.id,
                tool_use_id=case.request.tool_use_id,
                sight=event.call.sight,
            )
        except RescueError as error:
            return Deny(reason=answers.not_kept(case, str(error)))
        return Allow(arguments=event.call.arguments) if step.done else self._refusal(step.case, event)

    def _refusal(self, case: Case, event: PromptShown) -> HostVerdict:
        """The host's own prompt goes on where nobody has said no."""
        if case.request.state in {RequestState.DENIED, RequestState.APPROVED}:
            return Deny(reason=answers.refusal(case, event.call))
        return NoOpinion()

    async def _settled(self, case: Case, event: AfterTool) -> bool:
        request = case.request
        if request.kind is RequestKind.QUESTION or OWN_PROMPT in request.notes:
            await self._withdraw([request], ANSWERED_HERE)
            return False
        if event.can_ask_here and self._here.can_answer(case):
            case = await self._approved_here(request)
        if case.open_grant is not None:
            await self._desk.redeem(
                request.id,
                action_digest=request.action_digest,
                attempt=f"prompt:{event.tool_use_id}",
                tool_use_id=event.tool_use_id,
                has_run=True,
            )
            return True
        if case.grant is not None and any(event.tool_use_id in {"", each.tool_use_id} for each in case.grant.uses):
            return True
        await self._bypasses.ran_unapproved(case, event)
        await self._withdraw([request], "it ran without an approval")
        return False

    async def _approved_here(self, request: Request) -> Case:
        review = ReviewDraft(
            decision_id=f"prompt:{request.id}",
            request_id=request.id,
            version=request.version,
            action_digest=request.action_digest,
            person=self._here.person,
            channel="terminal",
            verdict=Verdict.APPROVE,
            assurance=0,
            text=ANSWERED_HERE,
        )
        return (await self._desk.review(review)).case


def _place(event: BeforeTool | AfterTool | PromptShown | QuestionsShown, tool_use_id: str) -> tuple[str, str, str]:
    """One call of one session of one machine."""
    return event.call.machine, event.agent.session, tool_use_id


def _is_of(case: Case, event: AfterTool) -> bool:
    """Whether the case, which the call's id has found where it has one, is about what ran there."""
    action, call = case.request.action, event.call
    is_same = bool(event.tool_use_id) or (action.tool, action.arguments) == (call.tool, call.acting_arguments)
    return is_same and action.machine == call.machine


def _said(case: Case) -> str:
    return case.request.end.text if case.request.end is not None else ""


def _key(event: BeforeTool | PromptShown | QuestionsShown, arguments: object) -> str:
    agent, call = event.agent, event.call
    return digest([call.machine, agent.session, agent.subagent, call.tool, arguments])
