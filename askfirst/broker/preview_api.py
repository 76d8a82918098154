"""``/v1/requests/{id}/preview``: what people see of a request on each channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from askfirst.access import AccessScope
from askfirst.broker.json_route import JsonRoute

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.broker.access import Access
    from askfirst.clock import Clock
    from askfirst.desk import Desk
    from askfirst.engine import Case


class PreviewPageOut(BaseModel):
    """A page; it is to be opened from a file, not served."""

    html: str


class PreviewApi:
    """The route; ``page`` makes the page of a case as of a moment."""

    def __init__(self, access: Access, *, desk: Desk, clock: Clock, page: Callable[[Case, int], str]) -> None:
        self._access = access
        self._desk = desk
        self._clock = clock
        self._page = page

    def router(self) -> APIRouter:
        """To be included in the API."""
        router = APIRouter(route_class=JsonRoute, tags=["requests"])
        sees = [Depends(self._access.needs_own(AccessScope.ASK, AccessScope.READ, AccessScope.DECIDE))]
        router.add_api_route("/v1/requests/{request_id}/preview", self.preview, methods=["GET"], dependencies=sees)
        return router

    async def preview(self, request_id: str) -> PreviewPageOut:
        """The request as people see it on each channel, as one HTML page."""
        return PreviewPageOut(html=self._page(await self._desk.case(request_id), self._clock.now_ms()))
