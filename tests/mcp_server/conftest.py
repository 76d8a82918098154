"""Our ``/mcp`` on loopback over a broker in memory, without a token, for suites that can show none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from askfirst.testing.memory import MemoryBroker, approve
from mcp_server.http import McpEndpoint


async def anybody(_scope: object) -> bool:
    return True


class Callers:
    """Hands out one broker in memory, and notes by whom it was called."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self._broker = MemoryBroker(approve())

    def __call__(self, authorization: str) -> MemoryBroker:
        self.shown.append(authorization)
        return self._broker


@pytest.fixture
def callers() -> Callers:
    return Callers()


@pytest.fixture
def open_url(callers: Callers) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        app = McpEndpoint(
            transport_for=callers,
            is_allowed=anybody,
            hosts=(f"127.0.0.1:{port}", f"localhost:{port}"),
        )
        server = uvicorn.Server(
            uvicorn.Config(app, lifespan="off", log_level="critical", ws="none", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{port}/mcp"
        server.should_exit = True
        thread.join(10)
