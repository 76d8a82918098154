"""The way in and out: login links, the session cookie, logout."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from channels.web.forms import read_form, require_csrf
from channels.web.sessions import SESSION_LIFE_S

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

    from askfirst.clock import Clock
    from channels.web.logins import Logins
    from channels.web.pages import Pages
    from channels.web.sessions import Session, Sessions

COOKIE = "askfirst_session"
"""No ``__Host-`` prefix: that demands ``Secure``, which browsers do not all honour on http://127.0.0.1 (Safari).

``SameSite=Strict``, ``HttpOnly``, ``Path=/`` and no ``Domain`` give the rest of what the prefix stands for.
"""

FAILURES_MAX = 10
FAILURES_WINDOW_MS = 60_000


class Door:
    """Login and logout.

    Args:
        logins: the one-time links.
        sessions: the sessions they open.
        pages: renders.
        clock: for the rate of failures.
    """

    def __init__(self, logins: Logins, sessions: Sessions, pages: Pages, clock: Clock) -> None:
        self._logins = logins
        self._sessions = sessions
        self._pages = pages
        self._clock = clock
        self._failures: deque[int] = deque(maxlen=FAILURES_MAX)

    async def session(self, request: HttpRequest) -> Session:
        """Who asks.

        Raises:
            HTTPException: 401, nobody whom we know.
        """
        session = await self._sessions.find(request.cookies.get(COOKIE, ""))
        if session is None:
            raise HTTPException(401, "this inbox opens with a one-time link from your terminal")
        return session

    async def is_open(self, request: HttpRequest) -> bool:
        """Whether the session of a long request still stands."""
        return await self._sessions.find(request.cookies.get(COOKIE, "")) is not None

    async def show(self, request: HttpRequest) -> Response:
        """The page behind a link: a button, so that fetching it ahead uses nothing up."""
        login = await asyncio.to_thread(self._logins.peek, request.path_params["token"])
        if login is None:
            raise self._failed()
        return self._pages.page(request, "login.html", person=login.person)

    async def enter(self, request: HttpRequest) -> Response:
        """Use the link: one browser gets a session."""
        await read_form(request)
        login = await asyncio.to_thread(self._logins.consume, request.path_params["token"])
        if login is None:
            raise self._failed()
        token = await self._sessions.open(login.person)
        response = RedirectResponse(f"{request.scope.get('root_path', '')}/", 303)
        response.set_cookie(
            COOKIE,
            token,
            max_age=SESSION_LIFE_S,
            path="/",
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    async def leave(self, request: HttpRequest) -> Response:
        """Log out: the session ends here and the cookie goes."""
        session = await self.session(request)
        require_csrf(await read_form(request), session)
        await self._sessions.close(session)
        response = self._pages.page(request, "message.html", title="Logged out", text=_GOODBYE, hint="")
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return response

    def _failed(self) -> HTTPException:
        """Count a failure and say so.

        Only failures are slowed down: a valid link always works, or else whoever fails on purpose would lock the
        person out. Guessing 256 bits is hopeless anyway; this bounds the work and makes it visible.
        """
        now_ms = self._clock.now_ms()
        full = len(self._failures) == FAILURES_MAX and now_ms - self._failures[0] < FAILURES_WINDOW_MS
        if full:
            text = "too many links that do not work; wait a minute"
            return HTTPException(429, text, headers={"Retry-After": "60"})
        self._failures.append(now_ms)
        return HTTPException(410, "this link was used already, has expired or was never made")


_GOODBYE = "You are logged out on this browser."
