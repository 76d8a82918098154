"""REST ``/v1``: what programs, the command line and the MCP server use."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.exceptions import HTTPException

import askfirst
from askfirst.access import AccessScope, Caller
from askfirst.audit_port import Actor
from askfirst.broker import shown, wire
from askfirst.broker.access import caller_of
from askfirst.broker.ask_api import AskApi
from askfirst.broker.body_limit import BodyLimit
from askfirst.broker.hung_up import hung_up
from askfirst.broker.json_route import JsonRoute
from askfirst.broker.peer import is_local_user, require_terminal
from askfirst.broker.problems import handle_problems
from askfirst.broker.token_api import TokenApi
from askfirst.errors import ConflictError, InputError, NotAllowedError
from askfirst.hearing import decision_id_of
from askfirst.request import RequestState, Verdict
from askfirst.review_draft import ReviewDraft

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from askfirst.asking import Asking
    from askfirst.broker.access import Access
    from askfirst.desk import Desk
    from askfirst.engine import Case
    from askfirst.hub import Hub
    from askfirst.refusals import Refusals
    from askfirst.undo_desk import UndoDesk

WAIT_MAX_S = 100.0
"""Longest wait in one call, seconds; callers ask again (agents' clients end or distrust longer ones)."""


class Routed(Protocol):
    """Further routes of the API."""

    def router(self) -> APIRouter:
        """To be included in it."""
        ...


class Api:
    """The routes over one desk.

    ``log`` is the head of the audit log, ``inbox`` the web inbox's address; ``terminal_undo`` lets the broker's own
    user undo over the unix socket.
    """

    def __init__(
        self,
        *,
        desk: Desk,
        undos: UndoDesk,
        hub: Hub,
        asking: Asking,
        terminal_decisions: Callable[[], bool],
        reviewer: str,
        access: Access,
        refusals: Refusals,
        log: Callable[[], str] = lambda: "",
        figures: Callable[[], Awaitable[bytes]] | None = None,
        terminal_undo: bool = True,
        more: Sequence[Routed] = (),
        inbox: str = "",
    ) -> None:
        self._desk = desk
        self._undos = undos
        self._hub = hub
        self._asking = asking
        self._terminal_decisions = terminal_decisions
        self._reviewer = reviewer
        self._access = access
        self._refusals = refusals
        self._log = log
        self._figures = figures
        self._terminal_undo = terminal_undo
        self._inbox = inbox
        self._more = more

    def app(self) -> FastAPI:
        """The application to mount at the root of a listener."""
        app = FastAPI(
            title="Askfirst",
            version=askfirst.__version__,
            openapi_url="/v1/openapi.json",
            docs_url=None,
            redoc_url=None,
            responses=wire.PROBLEMS,
        )
        app.add_middleware(BodyLimit)
        handle_problems(app)
        app.include_router(self._router())
        app.include_router(AskApi(self._desk, self._asking, self._access, self._log).router())
        app.include_router(TokenApi(self._access).router())
        for each in self._more:
            app.include_router(each.router())
        app.add_api_route(
            "/metrics",
            self.metrics,
            methods=["GET"],
            tags=["health"],
            dependencies=self._needs(AccessScope.READ),
            response_class=PlainTextResponse,
        )
        app.add_api_route("/healthz", self.health, methods=["GET"], tags=["health"])
        app.add_api_route("/readyz", self.health, methods=["GET"], tags=["health"])
        return app

    def _router(self) -> APIRouter:
        router = APIRouter(route_class=JsonRoute, prefix="/v1", tags=["requests"])
        sees = [Depends(self._access.needs_own(AccessScope.ASK, AccessScope.READ, AccessScope.DECIDE))]
        reads, decides = self._needs(AccessScope.READ), self._needs(AccessScope.ASK, AccessScope.DECIDE)
        revokes = [Depends(self._access.needs_own(AccessScope.ASK, AccessScope.DECIDE))]
        reviews = [Depends(self._may_review)]
        one = "/requests/{request_id}"
        for path, endpoint, method, needed in (
            (one, self.get, "GET", sees),
            (f"{one}/wait", self.wait, "GET", sees),
            (f"{one}/reviews", self.review, "POST", reviews),
            (f"{one}/undo", self.preview_undo, "GET", sees),
            (f"{one}/undo", self.undo, "POST", decides),
            ("/requests", self.list, "GET", reads),
            ("/grants", self.grants, "GET", reads),
            ("/grants/{grant_id}/revoke", self.revoke, "POST", revokes),
        ):
            router.add_api_route(path, endpoint, methods=[method], dependencies=needed)
        for path, stream, needed in (("/events", self.events, reads), (f"{one}/events", self.request_events, sees)):
            router.add_api_route(path, stream, methods=["GET"], response_class=StreamingResponse, dependencies=needed)
        return router

    def _needs(self, *scopes: AccessScope) -> list[Any]:
        return [Depends(self._access.needs(*scopes))]

    async def metrics(self) -> Response:
        """Figures in Prometheus' text format."""
        if self._figures is None:
            raise HTTPException(404, "this broker keeps no figures")
        return Response(await self._figures(), media_type="text/plain; version=0.0.4")

    async def health(self) -> wire.HealthOut:
        """Whether the broker answers and its store can be read."""
        return wire.HealthOut(
            status="ok",
            version=askfirst.__version__,
            pid=os.getpid(),
            pending=await self._desk.waiting(),
            waiting=self._hub.waiting,
            terminal_decisions=self._terminal_decisions(),
            inbox=self._inbox,
        )

    async def list(
        self,
        state: Annotated[list[RequestState], Query()] = [],  # noqa: B006  # FastAPI copies it
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        before: Annotated[str, Query(max_length=26, pattern=wire.NO_NUL)] = "",
    ) -> wire.PageOut:
        """Requests, newest first."""
        found = await self._desk.requests(states=state, limit=limit, before=before)
        more = found[-1].id if len(found) == limit else None
        return wire.PageOut(requests=[shown.request_out(each, log=self._log()) for each in found], next_before=more)

    async def get(self, request_id: str) -> wire.RequestOut:
        """One request with its reviews and grant."""
        return shown.case_out(await self._desk.case(request_id), log=self._log())

    async def wait(
        self, request_id: str, http: Request, timeout_s: Annotated[float, Query(ge=0, le=WAIT_MAX_S)] = WAIT_MAX_S
    ) -> wire.RequestOut:
        """The request once it has ended, or as it is after ``timeout_s`` seconds."""
        wait = asyncio.ensure_future(self._desk.wait(request_id, timeout_s))
        gone = asyncio.ensure_future(hung_up(http))  # who has gone is kept no place
        try:
            await asyncio.wait({wait, gone}, return_when=asyncio.FIRST_COMPLETED)
            return shown.case_out(wait.result() if wait.done() else await self._desk.case(request_id))
        finally:
            wait.cancel()
            gone.cancel()

    async def review(self, request_id: str, body: wire.ReviewIn, request: Request) -> wire.StepOut:
        """Decide, by a token with the scope ``decide``.

        From a terminal on this machine it is refused unless the policy allows it in so many words (I1).
        """
        caller = caller_of(request)
        try:
            if AccessScope.DECIDE in caller.scopes:
                draft = _review(request_id, body, caller, channel="api")
                may_ask = AccessScope.ASK in caller.scopes
                return await self._reviewed(replace(draft, machine=caller.machine, may_ask=may_ask))
            self._require_terminal(request)
            person = replace(caller, person=self._reviewer, assurance=0)
            return await self._reviewed(_review(request_id, body, person, channel=body.via))
        except (InputError, NotAllowedError, ConflictError) as error:
            await self._refusals.note(request_id, _trying(caller), str(error))
            raise

    async def _may_review(self, request: Request) -> None:
        """Whoever may ask or decide; that others who are known have tried is written down, too."""
        try:
            await self._access.needs(AccessScope.ASK, AccessScope.DECIDE)(request)
        except HTTPException as error:
            caller = await self._access.caller(request)
            if caller is not None:
                await self._refusals.note(request.path_params["request_id"], _trying(caller), error.detail)
            raise

    async def _reviewed(self, draft: ReviewDraft) -> wire.StepOut:
        """The answer to this review; whoever says something else under the same id must not hear that it is done."""
        step = await self._desk.review(draft)
        kept = step.case.review(draft.decision_id)
        if kept is not None and draft.is_another(kept, (step.case.request, *step.case.earlier)):
            text = f"this decision id belongs to another review of yours ({kept.verdict.value}); give this one its own"
            raise ConflictError(text, state=step.case.request.state.value)
        return shown.step_out(step)

    def _require_terminal(self, request: Request) -> None:
        if not self._terminal_decisions():
            raise NotAllowedError(
                "decisions from this machine's terminal are switched off: an agent of the same user could make them, "
                "too; use the web inbox, or set `terminal_decisions = true` under [policy]"
            )
        require_terminal(request, "askfirst inbox")

    async def preview_undo(
        self, request_id: str, use: Annotated[int, Query(ge=0, le=1_000_000)] = 0
    ) -> wire.PreviewOut:
        """What an undo would do now, of the newest run or of the one that is named; nothing is changed."""
        preview = await self._undos.preview(request_id, use=use)
        return shown.preview_out(await self._desk.case(request_id), preview, use)

    async def undo(self, request_id: str, body: wire.UndoIn, request: Request) -> wire.StepOut:
        """Put back what was there before the action ran, as a token's person or the user of this machine."""
        caller = caller_of(request)
        if AccessScope.DECIDE in caller.scopes:
            step = await self._undos.undo(
                request_id,
                turn=body.turn,
                by=caller.person,
                channel="api",
                assurance=caller.assurance,
                use=body.use,
            )
            return shown.step_out(step)
        if not self._terminal_undo:
            raise NotAllowedError(
                "undo from this machine's terminal is switched off (`terminal = false` under [undo]); use the web inbox"
            )
        if not is_local_user(request):
            raise NotAllowedError(
                "programs cannot undo; a person can: `askfirst undo`, the web inbox or another channel"
            )
        step = await self._undos.undo(request_id, turn=body.turn, by=self._reviewer, channel="terminal", use=body.use)
        return shown.step_out(step)

    async def grants(self) -> wire.GrantsOut:
        """Every grant that still opens something."""
        return wire.GrantsOut(grants=[shown.open_grant_out(each) for each in await self._desk.grants()])

    async def revoke(self, grant_id: str, body: wire.CancelIn, request: Request) -> wire.StepOut:
        """Take a grant back. That can only make things safer, so whoever may ask may do it, of their own machine."""
        caller = caller_of(request)
        by, channel, assurance = (
            (caller.person, "api", caller.assurance) if caller.person else (self._reviewer, "terminal", 0)
        )
        step = await self._desk.revoke(grant_id, by=by, channel=channel, reason=body.reason, assurance=assurance)
        return shown.step_out(step)

    async def events(self) -> StreamingResponse:
        """Every change from now on as server-sent events: ``event: request``, ``data:`` a request as JSON."""
        return StreamingResponse(_sse(self._desk.changes()), media_type="text/event-stream")

    async def request_events(self, request_id: str) -> StreamingResponse:
        """One request as it is now and at every change, as server-sent events; the stream ends with the request."""
        await self._desk.case(request_id)  # a 404 is said before the stream begins
        return StreamingResponse(_sse(self._until_ended(request_id)), media_type="text/event-stream")

    async def _until_ended(self, request_id: str) -> AsyncIterator[Case]:
        with self._hub.subscriber() as changes:  # registered first, read afterwards (I3)
            case = await self._desk.case(request_id)
            yield case
            while case.request.state is RequestState.PENDING:
                changed = await changes.get()
                if changed.request.id == request_id:
                    case = changed
                    yield case


def _trying(caller: Caller) -> Actor:
    """A caller who wants to decide: the person of their token, else a program of whoever runs it."""
    if caller.person:
        return Actor(type="human", id=caller.person, channel="api", assurance=caller.assurance)
    return Actor(type="agent", id=caller.id, channel="api")


def _review(request_id: str, body: wire.ReviewIn, caller: Caller, *, channel: str) -> ReviewDraft:
    return ReviewDraft(
        decision_id=decision_id_of(channel, f"{request_id} {caller.person}", body.decision_id),  # nobody else's
        request_id=request_id,
        version=body.version,
        action_digest=body.action_digest,
        person=caller.person,
        channel=channel,
        verdict=Verdict(body.verdict),
        assurance=caller.assurance,
        text=body.text,
        scope=body.scope,
        stop=body.stop,
        to=body.to,
        edit=body.edit,
    )


async def _sse(cases: AsyncIterator[Case]) -> AsyncIterator[str]:
    yield ": open\n\n"
    pending = asyncio.ensure_future(anext(cases, None))
    try:
        while True:
            done, _ = await asyncio.wait({pending}, timeout=15)
            if not done:
                yield ": still here\n\n"  # keeps proxies from closing an idle stream
                continue
            case = pending.result()
            if case is None:
                return
            pending = asyncio.ensure_future(anext(cases, None))
            data = json.dumps(shown.case_out(case).model_dump(), ensure_ascii=False)
            yield f"event: request\nid: {case.request.id}\ndata: {data}\n\n"
    finally:
        pending.cancel()
