"""MCP tasks over requests: a task is a request, so it is durable before it is answered and outlives every process.

A client that declares the extension hears ``resultType: "task"`` where the call would have waited for people, and asks
for it by ``tasks/get``; its own calls of ``get_request`` find the same request. Only the modern era has the extension.

From: https://modelcontextprotocol.io/seps/2663-tasks-extension.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from askfirst.errors import Error
from mcp_server import calls, words

if TYPE_CHECKING:
    from askfirst.sdk.steps import Flow, Reply
    from mcp_server.calls import Context, Told

TOOLS = frozenset({"request_approval", "ask_human"})
"""Tools whose calls wait for people."""
POLL_MS = 5_000
KEPT_MS = 86_400_000
"""How long a task can be asked for after its people's deadline; in fact as long as the store keeps requests."""


class UnknownTaskError(Exception):
    """There is no such task, or it is another session's."""


def call(name: str, arguments: dict[str, Any], context: Context) -> Flow[Told | dict[str, Any]]:
    """Run a tool for a client that takes tasks: its result, or the members of a task that goes on."""
    if name not in TOOLS or arguments.get("wait") is False:
        return (yield from calls.call(name, arguments, context))
    told = yield from calls.call(name, {**arguments, "wait": False}, context)
    if told.structured is None or told.structured["status"] != "pending":
        return told
    request = yield from calls.known(str(told.structured["id"]), context)
    return {"resultType": "task", **_task(request)}


def serve(method: str, params: dict[str, Any], context: Context) -> Flow[dict[str, Any]]:
    """The result of ``tasks/get``, ``tasks/update`` or ``tasks/cancel``.

    Raises:
        UnknownTaskError: there is no such task of this session.
    """
    try:
        request = yield from calls.known(str(params.get("taskId", "")), context)
    except Error as error:
        raise UnknownTaskError(str(error)) from error
    if method == "tasks/get":
        return (yield from _got(request, context))
    if method == "tasks/cancel" and words.status_of(request) == "pending":
        yield from calls.call("cancel_request", {"id": request["id"]}, context)
    return {"resultType": "complete"}  # an update has nothing to bring: no task of ours asks for input


def _got(request: Reply, context: Context) -> Flow[dict[str, Any]]:
    task = {"resultType": "complete", **_task(request)}
    if task["status"] != "completed":
        return task
    told = yield from calls.call("get_request", {"id": request["id"]}, context)
    return {**task, "result": told.result()}


def _task(request: Reply) -> dict[str, Any]:
    created_ms = request["created_at_ms"]
    end = request["end"]
    status = {"pending": "working", "cancelled": "cancelled"}.get(words.status_of(request), "completed")
    return {
        "taskId": request["id"],
        "status": status,
        "statusMessage": f"request {request['code']}: {words.status_of(request)}",
        "createdAt": _moment(created_ms),
        "lastUpdatedAt": _moment(end["at_ms"] if end else created_ms),
        "ttlMs": request["approval_expires_at_ms"] - created_ms + KEPT_MS,
        "pollIntervalMs": POLL_MS,
    }


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
