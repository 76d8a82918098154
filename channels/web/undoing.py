"""Taking back what ran: a page that says what would be put back, and the button that does it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from askfirst.card import card_of
from askfirst.engine.undo import way_back, ways_back
from askfirst.errors import RequestNotFoundError, RescueError
from channels.web.forms import read_form, require_csrf
from channels.web.view import ASSURANCE

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

    from askfirst.desk import Desk
    from askfirst.engine import Case
    from askfirst.undo_desk import UndoDesk
    from channels.web.door import Door
    from channels.web.pages import Pages
    from channels.web.sessions import Session

_ID_MAX_CHARS = 64
_TURN = re.compile(r"[0-9]{1,6}", re.ASCII)


class Undoing:
    """The page of one undo.

    Args:
        desk: where requests are read.
        undos: what carries it out.
        door: says who asks.
        pages: renders.
        machine: name of this machine.
    """

    def __init__(self, *, desk: Desk, undos: UndoDesk, door: Door, pages: Pages, machine: str) -> None:
        self._desk = desk
        self._undos = undos
        self._door = door
        self._pages = pages
        self._machine = machine

    async def show(self, request: HttpRequest) -> Response:
        """What would be put back, and what is put aside first."""
        session = await self._door.session(request)
        use = request.query_params.get("use", "0")
        if not _TURN.fullmatch(use):
            raise HTTPException(404, "there is no such run")
        return await self._page(request, session, await self._case(request), int(use))

    async def carry_out(self, request: HttpRequest) -> Response:
        """Put it back, and show the request as it is then."""
        session = await self._door.session(request)
        form = await read_form(request)
        require_csrf(form, session)
        case = await self._case(request)
        turn, use = form.get("turn", ""), form.get("use", "0")
        if not (_TURN.fullmatch(turn) and _TURN.fullmatch(use)):
            return await self._page(
                request, session, case, 0, status=422, said="turn and use are numbers from the page"
            )
        try:
            step = await self._undos.undo(
                case.request.id, turn=int(turn), by=session.person, channel="web", assurance=ASSURANCE, use=int(use)
            )
        except RescueError as error:
            return await self._page(request, session, case, int(use), status=409, said=str(error))
        if not step.done:
            return await self._page(request, session, step.case, int(use), status=409, said=step.note)
        return RedirectResponse(f"{request.scope.get('root_path', '')}/requests/{case.request.id}", 303)

    async def _case(self, request: HttpRequest) -> Case:
        try:
            return await self._desk.case(request.path_params["request_id"][:_ID_MAX_CHARS])
        except RequestNotFoundError:
            raise HTTPException(404, "there is no such request") from None

    async def _page(
        self, request: HttpRequest, session: Session, case: Case, use: int, *, status: int = 200, said: str = ""
    ) -> Response:
        return self._pages.page(
            request,
            "undo.html",
            status=status,
            session=session,
            card=card_of(case, machine=self._machine),
            run=way_back(case, use),
            runs=ways_back(case),
            preview=await self._undos.preview(case.request.id, use=use),
            said=said,
        )
