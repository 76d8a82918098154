"""Routes of which no JSON body is taken that names a member twice (``askfirst.unique_names``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.routing import APIRoute

from askfirst.unique_names import read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fastapi import Response


class JsonRoute(APIRoute):
    """The ``route_class`` of every router of the API; what is refused is worded with all else that a parser refuses."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, over a request that reads its body so."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


class _StrictRequest(Request):
    async def json(self) -> Any:  # any JSON
        return read_json(await self.body())
