"""``/v1/channels``: how they stand, and whether people get what they send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from askfirst.access import AccessScope
from askfirst.broker.access import require_owner
from askfirst.broker.json_route import JsonRoute
from askfirst.broker.wire import NO_NUL, Wire
from askfirst.errors import InputError
from askfirst.trial import draft_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.broker.access import Access
    from askfirst.clock import Clock
    from askfirst.desk import Desk
    from askfirst.heartbeat import Heartbeat
    from askfirst.ports import Channel


class ChannelOut(Wire):
    """A channel as it stands. Times are milliseconds since the Unix epoch; null: it was not asked yet."""

    scheme: str
    ok: bool | None
    text: str
    since_ms: int | None
    checked_at_ms: int | None
    assurance: int
    people_decide: bool


class ChannelsOut(Wire):
    """All channels of this broker."""

    channels: list[ChannelOut]


class CheckIn(Wire):
    """Which channels to ask now; none: all."""

    schemes: Annotated[list[str], Field(max_length=100)] = []  # noqa: RUF012  # pydantic copies it


class TryIn(Wire):
    """Where to send a test request, e.g. ``telegram:12345``."""

    recipient: Annotated[str, Field(min_length=1, max_length=300, pattern=NO_NUL)]


class TriedOut(Wire):
    """The test request; wait for it as for any other."""

    request: str
    code: str


class ChannelsApi:
    """The routes."""

    def __init__(
        self, access: Access, *, channels: Mapping[str, Channel], heartbeat: Heartbeat, desk: Desk, clock: Clock
    ) -> None:
        self._access = access
        self._channels = channels
        self._heartbeat = heartbeat
        self._desk = desk
        self._clock = clock

    def router(self) -> APIRouter:
        """To be included in the API."""
        router = APIRouter(route_class=JsonRoute, prefix="/v1/channels", tags=["channels"])
        mine = [Depends(self._access.needs(AccessScope.ADMIN, AccessScope.ASK))]
        router.add_api_route("", self.listed, methods=["GET"], dependencies=mine)
        router.add_api_route("/check", self.check, methods=["POST"], dependencies=mine)
        router.add_api_route("/test", self.test, methods=["POST"], status_code=202, dependencies=mine)
        return router

    async def listed(self, request: Request) -> ChannelsOut:
        """How each channel stood when it was last asked."""
        require_owner(request)
        return ChannelsOut(channels=[self._out(each) for each in sorted(self._channels)])

    async def check(self, body: CheckIn, request: Request) -> ChannelsOut:
        """Ask them now."""
        require_owner(request)
        unknown = sorted(set(body.schemes) - self._channels.keys())
        if unknown:
            known = ", ".join(sorted(self._channels))
            raise InputError(f"there is no channel {unknown[0]!r} here, known: {known}", field="schemes")
        await self._heartbeat.check(body.schemes)
        return ChannelsOut(channels=[self._out(each) for each in sorted(body.schemes or self._channels)])

    async def test(self, body: TryIn, request: Request) -> TriedOut:
        """Send a request that does nothing, whatever is decided."""
        require_owner(request)
        case = await self._desk.ask(draft_of(body.recipient, self._channels.keys(), self._clock.now_ms()))
        return TriedOut(request=case.request.id, code=case.request.code)

    def _out(self, scheme: str) -> ChannelOut:
        channel, standing = self._channels[scheme], self._heartbeat.standings.get(scheme)
        return ChannelOut(
            scheme=scheme,
            ok=None if standing is None else standing.ok,
            text="not asked yet" if standing is None else standing.text,
            since_ms=None if standing is None else standing.since_ms,
            checked_at_ms=None if standing is None else standing.checked_at_ms,
            assurance=channel.caps.assurance,
            people_decide=channel.caps.buttons or channel.caps.free_text,
        )
