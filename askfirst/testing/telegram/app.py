"""The HTTP side of the fake: calls of bots, files, control by other processes, deliveries to a webhook."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from askfirst.testing.telegram import people
from askfirst.testing.telegram.api_error import ApiError, too_many
from askfirst.testing.telegram.methods import Methods
from askfirst.testing.telegram.parameters import method_named, read_parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from askfirst.testing.telegram.world import World

_RETRY_FIRST_S = 0.2
_RETRY_MAX_S = 2.0
"""The real server doubles up to 60 … 120 s."""


class Api:
    """The server's routes over one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._methods = Methods(world, allow_http=True)
        self.on_call: Callable[[str], None] | None = None
        self.called = threading.Condition()

    def app(self) -> Starlette:
        """The application."""
        routes = [
            Route("/bot{token}/{method}", self._call, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self._file),
            Route("/control/state", self._state),
            Route("/control/{act}", self._control, methods=["POST"]),
        ]
        return Starlette(routes=routes)

    def end_polls(self) -> None:
        """Let no poll wait any longer."""
        self._methods.end_poll()

    async def _call(self, request: Request) -> Response:
        try:
            self._require_token(request)
            method = method_named(request.path_params["method"])
            given = read_parameters(method, await _given(request))
            with self.called:
                self._world.calls.append((method, dict(given)))
                self.called.notify_all()
            if self.on_call is not None:
                self.on_call(method)
            return await self._answer(method, given)
        except ApiError as error:
            return JSONResponse(error.body(), error.code)

    def _require_token(self, request: Request) -> None:
        if request.path_params["token"] != self._world.token:
            raise ApiError(401, "Unauthorized")

    async def _answer(self, method: str, given: dict[str, Any]) -> Response:
        kind = self._fault(method)
        if kind == "flood":
            raise too_many(1)
        if kind == "lost":
            return Response("<html>502 Bad Gateway</html>", 502)
        result = await getattr(self._methods, re.sub(r"(?=[A-Z])", "_", method).lower())(given)
        if kind == "lost answer":
            return Response("<html>502 Bad Gateway</html>", 502)
        return JSONResponse({"ok": True, "result": result})

    def _fault(self, method: str) -> str:
        """``flood`` (429), ``lost`` (not carried out), ``lost answer`` (carried out, and nobody is told), or none."""
        found = next((each for each in self._world.faults if each[0] == method), None)
        if found is None:
            return ""
        self._world.faults.remove(found)
        return found[1]

    async def _file(self, request: Request) -> Response:
        file_id = request.path_params["path"].split("/")[1]
        if request.path_params["token"] != self._world.token or file_id not in self._world.files:
            return Response(status_code=404)
        return Response(self._world.files[file_id][1])

    # -- control ------------------------------------------------------------------------------------------------------

    async def _state(self, _request: Request) -> Response:
        world = self._world
        return JSONResponse(
            {
                "messages": [message for _, message in sorted(world.messages.items())],
                "answers": {number: query.answers for number, query in world.queries.items()},
                "queued": len(world.waiting(0, 1000)),
                "calls": [name for name, _ in world.calls],
            }
        )

    async def _control(self, request: Request) -> Response:
        given = await request.json()
        world = self._world
        match request.path_params["act"]:
            case "user":
                return JSONResponse(world.add_user(**given).json())
            case "group":
                return JSONResponse(world.add_group(**given).json())
            case "press":
                user = world.add_user(given["name"], user_id=given["user"], started=False)
                key = {"chat": {"id": given["chat"]}, "message_id": given["message"]}
                return JSONResponse({"query": people.press(world, user, key, given["button"])})
            case "say":
                user = world.add_user(given["name"], user_id=given["user"], started=False)
                return JSONResponse(people.say(world, user, world.chats[given["chat"]], given["text"]))
            case "raw":
                return JSONResponse({"update_id": world.tell_raw(given["update"])})
            case "advance":
                world.advance(given["seconds"])
                return JSONResponse({})
            case "fail":
                world.faults.extend([(given["method"], given["kind"])] * given.get("times", 1))
                return JSONResponse({})
        return JSONResponse({"error": "unknown act"}, 404)

    # -- webhook ------------------------------------------------------------------------------------------------------

    async def deliver(self) -> None:
        """Post updates to the webhook while one is set, in order, until each is taken or too old."""
        pause_s = _RETRY_FIRST_S
        async with httpx.AsyncClient(timeout=5) as client:
            while True:
                waiting = self._world.waiting(0, 1) if self._world.webhook.url else []
                if not waiting:
                    self._world.changed.clear()
                    await self._world.changed.wait()
                elif await self._delivered(client, waiting[0]):
                    pause_s = _RETRY_FIRST_S
                else:
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, _RETRY_MAX_S)

    async def _delivered(self, client: httpx.AsyncClient, update: dict[str, Any]) -> bool:
        hook = self._world.webhook
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret} if hook.secret else {}
        try:
            answer = await client.post(hook.url, json=update, headers=headers)
        except httpx.HTTPError as error:
            hook.error, hook.error_date = f"Connection failed: {error}", int(self._world.now())
            return False
        if not answer.is_success:
            hook.error = f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}"
            hook.error_date = int(self._world.now())
            return False
        self._world.waiting(update["update_id"] + 1, 1)
        return True


async def _given(request: Request) -> dict[str, Any]:
    """The parameters of a call: by query, form, multipart or JSON."""
    found: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        return {**found, **json.loads(await request.body() or b"{}")}
    if "form" not in kind:
        return found
    files: dict[str, tuple[str, bytes]] = {}
    async with request.form(max_part_size=64 * 1024 * 1024) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files[name] = (value.filename or "file", await value.read())
            else:
                found[name] = value
    for name, value in list(found.items()):  # a file may be attached under a name of its own
        if isinstance(value, str) and value.startswith("attach://") and value[9:] in files:
            found[name] = files.pop(value[9:])
    return {**found, **files}
