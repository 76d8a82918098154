"""``askfirst serve``: one broker a state folder, its listeners and its life.

- A lock on ``broker.lock`` makes it the only one; the socket of a dead broker may then be removed.
- The unix socket (0600, in a 0700 folder) serves hooks, API and health; loopback TCP serves the web inbox, health, and
  the API to whoever shows the token.
- SIGTERM and SIGINT end it gracefully: waiting hooks lose their connection and come back to the next broker, every
  pending request stays.
- A store that fails ends it at once with exit code 70: no answer is better than one that is not on disk. A database
  that brokers share may go away and come back; meanwhile every gate is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import json
import logging
import os
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

import askfirst
from askfirst.broker.peer import PeerProtocol
from askfirst.errors import BrokerUnavailableError, StoreAwayError, StoreError
from askfirst.paths import write_private

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from starlette.types import ASGIApp

    from askfirst.paths import StatePaths

EXIT_STORE_FAILED = 70
"""EX_SOFTWARE of sysexits.h."""

_GRACE_S = 2
_YOUNG_OBJECTS_MAX = 10_000
"""How many objects may be made before the garbage collector looks at them, 700 by default. A decision makes a hundred
that live until its commit and are then gone without it: to look at those of a group took a twentieth of its time."""
_AWAY_PAUSE_S = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """What is served where: on the unix socket, on loopback TCP, and by TLS to other machines."""

    local: ASGIApp
    web: ASGIApp
    remote: ASGIApp


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How other machines are served: a listening socket, and files with the certificate chain and its key (PEM)."""

    listener: socket.socket
    certificate: str
    key: str


@contextlib.contextmanager
def broker_lock(paths: StatePaths) -> Iterator[None]:
    """Be the only broker of this state folder while the context is open.

    Raises:
        BrokerUnavailableError: another one is.
    """
    descriptor = os.open(paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise BrokerUnavailableError(f"a broker is running already on {paths.root}") from None
    try:
        yield
    finally:
        os.close(descriptor)


def bind_local(path: Path, *, for_all: bool = False) -> socket.socket:
    """The listening unix socket; the lock must be held, so what lies there is dead.

    It is 0600, or 0666 where other users' agents ask, too: then the peer's uid says what each of them may do.
    """
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o111 if for_all else 0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(1024)
    return listener


def exit_for_failed_store(error: StoreError) -> None:
    """End the process at once, from any thread: nothing may be answered any more."""
    _log.critical("the store failed, ending: %s", error)
    os._exit(EXIT_STORE_FAILED)


def settle() -> None:
    """Keep the garbage collector from what is loaded, which stays as long as the process does, and from what soon goes.

    A full collection would look through all that is loaded, some tens of milliseconds, each time while everybody waits.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS_MAX)


class Broker:
    """A running broker.

    Args:
        paths: its state folder.
        workers: run beside the listeners until it stops; timers, deliveries.
        listeners: its applications.
        web_listener: bound already, so that the applications know their own address.
        tls: where other machines are served; None: nowhere.
        started: called once it accepts connections.
    """

    def __init__(
        self,
        *,
        paths: StatePaths,
        workers: Sequence[Callable[[], Awaitable[None]]],
        listeners: Listeners,
        web_listener: socket.socket,
        tls: Tls | None = None,
        started: Callable[[], Awaitable[None]],
    ) -> None:
        self._paths = paths
        self._workers = workers
        self._listeners = listeners
        self._web_listener = web_listener
        self._tls = tls
        self._started = started
        self._stop = asyncio.Event()
        self._exit_code = 0

    def stop(self, exit_code: int = 0) -> None:
        """End gracefully; on the event loop."""
        self._exit_code = self._exit_code or exit_code
        self._stop.set()

    async def run(self) -> int:
        """Serve until stopped; returns the exit code."""
        settle()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop)
        local_listener = bind_local(self._paths.socket, for_all=self._paths.shared_socket is not None)
        served = [
            (http_server(self._listeners.local), local_listener),
            (http_server(self._listeners.web), self._web_listener),
        ]
        if self._tls is not None:
            served.append((http_server(self._listeners.remote, self._tls), self._tls.listener))
        serving = [asyncio.create_task(server.serve(sockets=[listener])) for server, listener in served]
        working = [asyncio.create_task(self._work(worker)) for worker in self._workers]
        self._write_info()
        await self._started()
        await self._stop.wait()
        for task in working:
            task.cancel()
        for server, _ in served:
            server.should_exit = True
        await asyncio.gather(*serving)
        self._paths.info.unlink(missing_ok=True)
        return self._exit_code

    async def _work(self, worker: Callable[[], Awaitable[None]]) -> None:
        """A worker that ends by an error ends the broker: without timers or deliveries it would wait in vain."""
        try:
            await _patiently(worker)
        except StoreError as error:
            exit_for_failed_store(error)
        except Exception:  # noqa: BLE001  # the outermost frame of a task
            _log.exception("a worker failed, ending")
            self.stop(EXIT_STORE_FAILED)

    def _write_info(self) -> None:
        host, port = self._web_listener.getsockname()[:2]
        info = {"pid": os.getpid(), "version": askfirst.__version__, "web": f"http://{host}:{port}"}
        write_private(self._paths.info, json.dumps(info).encode())


async def _patiently(worker: Callable[[], Awaitable[None]]) -> None:
    """Run a worker, and again when the database was away: what it works on is in the store."""
    while True:
        try:
            return await worker()
        except StoreAwayError:
            await asyncio.sleep(_AWAY_PAUSE_S)


class _Server(uvicorn.Server):
    """Leaves signals to the broker: several servers share one process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def http_server(app: ASGIApp, tls: Tls | None = None) -> uvicorn.Server:
    """A server for sockets that are bound already; the process keeps its own signals."""
    return _Server(
        uvicorn.Config(
            app,
            http=PeerProtocol,
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_S,
            ssl_certfile=None if tls is None else tls.certificate,
            ssl_keyfile=None if tls is None else tls.key,
        )
    )
