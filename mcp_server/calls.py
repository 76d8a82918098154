"""What each tool does: conversations with REST ``/v1``, without any input or output.

Rules:

- Waiting is a courtesy on top of a durable request: whoever dies meanwhile finds it again by making the same call.
- The same call is the same request while that waits, is granted or was just denied; once it is used up, withdrawn or
  expired, the same call asks anew.
- What a hook will check is not redeemed here. What nobody checks later is redeemed here, so that its approval is handed
  out once.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from askfirst.errors import BrokerUnavailableError, Error, NotAllowedError
from askfirst.sdk.steps import Flow, Pause, Reply, Send, persistently
from mcp_server import words
from mcp_server.arguments import problem
from mcp_server.elicitation import Offer, offer, review_of
from mcp_server.tools import SCHEMAS, WAIT_MAX_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp_server.caller import Caller

SLICE_S = 15
"""How often a waiting call says that it is alive, seconds; hosts end calls that are silent for minutes."""
PATIENCE_MS = 30_000
"""How long a broker may be away before a call gives up, milliseconds."""
DENIAL_S = 600
"""How long the same call is answered from its denial, seconds."""
GENERATIONS_MAX = 50
_PAUSE_S = 0.5
_CLAIM = ("reason", "impact", "rollback_plan", "confidence", "signals")
_HOST_TOOLS = frozenset({"Bash", "Write", "Edit", "MultiEdit", "NotebookEdit", "WebFetch"})


class Context(NamedTuple):
    """What a call needs of the server that received it.

    Attributes:
        caller: who calls.
        now_ms: the clock.
        progress: told the seconds waited so far, rising, and a sentence.
        modes: how the client can ask the person at the keyboard, see ``elicitation.modes_of``.
        offer: asks them, at most once about each version; called before the wait.
        withdraw: told the id of a request that waits no longer.
        answers: what they said already, where the client hands that in with the call.
    """

    caller: Caller
    now_ms: Callable[[], int]
    progress: Callable[[float, str], None]
    modes: frozenset[str] = frozenset()
    offer: Callable[[Offer], None] = lambda _offer: None
    withdraw: Callable[[str], None] = lambda _request: None
    answers: tuple[tuple[Offer, object], ...] = ()


class Told(NamedTuple):
    """A tool's result.

    Attributes:
        structured: the structured content, None where the tool has none.
        text: the same for clients without it.
        is_error: whether the call itself was wrong; a refusal by a person is no error.
    """

    structured: dict[str, object] | None
    text: str
    is_error: bool = False

    def result(self) -> dict[str, Any]:
        """The tool's result as the protocol has it."""
        value: dict[str, Any] = {"content": [{"type": "text", "text": self.text}], "isError": self.is_error}
        return value if self.structured is None else {**value, "structuredContent": self.structured}


def call(name: str, arguments: dict[str, Any], context: Context) -> Flow[Told]:
    """Run a tool that ``tools`` lists."""
    wrong = problem(SCHEMAS[name], arguments)
    if wrong:
        return _told(words.refused(wrong), is_error=True)
    try:
        if context.caller.is_unknown:
            context = context._replace(caller=(yield from _seen(name, arguments, context)))
        if name == "permission_prompt":
            return (yield from _permission_prompt(arguments, context))
        return _told((yield from _TOOLS[name](arguments, context)))
    except BrokerUnavailableError as error:
        return _failed(name, words.unavailable(str(error)))
    except Error as error:
        return _failed(name, words.refused(str(error)))


def _seen(name: str, arguments: dict[str, Any], context: Context) -> Flow[Caller]:
    """The caller as the hook of its host has seen it make this very call; as it is where no hook has."""
    body = {"tool": name, "arguments": arguments}
    found = yield from _send(Send(method="POST", path="/v1/sightings", body=body), context)
    if not found["session"]:
        return context.caller
    return context.caller._replace(**{name: value for name, value in found.items() if value})


def _told(structured: dict[str, object], *, is_error: bool = False) -> Told:
    return Told(structured, words.text(structured), is_error)


def _failed(name: str, structured: dict[str, object]) -> Told:
    if name == "permission_prompt":
        return Told(None, _deny(str(structured["next"])))
    return _told(structured, is_error=True)


# -- the tools --------------------------------------------------------------------------------------------------------


def _request_approval(arguments: dict[str, Any], context: Context) -> Flow[dict[str, object]]:
    body = _approval_body(arguments, context.caller)
    request = yield from _current(body, context)
    request = yield from _settled(request, WAIT_MAX_S if arguments.get("wait", True) else 0, context)
    return (yield from _handed_out(request, context))


def _ask_human(arguments: dict[str, Any], context: Context) -> Flow[dict[str, object]]:
    said = "\n\n".join(each for each in (arguments["question"], arguments.get("context", "")) if each)
    body = {
        "question": said,
        "options": arguments.get("options", []),
        "answer_schema": arguments.get("schema"),
        **_agent(context.caller),
        **_route(arguments),
    }
    request = yield from _current({name: value for name, value in body.items() if value not in (None, [])}, context)
    request = yield from _settled(request, WAIT_MAX_S if arguments.get("wait", True) else 0, context)
    return words.result(request, is_gated=False)


def _get_request(arguments: dict[str, Any], context: Context) -> Flow[dict[str, object]]:
    request = yield from known(arguments["id"], context)
    request = yield from _settled(request, arguments.get("wait_s", 0), context)
    return (yield from _handed_out(request, context))


def _cancel_request(arguments: dict[str, Any], context: Context) -> Flow[dict[str, object]]:
    yield from known(arguments["id"], context)
    body = {"reason": arguments.get("reason", "")}
    step = yield from _send(Send(method="POST", path=_path(arguments["id"], "/cancel"), body=body), context)
    return words.result(step["request"], is_gated=True)


def _amend_request(arguments: dict[str, Any], context: Context) -> Flow[dict[str, object]]:
    request = yield from known(arguments["id"], context)
    body: dict[str, object] = {name: arguments[name] for name in ("command", "arguments") if name in arguments}
    said = {name: arguments[name] for name in _CLAIM if name in arguments}
    if said:
        body["claim"] = {**{name: request["claim"].get(name) for name in _CLAIM}, **said}
    step = yield from _send(Send(method="POST", path=_path(arguments["id"], "/amend"), body=body), context)
    if not step["done"]:
        return words.refused(step["note"])
    return words.result(step["request"], is_gated=True)


_TOOLS: dict[str, Callable[[dict[str, Any], Context], Flow[dict[str, object]]]] = {
    "request_approval": _request_approval,
    "ask_human": _ask_human,
    "get_request": _get_request,
    "cancel_request": _cancel_request,
    "amend_request": _amend_request,
}


def _permission_prompt(arguments: dict[str, Any], context: Context) -> Flow[Told]:
    """Wait as long as it takes; the host denies whatever is no allow.

    From: Claude Code, ``--permission-prompt-tool``: one text block with ``{"behavior": "allow", "updatedInput": {…}}``
    or ``{"behavior": "deny", "message": "…"}``.
    """
    body = {
        "tool": arguments["tool_name"],
        "arguments": arguments["input"],
        "cwd": context.caller.cwd,
        **_agent(context.caller),
    }
    key = _digest([body, arguments.get("tool_use_id") or uuid.uuid4().hex])
    send = Send(method="POST", path="/v1/requests", body=body, key=key)
    request = yield from _send(send, context)
    left_s = (request["approval_expires_at_ms"] - context.now_ms()) / 1000 + SLICE_S
    request = yield from _settled(request, max(0.0, left_s), context)
    if words.status_of(request) == "approved":
        if (yield from _redeemed(request, context)):
            return Told(None, json.dumps({"behavior": "allow", "updatedInput": request["arguments"]}))
        request = yield from _send(Send(method="GET", path=_path(request["id"])), context)
    return Told(None, _deny(str(words.result(request, is_gated=False)["next"])))


def _deny(message: str) -> str:
    return json.dumps({"behavior": "deny", "message": message}, ensure_ascii=False)


# -- asking -----------------------------------------------------------------------------------------------------------


def _approval_body(arguments: dict[str, Any], caller: Caller) -> dict[str, Any]:
    claim = {name: arguments[name] for name in _CLAIM if name in arguments}
    notes = [f"{name}: {arguments[name]}" for name in ("context", "risk") if arguments.get(name)]
    body: dict[str, Any] = {**_agent(caller), **_route(arguments)}
    command = arguments.get("command")
    if command is None:
        body.update(tool=arguments["action"], arguments=arguments.get("arguments", {}))
    else:
        body["command"] = command
        notes.insert(0, f"action: {arguments['action']}")
        notes += [f"arguments: {json.dumps(arguments['arguments'])}"] if arguments.get("arguments") else []
    if command is not None or _is_gated_tool(arguments["action"]):
        body["cwd"] = arguments.get("cwd") or caller.cwd
    body["claim"] = {**claim, "signals": [*claim.get("signals", []), *(each[:10_000] for each in notes)]}
    return body


def _agent(caller: Caller) -> dict[str, str]:
    return {"host": caller.host, "session": caller.session, "model": caller.model}


def _route(arguments: dict[str, Any]) -> dict[str, object]:
    return {"route": {"timeout_s": round(arguments["timeout_s"])}} if "timeout_s" in arguments else {}


def _current(body: dict[str, Any], context: Context) -> Flow[Reply]:
    """The request of this very call: the one that stands already, or a new one.

    Each request that is used up leads to the key of its successor, so that no memory is needed but the broker's.
    """
    acting = {name: value for name, value in body.items() if name not in {"claim", "route", "model"}}
    key = _digest(acting)
    for _ in range(GENERATIONS_MAX):
        request = yield from _send(Send(method="POST", path="/v1/requests", body=body, key=key), context)
        if _stands(request, context.now_ms()):
            return request
        key = _digest([key, request["id"]])
    return (yield from _send(Send(method="POST", path="/v1/requests", body=body, key=uuid.uuid4().hex), context))


def _stands(request: Reply, now_ms: int) -> bool:
    status = words.status_of(request)
    if status == "denied":
        return bool(now_ms - request["end"]["at_ms"] < DENIAL_S * 1000)
    return status in {"approved", "pending", "needs_info"}


def _settled(request: Reply, wait_s: float, context: Context) -> Flow[Reply]:
    """The request once it no longer waits for people, or as it is after ``wait_s``; says that it is alive meanwhile."""
    request = yield from _offered(request, context)
    start_ms = context.now_ms()
    waited_s = 0.0
    while words.status_of(request) == "pending" and waited_s < wait_s:
        slice_s = min(SLICE_S, wait_s - waited_s)
        send = Send(method="GET", path=_path(request["id"], f"/wait?timeout_s={slice_s:g}"), wait_s=slice_s)
        request = yield from _send(send, context)
        if (context.now_ms() - start_ms) / 1000 <= waited_s:
            yield Pause(seconds=_PAUSE_S)  # the broker did not wait; it must not be asked in a circle
        waited_s = (context.now_ms() - start_ms) / 1000
        context.progress(waited_s, f"waiting for a person (request {request['code']})")
    if words.status_of(request) != "pending":
        context.withdraw(request["id"])
    return request


def _offered(request: Reply, context: Context) -> Flow[Reply]:
    """The request after the person at the keyboard was asked, or after what they have said already."""
    if words.status_of(request) != "pending":
        return request
    for asked, answer in context.answers:
        if asked.request == request["id"]:
            return (yield from reviewed(request, asked, answer, context))
    if context.modes:
        health = yield from _send(Send(method="GET", path="/healthz"), context)
        if asked_now := offer(request, context.modes, health):
            context.offer(asked_now)
    return request


def reviewed(request: Reply, asked: Offer, answer: object, context: Context) -> Flow[Reply]:
    """The request after the answer to an offer; an answer that does not count changes nothing."""
    body = review_of(request, asked, answer)
    if body is None:
        return request
    try:
        step = yield from _send(Send(method="POST", path=_path(request["id"], "/reviews"), body=body), context)
    except NotAllowedError:  # no terminal behind this server: the other channels go on
        return request
    settled: Reply = step["request"]
    return settled


def answered(asked: Offer, answer: object, context: Context) -> Flow[Reply]:
    """The same for an answer that comes on its own."""
    request = yield from known(asked.request, context)
    return (yield from reviewed(request, asked, answer, context))


def known(request_id: str, context: Context) -> Flow[Reply]:
    """The request with this id, which this session has made.

    Raises:
        Error: there is none, or it is another session's.
    """
    return _own((yield from _send(Send(method="GET", path=_path(request_id)), context)), context)


def _own(request: Reply, context: Context) -> Reply:
    """Refuse what another session has asked: neither its words nor its permission are this one's."""
    caller = context.caller
    if (request["host"], request["session"]) != (caller.host, caller.session):
        raise NotAllowedError(f"request {request['id']} belongs to another session")
    return request


def _handed_out(request: Reply, context: Context) -> Flow[dict[str, object]]:
    """The result; where no hook will check the action, the permission is used up by telling it."""
    is_gated = bool(request.get("command")) or _is_gated_tool(request["tool"])
    told = words.result(request, is_gated=is_gated)
    if told["status"] != "approved" or is_gated or (yield from _redeemed(request, context)):
        return told
    return words.result((yield from _send(Send(method="GET", path=_path(request["id"])), context)), is_gated=is_gated)


def _redeemed(request: Reply, context: Context) -> Flow[bool]:
    body = {"action_digest": request["action_digest"], "attempt": uuid.uuid4().hex}
    step = yield from _send(Send(method="POST", path=_path(request["id"], "/redeem"), body=body), context)
    return bool(step["done"])


def _is_gated_tool(tool: str) -> bool:
    return tool.startswith("mcp__") or tool in _HOST_TOOLS


def _send(send: Send, context: Context) -> Flow[Reply]:
    return (yield from persistently(send, context.now_ms() + PATIENCE_MS, context.now_ms))


def _path(request_id: str, rest: str = "") -> str:
    safe = "".join(each if each.isascii() and each.isalnum() else "_" for each in request_id)
    return f"/v1/requests/{safe}{rest}"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
