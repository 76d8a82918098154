"""Being told by the service instead of asking it: ``POST /hooks/telegram/update`` behind a public https address.

- An update is answered with 200 only once it is on disk; until then the service tries again.
- The secret token is made of this installation's key; it is compared in constant time, before anything is read.
- A webhook that somebody else has set is never replaced, and never taken away for polling.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from askfirst.errors import ChannelError, StoreError
from askfirst.http_body import bounded_body
from channels.telegram.api import ConflictError
from channels.telegram.parse import SCHEME

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from askfirst.backing import Backing
    from askfirst.ports import Reception
    from channels.telegram.api import Api
    from channels.telegram.settings import Settings

HEADER = "x-telegram-bot-api-secret-token"
BODY_MAX_BYTES = 512 * 1024
_OURS = "webhook"


class Webhook:
    """The webhook of one bot."""

    def __init__(self, api: Api, settings: Settings, backing: Backing) -> None:
        self._api = api
        self._url = settings.webhook_url
        self._memory = backing.memory
        self._is_set = False
        digest = hmac.digest(backing.key, b"telegram webhook secret v1", hashlib.sha256)
        self._secret = base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")

    @property
    def is_wanted(self) -> bool:
        """Whether the configuration names an address."""
        return bool(self._url)

    async def require_none(self) -> None:
        """Polling may begin: no webhook is set; one of our own is taken away.

        Raises:
            ConflictError: somebody else's is.
        """
        found = await self._api.webhook()
        if not found.url:
            return
        if found.url != await self._memory.recall(_OURS):
            raise ConflictError(
                f"this bot serves another program, which is told at {_host(found.url)}; nothing was changed. Use a bot "
                "of its own, or take the webhook away yourself (deleteWebhook)"
            )
        await self._api.set_webhook("", "")
        await self._memory.remember(_OURS, "")

    async def look(self) -> None:
        """It is set, as far as we know from now.

        Raises:
            ChannelError: it is not, or the service cannot reach us.
        """
        found = await self._api.webhook()
        if found.url and found.url not in {self._url, await self._memory.recall(_OURS)}:
            raise ConflictError(f"this bot serves another program, which is told at {_host(found.url)}")
        if found.url != self._url or not self._is_set:
            await self._memory.remember(_OURS, self._url)
            await self._api.set_webhook(self._url, self._secret)
            self._is_set = True
        elif found.last_error:
            raise ChannelError(f"Telegram could not reach {self._url}: {found.last_error[:200]}")

    def app(self, reception: Reception) -> ASGIApp:
        """The application."""

        async def told(request: Request) -> Response:
            return await self._told(request, reception)

        return Starlette(routes=[Route("/update", told, methods=["POST"])])

    async def _told(self, request: Request, reception: Reception) -> Response:
        given = request.headers.get(HEADER, "").encode("utf-8", "replace")
        if not self.is_wanted:
            return Response(status_code=404)
        if not hmac.compare_digest(given, self._secret.encode("ascii")):
            await reception.turned_away(SCHEME, SCHEME, "the secret token does not fit")
            return Response(status_code=404)
        raw = await bounded_body(request, BODY_MAX_BYTES)
        if raw is None:
            return Response(status_code=413)
        try:
            await reception.take(SCHEME, [(_delivery_id(raw), raw)])
        except StoreError:
            return Response(status_code=503)
        return Response(status_code=200)


def _delivery_id(raw: bytes) -> str:
    """The update's number, or its content where it has none; nothing else of it is looked at before it is stored."""
    try:
        found = json.loads(raw)
    except ValueError:
        found = None
    number = found.get("update_id") if isinstance(found, dict) else None
    return str(number) if isinstance(number, int) else f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0] or url[:80]
