"""A program for the crash tests: keeps everything imported, and forks a broker's core whenever it is told to.

Each line on standard input, ``SOCKET STORE URL`` as JSON, is answered by the pid of a new core, which serves one
JSON object a line on the socket: ``{"op": …}`` to ``{"ok": …}`` or ``{"error": …}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from askfirst.errors import Error
from askfirst.request import Verdict
from askfirst.testing.bench import a_draft, a_review
from audit.testing_core import Core, open_core
from audit.testing_core import core as core_of


async def answer(core: Core, call: dict[str, Any]) -> dict[str, Any]:
    desk = core.desk
    match call.pop("op"):
        case "ask":
            case = await desk.ask(a_draft(**call, now_ms=core.clock.now_ms()))
            return {"id": case.request.id, "state": case.request.state}
        case "wait":
            case = await desk.wait(call["id"], 5)
            return {"state": case.request.state}
        case "review":
            request = (await desk.case(call["id"])).request
            draft = a_review(request, Verdict(call["verdict"]), person=call["person"], decision_id=call["decision"])
            step = await desk.review(draft)
            return {"done": step.done, "state": step.case.request.state}
        case "redeem":
            request = (await desk.case(call["id"])).request
            step = await desk.redeem(
                request.id, action_digest=request.action_digest, attempt=call["attempt"], tool_use_id="t"
            )
            return {"done": step.done}
        case other:
            raise AssertionError(other)


async def serve(zygote: int, socket: str, store: str, url: str) -> None:
    core = open_core(Path(store), url)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            try:
                found: dict[str, Any] = {"ok": await answer(core, json.loads(line))}
            except Error as error:
                found = {"error": f"{type(error).__name__}: {error}"}
            if core.failures:
                os._exit(70)
            writer.write(json.dumps(found).encode() + b"\n")

    server = await asyncio.start_unix_server(connected, socket)  # takes a dead core's socket away
    async with server, core.following() if url else contextlib.nullcontext():
        while os.getppid() == zygote:  # noqa: ASYNC110  # nobody tells us when it has gone
            await asyncio.sleep(1)


def warm_up() -> None:
    """Import and build now what every core needs, so that a new one is there in an instant."""
    with tempfile.TemporaryDirectory() as folder, core_of(Path(folder) / "store.db") as made:
        asyncio.run(made.desk.ask(a_draft()))
        asyncio.run(made.desk.pending())


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    zygote = os.getpid()
    warm_up()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        arguments = json.loads(line)
        if (pid := os.fork()) == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            log = os.open(f"{arguments[0]}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for descriptor in (0, 1, 2):  # nobody is to wait for our end of a pipe
                os.dup2(log, descriptor)
            try:
                asyncio.run(serve(zygote, *arguments))
            except BaseException:  # noqa: BLE001  # the outermost frame of a fork
                traceback.print_exc()
            finally:
                os._exit(1)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
