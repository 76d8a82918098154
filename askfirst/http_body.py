"""The body of a request, bounded while it comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request


async def bounded_body(request: Request, limit_bytes: int) -> bytes | None:
    """The whole body as it was sent, None where it is longer; what comes after the limit is not waited for."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            return None
    return bytes(body)
