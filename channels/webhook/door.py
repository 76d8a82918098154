"""Where signed decisions come in: nothing is looked at before the signature, and 204 is said after the commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from askfirst.errors import InputError, StoreError
from askfirst.http_body import bounded_body
from channels.webhook.wire import BODY_MAX_BYTES, kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from askfirst.ports import Reception
    from channels.webhook.config import HookConfig


def door(hooks: Mapping[str, HookConfig], reception: Reception, scheme: str) -> Starlette:
    """The application: ``POST /NAME``."""

    async def take(request: Request) -> Response:
        hook = hooks.get(request.path_params["name"])
        if hook is None:
            return _refusal(404, "there is no webhook of this name")
        body = await bounded_body(request, BODY_MAX_BYTES)
        if body is None:
            return _refusal(413, f"at most {BODY_MAX_BYTES:,} bytes are taken")
        try:
            id_ = hook.seal.require(request.headers, body)
        except InputError as error:
            await reception.turned_away(scheme, f"{scheme}:{hook.name}", str(error))
            return _refusal(401, str(error))
        try:
            await reception.take(scheme, [(f"{hook.name}/{id_}", kept(hook.name, id_, body))])
        except StoreError:
            return _refusal(503, "nothing can be stored right now; send it again")
        return Response(status_code=204)

    return Starlette(routes=[Route("/{name}", take, methods=["POST"])])


def _refusal(status: int, text: str) -> Response:
    return PlainTextResponse(text, status)
