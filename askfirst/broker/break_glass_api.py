"""``/v1/break-glass``: codes for an emergency; used by a person at a terminal of the broker's machine, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from askfirst.access import AccessScope
from askfirst.broker.access import require_owner
from askfirst.broker.json_route import JsonRoute
from askfirst.broker.peer import require_terminal
from askfirst.broker.people_api import AskedOut, ClaimIn, asked_out
from askfirst.broker.wire import NO_NUL, Wire
from askfirst.glass_desk import DAYS_MAX, Shown

if TYPE_CHECKING:
    from askfirst.break_glass import Code
    from askfirst.broker.access import Access
    from askfirst.clock import Clock
    from askfirst.glass_desk import GlassDesk

_Text = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
_Reason = Annotated[str, Field(min_length=5, max_length=500)]
_COMMAND = "askfirst break-glass use"


class PrepareIn(Wire):
    """A code that is wanted: for whom, and for how many days."""

    person: _Text
    days: Annotated[int, Field(ge=1, le=DAYS_MAX)] = 180


class GlassOut(Wire):
    """A code without its secret. Times are milliseconds since the Unix epoch; ``until_ms`` 0: it opened no window."""

    id: str
    person: str
    state: str
    created_at_ms: int
    expires_at_ms: int
    used_at_ms: int | None
    reason: str
    session: str
    until_ms: int


class PreparedOut(GlassOut):
    """A new code; it is shown this once."""

    code: str


class GlassesOut(Wire):
    """Codes, newest first."""

    codes: list[GlassOut]


class RevokeIn(Wire):
    """The public name of a code."""

    id: _Text


class ReleaseIn(Wire):
    """Release one request, as it was shown."""

    code: _Text
    reason: _Reason
    request: _Text
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    action_digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class OpenIn(Wire):
    """Open a window: for how long, and for which session of an agent (all by default)."""

    code: _Text
    reason: _Reason
    seconds: Annotated[int, Field(ge=1, le=3600)]
    session: Annotated[str, Field(max_length=200, pattern=NO_NUL)] = ""


class ReleasedOut(Wire):
    """What a code has released, and its public name."""

    id: str
    request: str
    person: str


class BreakGlassApi:
    """The routes."""

    def __init__(self, access: Access, glass: GlassDesk, clock: Clock) -> None:
        self._access = access
        self._glass = glass
        self._clock = clock

    def router(self) -> APIRouter:
        """To be included in the API."""
        router = APIRouter(route_class=JsonRoute, prefix="/v1/break-glass", tags=["break-glass"])
        mine = [Depends(self._access.needs(AccessScope.ADMIN, AccessScope.ASK))]
        router.add_api_route("", self.listed, methods=["GET"], dependencies=mine)
        router.add_api_route("/codes", self.prepare, methods=["POST"], status_code=202, dependencies=mine)
        router.add_api_route("/codes/{request_id}", self.prepared, methods=["POST"], dependencies=mine)
        router.add_api_route("/revoke", self.revoke, methods=["POST"], dependencies=mine)
        router.add_api_route("/release", self.release, methods=["POST"], dependencies=mine)
        router.add_api_route("/open", self.open, methods=["POST"], dependencies=mine)
        return router

    async def listed(self, request: Request) -> GlassesOut:
        """All codes, those that ended too."""
        require_owner(request)
        return GlassesOut(codes=[self._out(each) for each in await self._glass.codes()])

    async def prepare(self, body: PrepareIn, request: Request) -> AskedOut:
        """Ask for a code."""
        require_owner(request)
        return asked_out(await self._glass.ask_to_prepare(body.person, days=body.days))

    async def prepared(self, request_id: str, body: ClaimIn, request: Request) -> PreparedOut:
        """The code that a person has approved."""
        require_owner(request)
        code, text = await self._glass.prepared(request_id, body.claim)
        return PreparedOut(**self._out(code).model_dump(), code=text)

    async def revoke(self, body: RevokeIn, request: Request) -> GlassOut:
        """Take a code back, or close the window that it has opened."""
        caller = require_owner(request)
        return self._out(await self._glass.revoke(body.id, by=caller.id))

    async def release(self, body: ReleaseIn, request: Request) -> ReleasedOut:
        """Release one request. Only a person at a terminal of this machine can."""
        caller = require_owner(request)
        require_terminal(request, _COMMAND)
        shown = Shown(request_id=body.request, version=body.version, action_digest=body.action_digest)
        case = await self._glass.release(body.code, shown, reason=body.reason, by=caller.id)
        end = case.request.end
        assert end is not None  # it was released
        return ReleasedOut(id=end.decision_id, request=case.request.id, person=end.by)

    async def open(self, body: OpenIn, request: Request) -> GlassOut:
        """Open a window. Only a person at a terminal of this machine can."""
        caller = require_owner(request)
        require_terminal(request, _COMMAND)
        code = await self._glass.open(
            body.code, seconds=body.seconds, session=body.session, reason=body.reason, by=caller.id
        )
        return self._out(code)

    def _out(self, code: Code) -> GlassOut:
        return GlassOut(
            id=code.id,
            person=code.person,
            state=code.state(self._clock.now_ms()),
            created_at_ms=code.created_at_ms,
            expires_at_ms=code.expires_at_ms,
            used_at_ms=code.used_at_ms,
            reason=code.reason,
            session=code.session,
            until_ms=code.until_ms,
        )
