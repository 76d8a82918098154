"""What a broker serves on loopback TCP: its listener, and who answers which path."""

from __future__ import annotations

import logging
import socket
import sys
from typing import TYPE_CHECKING

from starlette.routing import Mount, Router

from askfirst.errors import BrokerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

WEB_HOST = "127.0.65.70" if sys.platform == "linux" else "127.0.0.1"
"""Where the web inbox listens. Browsers send a cookie to every port of its host, so on 127.0.0.1 any development
server that an agent starts would be sent the inbox's session; a loopback address of its own keeps it apart (Linux has
the whole of 127.0.0.0/8, RFC 1122 §3.2.1.3; macOS only the one)."""

_log = logging.getLogger(__name__)


def bind_web(port: int) -> socket.socket:
    """The listening loopback socket on ``port``, or on any free one when that is taken or 0."""
    for wanted in (port, 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else no TCP_NODELAY
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((WEB_HOST, wanted))
        except OSError:
            listener.close()
            _log.warning("port %d on %s is taken; the web inbox gets another one", wanted, WEB_HOST)
            continue
        listener.listen(128)
        return listener
    raise BrokerUnavailableError(f"no port is free on {WEB_HOST}")


def url_of(listener: socket.socket) -> str:
    """Where the web inbox is."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def names_of(listener: socket.socket) -> tuple[str, ...]:
    """What a ``Host`` header of this listener may say."""
    host, port = listener.getsockname()[:2]
    return tuple(f"{name}:{port}" for name in (host, "localhost", "askfirst.localhost"))


class Fork:
    """The API, MCP and providers' calls have their own paths, the inbox answers everywhere else.

    Args:
        api: answers ``/v1/…``, ``/healthz``, ``/readyz`` and ``/metrics``.
        mcp: answers exactly ``mcp_path``.
        mcp_path: such as ``/mcp``.
        hooks: by the channel's scheme, who answers ``/hooks/SCHEME``, with and without a slash at its end.
        inbox: answers the rest.
    """

    def __init__(
        self, *, api: ASGIApp, mcp: ASGIApp, mcp_path: str, hooks: Mapping[str, ASGIApp], inbox: ASGIApp
    ) -> None:
        self._api = api
        self._mcp = mcp
        self._mcp_path = mcp_path
        self._hooks = Router([Mount(f"/hooks/{scheme}", app) for scheme, app in hooks.items()])
        self._inbox = inbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as an ASGI application."""
        path = scope.get("path", "")
        if path == self._mcp_path:
            await self._mcp(scope, receive, send)
        elif path.startswith("/hooks/"):
            whole = path if path.count("/") > 2 else f"{path}/"  # providers do not follow a redirect to it
            await self._hooks({**scope, "path": whole}, receive, send)
        elif path.startswith("/v1/") or path in {"/healthz", "/readyz", "/metrics"}:
            await self._api(scope, receive, send)
        else:
            await self._inbox(scope, receive, send)
