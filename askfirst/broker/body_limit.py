"""A bound on what a caller may send in one request, before anything reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_MAX_BYTES = 2 * 1024 * 1024
"""The longest body of the API: a command and its arguments take at most half of it, however they are written."""


class BodyLimit:
    """ASGI middleware; a longer body is a 413, which the application's handlers word.

    A length that is announced is not waited for; one that is not is counted.
    """

    def __init__(self, app: ASGIApp, limit_bytes: int = BODY_MAX_BYTES) -> None:
        self._app = app
        self._limit = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit or _announced(scope) > self._limit:
                raise HTTPException(413, f"the body is too long: at most {self._limit:,} bytes are accepted")
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)


def _announced(scope: Scope) -> int:
    value = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(value) if value.isdigit() else 0
