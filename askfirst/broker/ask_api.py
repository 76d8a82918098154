"""What requesters do: ask, change, withdraw, use an approval and say how it went."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from askfirst.access import AccessScope
from askfirst.broker import shown, wire
from askfirst.broker.access import caller_of
from askfirst.broker.json_route import JsonRoute
from askfirst.call import ToolCall, call_of
from askfirst.canonical import digest
from askfirst.clock import new_id
from askfirst.engine import Step
from askfirst.engine.stopping import has_stopped
from askfirst.entries import passed_entry, refused_entry, unused_entry
from askfirst.errors import ConflictError, InputError, NotAllowedError
from askfirst.host import Agent
from askfirst.policy.action_request import ActionRequest  # noqa: TC001  # FastAPI reads the annotations
from askfirst.policy.ruling import Outcome
from askfirst.recent import Recent
from askfirst.request import Claim
from askfirst.sight import final, read_sight, sight_of
from askfirst.wishes import Wishes, wished

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from askfirst.access import Caller
    from askfirst.asking import Asking, Look
    from askfirst.broker.access import Access
    from askfirst.desk import Desk
    from askfirst.engine import Case
    from askfirst.sight import Sight

_UNUSED_MAX = 4096
"""Approvals known at a time that were not used because something has changed: each is written down once, whoever tries
however often, and whatever another machine says that it sees."""
_Key = Annotated[str, Header(min_length=1, max_length=200)]


class AskApi:
    """The routes; ``log`` is the head of the audit log."""

    def __init__(self, desk: Desk, asking: Asking, access: Access, log: Callable[[], str]) -> None:
        self._desk = desk
        self._asking = asking
        self._access = access
        self._log = log
        self._unused: Recent[str, None] = Recent(_UNUSED_MAX)

    def router(self) -> APIRouter:
        """To be included in the API."""
        asks = [Depends(self._access.needs(AccessScope.ASK))]
        own = [Depends(self._access.needs_own(AccessScope.ASK))]
        router = APIRouter(route_class=JsonRoute, prefix="/v1", tags=["requests"])
        router.add_api_route("/requests", self.create, methods=["POST"], status_code=201, dependencies=asks)
        router.add_api_route("/actions", self.act, methods=["POST"], dependencies=asks)
        for name, endpoint in (
            ("amend", self.amend),
            ("cancel", self.cancel),
            ("redeem", self.redeem),
            ("outcome", self.outcome),
        ):
            router.add_api_route(f"/requests/{{request_id}}/{name}", endpoint, methods=["POST"], dependencies=own)
        return router

    async def create(
        self,
        body: wire.CreateIn,
        request: Request,
        response: Response,
        idempotency_key: Annotated[str, Header(min_length=1, max_length=200)] = "",
    ) -> wire.RequestOut:
        """Ask for approval, or ask a question. The same ``Idempotency-Key`` finds the same request.

        What waits already is joined, and what was denied a moment ago is answered from that denial.
        """
        self._access.meter(caller_of(request))
        agent = Agent(host=body.host, session=body.session, model=body.model)
        call = _seen(_call(body), request, body.sight)
        look = await self._asking.look(call, agent, _claim(body.claim), requires_approval=True)
        await self._require_allowed(look)
        look = await self._asking.examine(look)
        await self._require_allowed(look)  # what could not be looked at is graver than it seemed
        case = await self._asked(
            look,
            key=idempotency_key,
            caller=caller_of(request),
            question=body.question,
            options=tuple(body.options),
            answer_schema=json.dumps(body.answer_schema) if body.answer_schema is not None else "",
            supersedes=body.supersedes,
            terms=wished(
                self._asking.terms(look),
                _wishes(body.route),
                self._asking.now_ms(),
                timeout_max_s=look.ruling.wished_timeout_max_s,
            ),
        )
        response.headers["location"] = f"/v1/requests/{case.request.id}"
        return shown.case_out(case, log=self._log())

    async def act(
        self,
        body: ActionRequest,
        request: Request,
        response: Response,
        origin: Annotated[wire.ActionFrom, Query()],
        idempotency_key: _Key = "",
    ) -> wire.ActionOut:
        """May this be done? The policy allows it, denies it, or a person is asked.

        The members of the body are the agent's word: they can only make the answer stricter. Where a person is asked,
        wait for the request, redeem it, and act only then.
        """
        self._access.meter(caller_of(request))
        look = await self._asking.look(
            _seen(body.call(cwd=origin.cwd, session=origin.session), request),
            Agent(host=origin.host, session=origin.session),
            body.claim,
            requires_approval=body.requiresApproval,
        )
        if look.ruling.outcome is Outcome.ASK:
            look = await self._asking.examine(look)
        ruling, case = look.ruling, None
        if ruling.outcome is Outcome.ALLOW:
            self._desk.note_soon(passed_entry(look))
        elif ruling.outcome is Outcome.DENY:
            await self._desk.note(refused_entry(look))
        else:
            case = await self._asked(look, key=idempotency_key, caller=caller_of(request))
            response.headers["location"] = f"/v1/requests/{case.request.id}"
        return wire.ActionOut.model_validate(
            {
                "decision": ruling.outcome.value,
                "reason": ruling.reason,
                "rule": ruling.rule,
                "risk": ruling.risk.label,
                "band": ruling.band.name,
                "request": None if case is None else shown.case_out(case, log=self._log()),
            }
        )

    async def _require_allowed(self, look: Look) -> None:
        if look.ruling.outcome is Outcome.DENY:
            await self._desk.note(refused_entry(look))
            raise NotAllowedError(f"denied by the policy (rule {look.ruling.rule}): {look.ruling.reason}")

    async def _asked(self, look: Look, *, key: str, caller: Caller, **more: Any) -> Case:
        """The request about this call, new or found by its key, which is one of this machine's or this user's.

        Raises:
            ConflictError: the key belongs to a request about another action.
        """
        action = await self._asking.resolve(look)
        whose = caller.machine or caller.bounded
        named = ["api", look.agent.host, look.agent.session, key or new_id()]
        whole = digest([*named, whose] if whose else named)
        draft = replace(self._asking.draft(look, action, key=whole), caller=caller.bounded, takes_edits=True, **more)
        case = await self._desk.covered(draft) or await self._desk.ask(draft)
        versions = (case.request, *case.earlier)  # it may have been amended or edited since, and a retry has to find it
        if action.digest() not in {each.action_digest for each in versions} and not has_stopped(case):
            raise ConflictError(
                f"this idempotency key belongs to request {case.request.id}, which is about another action",
                state=case.request.state.value,
            )
        return case

    async def amend(self, request_id: str, body: wire.AmendIn, http: Request) -> wire.StepOut:
        """Make a new version, as the requester: it is analysed and ruled on anew, and reviewers see what changed."""
        request = (await self._desk.case(request_id)).request
        if body.command is not None and body.arguments is not None:
            raise InputError("give either `command` or `arguments`", field="command")
        arguments = {**request.action.arguments, "command": body.command} if body.command is not None else None
        if body.arguments is not None:
            arguments = {**request.action.arguments, **body.arguments}
        claim = request.claim if body.claim is None else _claim(body.claim)
        sight = _sight(http, body.sight)
        sight = None if sight is None else final(sight, request.action.tool)
        amend = await self._asking.amended(request, arguments, claim, sight)
        return shown.step_out(await self._desk.amend(request_id, amend))

    async def cancel(self, request_id: str, body: wire.CancelIn) -> wire.StepOut:
        """Withdraw a pending request, as its requester."""
        return shown.step_out(await self._desk.cancel(request_id, body.reason))

    async def redeem(self, request_id: str, body: wire.RedeemIn, http: Request) -> wire.StepOut:
        """Use the grant of an approved request; only the first attempt succeeds.

        Where HEAD of the repository or a script that the command runs is another one now, it is refused: ask anew.
        """
        case = await self._desk.case(request_id)
        sight = _sight(http, body.sight)
        if _would_run(case, body.attempt) and (moved := await self._asking.moved(case.request, sight)):
            note = f"not what was approved: {moved}; ask again for what it is now"
            if request_id not in self._unused:
                self._unused[request_id] = None
                await self._desk.note(unused_entry(case.request, note))
            return shown.step_out(Step(case=case, done=False, note=note))
        step = await self._desk.redeem(
            request_id, action_digest=body.action_digest, attempt=body.attempt, tool_use_id="", sight=sight
        )
        return shown.step_out(step)

    async def outcome(self, request_id: str, body: wire.OutcomeIn) -> wire.StepOut:
        """Say how the released action went; the first report counts."""
        step = await self._desk.executed(
            request_id, action_digest=body.action_digest, outcome=body.outcome, detail=body.detail
        )
        return shown.step_out(step)


def _seen(call: ToolCall, http: Request, raw: Mapping[str, object] | None = None) -> ToolCall:
    """The call as its machine sees it, where that is not the broker's."""
    return replace(call, sight=sight_of(raw, caller_of(http).machine, call))


def _sight(http: Request, raw: Mapping[str, object] | None) -> Sight | None:
    """What the caller's machine states, if anything."""
    machine = caller_of(http).machine
    return read_sight(raw, machine) if machine and raw is not None else None


def _would_run(case: Case, attempt: str) -> bool:
    """Whether this attempt would be a run of its own; one that has run already may have moved what it rests on."""
    grant = case.open_grant
    return grant is not None and all(each.attempt != attempt for each in grant.uses)


def _claim(body: wire.ClaimIn) -> Claim:
    return Claim(**{**body.model_dump(), "signals": tuple(body.signals)})


def _wishes(route: wire.RouteIn) -> Wishes:
    return Wishes(
        recipients=tuple(route.recipients),
        timeout_s=route.timeout_s,
        on_timeout=route.on_timeout,
        escalate_to=tuple(route.escalate_to),
    )


def _call(body: wire.CreateIn) -> ToolCall:
    if body.question:
        if body.command is not None or body.tool is not None or body.arguments:
            raise InputError("a `question` goes without `command`, `tool` and `arguments`", field="question")
        asked: dict[str, object] = {"question": body.question, "options": body.options, "schema": body.answer_schema}
        return ToolCall(tool="question", arguments=asked, cwd=body.cwd, session=body.session)
    if body.options or body.answer_schema is not None:
        raise InputError("`options` and `answer_schema` go with `question`", field="question")
    if (body.command is None) == (body.tool is None):
        raise InputError("give either `command` or `tool`", field="command")
    if body.command is not None:
        if body.arguments:
            raise InputError("`arguments` goes with `tool`, not with `command`", field="arguments")
        return ToolCall(tool="Bash", arguments={"command": body.command}, cwd=body.cwd, session=body.session)
    return call_of(body.tool or "", body.arguments, cwd=body.cwd, session=body.session)
