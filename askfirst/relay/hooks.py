"""``POST /v1/hook/{host}`` on the agent's machine: each call goes to the broker elsewhere with a sight of this machine.

- What the broker answers is handed on as it is; whatever else happens is a refusal that says why.
- The broker may want a newer sight: after people have decided, and before they are asked. Then it is asked again, as
  the same attempt. So an approval is only ever used on what this machine looks like afterwards.
- A wait may take days, so its connection says nothing of whether the broker lives: meanwhile it is asked for its
  health, and one that does not answer for a while is gone. A connection that breaks is made again: the request stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import httpx
from starlette.responses import PlainTextResponse, Response

from askfirst import answers
from askfirst.broker.hook_route import AGAIN, bounded_wait_s, whole_payload
from askfirst.broker.peer import is_run_by
from askfirst.clock import new_id
from askfirst.errors import BrokerUnavailableError, Error
from askfirst.host import AfterTool, BeforeTool, ConfigChanged, Deny, NoOpinion, PromptShown, QuestionsShown
from askfirst.relay.upstream import CALL_S, CONNECT_S, refused, unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from askfirst.host import HookEvent, HostAdapter, Verdict
    from askfirst.relay.remote import Remote
    from askfirst.relay.survey import Survey

FRAME = "application/x-askfirst-hook"
RESERVE_S = 3.0
"""How much sooner than the hook the broker gives up, seconds: its answer has a network to cross."""
_ROUNDS_MAX = 20
"""How often a broker may want another sight for one call."""
_PING_S = 10.0
_GONE_S = 30.0
_AGAIN_PAUSE_S = 0.5
_log = logging.getLogger(__name__)


class RelayedHooks:
    """Hands hooks on.

    Args:
        remote: the broker.
        client: shows it the token.
        adapters: read payloads, and word refusals.
        survey: looks at this machine.
        heard: hears of every call that is about to run.
        settings_changed: whether a session may take a changed settings file up; answered here, where the file is.
    """

    def __init__(
        self,
        *,
        remote: Remote,
        client: httpx.AsyncClient,
        adapters: Mapping[str, HostAdapter],
        survey: Survey,
        heard: Callable[[BeforeTool], None],
        settings_changed: Callable[[ConfigChanged], Awaitable[Verdict]],
    ) -> None:
        self._heard = heard
        self._remote = remote
        self._client = client
        self._adapters = adapters
        self._survey = survey
        self._settings_changed = settings_changed

    async def respond(self, request: Request) -> Response:
        """One hook call."""
        adapter = self._adapters.get(request.path_params["host"])
        if adapter is None:
            known = ", ".join(sorted(self._adapters))
            return PlainTextResponse(f"no such host; known: {known}", status_code=404)
        event = None
        try:
            payload = await whole_payload(request)
            environ = dict(parse_qsl(request.headers.get("x-askfirst-environ", "")))
            event = adapter.parse(payload, environ)
            if isinstance(event, BeforeTool):
                self._heard(event)
                if event.runner_pid and not is_run_by(request, event.runner_pid):
                    environ.pop("ASKFIRST_RUN", None)
            if event is None or isinstance(event, ConfigChanged):
                verdict = NoOpinion() if event is None else await self._settings_changed(event)
                return _frame(adapter.render(event, verdict).frame())
            wait_s = bounded_wait_s(request.headers.get("x-askfirst-wait-s", ""))
            headers = {
                "X-Askfirst-Environ": urlencode(environ),
                "X-Askfirst-Attempt": request.headers.get("x-askfirst-attempt") or new_id(),
            }
            return _frame(await self._within(request, _Call(adapter.name, event, payload, headers, wait_s)))
        except Error as error:
            return _frame(adapter.render(event, Deny(reason=answers.unavailable(str(error)))).frame())
        except Exception:  # noqa: BLE001  # the outermost frame: whatever it is, the call does not run
            _log.exception("a hook call could not be handed on")
            reason = answers.unavailable("internal error, see the relay's log")
            return _frame(adapter.render(event, Deny(reason=reason)).frame())

    async def _within(self, request: Request, call: _Call) -> bytes:
        """The broker's frame, while the hook is there to hear it and its time is not up.

        Raises:
            BrokerUnavailableError: there is none.
        """
        asked = asyncio.create_task(self._asked(call))
        gone = asyncio.create_task(_disconnected(request))
        try:
            await asyncio.wait({asked, gone}, timeout=call.wait_s, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return asked.result()
            raise BrokerUnavailableError(f"the broker at {self._remote.url} did not answer within {call.wait_s:.0f} s")
        finally:
            for task in (asked, gone):
                task.cancel()
            await asyncio.gather(asked, gone, return_exceptions=True)

    async def _asked(self, call: _Call) -> bytes:
        until_s = asyncio.get_running_loop().time() + call.wait_s
        closely = False
        for _ in range(_ROUNDS_MAX):
            body = {
                "payload": call.payload.decode("utf-8", "surrogateescape"),
                "sight": await self._sight(call, closely),
            }
            left_s = max(0.0, until_s - asyncio.get_running_loop().time() - RESERVE_S)
            response = await self._posted(call, json.dumps(body).encode("ascii"), left_s)
            if response.headers.get("content-type", "") != AGAIN:
                return response.content
            closely = True
        raise BrokerUnavailableError("what the command depends on keeps changing")

    async def _sight(self, call: _Call, closely: bool) -> dict[str, object]:  # noqa: FBT001  # one of two looks
        match call.event:
            case BeforeTool() | PromptShown() | AfterTool():
                return await self._survey.of(call.event.call, call.event.agent, closely=closely)
            case QuestionsShown():
                return await self._survey.of(call.event.call, call.event.agent, closely=True)
            case _:
                return {}

    async def _posted(self, call: _Call, body: bytes, wait_s: float) -> httpx.Response:
        """The broker's answer, over as many connections as it takes.

        Raises:
            Error: there is none.
        """
        headers = {**call.headers, "Content-Type": "application/json", "X-Askfirst-Wait-S": f"{wait_s:.0f}"}
        timeout = httpx.Timeout(CALL_S, connect=CONNECT_S, read=wait_s + CALL_S)
        while True:
            post = self._client.post(f"/v1/relay/{call.host}", content=body, headers=headers, timeout=timeout)
            try:
                response = await self._while_alive(post)
            except httpx.TransportError as error:
                await self._back(error)
                continue
            kind = response.headers.get("content-type", "")
            if response.is_success and kind in {FRAME, AGAIN}:
                return response
            if response.is_success:
                raise BrokerUnavailableError(f"{self._remote.url} answered as no broker does")
            raise refused(self._remote, response)

    async def _while_alive(self, post: Awaitable[httpx.Response]) -> httpx.Response:
        """The answer; a broker that has not been well for a while is not waited for."""
        asked = asyncio.ensure_future(post)
        try:
            while not (await asyncio.wait({asked}, timeout=_PING_S))[0]:
                await self._alive()
            return asked.result()
        finally:
            asked.cancel()
            with contextlib.suppress(asyncio.CancelledError, httpx.TransportError):
                await asked

    async def _alive(self) -> None:
        """Return when the broker says that it lives; it has a while.

        Raises:
            BrokerUnavailableError: it does not.
        """
        end_s = asyncio.get_running_loop().time() + _GONE_S
        while True:
            try:
                await self._client.get("/healthz")
            except httpx.TransportError as error:
                if asyncio.get_running_loop().time() > end_s:
                    raise unreachable(self._remote, error) from error
                await asyncio.sleep(_AGAIN_PAUSE_S)
            else:
                return

    async def _back(self, error: httpx.TransportError) -> None:
        """Return once the broker answers again after a connection that broke.

        Raises:
            BrokerUnavailableError: it was never there, or does not come back.
        """
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            raise unreachable(self._remote, error) from error
        await self._alive()
        await asyncio.sleep(_AGAIN_PAUSE_S)


class _Call:
    """One call on its way."""

    def __init__(self, host: str, event: HookEvent, payload: bytes, headers: Mapping[str, str], wait_s: float) -> None:
        self.host = host
        self.event = event
        self.payload = payload
        self.headers = headers
        self.wait_s = wait_s


def _frame(content: bytes) -> Response:
    return Response(content, media_type=FRAME)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
