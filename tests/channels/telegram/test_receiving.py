"""Receiving: nothing lost or doubled, whatever the service, the network or another program does."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.routing import Mount, Router

from askfirst.audit_port import EntryType
from askfirst.errors import ChannelError, ConfigError, StoreError
from askfirst.request import RequestState
from channels.telegram.api import ConflictError, TokenError
from channels.telegram.parse import Me, parse_update
from channels.telegram.poll import AGAIN_MAX, deliveries, next_offset, read_cursor
from channels.telegram.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.testing.telegram import FakeTelegram, User

pytestmark = pytest.mark.anyio
POISON: list[dict[str, Any]] = [
    {"message": {"message_id": "1", "date": [], "chat": None}},
    {"callback_query": {"id": 7, "from": {"id": True}}},
    {"callback_query": {"id": "7", "from": {"id": "1001", "is_bot": False, "first_name": "Ann"}, "data": "x"}},
    {"message": {"message_id": 1, "date": 1, "chat": {"id": 1}, "from": {"id": 1.5}, "text": "/approve"}},
    {"message": {"message_id": 1, "date": 1, "chat": {"id": 1}, "reply_to_message": {"reply_to_message": {}}}},
    {"a_kind_of_the_future": {"x": 1}},
    {"update_id": "7", "message": 7},
    {"update_id": True},
]


@pytest.mark.parametrize("poison", POISON, ids=str)
async def test_an_update_that_cannot_be_read_blocks_no_other(line: Any, ann: User, poison: dict[str, Any]) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    line.fake.raw(poison)
    line.fake.press(ann, line.last(ann), "Approve")
    await line.pump()
    assert (await line.case(request)).request.state is RequestState.APPROVED
    await line.pump()
    assert line.fake.queued() == 0


async def test_what_cannot_be_read_is_set_apart_and_written_down(line: Any) -> None:
    line.fake.raw(POISON[0])
    await line.pump()
    [entry] = [each for each in line.bench.log.entries if each.type is EntryType.CHANNEL_MALFORMED]
    assert "message.message_id" in entry.data["cause"]


async def test_the_offset_moves_only_with_what_is_on_disk(
    line: Any, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    line.fake.press(ann, line.last(ann), "Approve")

    async def full(*_: object, **__: object) -> None:
        raise StoreError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(line.reception, "take", full)
        with pytest.raises(StoreError):
            await line.channel.poller.receive(line.reception)
    assert line.fake.queued() == 1
    await line.pump()
    assert (await line.case(request)).request.state is RequestState.APPROVED


async def test_after_a_time_away_open_cards_are_shown_again_with_the_reason(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    await line.pump()
    lost = line.fake.press(ann, line.last(ann), "Approve")
    line.fake.advance(1800)
    line.bench.clock.advance(151)
    await line.pump()
    assert line.fake.answers(lost) == []
    first, again = line.fake.messages(ann.id)
    assert again["text"].startswith("⚠️ I was away ")
    assert "presses in that time were lost. Please press again:" in again["text"]
    assert request.code in again["text"]
    await line.pump()
    assert len(line.fake.messages(ann.id)) == 2
    await line.press(ann, again, "Approve")
    assert (await line.case(request)).request.state is RequestState.APPROVED
    assert all("reply_markup" not in each for each in line.fake.messages(ann.id))
    assert first["message_id"] != again["message_id"]


async def test_after_a_quiet_week_updates_with_lower_numbers_are_heard(line: Any, ann: User) -> None:
    await line.say(ann, "/status")
    await line.pump()
    for _ in range(8):
        line.fake.advance(86_400)
        line.bench.clock.advance(86_400)
        await line.pump()
    assert "waiting for a person" in await line.say(ann, "/status")
    assert len(line.fake.messages(ann.id)) == 2
    await line.pump()
    assert line.fake.queued() == 0


async def test_a_short_time_away_shows_nothing_again(line: Any, ann: User) -> None:
    await line.ask(f"telegram:{ann.id}")
    await line.pump()
    line.bench.clock.advance(149)
    await line.pump()
    assert len(line.fake.messages(ann.id)) == 1


async def test_after_a_time_away_a_chat_is_not_flooded(line: Any, ann: User) -> None:
    for number in range(AGAIN_MAX + 3):
        await line.ask(f"telegram:{ann.id}", key=str(number), command=f"rm -rf {number}")
    await line.pump()
    line.bench.clock.advance(300)
    await line.pump()
    assert len(line.fake.messages(ann.id)) == 2 * AGAIN_MAX + 3


async def test_a_send_whose_answer_was_lost_leaves_two_cards_that_both_work(line: Any, ann: User) -> None:
    line.fake.fail("sendMessage", "lost answer")
    request = await line.ask(f"telegram:{ann.id}")
    line.bench.clock.advance(2)
    await line.deliver()
    orphan, card = line.fake.messages(ann.id)
    await line.press(ann, orphan, "Approve")
    assert (await line.case(request)).request.state is RequestState.APPROVED
    assert all(each["text"].startswith("✅") for each in line.fake.messages(ann.id))
    assert orphan["message_id"] != card["message_id"]


async def test_an_answer_that_comes_too_late_costs_nothing(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    query = line.fake.press(ann, line.last(ann), "Approve")
    line.fake.call(lambda: setattr(line.fake.world.queries[query], "at", 0))
    await line.pump()
    assert (await line.case(request)).request.state is RequestState.APPROVED
    assert line.last(ann)["text"].startswith("✅")


async def test_a_flood_wait_is_kept_and_everything_comes(line: Any, ann: User) -> None:
    line.fake.fail("sendMessage", "flood", times=2)
    request = await line.ask(f"telegram:{ann.id}")
    for _ in range(3):
        line.bench.clock.advance(5)
        await line.deliver()
    assert request.code in line.last(ann)["text"]


async def test_a_person_who_has_blocked_the_bot_is_a_permanent_failure(line: Any, ann: User) -> None:
    line.fake.call(lambda: setattr(line.fake.world.chats[ann.id], "is_blocked", True))
    await line.ask(f"telegram:{ann.id}")
    [failed] = [each for each in line.bench.log.entries if each.type is EntryType.CHANNEL_FAILED]
    assert failed.data["given_up"] is True
    assert "blocked by the user" in failed.data["cause"]


# -- other programs ---------------------------------------------------------------------------------------------------


async def test_a_bot_with_the_webhook_of_another_program_is_left_alone(line: Any) -> None:
    line.fake.call(lambda: setattr(line.fake.world.webhook, "url", "https://other.example/secret-path"))
    with pytest.raises(ConflictError, match=r"told at other\.example; nothing was changed"):
        await line.channel._webhook.require_none()
    assert {name for name, _ in line.fake.calls()}.isdisjoint({"deleteWebhook", "setWebhook", "getUpdates"})


async def test_two_pollers_are_noticed_and_said(line: Any) -> None:
    running = asyncio.create_task(line.channel.run(line.reception))
    line.channel.poller._poll_s = 20
    await asyncio.to_thread(line.fake.wait_for, "getUpdates")
    async with httpx.AsyncClient() as other:
        await other.get(f"{line.fake.base_url}{line.fake.token}/getUpdates")
    while not line.channel.poller.problem:  # noqa: ASYNC110  # nobody tells us
        await asyncio.sleep(0.01)
    health = await line.channel.check()
    assert not health.ok
    assert "A bot has one listener" in health.text
    running.cancel()


async def test_a_token_that_the_service_does_not_know_is_said(opened: Callable[..., Any], fake: FakeTelegram) -> None:
    fake.call(lambda: setattr(fake.world, "token", "1:other"))
    async with opened(learns_name=False) as line:
        health = await line.channel.check()
        assert (health.ok, "does not know the bot's token" in health.text) == (False, True)


async def test_the_token_reaches_no_message_and_no_log(
    line: Any, fake: FakeTelegram, ann: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = fake.token.partition(":")[2]
    await line.ask(f"telegram:{ann.id}")
    fake.call(lambda: setattr(fake.world, "token", "1:other"))
    with pytest.raises(TokenError) as refused:
        await line.channel._api.me()
    fake.__exit__()
    with pytest.raises(ChannelError) as away:
        await line.channel._api.me()
    assert not (await line.channel.check()).ok
    assert secret not in f"{refused.value} {away.value} {caplog.text}"


# -- webhook ----------------------------------------------------------------------------------------------------------


async def test_a_webhook_is_told_only_with_its_secret_and_answers_once_it_is_on_disk(
    opened: Callable[..., Any], fake: FakeTelegram, ann: User
) -> None:
    async with opened(webhook_url="https://bots.example/hooks/telegram/update") as line:
        request = await line.ask(f"telegram:{ann.id}")
        await line.channel.poller.keep_webhook(line.reception)
        hook = fake.call(lambda: fake.world.webhook)
        assert hook.url == "https://bots.example/hooks/telegram/update"
        fake.press(ann, line.last(ann), "Approve")
        [update] = fake.call(lambda: fake.world.waiting(0, 10))
        transport = httpx.ASGITransport(Router([Mount("/hooks/telegram", line.channel.app(line.reception))]))
        async with httpx.AsyncClient(transport=transport, base_url="http://bots.example") as client:
            name = "X-Telegram-Bot-Api-Secret-Token"
            for headers in ({}, {name: ""}, {name: hook.secret[:-1]}, {name: hook.secret + "x"}):
                assert (await client.post("/hooks/telegram/update", json=update, headers=headers)).status_code == 404
            assert (await line.case(request)).request.state is RequestState.PENDING
            refused = [each.data["reason"] for each in line.bench.log.entries if each.type is EntryType.CHANNEL_REFUSED]
            assert refused == ["the secret token does not fit"] * 3
            good = {name: hook.secret}
            assert (
                await client.post("/hooks/telegram/update", content=b"x" * 600_000, headers=good)
            ).status_code == 413
            for _ in range(2):
                assert (await client.post("/hooks/telegram/update", json=update, headers=good)).status_code == 200
            assert (await client.post("/hooks/telegram/update", content=b"\xff{", headers=good)).status_code == 200
        while await line.reception.handle_waiting("telegram"):
            await line.reception.told()
        case = await line.case(request)
        assert (case.request.state, len(case.reviews)) == (RequestState.APPROVED, 1)


async def test_a_webhook_of_another_program_is_not_replaced(opened: Callable[..., Any], fake: FakeTelegram) -> None:
    fake.call(lambda: setattr(fake.world.webhook, "url", "https://other.example/x"))
    async with opened(webhook_url="https://bots.example/hooks/telegram/update") as line:
        with pytest.raises(ConflictError):
            await line.channel.poller.keep_webhook(line.reception)
    assert fake.call(lambda: fake.world.webhook.url) == "https://other.example/x"


async def test_a_time_away_is_noticed_behind_a_webhook_too(opened: Callable[..., Any], ann: User) -> None:
    async with opened(webhook_url="https://bots.example/hooks/telegram/update") as line:
        await line.ask(f"telegram:{ann.id}")
        await line.channel.poller.keep_webhook(line.reception)
        line.bench.clock.advance(151)
        await line.channel.poller.keep_webhook(line.reception)
        assert line.last(ann)["text"].startswith("⚠️ I was away ")


async def test_going_back_to_polling_takes_our_own_webhook_away(opened: Callable[..., Any], fake: FakeTelegram) -> None:
    async with opened(webhook_url="https://bots.example/hooks/telegram/update") as line:
        await line.channel.poller.keep_webhook(line.reception)
    async with opened() as line:
        await line.channel._webhook.require_none()
    assert fake.call(lambda: fake.world.webhook.url) == ""


async def test_where_no_webhook_is_wanted_nobody_is_heard_by_one(line: Any) -> None:
    transport = httpx.ASGITransport(line.channel.app(line.reception))
    async with httpx.AsyncClient(transport=transport, base_url="http://bots.example") as client:
        assert (await client.post("/update", json={"update_id": 1})).status_code == 404


# -- pure -------------------------------------------------------------------------------------------------------------


def test_updates_are_named_by_their_numbers_and_the_offset_confirms_them() -> None:
    updates = [{"update_id": 7}, {"update_id": "9"}, 5, {"update_id": True}, {"update_id": 8}]
    names = [name for name, _ in deliveries(updates)]
    assert (names[0], names[4]) == ("7", "8")
    assert all(each.startswith("sha256:") for each in names[1:4])
    assert len(set(names)) == 5
    assert (next_offset(updates, 3), next_offset([], 3), next_offset(updates, 99)) == (9, 3, 99)


@pytest.mark.parametrize(
    ("cursor", "found"),
    [("", (0, 0, 0)), ("12 34 5", (12, 34, 5)), ("x y z", (0, 0, 0)), ("-1 5 5", (0, 0, 0)), ("12 3", (0, 0, 0))],
)
def test_a_cursor_is_offset_and_times(cursor: str, found: tuple[int, int, int]) -> None:
    assert read_cursor(cursor) == found


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"\xff", b"{", b'{"update_id": 1e400}', b'{"update_id": "1"}'])
def test_what_is_no_update_is_refused(raw: bytes) -> None:
    with pytest.raises(ChannelError, match="no update of Telegram"):
        parse_update(raw, Me(id=1))


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({}, "give either token_file or token_variable"),
        ({"token_file": "token", "token_variable": "X"}, "give either token_file or token_variable"),
        ({"token_file": "gone"}, "cannot read the secret"),
        ({"token_file": "open"}, "is open to other users"),
        ({"token_file": "odd"}, "no token of a Telegram bot"),
        ({"token_file": "token", "tpoics": "none"}, "tpoics"),
        ({"token_file": "token", "topics": "all"}, "topics"),
        ({"token_file": "token", "webhook_url": "http://bots.example/x"}, "webhook_url must be an https:// address"),
        ({"token_file": "token", "api_url": "http://127.0.0.1.example"}, "api_url must be an https:// address"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_a_sentence(
    tmp_path: Path, table: dict[str, object], sentence: str
) -> None:
    for name, content in (("token", "7000000001:AAFakeTokenForTestsOnly-012345678"), ("odd", "hello"), ("open", "x")):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o644 if name == "open" else 0o600)
    with pytest.raises(ConfigError, match=sentence):
        settings_of(table, tmp_path)


def test_neither_the_command_line_nor_the_registry_loads_the_library() -> None:
    """It takes a quarter of a second, which hooks and commands would pay each time."""
    program = (
        "import sys, askfirst.entry, channels.registry, channels.preview; askfirst.entry.command_line(); "
        "sys.exit('telegram' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0
