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
from askfirst.broker.hung_up import hung_up
from askfirst.broker.peer import is_run_by
from askfirst.clock import new_id
from askfirst.errors import Error, InputError
from askfirst.gate import Attempt
from askfirst.host import (
    AfterTool,
    BeforeTool,
    ConfigChanged,
    Deny,
    NoOpinion,
    Notice,
    PromptShown,
    QuestionsShown,
    SessionStarted,
    TurnEnded,
)
from askfirst.http_body import bounded_body
from askfirst.sight import LookAgainError, read_sight
from askfirst.unique_names import read_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from askfirst.host import HookAnswer, HookEvent, HostAdapter, Verdict
    from askfirst.host_events import HostEvents
    from askfirst.sight import Sight

AGAIN = "application/x-askfirst-again"
"""Content type of the empty answer to a relay that has to look at its machine again, and closely."""
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
        answer = await self._answer(request, adapter, whole_payload(request))
        return Response(answer.frame(), media_type="application/x-askfirst-hook")

    async def relayed(self, request: Request, machine: str, meter: Callable[[], None]) -> Response:
        """One hook call of another machine, as its relay hands it on with what it says of itself.

        ``meter`` counts what may leave an entry in the log, and raises an ``Error`` where that is too much.

        The body is ``{"payload": "…", "sight": {…}}``. The answer is a frame, or ``AGAIN``: then the relay looks at its
        machine again and comes back with the same payload and attempt.
        """
        adapter = self._adapters.get(request.path_params["host"])
        if adapter is None:
            raise InputError(f"no such host; known: {', '.join(sorted(self._adapters))}", field="host")
        self._called(adapter.name)
        payload, sight = _unwrapped(await request.body(), machine)
        try:
            answer = await self._answer(request, adapter, _given(payload), sight, meter)
        except LookAgainError:
            return Response(b"", media_type=AGAIN)
        return Response(answer.frame(), media_type="application/x-askfirst-hook")

    async def _answer(
        self,
        request: Request,
        adapter: HostAdapter,
        payload: Awaitable[bytes],
        sight: Sight | None = None,
        meter: Callable[[], None] = lambda: None,
    ) -> HookAnswer:
        event = None
        try:
            event = adapter.parse(await payload, dict(parse_qsl(request.headers.get("x-askfirst-environ", ""))))
            if sight is not None:
                event = _elsewhere(event, sight)
            if event is None:
                return adapter.render(None, NoOpinion())
            if isinstance(event, BeforeTool | AfterTool | PromptShown | QuestionsShown):
                meter()
            return adapter.render(event, await self._verdict(request, event))
        except InputError as error:
            return adapter.render(event, Deny(reason=answers.unavailable(f"unreadable hook input: {error}")))
        except Error as error:
            return adapter.render(event, Deny(reason=answers.unavailable(str(error))))
        except LookAgainError:  # no answer at all; only a relay gets here
            raise
        except Exception:  # noqa: BLE001  # the outermost frame: whatever it is, the call does not run
            _log.exception("hook call failed")
            return adapter.render(event, Deny(reason=answers.unavailable("internal error, see the broker's log")))

    async def _verdict(self, request: Request, event: HookEvent) -> Verdict:
        if isinstance(event, BeforeTool) and event.runner_pid and not _has_runner(request, event):
            event = replace(event, runner_pid=0)
        wait_s = bounded_wait_s(request.headers.get("x-askfirst-wait-s", ""))
        attempt = Attempt(
            id=request.headers.get("x-askfirst-attempt") or new_id(),
            until_s=asyncio.get_running_loop().time() + wait_s,
        )
        watch = asyncio.create_task(_watch(request, attempt))
        try:
            return await self._events.answer(event, attempt)
        finally:
            watch.cancel()


async def whole_payload(request: Request) -> bytes:
    """What the host sent to its hook.

    Raises:
        InputError: it is too long.
    """
    payload = await bounded_body(request, PAYLOAD_MAX_BYTES)
    if payload is None:
        raise InputError(f"more than {PAYLOAD_MAX_BYTES} bytes")
    return payload


async def _given(payload: bytes) -> bytes:
    return payload


def _unwrapped(body: bytes, machine: str) -> tuple[bytes, Sight]:
    """The payload that a relay hands on, and the sight of its machine."""
    try:
        members = read_json(body)
        payload = members["payload"].encode("utf-8", "surrogateescape")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputError("no relayed call, expected {payload, sight}") from None
    return payload, read_sight(members.get("sight", {}), machine)


def _elsewhere(event: HookEvent | None, sight: Sight) -> HookEvent | None:
    """The event of another machine: it runs there, nobody here is asked at its prompt, and its processes are not ours.

    Its settings are looked after by its relay.
    """
    match event:
        case BeforeTool() | AfterTool():
            return replace(event, call=replace(event.call, sight=sight), can_ask_here=False)
        case PromptShown() | QuestionsShown():
            return replace(event, call=replace(event.call, sight=sight), host_pid=0)
        case SessionStarted() | TurnEnded() | Notice():
            return replace(event, machine=sight.machine)
        case ConfigChanged():
            return None
        case _:
            return event


def _has_runner(request: Request, event: BeforeTool) -> bool:
    """Whether the runner that is named is above the hook; of another machine the relay has looked."""
    return event.call.sight is not None or is_run_by(request, event.runner_pid)


def bounded_wait_s(header: str) -> float:
    """How long a hook waits, seconds.

    Raises:
        InputError: the header says something else.
    """
    try:
        wait_s = float(header)
    except ValueError:
        raise InputError(f"wait is {header!r}, expected seconds", field="X-Askfirst-Wait-S") from None
    if not 0 <= wait_s <= WAIT_MAX_S:
        raise InputError(f"wait is {header}, expected 0 to {WAIT_MAX_S} seconds", field="X-Askfirst-Wait-S")
    return wait_s


async def _watch(request: Request, attempt: Attempt) -> None:
    """Notice that the hook has gone: its request stays, but nothing is released to nobody."""
    await hung_up(request)
    attempt.gone.set()
