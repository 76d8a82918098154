"""The broker's ``/mcp``: streamable HTTP by the MCP SDK, both eras, for whoever shows the API's token.

The tools are the same as over stdio; a call here is a conversation with the API of this very process. The SDK is an
extra (``askfirst[mcp]``) and takes most of a second to load, so that happens at the first request, not at the start.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import ConfigDict, Field
from starlette.responses import JSONResponse

import askfirst
from askfirst.errors import BrokerUnavailableError
from askfirst.sdk.link import raise_for
from askfirst.sdk.steps import drive_async
from mcp_server import calls, rpc, tasks
from mcp_server.caller import Caller, from_meta
from mcp_server.tools import INSTRUCTIONS, NAME, SCHEMAS, TITLE, TOOLS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel import Server
    from mcp.types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams
    from starlette.types import ASGIApp, Receive, Scope, Send

    from askfirst.sdk import steps

PATH = "/mcp"
BODY_MAX_BYTES = 4 * 1024 * 1024
CALL_S = 30.0


class OwnApi:
    """The API of this process.

    Args:
        api: its application.
        now_ms: the broker's clock.
    """

    def __init__(self, api: ASGIApp, now_ms: Callable[[], int]) -> None:
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(api),
            base_url="http://askfirst",
            timeout=None,  # noqa: S113  # nothing is between us; the API bounds its own waits
        )
        self._now_ms = now_ms

    def called_by(self, authorization: str) -> InProcess:
        """A way to it in the name of whoever showed this header: what they may, and on which machine they are."""
        return InProcess(self._http, authorization, self._now_ms)


class InProcess:
    """A ``Transport`` to the API of this process, for one call.

    Args:
        http: a client of it.
        authorization: the caller's ``Authorization`` header.
        now_ms: the broker's clock.
    """

    def __init__(self, http: httpx.AsyncClient, authorization: str, now_ms: Callable[[], int]) -> None:
        self._http = http
        self._authorization = authorization
        self.now_ms = now_ms

    async def send_async(self, send: steps.Send) -> steps.Reply:
        """The answer of the API."""
        key = {"Idempotency-Key": send.key} if send.key else {}
        headers = {"Authorization": self._authorization, **key}
        try:
            response = await self._http.request(send.method, send.path, json=send.body, headers=headers)
            body = response.json()
        except (httpx.TransportError, ValueError) as error:
            raise BrokerUnavailableError(f"the broker's own API does not answer: {error}") from error
        raise_for(response.status_code, body, response.headers)
        reply: steps.Reply = body
        return reply

    async def pause_async(self, seconds: float) -> None:
        """Sleep on the event loop."""
        await asyncio.sleep(seconds)

    def send(self, send: steps.Send) -> steps.Reply:
        """Never used: here everything runs on the event loop."""
        raise NotImplementedError

    def pause(self, seconds: float) -> None:
        """Never used."""
        raise NotImplementedError


class McpEndpoint:
    """An ASGI application for ``/mcp``.

    Args:
        transport_for: a way to the API in the name of whoever shows this ``Authorization`` header.
        is_allowed: whether a connection may ask.
        hosts: ``Host`` headers that are answered, as name:port; others are DNS rebinding.
    """

    def __init__(
        self,
        *,
        transport_for: Callable[[str], steps.Transport],
        is_allowed: Callable[[Scope], Awaitable[bool]],
        hosts: tuple[str, ...],
    ) -> None:
        self._transport_for = transport_for
        self._is_allowed = is_allowed
        self._hosts = hosts
        self._app: ASGIApp | None = None
        self._stack = AsyncExitStack()
        self._starting = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if not await self._is_allowed(scope):
            body = {"error": "invalid_token", "error_description": "MCP over HTTP needs the API's bearer token"}
            headers = {"WWW-Authenticate": 'Bearer realm="askfirst", error="invalid_token"'}
            await JSONResponse(body, 401, headers=headers)(scope, receive, send)
            return
        async with self._starting:
            if self._app is None:
                try:
                    self._app = await self._start()
                except ModuleNotFoundError:
                    told = {"error": "not_installed", "error_description": "install askfirst[mcp] for MCP over HTTP"}
                    await JSONResponse(told, 501)(scope, receive, send)
                    return
        trimmed = [(name, value.strip(b" \t")) for name, value in scope["headers"]]  # RFC 9110 §5.5; httptools keeps it
        await self._app({**scope, "headers": trimmed}, receive, send)

    async def _start(self) -> ASGIApp:
        server = await asyncio.to_thread(self._server)
        from mcp.server.transport_security import TransportSecuritySettings  # noqa: PLC0415  # an extra

        app: ASGIApp = server.streamable_http_app(
            streamable_http_path=PATH,
            max_request_body_size=BODY_MAX_BYTES,
            transport_security=TransportSecuritySettings(
                enable_dns_rebinding_protection=True,
                allowed_hosts=list(self._hosts),
                allowed_origins=[f"http://{each}" for each in self._hosts],
            ),
        )
        running = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(_live(server, running))
        self._stack.callback(task.cancel)
        await running
        return app

    def _server(self) -> Any:
        from mcp.server.lowlevel import Server  # noqa: PLC0415  # an extra, and slow to load
        from mcp.types import CallToolRequestParams  # noqa: PLC0415

        server: Server[Any] = Server(
            NAME,
            version=askfirst.__version__,
            title=TITLE,
            instructions=INSTRUCTIONS,
            on_list_tools=self._list,
        )
        server.extensions = {rpc.TASKS: {}}
        server.add_request_handler("tools/call", CallToolRequestParams, self._call)  # a task is a result of its own
        self._serve_tasks(server)
        return server

    def _serve_tasks(self, server: Server[Any]) -> None:
        """The methods of the extension; the SDK knows their shapes no more than any other extension's."""
        from mcp.shared.exceptions import MCPError  # noqa: PLC0415
        from mcp.types import INVALID_PARAMS, RequestParams  # noqa: PLC0415

        class TaskParams(RequestParams):
            model_config = ConfigDict(extra="allow")
            task_id: str = Field(alias="taskId")

        async def serve(method: str, context: ServerRequestContext[Any], params: TaskParams) -> dict[str, Any]:
            if not rpc.takes_tasks(_meta(context)):
                raise MCPError(rpc.MISSING_CAPABILITY, f"{method} is for clients that declare {rpc.TASKS}")
            transport = self._transport(context)
            ours = _context(context, transport, lambda _s, _text: None)
            try:
                return await drive_async(tasks.serve(method, {"taskId": params.task_id}, ours), transport)
            except tasks.UnknownTaskError as error:
                raise MCPError(INVALID_PARAMS, str(error)) from error

        for method in rpc.TASK_METHODS:
            server.add_request_handler(method, TaskParams, partial(serve, method))

    def _transport(self, context: ServerRequestContext[Any]) -> steps.Transport:
        headers = context.request.headers if context.request is not None else {}
        return self._transport_for(headers.get("authorization", ""))

    async def _list(
        self, _context: ServerRequestContext[Any], _params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        from mcp.types import ListToolsResult  # noqa: PLC0415

        return ListToolsResult.model_validate({"tools": TOOLS})

    async def _call(
        self, context: ServerRequestContext[Any], params: CallToolRequestParams
    ) -> CallToolResult | dict[str, Any]:
        from mcp.shared.exceptions import MCPError  # noqa: PLC0415
        from mcp.types import INVALID_PARAMS, CallToolResult  # noqa: PLC0415

        if params.name not in SCHEMAS:
            raise MCPError(INVALID_PARAMS, f"unknown tool {params.name[:80]!r}; known: {', '.join(SCHEMAS)}")
        seconds: asyncio.Queue[tuple[float, str]] = asyncio.Queue()
        reporting = asyncio.create_task(_report(context, seconds))
        try:
            run = tasks.call if rpc.takes_tasks(_meta(context)) else calls.call
            transport = self._transport(context)
            ours = _context(context, transport, lambda waited_s, text: seconds.put_nowait((waited_s, text)))
            told: calls.Told | dict[str, Any] = await drive_async(
                run(params.name, params.arguments or {}, ours), transport
            )
        finally:
            reporting.cancel()
        return told if isinstance(told, dict) else CallToolResult.model_validate(told.result())

    async def close(self) -> None:
        """End the sessions."""
        await self._stack.aclose()


async def _live(server: Any, running: asyncio.Future[None]) -> None:
    """Keep the SDK's sessions alive; its context must be entered and left by one task."""
    async with server.session_manager.run():
        running.set_result(None)
        await asyncio.Event().wait()


async def _report(context: ServerRequestContext[Any], seconds: asyncio.Queue[tuple[float, str]]) -> None:
    while True:
        waited_s, text = await seconds.get()
        await context.session.report_progress(waited_s, message=text)


def _context(
    context: ServerRequestContext[Any], transport: steps.Transport, progress: Callable[[float, str], None]
) -> calls.Context:
    caller = from_meta(Caller("mcp", _client(context)), _meta(context))
    return calls.Context(caller=caller, now_ms=transport.now_ms, progress=progress)


def _client(context: ServerRequestContext[Any]) -> str:
    """A name for the session: over HTTP the client's own name is all that lasts."""
    params = context.session.client_params
    return f"http-{params.client_info.name[:60]}" if params is not None else "http"


def _meta(context: ServerRequestContext[Any]) -> dict[str, Any]:
    meta = context.meta
    return dict(meta) if isinstance(meta, dict) else {}
