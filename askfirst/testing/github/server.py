"""The fake as a server on loopback, or as an application in this process."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any, Self

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from askfirst.testing.github.door import Door
from askfirst.testing.github.graphql import GraphQL
from askfirst.testing.github.hooks import Hook
from askfirst.testing.github.rest import Rest
from askfirst.testing.github.world import RefusedError, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from starlette.requests import Request
    from starlette.responses import Response

    from askfirst.clock import Clock

_CONTROLS = frozenset(
    "account app comment delete deploy dismiss edit grant hide issue move press pull push react rename repository "
    "review team token".split()
)
_START_S = 10.0


class FakeGitHub:
    """See the package's docstring.

    Args:
        clock: dates everything.
        watch: sees every answer, see ``Door``.
        prefix: below which the API lies, ``/api/v3`` as on a GitHub Enterprise Server.
        hook: URL and secret of a webhook; deliveries go out before the act that causes them returns.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        watch: Callable[[str, str, int, Any], None] | None = None,
        prefix: str = "",
        hook: tuple[str, bytes] | None = None,
    ) -> None:
        self.world = World(clock)
        self._prefix = prefix
        self._door = Door(self.world, watch, prefix)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        if hook is not None:
            self.set_hook(*hook)

    @property
    def url(self) -> str:
        """The API's base URL, once it is entered."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}{self._prefix}"

    def set_hook(self, url: str, secret: bytes) -> None:
        """Deliver events there; ``""`` keeps them for a test to deliver."""
        self.world.hook = Hook(secret)
        self.world.on_event = (lambda headers, body: _post(url, headers, body)) if url else None

    def app(self) -> Starlette:
        """The application, e.g. for ``httpx.ASGITransport``."""
        graphql = f"{self._prefix.removesuffix('/v3')}/graphql" if self._prefix else "/graphql"
        rest = Rest(self.world, self._door).routes()
        return Starlette(
            routes=[
                *(Route(f"{self._prefix}{each.path}", each.endpoint, methods=each.methods) for each in rest),
                Route(graphql, self._door.wrap(GraphQL(self.world).respond), methods=["POST"]),
                Route("/_control/{method}", self._control, methods=["POST"]),
                Route("/{path:path}", _unknown, methods=["DELETE", "GET", "PATCH", "POST", "PUT"]),
            ]
        )

    def __enter__(self) -> Self:
        config = uvicorn.Config(self.app(), log_level="error", lifespan="off", http="httptools")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()
        knock = httpx.HTTPTransport(retries=3)
        with httpx.Client(transport=knock, timeout=_START_S) as client:
            client.get(f"{self.url}/user")
        self.world.calls.clear()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None  # entered before
        assert self._thread is not None
        self._server.should_exit = True
        self._thread.join()
        self.close()

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    async def _control(self, request: Request) -> Response:
        method = request.path_params["method"]
        if method not in _CONTROLS:
            return JSONResponse({"message": f"no control {method}"}, 404)
        try:
            found = getattr(self.world, method)(**await request.json())
        except RefusedError as error:
            return JSONResponse({"message": error.message}, error.status)
        simple = (
            {key: each for key, each in vars(found).items() if isinstance(each, str | int)}
            if hasattr(found, "__dict__")
            else found
        )
        return JSONResponse(simple)


async def _unknown(_request: Request) -> Response:
    return JSONResponse({"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}, 404)


def _post(url: str, headers: dict[str, str], body: bytes) -> None:
    """As GitHub does: one try, whatever the answer."""
    try:
        httpx.post(url, content=body, headers=headers, timeout=10)
    except httpx.HTTPError:
        return
