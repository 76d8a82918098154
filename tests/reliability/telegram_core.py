"""A program for the crash tests: forks a core with Telegram that ends itself, by SIGKILL, at the step it is told.

Each line on standard input is a call as JSON: ``{"op": "ask" | "pump", "store": …, "url": …, "token": …, "user": …,
"fuse": n}``. A step is one side of a write to the store or of a call of the Bot API; ``fuse`` 0 kills nothing. The
answer is ``{"ended": true}`` with what was found, or ``{"ended": false}`` after a kill.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from askfirst.backing import Backing, StoredMemory, StoredMessages, channel_key
from askfirst.desk import Desk
from askfirst.dispatch import Dispatcher
from askfirst.hearing import Hearing
from askfirst.people import Directory, Identity, Person
from askfirst.policy.ruling import Stage
from askfirst.reception import Reception
from askfirst.testing.bench import FakeSigner, a_draft
from audit.testing_core import open_core
from channels.telegram.api import Api
from channels.telegram.channel import TelegramChannel
from channels.telegram.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_CALLS = ("poll", "send", "edit", "answer")


class Fuse:
    """Counts steps, and ends the process at the one that it was told."""

    def __init__(self, at: int) -> None:
        self.steps = 0
        self._at = at

    def burn(self) -> None:
        self.steps += 1
        if self.steps == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def fused(*given: Any, **named: Any) -> Any:
            self.burn()
            found = await call(*given, **named)
            self.burn()
            return found

        return fused


class Office:
    """A desk with Telegram, in one process."""

    def __init__(self, call: dict[str, Any]) -> None:
        self.fuse = Fuse(call["fuse"])
        self.core = open_core(Path(call["store"]))
        writer = self.core.writer
        writer.write = self.fuse.around(writer.write)  # type: ignore[method-assign]  # every step of the store
        shared: dict[str, Any] = {"writer": writer, "reader": self.core.store.reader, "clock": self.core.clock}
        people = Directory(people=(Person(id="local:ann", identities=(Identity(id=f"telegram:{call['user']}"),)),))
        self.desk = Desk(
            **shared,
            audit=self.core.log,
            hub=self.core.hub,
            signer=FakeSigner(),
            people=people,
            schemes={"web", "telegram"},
        )
        backing = Backing(
            scheme="telegram",
            table={},
            folder=Path(),
            machine="laptop",
            key=channel_key(FakeSigner(), "telegram"),
            clock=self.core.clock,
            requests=self.desk,
            messages=StoredMessages("telegram", **shared),
            memory=StoredMemory("telegram", writer=writer, reader=self.core.store.reader),
        )
        self.api = Api(call["token"], call["url"])
        for name in _CALLS:
            setattr(self.api, name, self.fuse.around(getattr(self.api, name)))
        settings = Settings(token=call["token"], topics="none", digest_from=5, webhook_url="", api_url=call["url"])
        self.channel = TelegramChannel(settings, backing, self.api, poll_s=0)
        self.reception = Reception(
            **shared,
            audit=self.core.log,
            hearing=Hearing(desk=self.desk, people=people, clock=self.core.clock),
            listeners={"telegram": self.channel},
        )
        self.dispatcher = Dispatcher(
            **shared,
            audit=self.core.log,
            channels={"telegram": self.channel},
            machine="laptop",
            on_unreachable=self.desk.unreachable,
        )

    async def ask(self, user: int, key: str) -> dict[str, Any]:
        draft = a_draft(key=key, command=f"rm -rf {key}", now_ms=self.core.clock.now_ms())
        terms = replace(draft.terms, stages=(Stage(recipients=(f"telegram:{user}",)),))
        case = await self.desk.ask(replace(draft, terms=terms))
        await self.deliver()
        return {"id": case.request.id, "code": case.request.code}

    async def pump(self) -> dict[str, Any]:
        await self.channel.poller.receive(self.reception)
        while await self.reception.handle_waiting("telegram"):
            await self.reception.told()
        await self.deliver()
        return {}

    async def deliver(self) -> None:
        while await self.dispatcher.deliver_due():
            pass


async def carry_out(call: dict[str, Any]) -> dict[str, Any]:
    office = Office(call)
    found = await (office.ask(call["user"], call["key"]) if call["op"] == "ask" else office.pump())
    await office.api.close()
    office.core.close()
    return {"ended": True, "steps": office.fuse.steps, **found}


def forked(call: dict[str, Any]) -> dict[str, Any]:
    """What a process of its own answered to this call; ``ended`` False when it was killed."""
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            os.write(writing, json.dumps(asyncio.run(carry_out(call))).encode())
        except BaseException:  # noqa: BLE001  # the outermost frame of a fork
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return {"ended": False}
    found: dict[str, Any] = json.loads(answer)
    return found


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(forked(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
