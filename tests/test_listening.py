"""Channels that listen: an error is waited out beside what was received, and of several brokers one listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from askfirst import listening
from askfirst.hearing import Hearing
from askfirst.inbound import Linking, Outcome
from askfirst.listening import listen, together
from askfirst.people import Directory, Identity, Person
from askfirst.ports import Reception as ReceptionPort
from askfirst.reception import Reception
from askfirst.store.leases import Leases
from askfirst.switchboard import Switchboard
from askfirst.testing.bench import Bench, a_draft
from askfirst.testing.fake_channel import FakeChannel
from askfirst.testing.net import MemoryNet
from askfirst.undo_desk import UndoDesk
from audit.testing_core import core

PEOPLE = Directory(people=(Person(id="local:ann", identities=(Identity(id="fake:ann"),)),))
BOUND_S = 20


class Breaking(FakeChannel):
    """Receives one delivery each time it runs, and then breaks."""

    def __init__(self, *said: object) -> None:
        super().__init__()
        self.left = list(said)
        self.runs = 0

    async def run(self, reception: ReceptionPort) -> None:
        self.runs += 1
        if self.left:
            await reception.take("fake", [self.says(f"d{self.runs}", self.left.pop(0))], cursor=str(self.runs))
            raise ZeroDivisionError


def test_a_channel_that_breaks_begins_again_and_what_it_received_is_handled(
    desk_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_PAUSE_FIRST_S", 0.0)

    async def story() -> Breaking:
        requests = [(await desk_bench.desk.ask(a_draft(key=f"k{n}", command=f"rm -rf {n}"))).request for n in range(3)]
        channel = Breaking(*({"by": "fake:ann", "verdict": "deny", "code": each.code} for each in requests))
        reception = Reception(
            writer=desk_bench.writer,
            reader=desk_bench.reader,
            audit=desk_bench.log,
            clock=desk_bench.clock,
            hearing=Hearing(desk=desk_bench.desk, people=PEOPLE, clock=desk_bench.clock),
            listeners={"fake": channel},
        )
        running = asyncio.create_task(listen(channel, reception))
        for number in range(3):
            await asyncio.wait_for(channel.told_of(f"d{number + 1}"), BOUND_S)
        running.cancel()
        assert await reception.cursor("fake") == "3"
        cases = [await desk_bench.desk.case(each.id) for each in requests]
        assert [[review.counted for review in case.reviews] for case in cases] == [[True]] * 3
        return channel

    told = [(inbound.delivery, outcome.text) for inbound, outcome in asyncio.run(story()).acknowledged]
    assert set(told) == {
        ("d1", "denied"),
        ("d2", "denied"),
        ("d3", "denied"),
    }  # who breaks off while it tells tells again


def test_what_is_done_together_ends_together() -> None:
    ended: list[str] = []

    async def lasting() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("lasting")

    async def failing() -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(together(lasting(), failing()))
    assert ended == ["lasting"]


class Polling(FakeChannel):
    """Says when it begins to poll, and that no other one does."""

    def __init__(self, name: str, polling: set[str], began: asyncio.Queue[str]) -> None:
        super().__init__()
        self.name = name
        self.polling = polling
        self.began = began

    async def run(self, reception: ReceptionPort) -> None:
        assert not self.polling, "two at once"
        self.polling.add(self.name)
        self.began.put_nowait(self.name)
        try:
            await asyncio.Event().wait()
        finally:
            self.polling.discard(self.name)


class Nobody:
    """Links nobody."""

    async def link(self, linking: Linking) -> Outcome:
        return Outcome(counted=False, text=linking.link_code)


@pytest.mark.slow
def test_of_brokers_on_one_database_one_polls_and_another_takes_over(postgres: Any, tmp_path: Any) -> None:
    url = postgres.create()

    async def story(cores: list[Any]) -> None:
        began, polling = asyncio.Queue[str](), set[str]()
        tasks: dict[str, list[asyncio.Task[None]]] = {}
        for name, each in zip("ab", cores, strict=True):
            board = Switchboard(
                channels={"fake": Polling(name, polling, began)},
                desk=each.desk,
                people=PEOPLE,
                writer=each.writer,
                reader=each.store.reader,
                audit=each.log,
                clock=each.clock,
                leases=Leases(each.store.url),
                linker=Nobody(),
                undos=UndoDesk(desk=each.desk, people=PEOPLE, net=MemoryNet(each.clock)),
                machine="m",
            )
            tasks[name] = [asyncio.create_task(run(worker)) for worker in board.workers()]
        first = await asyncio.wait_for(began.get(), BOUND_S)
        for task in tasks.pop(first):
            task.cancel()
        assert await asyncio.wait_for(began.get(), BOUND_S) != first
        for task in [task for each in tasks.values() for task in each]:
            task.cancel()

    async def run(worker: Callable[[], Any]) -> None:
        await worker()

    with core(tmp_path / "a", url) as one, core(tmp_path / "b", url) as other:
        asyncio.run(story([one, other]))
    postgres.drop(url)
