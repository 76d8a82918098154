"""GitHub's webhook: the signature over the raw body first, then the commit, then the answer.

- A delivery counts once, by its id; what it says names comments, so other ways of hearing the same change nothing.
- Answered 200 only when it is on disk; 503 has GitHub show it as failed, and it can be redelivered.
- What says nothing about decisions is answered and not kept.

From: https://docs.github.com/en/webhooks (Validating webhook deliveries)
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from askfirst.errors import ChannelError, Error, StoreError
from askfirst.http_body import bounded_body
from askfirst.inbound import Ignored
from channels.github.deliveries import EVENTS, envelope
from channels.github.place import SCHEME

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from askfirst.inbound import Inbound
    from askfirst.ports import Reception
    from channels.github.deployments import Deployments

BODY_MAX_BYTES = 1_000_000
"""GitHub sends up to 25 MB; an event about one comment or review is far smaller."""
_DELIVERY = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)
_UNSIGNED = "the signature does not fit"
_DEPLOYMENT_EVENT = "deployment_protection_rule"


def webhook_app(
    reception: Reception,
    *,
    secret: bytes,
    parse: Callable[[bytes], tuple[Inbound, ...]],
    deployments: Deployments,
) -> Starlette:
    """The application; without a secret it refuses everything."""
    webhook = _Webhook(reception, secret=secret, parse=parse, deployments=deployments)
    return Starlette(routes=[Route("/", webhook.respond, methods=["POST"])])


class _Webhook:
    def __init__(
        self,
        reception: Reception,
        *,
        secret: bytes,
        parse: Callable[[bytes], tuple[Inbound, ...]],
        deployments: Deployments,
    ) -> None:
        self._reception = reception
        self._secret = secret
        self._parse = parse
        self._deployments = deployments

    async def respond(self, request: Request) -> Response:
        """Take one delivery."""
        body = await bounded_body(request, BODY_MAX_BYTES)
        if body is None:
            return PlainTextResponse(f"longer than {BODY_MAX_BYTES} bytes", 413)
        if not is_signed(body, request.headers.get("x-hub-signature-256", ""), self._secret):
            await self._reception.turned_away(SCHEME, SCHEME, _UNSIGNED)
            return PlainTextResponse(_UNSIGNED, 401)
        delivery, event = request.headers.get("x-github-delivery", ""), request.headers.get("x-github-event", "")
        if not _DELIVERY.fullmatch(delivery):
            return PlainTextResponse("no delivery id", 400)
        try:
            return await self._taken(event, delivery, payload_of(body, request.headers.get("content-type", "")))
        except StoreError:
            return PlainTextResponse("not kept; deliver it again", 503)
        except Error as error:
            return PlainTextResponse(str(error), 422)

    async def _taken(self, event: str, delivery: str, payload: object) -> Response:
        if event == _DEPLOYMENT_EVENT:
            is_asked = await self._deployments.heard(payload)
            return PlainTextResponse("asked" if is_asked else "not asked about")
        if event not in EVENTS:
            return PlainTextResponse("nothing about decisions")
        raw = envelope(event, delivery, payload)
        if all(isinstance(each, Ignored) for each in self._parse(raw)):
            return PlainTextResponse("no decision")
        await self._reception.take(SCHEME, [(delivery, raw)])
        return PlainTextResponse("kept")


def is_signed(body: bytes, signature: str, secret: bytes) -> bool:
    """Whether this is GitHub's signature over exactly these bytes; never without a secret."""
    expected = f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"
    return bool(secret) and hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def payload_of(body: bytes, content_type: str) -> object:
    """The payload of a delivery in either of the forms that a webhook can be set to.

    Raises:
        ChannelError: it holds no JSON.
    """
    try:
        text = body.decode("utf-8")
        if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            text = parse_qs(text, strict_parsing=True, max_num_fields=4)["payload"][0]
        return json.loads(text)
    except (ValueError, KeyError, RecursionError) as error:
        raise ChannelError("the delivery holds no JSON") from error
