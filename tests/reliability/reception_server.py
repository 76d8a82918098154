"""A program for the crash tests of channels: forks a broker that hears a service, and that ends itself at a given step.

Each line on standard input, ``[FOLDER, KILL_AT]`` as JSON, is answered by the name of the step at which the broker was
killed, or by ``done`` when it came to the end of all that the service had for it.

The service is files: ``events`` holds a delivery a line, ``confirmed`` the number of the last one that was confirmed
(it is never delivered again), ``told`` what people were told.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from askfirst.hearing import Hearing
from askfirst.inbound import Inbound, Outcome
from askfirst.people import Directory, Identity, Person
from askfirst.reception import Reception
from askfirst.testing.bench import a_draft
from askfirst.testing.fake_channel import FakeChannel
from audit.testing_core import Core, open_core
from audit.testing_core import core as core_of

PEOPLE = Directory(
    people=tuple(Person(id=f"local:{name}", identities=(Identity(id=f"fake:{name}"),)) for name in ("ann", "bob"))
)


class Steps:
    """Counts the steps of a broker, and ends it at one of them."""

    def __init__(self, killed: Path, kill_at: int) -> None:
        self.killed = killed
        self.left = kill_at

    def __call__(self, name: str) -> None:
        self.left -= 1
        if self.left == 0:
            self.killed.write_text(name, encoding="ascii")
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, target: Any, method: str, name: str) -> None:
        """A step before, and one after, each call of a plain method."""
        inner: Callable[..., Any] = getattr(target, method)

        def called(*arguments: Any) -> Any:
            self(f"before {name}")
            result = inner(*arguments)
            self(f"after {name}")
            return result

        setattr(target, method, called)


class Service(FakeChannel):
    """A channel to the service of files: what was confirmed is gone for ever, what was not is delivered again."""

    def __init__(self, folder: Path, step: Steps) -> None:
        super().__init__()
        self.folder = folder
        self.step = step

    def events(self) -> list[tuple[int, bytes]]:
        lines = (self.folder / "events").read_bytes().splitlines()
        confirmed = int((self.folder / "confirmed").read_text(encoding="ascii"))
        return [(number, line) for number, line in enumerate(lines, start=1) if number > confirmed]

    async def receive(self, reception: Reception) -> None:
        """Poll once, as Telegram wants it: asking from a cursor on confirms everything before it."""
        cursor = int(await reception.cursor("fake") or 0)
        self.step("before confirming")
        (self.folder / "confirmed").write_text(str(cursor), encoding="ascii")
        self.step("after confirming")
        found = self.events()
        if found:
            self.step("before taking")
            await reception.take("fake", [(str(n), raw) for n, raw in found], cursor=str(found[-1][0]))
            self.step("after taking")

    def parse(self, raw: bytes) -> tuple[Inbound, ...]:
        self.step("before parsing")
        return super().parse(raw)

    async def vet(self, inbound: Inbound) -> Inbound:
        self.step("while vetting")
        return await super().vet(inbound)

    async def acknowledge(self, inbound: Inbound, outcome: Outcome) -> None:
        self.step("before telling")
        with (self.folder / "told").open("a", encoding="utf-8") as file:
            file.write(json.dumps([getattr(inbound, "delivery", ""), outcome.counted, outcome.text]) + "\n")
        self.step("after telling")


async def hear(core: Core, folder: Path, step: Steps) -> None:
    service = Service(folder, step)
    step.around(core.log, "seal", "sealing")  # in the transaction
    step.around(core.log, "committed", "the commit")  # on disk, and nobody was told
    reception = Reception(
        writer=core.writer,
        reader=core.store.reader,
        audit=core.log,
        clock=core.clock,
        hearing=Hearing(desk=core.desk, people=PEOPLE, clock=core.clock),
        listeners={"fake": service},
    )
    while True:
        await service.receive(reception)
        count = await reception.handle_waiting("fake")
        await reception.told()
        if not count and not service.events():
            return


def child(folder: Path, kill_at: int) -> None:
    core = open_core(folder / "askfirst.db")
    try:
        asyncio.run(hear(core, folder, Steps(folder / "killed", kill_at)))
    finally:
        core.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, core_of(Path(folder) / "store.db") as made:
        asyncio.run(made.desk.ask(a_draft()))  # import and build now what every broker needs
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        name, kill_at = json.loads(line)
        folder = Path(name)
        if (pid := os.fork()) == 0:
            try:
                child(folder, kill_at)
                os._exit(0)
            except BaseException:  # noqa: BLE001  # the outermost frame of a fork
                traceback.print_exc()
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        killed = (folder / "killed").read_text(encoding="ascii") if status == -signal.SIGKILL else ""
        sys.stdout.write({0: "done"}.get(status, killed or f"failed with {status}") + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
