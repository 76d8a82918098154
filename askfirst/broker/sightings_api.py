"""``POST /v1/sightings``: which agent the hook saw make a call of our MCP tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from askfirst.access import AccessScope
from askfirst.broker.json_route import JsonRoute

if TYPE_CHECKING:
    from askfirst.broker.access import Access
    from askfirst.sightings import Sightings


class CallIn(BaseModel):
    """A call of an MCP tool of ours, e.g. ``request_approval``, with the arguments as the client sent them."""

    model_config = ConfigDict(extra="forbid")

    tool: Annotated[str, Field(min_length=1, max_length=200)]
    arguments: dict[str, object] = {}


class SightingOut(BaseModel):
    """Who made it; all of it is ``""`` where no hook saw it, or the hooks of several sessions did."""

    host: str = ""
    session: str = ""
    model: str = ""
    cwd: str = ""


class SightingsApi:
    """What the MCP server asks where its client does not say for which session it calls."""

    def __init__(self, access: Access, sightings: Sightings) -> None:
        self._access = access
        self._sightings = sightings

    def router(self) -> APIRouter:
        """The route."""
        router = APIRouter(route_class=JsonRoute, prefix="/v1", tags=["requests"])
        needed = [Depends(self._access.needs(AccessScope.ASK))]
        router.add_api_route("/sightings", self.find, methods=["POST"], dependencies=needed)
        return router

    async def find(self, body: CallIn) -> SightingOut:
        """The agent whose hook saw this call within the last minute."""
        found = self._sightings.of(body.tool, body.arguments)
        if found is None:
            return SightingOut()
        agent = found.agent
        return SightingOut(host=agent.host, session=agent.session, model=agent.model, cwd=found.cwd)
