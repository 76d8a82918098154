"""Both ways to hear: what is counted once, what is taken back, what is never kept, what a restart finds again."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette

from askfirst.broker.web import Fork
from channels.github.deliveries import envelope
from channels.github.webhook import BODY_MAX_BYTES, is_signed


def hook(office: Any) -> httpx.AsyncClient:
    """Whoever calls our webhook."""
    transport = httpx.ASGITransport(app=office.channel.app(office.reception))
    return httpx.AsyncClient(transport=transport, base_url="http://broker")


async def deliver(office: Any, number: int = -1) -> httpx.Response:
    """Hand over one of the events, the newest by default."""
    headers, body = office.github.world.events[number]
    async with hook(office) as http:
        answer = await http.post("/", content=body, headers=headers)
    await office.handle()
    return answer


def test_a_comment_that_is_heard_both_ways_and_again_and_again_is_one_review(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        office.say("ann", f"/approve {request.code}")
        number = len(office.github.world.events) - 1
        for _ in range(2):
            assert (await deliver(office, number)).text == "kept"
            await office.look()
        assert [each.counted for each in (await office.case(request)).reviews] == [True]
        assert [content for each in office.comments() for _, _, content, _ in each.reactions] == ["+1"]

    tell(story)


@pytest.mark.parametrize("by_webhook", [False, True])
@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_counted_comment_that_is_edited_or_deleted_before_the_release_is_taken_back(
    tell: Callable[..., None], by_webhook: bool, is_deleted: bool
) -> None:
    async def story(office: Any) -> None:
        world = office.github.world
        request = await office.ask()
        comment = office.say("ann", f"/approve {request.code}")
        await office.look()
        assert await office.state(request) == "approved"
        if is_deleted:
            world.delete("acme/api", comment.id, "ann")
        else:
            world.edit("acme/api", comment.id, "ann", "wait, I have a question")
        await (deliver(office) if by_webhook else office.look())
        case = await office.case(request)
        assert case.grant.state.value == "revoked"
        assert not case.reviews[0].counted
        assert ("deleted" if is_deleted else "edited") in case.reviews[0].note

    tell(story)


def test_no_flood_of_commands_hides_that_one_of_them_is_gone(tell: Callable[..., None]) -> None:
    """The agent's account may write as many as it likes: the person's is looked for among them."""

    async def story(office: Any) -> None:
        request = await office.ask()
        comment = office.say("ann", f"/approve {request.code}")
        await office.look()
        for number in range(30):
            office.say("reader", f"/deny 000000-000000{number:02}")
        office.github.world.delete("acme/api", comment.id, "ann")
        await office.look()
        assert (await office.case(request)).grant.state.value == "revoked"
        assert not (await office.case(request)).reviews[0].counted

    tell(story)


def test_a_dismissed_review_is_taken_back(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        review = office.github.world.review("acme/api", 1, "ann", "APPROVE", f"/approve {request.code}")
        await office.look()
        assert await office.state(request) == "approved"
        office.github.world.dismiss("acme/api", review.id, "bob")
        await office.look()
        assert (await office.case(request)).grant.state.value == "revoked"

    tell(story)


def test_a_comment_is_remembered_as_a_command_over_a_restart(tell: Callable[..., None]) -> None:
    """What it decided is taken back although another process sees that it is gone."""

    async def story(office: Any) -> None:
        request = await office.ask()
        comment = office.say("ann", f"/approve {request.code}")
        await office.look()
        office.github.world.delete("acme/api", comment.id, "ann")
        poller = office.channel._poller
        poller._watches, poller._paces = {}, {}
        await poller.begin(office.reception)
        await office.look()
        assert (await office.case(request)).grant.state.value == "revoked"

    tell(story)


def test_edits_of_other_comments_and_chatter_are_not_kept(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        await office.ask()
        office.say("ann", "hello")
        await office.look()
        assert (await deliver(office)).text == "no decision"
        with office.bench.reader.connect() as connection:
            assert connection.exec_driver_sql("select count(*) from inbox").scalar() == 0

    tell(story)


def test_a_quiet_conversation_costs_a_304_and_is_looked_at_more_and_more_seldom(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        await office.ask()
        world, looks = office.github.world, []
        for _ in range(40):
            before = len(world.calls)
            office.bench.clock.advance(5)
            await office.channel.look(office.reception)
            looks.append(len(world.calls) > before)
        assert looks[0]
        assert 4 <= sum(looks) <= 12
        await office.ask("rm -rf build")
        assert sum(looks) < len(looks)

    tell(story)


def test_a_late_approval_is_heard_by_looking_too(tell: Callable[..., None]) -> None:
    """I4: it becomes a permission for the next identical attempt."""

    async def story(office: Any) -> None:
        request = await office.ask()
        await office.look()
        office.bench.clock.advance(700)
        await office.bench.desk.sweep()
        await office.deliver()
        office.say("ann", f"/approve {request.code}")
        await office.look()
        case = await office.case(request)
        assert (case.request.state.value, case.grant.late) == ("expired", True)

    tell(story)


def test_more_than_a_page_of_comments_hides_nothing(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        await office.look()
        for number in range(120):
            office.say("reader", f"chatter {number}")
        await office.look()
        assert await office.decides(request, lambda: office.say("ann", f"/approve {request.code}"))

    tell(story)


REFUSALS = [
    ({"x-hub-signature-256": "sha256=" + "0" * 64}, b"", 401),
    ({"x-hub-signature-256": ""}, b"", 401),
    ({"x-hub-signature-256": "sha256=é"}, b"", 401),
    ({}, b" ", 401),
]


@pytest.mark.parametrize(("headers", "more", "status"), REFUSALS)
def test_only_what_github_signed_byte_for_byte_is_looked_at(
    tell: Callable[..., None], headers: dict[str, str], more: bytes, status: int
) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        office.say("ann", f"/approve {request.code}")
        true, body = office.github.world.events[-1]
        sent = {name: value.encode() for name, value in {**true, **headers}.items()}
        async with hook(office) as http:
            assert (await http.post("/", content=body + more, headers=sent)).status_code == status
            assert (await http.get("/")).status_code == 405
            assert (await http.post("/", content=b"x" * (BODY_MAX_BYTES + 1), headers=true)).status_code == 413
        await office.handle()
        assert await office.state(request) == "pending"
        refused = [each.data["reason"] for each in office.bench.log.entries if each.type.value == "channel.refused"]
        assert refused == ["the signature does not fit"]

    tell(story)


def test_without_a_secret_nothing_is_signed() -> None:
    forged = hmac.new(b"", b"{}", hashlib.sha256).hexdigest()
    assert not is_signed(b"{}", f"sha256={forged}", b"")


def test_a_webhook_that_sends_forms_is_understood(tell: Callable[..., None], kit: Any) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        office.say("ann", f"/approve {request.code}")
        headers, body = office.github.world.events[-1]
        form = urlencode({"payload": body.decode()}).encode()
        signature = f"sha256={hmac.new(kit.hook_secret, form, hashlib.sha256).hexdigest()}"
        sent = {**headers, "content-type": "application/x-www-form-urlencoded", "x-hub-signature-256": signature}
        async with hook(office) as http:
            assert (await http.post("/", content=form, headers=sent)).text == "kept"
        await office.handle()
        assert await office.state(request) == "approved"

    tell(story)


def test_events_that_make_no_sense_are_answered_and_decide_nothing(tell: Callable[..., None], kit: Any) -> None:
    async def story(office: Any) -> None:
        async with hook(office) as http:
            for event, body in (
                ("ping", b"{}"),
                ("issue_comment", b"{"),
                ("issue_comment", b"[]"),
                ("check_run", b'{"action": 1}'),
                ("deployment_protection_rule", b"{}"),
            ):
                signature = f"sha256={hmac.new(kit.hook_secret, body, hashlib.sha256).hexdigest()}"
                headers = {"x-hub-signature-256": signature, "x-github-event": event, "x-github-delivery": "d-1"}
                answer = await http.post("/", content=body, headers=headers)
                assert answer.status_code in {200, 422}, answer.text

    tell(story)


def test_what_github_stores_of_a_delivery_is_all_that_is_read() -> None:
    raw = envelope("issue_comment", "d", {"a": "ü"})
    assert json.loads(raw) == {"event": "issue_comment", "delivery": "d", "payload": {"a": "ü"}}


@pytest.mark.parametrize("path", ["/hooks/github", "/hooks/github/"])
def test_the_webhook_answers_with_and_without_a_slash_at_its_end(tell: Callable[..., None], path: str) -> None:
    """GitHub calls a redirect a failure."""

    async def story(office: Any) -> None:
        request = await office.ask()
        office.say("ann", f"/approve {request.code}")
        headers, body = office.github.world.events[-1]
        nothing = Starlette()
        hooks = {"github": office.channel.app(office.reception)}
        fork = Fork(api=nothing, mcp=nothing, mcp_path="/mcp", hooks=hooks, inbox=nothing)
        transport = httpx.ASGITransport(app=fork)
        async with httpx.AsyncClient(transport=transport, base_url="http://broker") as http:
            assert (await http.post(path, content=body, headers=headers)).text == "kept"
            assert (await http.post("/hooks/other", content=body, headers=headers)).status_code == 404

    tell(story)
