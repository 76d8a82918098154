"""``GET /v1/diagnosis``: what only the broker knows of itself, for ``askfirst doctor``."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

import askfirst
from askfirst.broker.peer import peer_uid, shows_token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from askfirst.clock import Clock
    from askfirst.ports import Channel

_CHECK_S = 15.0


class DiagnosisRoute:
    """Answers users of this machine.

    Args:
        channels: as they are now.
        clock: the broker's.
        watched: settings files that have our hooks, each with what was installed and what was seen at the last look.
        bypasses: what ran unapproved since the start.
        contradictions: what witnesses say that does not fit the log.
    """

    def __init__(
        self,
        *,
        channels: Callable[[], Mapping[str, Channel]],
        clock: Clock,
        watched: Callable[[], Awaitable[list[dict[str, str]]]],
        bypasses: Callable[[], Sequence[str]],
        contradictions: Callable[[], Sequence[str]],
    ) -> None:
        self._channels = channels
        self._clock = clock
        self._watched = watched
        self._bypasses = bypasses
        self._contradictions = contradictions

    async def respond(self, request: Request) -> Response:
        """One look at everything, for whoever is on this machine."""
        if not peer_uid(request) or shows_token(request):
            return JSONResponse({"detail": "only users of the broker's machine may look"}, status_code=403)
        channels = self._channels()
        checked = await asyncio.gather(*(self._check(each) for each in channels.values()))
        return JSONResponse(
            {
                "version": askfirst.__version__,
                "pid": os.getpid(),
                "uid": os.getuid(),
                "now_ms": self._clock.now_ms(),
                "sqlite": sqlite3.sqlite_version,
                "channels": dict(zip(channels, checked, strict=True)),
                "hooks": await self._watched(),
                "bypasses": list(self._bypasses()),
                "contradictions": list(self._contradictions()),
            }
        )

    async def _check(self, channel: Channel) -> dict[str, object]:
        try:
            health = await asyncio.wait_for(channel.check(), _CHECK_S)
        except TimeoutError:
            return {"ok": False, "text": f"no answer within {_CHECK_S:.0f} s"}
        return {"ok": health.ok, "text": health.text}
