"""The web inbox as an application, for the broker to mount on loopback TCP (never on the API's socket)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from askfirst.errors import StoreError
from channels.web.door import Door
from channels.web.inbox import Inbox
from channels.web.live import KEEPALIVE_S, Live
from channels.web.pages import FOLDER, Pages
from channels.web.shield import HEADERS, Shield
from channels.web.undoing import Undoing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.requests import Request as HttpRequest
    from starlette.responses import Response

    from askfirst.clock import Clock
    from askfirst.desk import Desk
    from askfirst.refusals import Refusals
    from askfirst.undo_desk import UndoDesk
    from channels.web.logins import Logins
    from channels.web.sessions import Sessions

_TITLES = {
    401: "Please log in",
    403: "Refused",
    404: "Not found",
    410: "This link no longer works",
    429: "Slow down",
    503: "Not available",
}
_NEW_LINK = "Run this in a terminal on the machine where Askfirst runs; it opens a fresh link:"


def web_inbox(  # its ports, each named
    desk: Desk,
    undos: UndoDesk,
    logins: Logins,
    sessions: Sessions,
    *,
    refusals: Refusals,
    hosts: Collection[str],
    machine: str,
    clock: Clock,
    log: Callable[[], str] = lambda: "",
    keepalive_s: float = KEEPALIVE_S,
) -> Starlette:
    """The inbox.

    Args:
        desk: where requests are read and reviews handed in.
        undos: what takes back what ran.
        logins: the one-time links that open a session.
        sessions: the browsers that are logged in.
        refusals: writes down the reviews that are turned away, by whatever way in.
        hosts: the accepted values of the ``Host`` header, with port.
        machine: name of this machine, shown on every page.
        clock: decides what is late.
        log: the head of the audit log, printed with every request.
        keepalive_s: seconds between signs of life on a silent event stream.
    """
    pages = Pages(machine)
    door = Door(logins, sessions, pages, clock)
    live = Live(desk, keepalive_s)
    inbox = Inbox(
        desk=desk, refusals=refusals, door=door, pages=pages, live=live, clock=clock, machine=machine, log=log
    )
    undoing = Undoing(desk=desk, undos=undos, door=door, pages=pages, machine=machine)
    failures = Failures(pages)
    return Starlette(
        routes=[
            Route("/", inbox.show_list),
            Route("/sessions", inbox.show_sessions),
            Route("/events", inbox.list_events),
            Route("/requests/{request_id}", inbox.show),
            Route("/requests/{request_id}", inbox.decide, methods=["POST"]),
            Route("/requests/{request_id}/events", inbox.events),
            Route("/requests/{request_id}/undo", undoing.show),
            Route("/requests/{request_id}/undo", undoing.carry_out, methods=["POST"]),
            Route("/login/{token}", door.show),
            Route("/login/{token}", door.enter, methods=["POST"]),
            Route("/logout", door.leave, methods=["POST"]),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
        ],
        middleware=[Middleware(Shield, hosts=hosts)],
        exception_handlers={
            HTTPException: failures.refused,
            StoreError: failures.store,
            Exception: failures.bug,
        },
    )


class Failures:
    """Every refusal as a page with one sentence."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def refused(self, request: HttpRequest, error: Exception) -> Response:
        """What a handler, or the routing, refused."""
        assert isinstance(error, HTTPException)  # registered for it alone
        status = error.status_code
        response = self._page(request, status, error.detail, hint=_NEW_LINK if status in {401, 410} else "")
        response.headers.update(error.headers or {})
        return response

    async def store(self, request: HttpRequest, _error: Exception) -> Response:
        """The store is full, locked or broken."""
        return self._page(request, 503, "the store cannot be used right now; nothing was changed")

    async def bug(self, request: HttpRequest, _error: Exception) -> Response:
        """A bug: Starlette logs it after this answer, which it sends past the shield."""
        response = self._page(request, 500, "something went wrong on our side; nothing was decided")
        response.headers.update(HEADERS)
        return response

    def _page(self, request: HttpRequest, status: int, text: str, *, hint: str = "") -> Response:
        title = _TITLES.get(status, "That did not work")
        return self._pages.page(request, "message.html", status=status, title=title, text=text, hint=hint)
