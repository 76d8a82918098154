"""The inbox: the list, a request's page, the decision."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from askfirst.audit_port import Actor
from askfirst.clock import new_id
from askfirst.errors import InputError, NotAllowedError, RequestNotFoundError
from askfirst.request import RequestState
from askfirst.review_draft import ReviewDraft
from askfirst.session_list import Asked, sessions
from channels.web.forms import STOP, decision_of, read_form, require_code, require_csrf
from channels.web.view import ASSURANCE, list_seen_of, seen_of, view_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request as HttpRequest

    from askfirst.clock import Clock
    from askfirst.desk import Desk
    from askfirst.engine import Case
    from askfirst.refusals import Refusals
    from askfirst.request import Request
    from channels.web.door import Door
    from channels.web.forms import Decision
    from channels.web.live import Live
    from channels.web.pages import Pages
    from channels.web.sessions import Session

_ENDED = tuple(state for state in RequestState if state is not RequestState.PENDING)
_ENDED_MAX = 20
_RECENT_MAX = 500
_ID_MAX_CHARS = 64


class Inbox:
    """Everything behind the login.

    Args:
        desk: where requests are read and reviews handed in.
        refusals: writes down the reviews that are turned away.
        door: says who asks.
        pages: renders.
        live: tells pages of changes.
        clock: for the time left.
        machine: name of this machine, shown with the folder.
        log: the head of the log, as it is printed with every request.
    """

    def __init__(  # its parts, each named
        self,
        *,
        desk: Desk,
        refusals: Refusals,
        door: Door,
        pages: Pages,
        live: Live,
        clock: Clock,
        machine: str,
        log: Callable[[], str],
    ) -> None:
        self._desk = desk
        self._refusals = refusals
        self._door = door
        self._pages = pages
        self._live = live
        self._clock = clock
        self._machine = machine
        self._log = log

    async def show_list(self, request: HttpRequest) -> Response:
        """What waits, and below it what has ended lately."""
        session = await self._door.session(request)
        pending, ended = await self._listed()
        return self._pages.page(
            request,
            "list.html",
            session=session,
            pending=pending,
            ended=ended,
            seen=list_seen_of([*pending, *ended]),
            now_ms=self._clock.now_ms(),
        )

    async def show_sessions(self, request: HttpRequest) -> Response:
        """Agents' sessions with what waits of each."""
        session = await self._door.session(request)
        recent, pending = await asyncio.gather(self._desk.requests(limit=_RECENT_MAX), self._desk.pending())
        known = {each.id: each for each in (*recent, *pending)}
        lines = sessions(map(_asked, known.values()))
        return self._pages.page(request, "sessions.html", session=session, lines=lines)

    async def show(self, request: HttpRequest) -> Response:
        """The page of one request."""
        session = await self._door.session(request)
        return await self._case_page(request, session, await self._case(request))

    async def decide(self, request: HttpRequest) -> Response:
        """Hand a review to the desk and show what came of it."""
        session = await self._door.session(request)
        form = await read_form(request)
        require_csrf(form, session)
        case = await self._case(request)
        try:
            decision = decision_of(form)
            require_code(case.request, decision)
            step = await self._desk.review(_draft(case.request, decision, session))
        except (InputError, NotAllowedError) as error:
            actor = Actor(type="human", id=session.person, channel="web", assurance=ASSURANCE)
            await self._refusals.note(case.request.id, actor, str(error))
            return await self._case_page(request, session, case, status=422, form=form, said=str(error))
        if not step.done:
            said = f"your decision did not count: {step.note}"
            return await self._case_page(request, session, step.case, status=409, said=said)
        return RedirectResponse(f"{request.scope.get('root_path', '')}/requests/{case.request.id}", 303)

    async def list_events(self, request: HttpRequest) -> Response:
        """The live stream of the list."""
        await self._door.session(request)

        async def seen() -> str:
            pending, ended = await self._listed()
            return list_seen_of([*pending, *ended])

        return self._live.stream(seen, seen_of, partial(self._door.is_open, request))

    async def events(self, request: HttpRequest) -> Response:
        """The live stream of one request."""
        await self._door.session(request)
        request_id = (await self._case(request)).request.id

        async def seen() -> str:
            return seen_of(await self._desk.case(request_id))

        def mark(case: Case) -> str | None:
            return seen_of(case) if case.request.id == request_id else None

        return self._live.stream(seen, mark, partial(self._door.is_open, request))

    async def _listed(self) -> tuple[list[Request], list[Request]]:
        return await asyncio.gather(self._desk.pending(), self._desk.requests(states=_ENDED, limit=_ENDED_MAX))

    async def _case(self, request: HttpRequest) -> Case:
        request_id = request.path_params["request_id"]
        try:
            return await self._desk.case(request_id[:_ID_MAX_CHARS])
        except RequestNotFoundError:
            raise HTTPException(404, "there is no such request") from None

    async def _case_page(
        self,
        request: HttpRequest,
        session: Session,
        case: Case,
        *,
        status: int = 200,
        form: Mapping[str, str] | None = None,
        said: str = "",
    ) -> Response:
        colleagues = await self._desk.colleagues(case, session.person)
        now_ms = self._clock.now_ms()
        return self._pages.page(
            request,
            "request.html",
            status=status,
            session=session,
            view=view_of(case, machine=self._machine, now_ms=now_ms, log=self._log(), colleagues=colleagues),
            decision_id=new_id(),
            form=form or {},
            said=said,
            now_ms=now_ms,
        )


def _draft(request: Request, decision: Decision, session: Session) -> ReviewDraft:
    """The review in this decision.

    The id from the form makes a double click one review. It is bound to the session and to the verdict: nobody can
    claim another's id, and Deny pressed on a page from the browser's history is not taken for the Approve before it.
    """
    pressed = STOP if decision.stop else decision.verdict.value
    return ReviewDraft(
        decision_id=f"web:{session.id_sha256[:16]}:{decision.decision_id}:{pressed}",
        request_id=request.id,
        version=decision.version,
        action_digest=decision.action_digest,
        person=session.person,
        channel="web",
        verdict=decision.verdict,
        assurance=ASSURANCE,
        text=decision.comment,
        scope=decision.scope,
        stop=decision.stop,
        to=decision.to,
        edit=_edited(request, decision),
    )


def _edited(request: Request, decision: Decision) -> Mapping[str, object] | None:
    """The arguments that the person wants to run instead; None where they left the command as it is."""
    if not decision.edit or decision.edit == request.action.command:
        return None
    return {**request.action.arguments, "command": decision.edit}


def _asked(request: Request) -> Asked:
    return Asked(
        host=request.agent.host,
        session=request.agent.session,
        cwd=request.action.cwd,
        state=request.state.value,
        id=request.id,
        code=request.code,
        text=request.question or request.action.command or request.action.tool,
        at_ms=request.created_at_ms,
    )
