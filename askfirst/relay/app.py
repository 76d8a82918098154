"""What the agent's machine serves on its unix socket while the broker is elsewhere: the broker's API, handed on.

Hooks are handed on by ``askfirst.relay.hooks``. Of the other calls those that ask about a command get a sight of this
machine; the rest goes through as it is, streams included. Health is the relay's own: a client that finds a relay starts
no broker.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import httpx
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, Router

import askfirst
from askfirst.call import ToolCall
from askfirst.errors import PROBLEM, Error, InputError, status_of
from askfirst.host import Agent
from askfirst.http_body import bounded_body
from askfirst.relay.upstream import CONNECT_S, refused, unreachable
from askfirst.unique_names import read_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from starlette.requests import Request

    from askfirst.relay.hooks import RelayedHooks
    from askfirst.relay.remote import Remote
    from askfirst.relay.survey import Survey

BODY_MAX_BYTES = 2 * 1024 * 1024
_ON = ("content-type", "idempotency-key", "accept", "last-event-id")
_BACK = ("content-type", "location", "retry-after", "allow")
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_WAIT_S = 2_147_483.0
_RETRY_AFTER_S = "1"
"""When the broker does not answer: it may be back at once."""
_SEEN = {"amend", "redeem"}
"""Calls about a request by which it may run, or be something else."""


class Relay:
    """The application.

    Args:
        remote: the broker.
        client: shows it the token.
        hooks: hands hooks on.
        survey: looks at this machine.
        diagnosis: what only the relay knows, for ``askfirst doctor``.
    """

    def __init__(
        self,
        *,
        remote: Remote,
        client: httpx.AsyncClient,
        hooks: RelayedHooks,
        survey: Survey,
        diagnosis: Callable[[], Awaitable[dict[str, Any]]],
    ) -> None:
        self._remote = remote
        self._client = client
        self._hooks = hooks
        self._survey = survey
        self._diagnosis = diagnosis

    def app(self) -> Router:
        """To be served on the socket."""
        return Router(
            [
                Route("/v1/hook/{host}", self._hooks.respond, methods=["POST"]),
                Route("/v1/diagnosis", self._diagnose, methods=["GET"]),
                Route("/healthz", self._health, methods=["GET"]),
                Route("/{path:path}", self._hand_on, methods=_METHODS),
            ]
        )

    async def _health(self, _request: Request) -> Response:
        """That the relay lives; whether the broker does is found out by asking it."""
        return JSONResponse(
            {
                "status": "ok",
                "version": askfirst.__version__,
                "pid": os.getpid(),
                "pending": 0,
                "waiting": 0,
                "terminal_decisions": False,
                "inbox": "",
                "broker": self._remote.url,
            }
        )

    async def _diagnose(self, _request: Request) -> Response:
        return JSONResponse(await self._diagnosis())

    async def _hand_on(self, request: Request) -> Response:
        try:
            body = await bounded_body(request, BODY_MAX_BYTES)
            if body is None:
                raise InputError(f"the body is too long: at most {BODY_MAX_BYTES:,} bytes are accepted")
            return await self._streamed(request, await self._with_sight(request, body))
        except Error as error:
            return _problem(status_of(error), str(error))
        except httpx.TransportError as error:
            return _problem(503, str(unreachable(self._remote, error)), {"Retry-After": _RETRY_AFTER_S})

    async def _streamed(self, request: Request, body: bytes) -> Response:
        headers = {name: request.headers[name] for name in _ON if name in request.headers}
        sent = self._client.build_request(
            request.method,
            request.url.path,
            params=str(request.query_params),
            content=body,
            headers=headers,
            timeout=httpx.Timeout(_WAIT_S, connect=CONNECT_S),
        )
        response = await self._client.send(sent, stream=True)
        kept = {name: response.headers[name] for name in _BACK if name in response.headers}
        if response.status_code == httpx.codes.UNAUTHORIZED or response.is_redirect:
            await response.aclose()
            raise refused(self._remote, response)
        return StreamingResponse(_stream(response), status_code=response.status_code, headers=kept)

    async def _with_sight(self, request: Request, body: bytes) -> bytes:
        """The body, with a sight of this machine where it is about something that would run here."""
        parts = request.url.path.strip("/").split("/")
        if request.method != "POST" or parts[:2] != ["v1", "requests"] or not body:
            return body
        if len(parts) != 2 and (len(parts) != 4 or parts[3] not in _SEEN):
            return body
        try:
            asked = read_json(body)
        except (ValueError, RecursionError):
            return body  # the broker says what is wrong with it
        if not isinstance(asked, dict):
            return body
        about = asked if len(parts) == 2 else {**await self._request(parts[2]), **_named(asked)}
        call = _call(about)
        if call is None:
            return body
        agent = Agent(host=str(about.get("host", "api")), session=call.session)
        return json.dumps({**asked, "sight": await self._survey.of(call, agent, closely=True)}).encode("ascii")

    async def _request(self, request_id: str) -> dict[str, Any]:
        response = await self._client.get(f"/v1/requests/{request_id}")
        if response.is_error:
            raise refused(self._remote, response)
        found: dict[str, Any] = response.json()
        return found


def _named(asked: dict[str, Any]) -> dict[str, Any]:
    """What an amendment changes of the action."""
    return {name: asked[name] for name in ("command",) if isinstance(asked.get(name), str)}


def _call(about: dict[str, Any]) -> ToolCall | None:
    """The call that a request is about; None where it runs nothing that a machine could say more of."""
    command, tool, arguments = about.get("command"), about.get("tool"), about.get("arguments")
    cwd, session = about.get("cwd", ""), about.get("session", "")
    if not isinstance(cwd, str) or not isinstance(session, str):
        return None
    if isinstance(command, str) and command:
        return ToolCall(tool="Bash", arguments={"command": command}, cwd=cwd, session=session)
    if not isinstance(tool, str) or not tool or not isinstance(arguments, dict) or not cwd:
        return None
    return ToolCall(tool=tool, arguments=arguments, cwd=cwd, session=session)


async def _stream(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    finally:
        await response.aclose()


def _problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    body = {"title": "the broker elsewhere", "status": status, "detail": detail}
    return JSONResponse(body, status_code=status, headers=headers, media_type=PROBLEM)
