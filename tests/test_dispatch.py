"""Deliveries: owed with the change that causes them, made once, tried again, given up, and written down."""

from __future__ import annotations

import asyncio

import pytest

from askfirst.card import Card
from askfirst.dispatch import ATTEMPTS_MAX, Dispatcher
from askfirst.errors import ChannelError
from askfirst.ports import Capabilities, Health
from askfirst.request import Verdict
from askfirst.testing.bench import Bench, a_draft, a_review


class FakeChannel:
    """Keeps what it is given; fails as often as it is told."""

    scheme = "web"
    caps = Capabilities()

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.shown: list[tuple[str, str, str]] = []

    async def send(self, card: Card, recipient: str, key: str) -> str:
        self._fail()
        self.shown.append(("send", recipient, card.state.value))
        return f"message of {key}"

    async def check(self) -> Health:
        return Health(ok=True, text="here")

    async def update(self, card: Card, recipient: str, external_id: str) -> None:
        self._fail()
        self.shown.append((f"update {external_id}", recipient, card.state.value))

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise ChannelError("out of reach")


def dispatcher(made: Bench, channel: FakeChannel | None) -> Dispatcher:
    return Dispatcher(
        writer=made.writer,
        reader=made.reader,
        audit=made.log,
        clock=made.clock,
        channels={} if channel is None else {"web": channel},
        machine="laptop",
    )


def entries(made: Bench) -> list[str]:
    return [entry.type for entry in made.log.entries if entry.type.startswith("channel.")]


def test_a_request_is_shown_once_and_its_end_updates_that_message(desk_bench: Bench) -> None:
    channel = FakeChannel()

    async def story() -> str:
        sender = dispatcher(desk_bench, channel)
        case = await desk_bench.desk.ask(a_draft())
        await sender.deliver_due()
        await desk_bench.desk.review(a_review(case.request, Verdict.DENY))
        await sender.deliver_due()
        assert await sender.deliver_due() == 0
        return case.request.id

    request = asyncio.run(story())
    message = f"message of {request}:1"
    assert channel.shown == [("send", "web:inbox", "pending"), (f"update {message}", "web:inbox", "denied")]
    assert entries(desk_bench) == ["channel.sent", "channel.sent"]


def test_a_failed_delivery_is_tried_again_later_and_shows_the_state_of_then(desk_bench: Bench) -> None:
    channel = FakeChannel(failures=1)

    async def story() -> None:
        sender = dispatcher(desk_bench, channel)
        case = await desk_bench.desk.ask(a_draft())
        await sender.deliver_due()
        assert await sender.deliver_due() == 0
        await desk_bench.desk.review(a_review(case.request, Verdict.DENY))
        desk_bench.clock.advance(1)
        while await sender.deliver_due():
            pass

    asyncio.run(story())
    assert [state for _, _, state in channel.shown] == ["denied", "denied"]
    assert entries(desk_bench) == ["channel.failed", "channel.sent", "channel.sent"]


@pytest.mark.parametrize("channel", [FakeChannel(failures=1000), None], ids=["never reached", "no such channel"])
def test_what_cannot_be_delivered_is_given_up_with_its_updates(desk_bench: Bench, channel: FakeChannel | None) -> None:
    async def story() -> None:
        sender = dispatcher(desk_bench, channel)
        case = await desk_bench.desk.ask(a_draft())
        await desk_bench.desk.cancel(case.request.id, "")
        for _ in range(ATTEMPTS_MAX + 2):
            await sender.deliver_due()
            desk_bench.clock.advance(61)
        assert await sender.deliver_due() == 0

    asyncio.run(story())
    assert entries(desk_bench) == ["channel.failed"] * ATTEMPTS_MAX
    assert desk_bench.log.entries[-1].data["given_up"] is True
