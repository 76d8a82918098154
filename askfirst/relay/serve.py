"""``askfirst serve`` where the broker is on another machine: one relay a state folder, and its life.

It has no store, no policy and no log, and decides nothing. It is started by whoever needs it, like a broker.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import httpx

import askfirst
from askfirst.analyst import DiskAnalyst
from askfirst.broker.server import bind_local, broker_lock, http_server
from askfirst.clock import SystemClock
from askfirst.config import load_config
from askfirst.errors import Error
from askfirst.evidence.gather import Gatherer
from askfirst.evidence.sources import sources
from askfirst.paths import config_file
from askfirst.relay.app import Relay
from askfirst.relay.hooks import RelayedHooks
from askfirst.relay.survey import Survey
from askfirst.relay.upstream import client, refused, unreachable
from askfirst.relay.watch import RelayWatch
from askfirst.silence import Silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from askfirst.config import Config
    from askfirst.host import HostAdapter
    from askfirst.paths import StatePaths
    from askfirst.relay.remote import Remote
    from askfirst.relay.watch import Report
    from askfirst.settings_watch import Inspector
    from askfirst.silence import Deed

_log = logging.getLogger(__name__)


class Upstream:
    """What the relay itself asks of the broker."""

    def __init__(self, remote: Remote, http: httpx.AsyncClient) -> None:
        self._remote = remote
        self._http = http

    async def self(self) -> dict[str, Any]:
        """Who this machine is to the broker.

        Raises:
            Error: it cannot be asked, or does not know this machine.
        """
        found: dict[str, Any] = (await self._call("GET", "/v1/self")).json()
        return found

    async def report(self, report: Report) -> None:
        """Have something written down that was done to the gate here.

        Raises:
            Error: it could not be told.
        """
        await self._call("POST", "/v1/self/report", json={**asdict(report), "kind": report.kind.value})

    async def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = await self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise unreachable(self._remote, error) from error
        if not response.is_success:
            raise refused(self._remote, response)
        return response


def check(remote: Remote) -> dict[str, Any]:
    """Ask the broker who this machine is to it.

    Raises:
        Error: it cannot be reached, is not who it should be, or does not know the token.
    """

    async def asked() -> dict[str, Any]:
        async with client(remote) as http:
            return await Upstream(remote, http).self()

    return asyncio.run(asked())


def relay(
    paths: StatePaths,
    remote: Remote,
    *,
    adapters: Mapping[str, HostAdapter],
    inspector: Inspector,
    deeds: Callable[[str, int], Iterable[Deed]],
    background: bool,
) -> int:
    """Run a relay until it is stopped; returns the exit code.

    Raises:
        BrokerUnavailableError: one is running already.
        ConfigError: the broker's certificate could not be verified by anything.
    """
    os.umask(0o077)
    level = logging.INFO if background else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would write a line for every call
    if not background:
        sys.stdout.write(f"Askfirst hands everything on {paths.root} on to the broker at {remote.url}\n")
    with broker_lock(paths):
        return asyncio.run(_run(paths, remote, load_config(config_file()), adapters, inspector, deeds))


async def _run(  # what relay() was handed
    paths: StatePaths,
    remote: Remote,
    config: Config,
    adapters: Mapping[str, HostAdapter],
    inspector: Inspector,
    deeds: Callable[[str, int], Iterable[Deed]],
) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    analyst = DiskAnalyst()
    survey = Survey(analyst, Gatherer(sources(config.evidence), limit_s=config.evidence.limit_s))
    async with client(remote) as http:
        upstream = Upstream(remote, http)
        silence = Silence(deeds, SystemClock())
        watch = RelayWatch(paths, inspector, upstream.report, silence)
        hooks = RelayedHooks(
            remote=remote,
            client=http,
            adapters=adapters,
            survey=survey,
            heard=silence.heard,
            settings_changed=watch.changed,
        )

        async def diagnosis() -> dict[str, Any]:
            return await diagnosed(remote, upstream, watch)

        app = Relay(remote=remote, client=http, hooks=hooks, survey=survey, diagnosis=diagnosis).app()
        server = http_server(app)
        listener = bind_local(paths.socket, for_all=paths.shared_socket is not None)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        watching = asyncio.create_task(watch.run())
        _log.info("relaying to %s", remote.url)
        await asyncio.to_thread(analyst.warm)
        await stop.wait()
        watching.cancel()
        server.should_exit = True
        await serving
    return 0


async def diagnosed(remote: Remote, upstream: Upstream, watch: RelayWatch) -> dict[str, Any]:
    """What ``askfirst doctor`` hears of a machine whose broker is elsewhere."""
    found: dict[str, Any] = {
        "version": askfirst.__version__,
        "pid": os.getpid(),
        "uid": os.getuid(),
        "hooks": [asdict(each) for each in watch.watched()],
        "remote": {"url": remote.url, "is_tls": remote.is_tls, "problem": "", "self": None},
    }
    try:
        found["remote"]["self"] = await upstream.self()
    except Error as error:
        found["remote"]["problem"] = str(error)
    return found
