"""``POST /v1/hook/{host}``: the gate as hooks see it.

The body is the host's payload as it came; the answer is a ``HookAnswer`` frame. The connection stays open while a
person decides. Whatever goes wrong here is answered with a deny in the host's shape; without an answer the hook fails
closed.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.responses import PlainTextResponse, Response

from askfirst import answers
from askfirst.broker.peer import is_run_by
from askfirst.clock import new_id
from askfirst.errors import Error, InputError
from askfirst.gate import Attempt
from askfirst.host import BeforeTool, Deny, NoOpinion
from askfirst.http_body import bounded_body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from askfirst.host import HookAnswer, HookEvent, HostAdapter, Verdict
    from askfirst.host_events import HostEvents

PAYLOAD_MAX_BYTES = 16 * 1024 * 1024
WAIT_MAX_S = 2_147_483
"""Longest wait a hook may ask for, seconds: Claude Code's longest timeout (facts in hooks/claude_code.py)."""

_log = logging.getLogger(__name__)


class HookRoute:
    """Answers hooks; ``called`` hears the host's name at every call, for the heartbeat."""

    def __init__(
        self,
        events: HostEvents,
        adapters: Mapping[str, HostAdapter],
        called: Callable[[str], None] = lambda _host: None,
    ) -> None:
        self._called = called
        self._events = events
        self._adapters = adapters

    async def respond(self, request: Request) -> Response:
        """One hook call."""
        adapter = self._adapters.get(request.path_params["host"])
        if adapter is None:
            known = ", ".join(sorted(self._adapters))
            return PlainTextResponse(f"no such host; known: {known}", status_code=404)
        self._called(adapter.name)
        answer = await self._answer(request, adapter)
        return Response(answer.frame(), media_type="application/x-askfirst-hook")

    async def _answer(self, request: Request, adapter: HostAdapter) -> HookAnswer:
        event = None
        try:
            payload = await _payload(request)
            event = adapter.parse(payload, dict(parse_qsl(request.headers.get("x-askfirst-environ", ""))))
            if event is None:
                return adapter.render(None, NoOpinion())
            return adapter.render(event, await self._verdict(request, event))
        except InputError as error:
            return adapter.render(event, Deny(reason=answers.unavailable(f"unreadable hook input: {error}")))
        except Error as error:
            return adapter.render(event, Deny(reason=answers.unavailable(str(error))))
        except Exception:  # noqa: BLE001  # the outermost frame: whatever it is, the call does not run
            _log.exception("hook call failed")
            return adapter.render(event, Deny(reason=answers.unavailable("internal error, see the broker's log")))

    async def _verdict(self, request: Request, event: HookEvent) -> Verdict:
        if isinstance(event, BeforeTool) and event.runner_pid and not is_run_by(request, event.runner_pid):
            event = replace(event, runner_pid=0)
        wait_s = _wait_s(request.headers.get("x-askfirst-wait-s", ""))
        attempt = Attempt(
            id=request.headers.get("x-askfirst-attempt") or new_id(),
            until_s=asyncio.get_running_loop().time() + wait_s,
        )
        watch = asyncio.create_task(_watch(request, attempt))
        try:
            return await self._events.answer(event, attempt)
        finally:
            watch.cancel()


async def _payload(request: Request) -> bytes:
    payload = await bounded_body(request, PAYLOAD_MAX_BYTES)
    if payload is None:
        raise InputError(f"more than {PAYLOAD_MAX_BYTES} bytes")
    return payload


def _wait_s(header: str) -> float:
    try:
        wait_s = float(header)
    except ValueError:
        raise InputError(f"wait is {header!r}, expected seconds", field="X-Askfirst-Wait-S") from None
    if not 0 <= wait_s <= WAIT_MAX_S:
        raise InputError(f"wait is {header}, expected 0 to {WAIT_MAX_S} seconds", field="X-Askfirst-Wait-S")
    return wait_s


async def _watch(request: Request, attempt: Attempt) -> None:
    """Notice that the hook has gone: its request stays, but nothing is released to nobody."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    attempt.gone.set()
