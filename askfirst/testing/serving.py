"""A web application on a listener, for tests whose clients come by the network."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator


@contextmanager
def serving(app: Any, listener: socket.socket) -> Iterator[asyncio.AbstractEventLoop]:
    """A throw-away server on a loop and a thread of its own."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    started: list[asyncio.AbstractEventLoop] = []
    ready = threading.Event()

    async def serve() -> None:
        started.append(asyncio.get_running_loop())
        ready.set()
        await server.serve(sockets=[listener])

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(5)
        yield started[0]
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
