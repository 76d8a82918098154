"""``askfirst serve``: run a broker until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING

from starlette.routing import Mount, Route, Router

from askfirst.assembly.core import Core
from askfirst.assembly.founding import api_token
from askfirst.assembly.login import login_link
from askfirst.assembly.owner import owner
from askfirst.broker.hook_route import HookRoute
from askfirst.broker.log_api import LogApi
from askfirst.broker.server import Broker, Listeners, broker_lock
from askfirst.broker.tls import serving
from askfirst.broker.web import Fork, bind_web, url_of
from askfirst.config import load_config
from askfirst.paths import config_file
from hooks.registry import HOSTS
from mcp_server.http import PATH as MCP_PATH

if TYPE_CHECKING:
    from askfirst.config import Config
    from askfirst.paths import StatePaths


def serve(paths: StatePaths, *, port: int | None, background: bool) -> int:
    """Run a broker until it is stopped; returns the exit code.

    Raises:
        BrokerUnavailableError: one is running already.
        ConfigError: the configuration cannot be used.
        StoreError: the store cannot be used.
        LogError: the log does not verify, so nothing may be added to it.
    """
    os.umask(0o077)
    logging.basicConfig(
        level=logging.INFO if background else logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    with broker_lock(paths):
        config = load_config(config_file())
        return asyncio.run(_run(paths, config, config.web_port if port is None else port))


async def _run(paths: StatePaths, config: Config, port: int) -> int:
    core = Core.open(paths, config)
    await core.settled()
    web_listener = bind_web(port)
    tls = None if config.listen is None else serving(config.listen)

    async def started() -> None:
        warming = asyncio.create_task(asyncio.to_thread(core.analyst.warm))
        warming.add_done_callback(lambda done: done.result())
        await core.started()
        if sys.stdout.isatty():
            sys.stdout.write(
                f"Askfirst is running on {paths.root}\nInbox (once, for 10 minutes): {login_link(paths)}\n"
            )

    token = api_token(paths)
    access = core.access(token)
    route = HookRoute(core.hosts.events, HOSTS, core.tally.called)
    hooks = Route("/v1/hook/{host}", route.respond, methods=["POST"])
    api = core.api(access, hooks=route, inbox=url_of(web_listener))
    mcp = core.mcp(api, access, web_listener)
    diagnosis = Route("/v1/diagnosis", core.diagnosis().respond, methods=["GET"])
    log = Mount("/v1/log", LogApi(core.keeper, owner()).app())
    broker = Broker(
        paths=paths,
        workers=core.workers(),
        listeners=Listeners(
            local=Router([hooks, log, diagnosis, Mount("/", api)]),
            web=Fork(
                api=api,
                mcp=mcp,
                mcp_path=MCP_PATH,
                hooks=core.switchboard.hooks(),
                inbox=core.inbox(paths, web_listener),
            ),
            remote=api,
        ),
        web_listener=web_listener,
        tls=tls,
        started=started,
    )
    code = await broker.run()
    await core.stopped()
    return code
