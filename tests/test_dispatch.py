"""Deliveries: owed with the change that causes them, made once, tried again, given up, and written down."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst import answers
from askfirst.card import Card
from askfirst.delivery import Pace
from askfirst.dispatch import ATTEMPTS_MAX, Dispatcher
from askfirst.engine import Amend, Content
from askfirst.errors import ChannelError
from askfirst.policy.ruling import Stage
from askfirst.ports import Capabilities, Rate
from askfirst.request import Request, RequestState, Verdict
from askfirst.store.outbox import SEND, UPDATE, Delivery
from askfirst.terms import Escalation
from askfirst.testing.bench import Bench, a_draft, a_review
from askfirst.testing.fake_channel import FakeChannel

GONE = ChannelError("the bot was blocked", is_permanent=True)


def dispatcher(made: Bench, *channels: Any) -> Dispatcher:
    return Dispatcher(
        writer=made.writer,
        reader=made.reader,
        audit=made.log,
        clock=made.clock,
        channels={each.scheme: each for each in channels},
        machine="laptop",
        on_unreachable=made.desk.unreachable,
    )


async def ask(made: Bench, *recipients: str, key: str = "key-1", escalation: tuple[Escalation, ...] = ()) -> Request:
    draft = a_draft(key=key, command=f"rm -rf {key}")
    terms = replace(draft.terms, stages=(Stage(recipients=recipients),), escalation=escalation)
    return (await made.desk.ask(replace(draft, terms=terms))).request


async def deliver(made: Bench, sender: Dispatcher, rounds: int = 4) -> None:
    for _ in range(rounds):
        while await sender.deliver_due():
            pass
        made.clock.advance(61)


def entries(made: Bench) -> list[str]:
    return [entry.type for entry in made.log.entries if entry.type.startswith("channel.")]


def test_a_request_is_shown_once_and_its_end_updates_that_message(desk_bench: Bench) -> None:
    channel = FakeChannel("web")

    async def story() -> str:
        sender = dispatcher(desk_bench, channel)
        case = await desk_bench.desk.ask(a_draft())
        await sender.deliver_due()
        await desk_bench.desk.review(a_review(case.request, Verdict.DENY))
        await sender.deliver_due()
        assert await sender.deliver_due() == 0
        return case.request.id

    request = asyncio.run(story())
    assert channel.sent == [(f"{request}:1", "web:inbox")]
    assert [card.state for card in channel.shown.values()] == [RequestState.DENIED]
    assert entries(desk_bench) == ["channel.sent", "channel.sent"]


def test_the_log_says_which_version_and_action_a_message_showed(desk_bench: Bench) -> None:
    channel = FakeChannel("web")

    async def story() -> list[Request]:
        sender = dispatcher(desk_bench, channel)
        first = (await desk_bench.desk.ask(a_draft())).request
        await sender.deliver_due()
        other = replace(first.action, arguments={"command": "rm -rf other"})
        content = Content(action=other, effects=first.effects, risk=first.risk)
        amended = await desk_bench.desk.amend(first.id, Amend(content=content, claim=first.claim, terms=first.terms))
        await sender.deliver_due()
        return [first, amended.case.request]

    versions = asyncio.run(story())
    sent = [entry.data for entry in desk_bench.log.entries if entry.type == "channel.sent"]
    assert [(data["version"], data["act"]) for data in sent] == [
        (1, versions[0].action_digest),
        *((2, versions[1].action_digest) for _ in ("a new message", "the old one's update")),
    ]


def test_a_failed_delivery_is_tried_again_later_and_shows_the_state_of_then(desk_bench: Bench) -> None:
    channel = FakeChannel("web")
    channel.failures = [ChannelError("out of reach")]

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
    assert [card.state for card in channel.shown.values()] == [RequestState.DENIED]
    assert entries(desk_bench) == ["channel.failed", "channel.sent", "channel.sent"]


def test_what_cannot_be_delivered_is_given_up_after_a_while_with_its_updates(desk_bench: Bench) -> None:
    channel = FakeChannel("web")
    channel.failures = [ChannelError("out of reach")] * 1000

    async def story() -> None:
        sender = dispatcher(desk_bench, channel)
        case = await desk_bench.desk.ask(a_draft())
        await desk_bench.desk.cancel(case.request.id, "")
        await deliver(desk_bench, sender, ATTEMPTS_MAX + 2)
        assert await sender.deliver_due() == 0

    asyncio.run(story())
    assert entries(desk_bench) == ["channel.failed"] * ATTEMPTS_MAX
    assert desk_bench.log.entries[-1].data["given_up"] is True


@pytest.fixture
def many(desk_bench: Bench) -> Bench:
    """A desk that knows several channels."""
    desk_bench.desk._intake = replace(desk_bench.desk._intake, schemes={"a", "b", "web"})
    return desk_bench


def test_what_a_channel_says_can_never_be_delivered_is_given_up_at_once(many: Bench) -> None:
    channel = FakeChannel("a")
    channel.failures = [GONE]

    async def story() -> None:
        await ask(many, "a:1", "a:2")
        await deliver(many, dispatcher(many, channel))

    asyncio.run(story())
    assert len(channel.sent) == 1
    assert sorted(entries(many)) == ["channel.failed", "channel.sent"]


def test_the_next_of_the_route_are_told_at_once_when_nobody_can_be(many: Bench) -> None:
    lost, found = FakeChannel("a"), FakeChannel("b")
    lost.failures = [GONE, GONE]
    step = Escalation(at_ms=1_800_000_300_000, reviewers=(), recipients=("b:1",))

    async def story() -> RequestState:
        request = await ask(many, "a:1", "a:2", escalation=(step,))
        sender = dispatcher(many, lost, found)
        while await sender.deliver_due():
            pass
        return (await many.desk.case(request.id)).request.state

    assert asyncio.run(story()) is RequestState.PENDING
    assert [recipient for _, recipient in found.sent] == ["b:1"]
    [escalated] = [entry for entry in many.log.entries if entry.type == "gate.escalated"]
    assert escalated.decision["recipients"] == ("b:1",)


@pytest.mark.parametrize("has_channel", [True, False], ids=["gone", "no such channel any more"])
def test_a_request_ends_at_once_when_nobody_is_left_to_tell(many: Bench, has_channel: bool) -> None:
    """I6: and the agent hears that it was no denial, and what to do."""
    channel = FakeChannel("a")
    channel.failures = [GONE] * 5

    async def story() -> Any:
        request = await ask(many, "a:1")
        sender = dispatcher(many, channel if has_channel else FakeChannel("web"))
        while await sender.deliver_due():
            pass
        return await many.desk.case(request.id)

    case = asyncio.run(story())
    assert case.request.state is RequestState.EXPIRED
    why = "the bot was blocked" if has_channel else "no channel 'a', expected one of web"
    assert case.request.end.text == f"nobody could be told: a:1: {why}"
    said = answers.refusal(case)
    assert said.startswith("Unreachable: ")
    assert why in said


def test_a_service_that_asks_us_to_wait_is_left_alone_and_has_not_refused(many: Bench) -> None:
    channel = FakeChannel("a")
    channel.failures = [ChannelError("slow down", retry_after_s=90)] * (ATTEMPTS_MAX + 3)

    async def story() -> None:
        sender = dispatcher(many, channel)
        await ask(many, "a:1")
        for _ in range(ATTEMPTS_MAX + 3):
            assert await sender.deliver_due() == 1
            many.clock.advance(89)
            assert await sender.deliver_due() == 0
            many.clock.advance(1)
        await ask(many, "a:2", key="other")
        await deliver(many, sender)

    asyncio.run(story())
    assert sorted(recipient for _, recipient in channel.sent) == ["a:1", "a:2"]
    assert not [entry for entry in many.log.entries if entry.data.get("given_up")]


def test_several_updates_of_a_message_are_one(many: Bench) -> None:
    channel = FakeChannel("a")

    async def story() -> None:
        sender = dispatcher(many, channel)
        request = await ask(many, "a:1")
        await sender.deliver_due()
        await many.desk.review(a_review(request, Verdict.APPROVE))
        await many.desk.review(a_review(request, Verdict.DENY, person="local:bob"))
        await many.desk.review(a_review(request, Verdict.DENY, person="local:eve"))
        assert await sender.deliver_due() == 1
        assert await sender.deliver_due() == 0

    asyncio.run(story())
    assert [card.state for card in channel.shown.values()] == [RequestState.DENIED]


def test_what_waits_for_people_goes_before_updates_and_what_is_over(many: Bench) -> None:
    order: list[str] = []

    class Ordered(FakeChannel):
        async def send(self, card: Card, recipient: str, key: str) -> str:
            order.append(f"send {card.state} {recipient}")
            return await super().send(card, recipient, key)

        async def update(self, card: Card, recipient: str, external_id: str) -> None:
            order.append(f"update {card.state} {recipient}")

    channel = Ordered("a", Capabilities(rate=Rate(burst=1, per_s=1)))

    async def story() -> None:
        sender = dispatcher(many, channel)
        one = await ask(many, "a:1", key="one")
        await sender.deliver_due()
        two = await ask(many, "a:2", key="two")
        await many.desk.cancel(two.id, "")
        await many.desk.cancel(one.id, "")
        await ask(many, "a:3", key="three")
        await deliver(many, sender)

    asyncio.run(story())
    assert order[:3] == ["send pending a:1", "send pending a:3", "update cancelled a:1"]
    assert order[3] == "send cancelled a:2"


def test_a_channel_that_hangs_holds_up_no_other(many: Bench) -> None:
    class Hanging(FakeChannel):
        async def send(self, card: Card, recipient: str, key: str) -> str:
            await asyncio.Event().wait()
            return ""

    hanging, quick = Hanging("a"), Told("b")

    async def story() -> None:
        sender = dispatcher(many, hanging, quick)
        running = [asyncio.create_task(sender.run(each)) for each in ("a", "b")]
        await ask(many, "a:1", "b:1")
        sender.wake()
        await asyncio.wait_for(quick.told.wait(), 5)
        for each in running:
            each.cancel()

    asyncio.run(story())


class Told(FakeChannel):
    """Says when it has sent something."""

    def __init__(self, scheme: str) -> None:
        super().__init__(scheme)
        self.told = asyncio.Event()

    async def send(self, card: Card, recipient: str, key: str) -> str:
        self.told.set()
        return await super().send(card, recipient, key)


def owed(number: int, recipient: str, kind: str = SEND, message: int = 0) -> Delivery:
    return Delivery(
        id=number,
        request_id="r",
        recipient=recipient,
        kind=kind,
        attempts=0,
        message_id=message or number,
        external_id="",
    )


@given(
    burst=st.integers(1, 5),
    per_s=st.floats(0.05, 50),
    each=st.integers(1, 3),
    recipients=st.lists(st.sampled_from(["a:1", "a:2", "a:3"]), min_size=1, max_size=40),
    pauses=st.lists(st.integers(0, 3_000), min_size=1, max_size=20),
)
def test_no_rate_is_ever_exceeded_and_everything_goes_in_the_end(
    burst: int, per_s: float, each: int, recipients: list[str], pauses: list[int]
) -> None:
    """In every span of time no more go than the bucket holds and refills; per recipient, too."""
    caps = Capabilities(rate=Rate(burst=burst, per_s=per_s), recipient_rate=Rate(burst=each, per_s=per_s))
    now_ms, gone = 0, []
    pace, waiting = Pace(caps, now_ms), [owed(n, to) for n, to in enumerate(recipients, start=1)]
    for step in range(20_000):
        plan = pace.plan(waiting, now_ms)
        gone += [(now_ms, delivery) for delivery in plan.go]
        waiting = [one for one in waiting if one not in plan.go]
        if not waiting:
            break
        assert plan.wait_ms > 0
        now_ms += plan.wait_ms if step >= len(pauses) else pauses[step]
    assert sorted(delivery.id for _, delivery in gone) == list(range(1, len(recipients) + 1))
    for start in range(len(gone)):
        for end in range(start, len(gone)):
            span = gone[start : end + 1]
            most = burst + (span[-1][0] - span[0][0]) * per_s / 1000
            assert len(span) <= most + 1e-6


def test_of_several_updates_of_one_message_the_newest_goes_in_the_place_of_the_first() -> None:
    pace = Pace(Capabilities(), 0)
    due = [owed(1, "a:1"), owed(2, "a:1", UPDATE, 9), owed(4, "a:1", UPDATE, 9), owed(3, "a:1", UPDATE, 8)]
    assert [each.id for each in pace.plan(due, 0).go] == [1, 4, 3]


def test_a_blocked_channel_sends_nothing_until_then() -> None:
    pace = Pace(Capabilities(), 0)
    pace.block(5_000)
    pace.block(1_000)
    assert (pace.plan([owed(1, "a:1")], 0).go, pace.plan([owed(1, "a:1")], 0).wait_ms) == ((), 5_000)
    assert [each.id for each in pace.plan([owed(1, "a:1")], 5_000).go] == [1]
