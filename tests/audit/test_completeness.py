"""Stories told by the real desk over the real log: who did what is in the entries, and nothing is missing.

A13 (an approval used twice) and A15 (allow only after the commit) are here, too, as the log sees them.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from askfirst.audit_port import Entry, EntryType
from askfirst.dispatch import Dispatcher
from askfirst.engine import Amend, Content
from askfirst.errors import ChannelError, StoreError
from askfirst.ports import Capabilities, Health
from askfirst.request import Claim, Request, Verdict
from askfirst.testing.bench import a_draft, a_review
from audit.query import show
from audit.testing import Broker


async def asked(broker: Broker, **changes: Any) -> Request:
    draft = a_draft(now_ms=broker.clock.now_ms(), **changes)
    return (await broker.desk.ask(draft)).request


async def redeemed(broker: Broker, request: Request, attempt: str) -> bool:
    step = await broker.desk.redeem(
        request.id, action_digest=request.action_digest, attempt=attempt, tool_use_id="toolu_1"
    )
    return step.done


def told(broker: Broker) -> list[str]:
    """The types of the entries about requests, in order; the log verifies."""
    assert broker.verified().ok
    return [entry["type"] for entry in broker.entries() if entry.get("req")]


def test_a_request_that_was_approved_and_ran(broker: Broker) -> None:
    async def story() -> Request:
        request = await asked(broker)
        await broker.desk.review(a_review(request, Verdict.APPROVE, text="fine"))
        assert await redeemed(broker, request, "a")
        await broker.desk.executed(request.id, action_digest=request.action_digest, outcome="ok")
        return request

    request = asyncio.run(story())
    assert told(broker) == [
        "gate.requested",
        "review.cast",
        "gate.decided",
        "grant.issued",
        "gate.released",
        "gate.executed",
    ]
    by_type = {entry["type"]: entry for entry in broker.entries() if entry.get("req")}
    assert {entry["action"]["act"] for entry in by_type.values()} == {request.action_digest}
    cast, decided = by_type["review.cast"], by_type["gate.decided"]
    assert cast["actor"] == {"type": "human", "id": "local:ann", "channel": "web", "assurance": 1}
    assert (cast["decision"]["text"], cast["decision"]["counted"]) == ("fine", True)
    assert (decided["decision"]["by"], decided["decision"]["rule"]) == (["local:ann"], "ask.high")
    assert by_type["gate.executed"]["decision"]["outcome"] == "ok"


def test_what_the_agent_said_stands_apart_in_every_version(broker: Broker) -> None:
    async def story() -> None:
        draft = replace(a_draft(now_ms=broker.clock.now_ms()), claim=Claim(reason="cleanup", confidence=0.0))
        request = (await broker.desk.ask(draft)).request
        claim = Claim(reason="cleanup, really", impact="none")
        content = Content(action=request.action, effects=request.effects, risk=request.risk)
        await broker.desk.amend(request.id, Amend(content=content, claim=claim, terms=request.terms))
        await asked(broker, key="key-2", command="git clean -fd")

    asyncio.run(story())
    assert broker.verified().ok
    first, last = broker.entries("gate.requested")
    [amended] = broker.entries("gate.amended")
    payloads = [
        show(broker.root / "askfirst.db", index)["payloads"][entry["action"]["claim"]["sha256"]]
        for index, entry in enumerate(broker.entries())
        if entry["id"] in {first["id"], amended["id"]}
    ]
    assert payloads == [
        '{"confidence":0,"reason":"cleanup"}',
        '{"impact":"none","reason":"cleanup, really"}',
    ]
    assert "claim" not in last["action"]


def test_a13_an_approval_is_used_once_however_often_the_same_command_comes(broker: Broker) -> None:
    async def story() -> list[bool]:
        request = await asked(broker)
        await broker.desk.review(a_review(request, Verdict.APPROVE))
        return [await redeemed(broker, request, attempt) for attempt in ("a", "b", "c")]

    assert asyncio.run(story()) == [True, False, False]
    assert told(broker).count("gate.released") == 1


def test_a14_a_grant_that_is_written_into_the_store_is_no_entry_and_so_a_lie_that_shows(broker: Broker) -> None:
    """Who can write the file can make the gate believe it (another uid is the answer); the log does not say so."""

    async def ask() -> Request:
        return await asked(broker)

    request = asyncio.run(ask())
    broker.stop()
    with broker.opened() as connection:
        connection.exec_driver_sql("update request set state = 'approved' where id = ?", (request.id,))
    broker.start()
    assert told(broker) == ["gate.requested"]


def test_a15_nobody_hears_of_a_release_that_is_not_on_disk(broker: Broker) -> None:
    async def story() -> None:
        request = await asked(broker)
        await broker.desk.review(a_review(request, Verdict.APPROVE))
        with broker.opened() as connection:  # the disk fails from here on
            connection.exec_driver_sql(
                "create trigger full before insert on audit begin select raise(abort, 'full'); end"
            )
        with pytest.raises(StoreError):
            await redeemed(broker, request, "a")
        with broker.opened() as connection:
            connection.exec_driver_sql("drop trigger full")

    asyncio.run(story())
    broker.stop()
    broker.start()
    assert "gate.released" not in told(broker)


def test_a_request_that_expired_and_was_approved_too_late(broker: Broker) -> None:
    async def story() -> None:
        request = await asked(broker)
        broker.passes(601)
        await broker.desk.sweep()
        await broker.desk.review(a_review(request, Verdict.APPROVE))

    asyncio.run(story())
    assert told(broker) == ["gate.requested", "gate.timeout", "review.late", "grant.issued"]


def test_a_request_that_was_withdrawn(broker: Broker) -> None:
    async def story() -> None:
        await broker.desk.cancel((await asked(broker)).id, "changed my mind")

    asyncio.run(story())
    assert told(broker) == ["gate.requested", "gate.cancelled"]
    assert broker.entries("gate.cancelled")[0]["decision"]["reason"] == "changed my mind"


def test_a_permission_that_nobody_used(broker: Broker) -> None:
    async def story() -> None:
        await broker.desk.review(a_review(await asked(broker), Verdict.APPROVE))
        broker.passes(121)
        await broker.desk.sweep()

    asyncio.run(story())
    assert told(broker)[-1] == "grant.lapsed"


def test_a_deny_after_an_approval(broker: Broker) -> None:
    async def story() -> None:
        request = await asked(broker)
        await broker.desk.review(a_review(request, Verdict.APPROVE))
        await broker.desk.review(a_review(request, Verdict.DENY, person="local:bob"))

    asyncio.run(story())
    assert "grant.revoked" in told(broker)
    [decided, revoked] = [broker.entries(each)[-1]["actor"] for each in ("gate.decided", "grant.revoked")]
    assert revoked == decided  # who, by which channel and how surely
    assert [entry["decision"]["verdict"] for entry in broker.entries("gate.decided")] == ["approved", "denied"]


def test_a_review_that_did_not_count(broker: Broker) -> None:
    async def story() -> None:
        request = await asked(broker)
        await broker.desk.review(replace(a_review(request, Verdict.APPROVE), action_digest="0" * 64))

    asyncio.run(story())
    assert told(broker) == ["gate.requested", "review.rejected"]
    assert broker.entries("review.rejected")[0]["decision"]["note"]


def test_a_question_and_its_answer(broker: Broker) -> None:
    async def story() -> None:
        draft = replace(a_draft(now_ms=broker.clock.now_ms()), question="which one?")
        request = (await broker.desk.ask(draft)).request
        await broker.desk.review(a_review(request, Verdict.ANSWER, text="the blue one"))

    asyncio.run(story())
    assert told(broker) == ["question.asked", "review.cast", "question.answered"]


def test_a_request_that_another_one_replaced(broker: Broker) -> None:
    async def story() -> None:
        old = await asked(broker)
        new = replace(a_draft(key="key-2", command="git reset --hard", now_ms=broker.clock.now_ms()), supersedes=old.id)
        await broker.desk.ask(new)

    asyncio.run(story())
    assert sorted(told(broker)) == ["gate.requested", "gate.requested", "gate.superseded"]


class Deaf:
    """A channel that cannot deliver at first."""

    scheme = "web"
    caps = Capabilities()

    def __init__(self) -> None:
        self.fails = True

    async def send(self, _card: object, _recipient: str, _key: str) -> str:
        if self.fails:
            raise ChannelError("no signal")
        return "message-1"

    async def check(self) -> Health:
        return Health(ok=True, text="here")

    async def update(self, _card: object, _recipient: str, _external_id: str) -> None:
        return None


def test_messages_that_were_sent_and_that_failed(broker: Broker) -> None:
    async def story() -> None:
        channel = Deaf()
        dispatcher = Dispatcher(
            writer=broker.writer,
            reader=broker.reader,
            audit=broker.log,
            clock=broker.clock,
            channels={"web": channel},
            machine="here",
            on_unreachable=broker.desk.unreachable,
        )
        await asked(broker)
        await dispatcher.deliver_due()
        channel.fails = False
        broker.passes(60)
        await dispatcher.deliver_due()

    asyncio.run(story())
    assert told(broker) == ["gate.requested", "channel.failed", "channel.sent"]
    assert broker.entries("channel.failed")[0]["data"]["cause"] == "no signal"


def test_a_clock_that_was_changed(broker: Broker) -> None:
    """A16: the order is that of the indexes, and the jump is said."""
    broker.append(Entry(type=EntryType.BROKER_STARTED))
    broker.audit_clock.wall_us -= 3_600_000_000
    broker.append(Entry(type=EntryType.BROKER_STARTED))
    [jump] = broker.entries("clock.jump")
    assert jump["data"]["drift_ms"] == -3_600_000
    assert broker.verified().ok
