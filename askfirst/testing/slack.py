"""A Slack workspace on loopback: the methods that the channel uses and Socket Mode, with the real limits.

It answers as the service documents: tokens, unknown channels, blocks that are too long (``invalid_blocks``), rate
limits with ``Retry-After``, messages that are gone, and envelopes that come again until they are confirmed.

From: https://docs.slack.dev/reference/methods, https://docs.slack.dev/reference/block-kit/blocks,
https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar

from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

BOT_TOKEN, APP_TOKEN = "xoxb-1-test", "xapp-1-test"  # a fake's
TEAM, BOT = "T0TEAM", "U0BOT"
_TEXT_MAX, _BLOCKS_MAX = 40_000, 50
_LIMITS = {"header": 150, "button": 75, "value": 2_000, "action_id": 255}
_T = TypeVar("_T")


@dataclass(slots=True)
class World:
    """What is in the workspace; only touched on the server's loop."""

    channels: dict[str, str] = field(default_factory=lambda: {"approvals": "C0APPROVALS"})
    messages: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    whispers: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, dict[str, Any]] = field(default_factory=dict)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    clock: itertools.count[int] = field(default_factory=lambda: itertools.count(1_800_000_000))


class FakeSlack:
    """The workspace, in a thread of its own; a context manager.

    Attributes:
        url: for ``[slack] api_url``.
    """

    def __init__(self) -> None:
        self._world = World()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    # -- what a test does and sees ------------------------------------------------------------------------------------

    def fail(self, method: str, error: str) -> None:
        """From now on this method answers with this error, ``away`` by hanging up; ``""``: no more."""

        def change(world: World) -> None:
            world.faults.pop(method, None)
            if error:
                world.faults[method] = error

        self._with(change)

    def message(self, channel: str, ts: str) -> dict[str, Any]:
        """A message as it stands."""
        return self._with(lambda world: dict(world.messages[channel, ts]))

    def thread(self, channel: str, ts: str) -> list[dict[str, Any]]:
        """What was said in its thread."""
        place = (channel, ts)
        said = self._with(lambda world: list(world.messages.values()))
        return [each for each in said if (each["channel"], each.get("thread_ts")) == place]

    def tamper(self, channel: str, ts: str, blocks: list[dict[str, Any]]) -> None:
        """Change a message as whoever holds the bot's token can."""
        self._with(lambda world: world.messages[channel, ts].update(blocks=blocks))

    def whispers(self) -> list[str]:
        """What was told to one person, oldest first."""
        return self._with(lambda world: [each["text"] for each in world.whispers])

    def press(self, user: str, channel: str, ts: str, action_id: str) -> dict[str, Any]:
        """Press a button; the envelope, which is also sent to whoever listens.

        Raises:
            LookupError: the message has no such button.
        """
        message = self.message(channel, ts)
        rows = [each for each in message["blocks"] if each["type"] == "actions"]
        action = next(each for row in rows for each in row["elements"] if each["action_id"] == action_id)
        stamp = self._with(_stamp)
        payload = {
            "type": "block_actions",
            "team": {"id": TEAM, "domain": "acme"},
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": TEAM},
            "channel": {"id": channel, "name": "approvals"},
            "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False},
            "message": {"type": "message", "user": BOT, "ts": ts, "text": message["text"], "blocks": message["blocks"]},
            "actions": [{**action, "block_id": "b1", "action_ts": stamp}],
        }
        return self.deliver("interactive", payload)

    def say(self, user: str, channel: str, text: str, **more: Any) -> dict[str, Any]:
        """Write a message."""
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        stamp = self._with(_stamp)
        event = {"type": "message", "user": user, "channel": channel, "text": escaped, "ts": stamp, "team": TEAM}
        payload = {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{stamp}", "event": {**event, **more}}
        return self.deliver("events_api", payload)

    def deliver(self, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send an envelope to whoever listens, again and again until it is confirmed."""

        def add(world: World) -> dict[str, Any]:
            envelope: dict[str, Any] = {"type": kind, "envelope_id": f"env-{_stamp(world)}", "payload": payload}
            world.waiting[envelope["envelope_id"]] = envelope
            return envelope

        envelope = self._with(add)
        self._run(self._send_waiting())
        return envelope

    def unconfirmed(self) -> int:
        """How many envelopes wait for their confirmation."""
        return self._with(lambda world: len(world.waiting))

    # -- the server ---------------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_post("/api/{method}", self._method)
        app.router.add_get("/socket", self._socket)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/api/"

    async def _stop(self) -> None:
        for each in self._world.sockets:
            await each.close()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _method(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        fault = self._world.faults.get(name, "")
        if fault == "away":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        wanted = APP_TOKEN if name == "apps.connections.open" else BOT_TOKEN
        if request.headers.get("Authorization") != f"Bearer {wanted}":
            return _refused("invalid_auth")
        if fault == "ratelimited":
            return web.json_response({"ok": False, "error": fault}, status=429, headers={"Retry-After": "30"})
        if fault:
            return _refused(fault)
        methods: dict[str, Callable[[dict[str, Any]], web.Response]] = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "chat.postEphemeral": self._post_ephemeral,
            "apps.connections.open": self._open,
        }
        if name not in methods:
            return _refused("unknown_method")
        has_body = request.content_type == "application/json"
        return methods[name](await request.json() if has_body else dict(await request.post()))

    def _auth_test(self, _arguments: dict[str, Any]) -> web.Response:
        return web.json_response({"ok": True, "team": "Acme", "user": "askfirst", "team_id": TEAM, "user_id": BOT})

    def _post_message(self, arguments: dict[str, Any]) -> web.Response:
        channel = self._channel(str(arguments.get("channel", "")))
        problem = _problem(arguments)
        if channel is None or problem:
            return _refused(problem or "channel_not_found")
        ts = _stamp(self._world)
        kept = {"text": arguments["text"], "blocks": arguments.get("blocks", []), "ts": ts, "channel": channel}
        if thread := arguments.get("thread_ts"):
            kept["thread_ts"] = thread
        self._world.messages[channel, ts] = kept
        return web.json_response({"ok": True, "channel": channel, "ts": ts, "message": kept})

    def _update(self, arguments: dict[str, Any]) -> web.Response:
        key = (str(arguments.get("channel")), str(arguments.get("ts")))
        problem = _problem(arguments)
        if key not in self._world.messages or problem:
            return _refused(problem or "message_not_found")
        self._world.messages[key].update(text=arguments["text"], blocks=arguments.get("blocks", []))
        return web.json_response({"ok": True, "channel": key[0], "ts": key[1]})

    def _post_ephemeral(self, arguments: dict[str, Any]) -> web.Response:
        if self._channel(str(arguments.get("channel", ""))) is None or not arguments.get("user"):
            return _refused("channel_not_found")
        self._world.whispers.append(arguments)
        return web.json_response({"ok": True, "message_ts": _stamp(self._world)})

    def _open(self, _arguments: dict[str, Any]) -> web.Response:
        address = self.url.replace("http://", "ws://").replace("/api/", "/socket")
        return web.json_response({"ok": True, "url": address})

    def _channel(self, named: str) -> str | None:
        known = self._world.channels
        if named.startswith("#"):
            return known.get(named[1:])
        return named if named in known.values() or named.startswith(("D", "U")) else None

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._world.sockets.append(socket)
        await socket.send_json({"type": "hello", "num_connections": len(self._world.sockets)})
        await self._send_waiting()
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                self._world.waiting.pop(message.json().get("envelope_id", ""), None)
        self._world.sockets.remove(socket)
        return socket

    async def _send_waiting(self) -> None:
        for socket in self._world.sockets[:1]:  # each envelope goes to one of the connections
            for envelope in list(self._world.waiting.values()):
                await socket.send_json({**envelope, "accepts_response_payload": False, "retry_attempt": 0})

    # -- from the test's thread ---------------------------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def _with(self, act: Callable[[World], _T]) -> _T:
        async def run() -> _T:
            return act(self._world)

        return self._run(run())


def _stamp(world: World) -> str:
    return f"{next(world.clock)}.000100"


def _refused(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error})


def _problem(arguments: dict[str, Any]) -> str:
    """What the service would not take of a message, ``""`` for nothing."""
    text, blocks = arguments.get("text", ""), arguments.get("blocks", [])
    if len(text) > _TEXT_MAX:
        return "msg_too_long"
    if not text and not blocks:
        return "no_text"
    buttons = [each for block in blocks if block["type"] == "actions" for each in block["elements"]]
    names = [each["action_id"] for each in buttons]
    too_long = (
        len(blocks) > _BLOCKS_MAX
        or any(len(block["text"]["text"]) > _LIMITS["header"] for block in blocks if block["type"] == "header")
        or any(not 1 <= len(each["text"]["text"]) <= _LIMITS["button"] for each in buttons)
        or any(
            len(each["value"]) > _LIMITS["value"] or len(each["action_id"]) > _LIMITS["action_id"] for each in buttons
        )
        or len(names) != len(set(names))
        or any(not 1 <= len(block["elements"]) <= 25 for block in blocks if block["type"] == "actions")
        or any(not _pieces(block) or "" in _pieces(block) for block in blocks if block["type"] == "rich_text")
    )
    return "invalid_blocks" if too_long else ""


def _pieces(block: dict[str, Any]) -> list[str]:
    return [piece["text"] for element in block["elements"] for piece in element["elements"]]
