"""JSON-RPC of both eras of MCP, without any input or output: what is answered at once, and what is a tool call.

- Handshake era (2024-11-05 to 2025-11-25): ``initialize`` first; the client's version is answered if we know it.
- Modern era (2026-07-28): no handshake, each request has its version in ``_meta``; ``server/discover`` describes us.

From: https://modelcontextprotocol.io/specification/2025-11-25 and 2026-07-28; wire shapes compared with mcp 2.3.0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mcp_server.tools import INSTRUCTIONS, NAME, SCHEMAS, TITLE, TOOLS

HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN_VERSIONS = ("2026-07-28",)
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
UNSUPPORTED_VERSION = -32022
_VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
_SERVER_KEY = "io.modelcontextprotocol/serverInfo"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
TASKS = "io.modelcontextprotocol/tasks"
TASK_METHODS = frozenset({"tasks/get", "tasks/update", "tasks/cancel"})
MISSING_CAPABILITY = -32021


class Call(NamedTuple):
    """A tool call that is to be made.

    Attributes:
        id: of the request, to answer it.
        is_modern: the era that the answer is to be in.
        progress_token: None where the client wants no progress.
        state: what an earlier answer asked to hand in again, ``""`` for nothing (modern era).
        inputs: what the person said to what an earlier answer required, by its key (modern era).
    """

    id: str | int
    tool: str
    arguments: dict[str, Any]
    meta: dict[str, Any]
    is_modern: bool
    progress_token: str | int | None
    state: str = ""
    inputs: dict[str, Any] = {}  # noqa: RUF012  # never changed

    @property
    def takes_tasks(self) -> bool:
        """Whether the client declares tasks with this very call."""
        return takes_tasks(self.meta)


def takes_tasks(meta: dict[str, Any]) -> bool:
    """Whether a request of the modern era declares the extension."""
    declared = meta.get(CAPABILITIES_KEY)
    extensions = declared.get("extensions") if isinstance(declared, dict) else None
    return isinstance(extensions, dict) and TASKS in extensions


class Cancelled(NamedTuple):
    """The client no longer wants the answer to a request."""

    id: str | int


def read(message: object, version: str) -> dict[str, Any] | Call | Cancelled | None:
    """What to do with one message: send this answer, make this call, forget that one, or nothing.

    Args:
        message: a JSON value.
        version: our own version, for ``serverInfo``.
    """
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return failure(None, INVALID_REQUEST, "expected a JSON-RPC 2.0 object")
    method, request_id = message.get("method"), message.get("id")
    if not isinstance(method, str):
        return None  # an answer: whoever asked knows it by its id
    params = message.get("params")
    params = params if isinstance(params, dict) else {}
    if "id" not in message:
        return _notification(method, params)
    if isinstance(request_id, bool) or not isinstance(request_id, str | int):
        return failure(None, INVALID_REQUEST, "the id is neither a text nor an integer")
    return _request(request_id, method, params, _server(version))


def result(request_id: str | int, value: dict[str, Any], *, server: dict[str, Any] | None = None) -> dict[str, Any]:
    """An answer; with ``server`` it is one of the modern era."""
    if server is not None:
        value = {**value, "resultType": "complete", "_meta": {_SERVER_KEY: server}}
    return {"jsonrpc": "2.0", "id": request_id, "result": value}


def failure(request_id: str | int | None, code: int, text: str, **data: object) -> dict[str, Any]:
    """A protocol error, which the client sees and the model does not."""
    error = {"code": code, "message": text, **({"data": data} if data else {})}
    return {"jsonrpc": "2.0", "id": request_id, "error": error}


def told(call: Call, value: dict[str, Any], version: str) -> dict[str, Any]:
    """The answer to a tool call: ``value`` is the tool's result as the protocol has it."""
    return result(call.id, value, server=_server(version) if call.is_modern else None)


def input_required(call: Call, key: str, params: dict[str, Any], state: str, version: str) -> dict[str, Any]:
    """Asks the client to put a question to the person and to call again (modern era)."""
    value = {
        "resultType": "input_required",
        "inputRequests": {key: {"method": "elicitation/create", "params": params}},
        "requestState": state,
        "_meta": {_SERVER_KEY: _server(version)},
    }
    return {"jsonrpc": "2.0", "id": call.id, "result": value}


def elicit(request_id: str, params: dict[str, Any]) -> dict[str, Any]:
    """Asks the client to put a question to the person (handshake era)."""
    return {"jsonrpc": "2.0", "id": request_id, "method": "elicitation/create", "params": params}


def notify(method: str, **params: Any) -> dict[str, Any]:
    """Tells the client something."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def plain(call: Call, value: dict[str, Any], version: str) -> dict[str, Any]:
    """The answer to a call of the modern era that has its result type already."""
    return {"jsonrpc": "2.0", "id": call.id, "result": {**value, "_meta": {_SERVER_KEY: _server(version)}}}


def progress(call: Call, seconds: float, text: str) -> dict[str, Any]:
    """Tells the client that a call is alive."""
    params = {"progressToken": call.progress_token, "progress": round(seconds, 1), "message": text}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


def _server(version: str) -> dict[str, Any]:
    return {"name": NAME, "title": TITLE, "version": version}


def _notification(method: str, params: dict[str, Any]) -> Cancelled | None:
    request_id = params.get("requestId")
    if method == "notifications/cancelled" and isinstance(request_id, str | int):
        return Cancelled(request_id)
    return None


def _request(
    request_id: str | int, method: str, params: dict[str, Any], server: dict[str, Any]
) -> dict[str, Any] | Call:
    meta = params.get("_meta")
    meta = meta if isinstance(meta, dict) else {}
    modern = meta.get(_VERSION_KEY)
    if modern is not None and modern not in MODERN_VERSIONS:
        return failure(
            request_id,
            UNSUPPORTED_VERSION,
            f"unsupported protocol version {str(modern)[:40]!r}",
            supported=list(MODERN_VERSIONS),
            requested=str(modern)[:40],
        )
    if method == "tools/call":
        return _call(request_id, params, meta, is_modern=modern is not None)
    if method in TASK_METHODS and modern is not None:
        if not takes_tasks(meta):
            return failure(request_id, MISSING_CAPABILITY, f"{method} is for clients that declare {TASKS}")
        return Call(request_id, method, params, meta, is_modern=True, progress_token=None)
    if method == "tools/list":
        listed: dict[str, Any] = {"tools": TOOLS}
        if modern is None:
            return result(request_id, listed)
        return result(request_id, {**listed, "ttlMs": 0, "cacheScope": "private"}, server=server)
    answer = _modern(method) if modern is not None else _handshake(method, params, server)
    if answer is None:
        return failure(request_id, METHOD_NOT_FOUND, f"there is no method {method[:80]!r}")
    return result(request_id, answer, server=server if modern is not None else None)


def _modern(method: str) -> dict[str, Any] | None:
    if method != "server/discover":
        return None
    return {
        "supportedVersions": list(MODERN_VERSIONS),
        "capabilities": {"tools": {}, "extensions": {TASKS: {}}},
        "instructions": INSTRUCTIONS,
        "ttlMs": 0,
        "cacheScope": "private",
    }


def _handshake(method: str, params: dict[str, Any], server: dict[str, Any]) -> dict[str, Any] | None:
    if method == "ping":
        return {}
    if method != "initialize":
        return None
    wanted = params.get("protocolVersion")
    return {
        "protocolVersion": wanted if wanted in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1],
        "capabilities": {"tools": {}},
        "serverInfo": server,
        "instructions": INSTRUCTIONS,
    }


def _call(
    request_id: str | int, params: dict[str, Any], meta: dict[str, Any], *, is_modern: bool
) -> dict[str, Any] | Call:
    name, arguments = params.get("name"), params.get("arguments")
    arguments = {} if arguments is None else arguments
    if not isinstance(name, str) or name not in SCHEMAS:
        return failure(request_id, INVALID_PARAMS, f"unknown tool {str(name)[:80]!r}; known: {', '.join(SCHEMAS)}")
    if not isinstance(arguments, dict):
        return failure(request_id, INVALID_PARAMS, "arguments is no object")
    token = meta.get("progressToken")
    return Call(
        id=request_id,
        tool=name,
        arguments=arguments,
        meta=meta,
        is_modern=is_modern,
        progress_token=token if isinstance(token, str | int) and not isinstance(token, bool) else None,
        state=str(params.get("requestState") or ""),
        inputs=inputs if isinstance(inputs := params.get("inputResponses"), dict) else {},
    )
