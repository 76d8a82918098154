"""``/v1/channels``: how channels stand, what the log says of it, and a request that does nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from askfirst.audit_port import EntryType
from askfirst.broker.channels_api import ChannelsApi
from askfirst.errors import ChannelError
from askfirst.heartbeat import Heartbeat
from askfirst.ports import Health
from askfirst.request import RequestState, Verdict
from askfirst.testing.api import TOKEN, api_client
from askfirst.testing.bench import Bench, a_review
from askfirst.testing.fake_channel import FakeChannel


class Broken(FakeChannel):
    """Breaks its promise never to raise."""

    async def check(self) -> Health:
        raise ZeroDivisionError


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 10))  # type: ignore[arg-type]


def heartbeat_of(made: Bench, *channels: FakeChannel) -> Heartbeat:
    by_scheme = {each.scheme: each for each in channels}
    return Heartbeat(channels=by_scheme, writer=made.writer, audit=made.log, clock=made.clock)


def routes(made: Bench, *channels: FakeChannel) -> Callable[[Any], list[ChannelsApi]]:
    by_scheme = {each.scheme: each for each in channels}
    beat = heartbeat_of(made, *channels)
    return lambda access: [ChannelsApi(access, channels=by_scheme, heartbeat=beat, desk=made.desk, clock=made.clock)]


def test_a_channel_that_goes_down_and_comes_back_is_in_the_log(desk_bench: Bench) -> None:
    channel = FakeChannel()
    beat = heartbeat_of(desk_bench, channel)

    async def story() -> None:
        await beat.check()
        channel.failures = [ChannelError("the token was \x1b[31mrevoked")]
        desk_bench.clock.advance(60)
        await beat.check()
        desk_bench.clock.advance(60)
        await beat.check()
        standing = beat.standings["fake"]
        assert (standing.ok, standing.checked_at_ms - standing.since_ms) == (False, 60_000)
        channel.failures = []
        await beat.check()

    run(story)
    entries = [each.data for each in desk_bench.log.entries if each.type is EntryType.CHANNEL_HEALTH]
    assert entries == [{"ok": False, "text": "the token was \\u{1B}[31mrevoked"}, {"ok": True, "text": "well"}]


def test_a_channel_that_breaks_when_it_is_asked_is_down_and_the_others_are_asked(desk_bench: Bench) -> None:
    beat = heartbeat_of(desk_bench, Broken("a"), FakeChannel("b"))
    run(beat.check)
    assert {scheme: each.ok for scheme, each in beat.standings.items()} == {"a": False, "b": True}
    assert beat.standings["a"].text == "it broke: ZeroDivisionError"


def test_channels_are_listed_and_asked(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench, more=routes(desk_bench, FakeChannel("a"), FakeChannel("b"))) as http:
            before = (await http.get("/v1/channels")).json()["channels"]
            assert [(each["scheme"], each["ok"], each["text"]) for each in before] == [
                ("a", None, "not asked yet"),
                ("b", None, "not asked yet"),
            ]
            asked = (await http.post("/v1/channels/check", json={"schemes": ["b"]})).json()["channels"]
            assert [(each["scheme"], each["ok"]) for each in asked] == [("b", True)]
            wrong = await http.post("/v1/channels/check", json={"schemes": ["c"]})
            assert wrong.status_code == 422
            assert "there is no channel 'c' here, known: a, b" in wrong.text

    run(story)


def test_a_test_request_reaches_its_recipient_and_opens_nothing(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench, more=routes(desk_bench, FakeChannel("web"))) as http:
            sent = (await http.post("/v1/channels/test", json={"recipient": "web:inbox"})).json()
            again = (await http.post("/v1/channels/test", json={"recipient": "web:inbox"})).json()
            assert sent["request"] != again["request"]
            case = await desk_bench.desk.case(sent["request"])
            assert case.request.terms.stages[0].recipients == ("web:inbox",)
            step = await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))
            assert step.case.request.state is RequestState.APPROVED

    run(story)


@pytest.mark.parametrize("recipient", ["web", "web:", "telegram:1", ":x", "x" * 400])
def test_a_test_request_to_nobody_is_refused(desk_bench: Bench, recipient: str) -> None:
    async def story() -> None:
        async with api_client(desk_bench, more=routes(desk_bench, FakeChannel("web"))) as http:
            answer = await http.post("/v1/channels/test", json={"recipient": recipient})
            assert answer.status_code == 422

    run(story)


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/check"), ("POST", "/test")])
def test_only_the_brokers_own_user_may(desk_bench: Bench, method: str, path: str) -> None:
    async def story() -> None:
        async with api_client(desk_bench, ("127.0.0.1", 5), more=routes(desk_bench, FakeChannel("web"))) as http:
            json = {"recipient": "web:inbox"} if path == "/test" else {}
            for headers, status in (({}, 401), ({"authorization": f"Bearer {TOKEN}"}, 403)):
                answer = await http.request(
                    method, f"/v1/channels{path}", json=json if method == "POST" else None, headers=headers
                )
                assert answer.status_code == status

    run(story)
