"""The fake Bot API server, driven by clients that we did not write, and held against the models of one of them."""

from __future__ import annotations

import asyncio
import importlib
import io
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import telebot
import telegram
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter

from askfirst.testing.telegram.parameters import METHODS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from askfirst.testing.telegram import FakeTelegram, User

pytestmark = pytest.mark.anyio
KEYBOARD = {"inline_keyboard": [[{"text": "Approve", "callback_data": "yes", "style": "success"}]]}


def raw(fake: FakeTelegram, method: str, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.post(f"{fake.base_url}{fake.token}/{method}", json=given).json()
    return answer


def unknown_members(model: Any) -> set[str]:
    """Members that aiogram's model of a value does not know; its models keep them as extras."""
    found = set(model.model_extra or {})
    for name in type(model).model_fields:
        value = getattr(model, name)
        for each in value if isinstance(value, list) else [value]:
            if hasattr(each, "model_extra"):
                found |= unknown_members(each)
    return found


@pytest.fixture(scope="session")
def aiogram() -> Any:
    """The package, whose import takes seconds: only tests that are slow load it."""
    return importlib.import_module("aiogram")


@pytest.fixture
async def bot(fake: FakeTelegram) -> AsyncIterator[telegram.Bot]:
    async with telegram.Bot(fake.token, base_url=fake.base_url, base_file_url=f"{fake.url}/file/bot") as made:
        yield made


# -- what the methods take, by aiogram's models -----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_method_takes_the_parameters_of_the_real_one(aiogram: Any, method: str) -> None:
    model: Any = getattr(aiogram.methods, method[0].upper() + method[1:])
    fields = {name: field.is_required() for name, field in model.model_fields.items()}
    legacy = {"disable_web_page_preview", "reply_to_message_id", "allow_sending_without_reply"}
    known = METHODS[method]
    assert set(known) <= set(fields) - legacy
    newer = set(fields) - legacy - set(known)
    assert {name for name, is_required in known.items() if is_required} == {
        name for name, is_required in fields.items() if is_required
    } | ({"text"} if method == "editMessageText" else set())  # newer servers take a story in its place
    assert len(newer) <= 3, f"the real method has grown: {newer}"


@pytest.mark.slow
def test_what_the_server_tells_is_what_aiogram_expects(aiogram: Any, fake: FakeTelegram, ann: User) -> None:
    group = fake.group("Team", forum=True)
    topic = raw(fake, "createForumTopic", chat_id=group.id, name="api")["result"]
    sent = [
        raw(fake, "sendMessage", chat_id=ann.id, text="hi", reply_markup=KEYBOARD)["result"],
        raw(fake, "sendMessage", chat_id=group.id, text="hi", message_thread_id=topic["message_thread_id"])["result"],
    ]
    fake.press(ann, sent[0], "Approve")
    fake.say(ann, group, "hello")
    updates = raw(fake, "getUpdates")["result"]
    models = [aiogram.types.Message.model_validate(each) for each in sent]
    models += [aiogram.types.Update.model_validate(each) for each in updates]
    models.append(aiogram.types.User.model_validate(raw(fake, "getMe")["result"]))
    models.append(aiogram.types.ForumTopic.model_validate(topic))
    models.append(aiogram.types.WebhookInfo.model_validate(raw(fake, "getWebhookInfo")["result"]))
    assert [unknown_members(each) for each in models] == [set()] * len(models)


# -- python-telegram-bot ----------------------------------------------------------------------------------------------


async def test_python_telegram_bot_sends_hears_and_edits(bot: telegram.Bot, fake: FakeTelegram, ann: User) -> None:
    button = telegram.InlineKeyboardButton("Approve", callback_data="yes", style="success")
    entity = telegram.MessageEntity("pre", 3, 4, language="bash")
    markup = telegram.InlineKeyboardMarkup([[button]])
    sent = await bot.send_message(ann.id, "🔥 $ ls", entities=[entity], reply_markup=markup, protect_content=True)
    assert sent.parse_entity(sent.entities[0]) == "$ ls"
    query_id = fake.press(ann, fake.messages(ann.id)[0], "Approve")
    [update] = await bot.get_updates(timeout=0)
    assert update.callback_query is not None
    assert (update.callback_query.id, update.callback_query.data) == (query_id, "yes")
    await update.callback_query.answer("done", show_alert=True)
    assert fake.answers(query_id) == [{"text": "done", "show_alert": True}]
    with pytest.raises(BadRequest, match="Query is too old"):
        await update.callback_query.answer("again")
    await sent.edit_text("approved")
    assert "reply_markup" not in fake.messages(ann.id)[0]
    with pytest.raises(BadRequest, match="Message is not modified"):
        await sent.edit_text("approved")
    document = await bot.send_document(ann.id, b"whole", filename="whole.txt", caption="all of it")
    assert document.document is not None
    file = await document.document.get_file()
    assert bytes(await file.download_as_bytearray()) == b"whole"


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"text": ""}, "Message text is empty"),
        ({"text": "   "}, "Message text is empty"),
        ({"text": "🔥" * 2049}, "Message is too long"),
        (
            {"text": "a", "reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "ä" * 33}]]}},
            "Button_data",
        ),
        ({"text": "a", "reply_markup": {"inline_keyboard": [[{"text": "a"}]]}}, "text buttons are unallowed"),
        ({"text": "🔥", "entities": [{"type": "code", "offset": 1, "length": 1}]}, "splits a character"),
        ({"text": "a", "entities": [{"type": "code", "offset": 0, "length": 2}]}, "beyond the text"),
        ({"text": "a", "message_thread_id": 7}, "message thread not found"),
        ({"text": "a", "reply_parameters": {"message_id": 99}}, "message to be replied not found"),
        ({"text": "a", "colour": "red"}, "unknown parameter colour"),
        ({"text": "a", "chat_id": 1}, "Chat not found"),
    ],
)
def test_bad_messages_are_refused(fake: FakeTelegram, ann: User, given: dict[str, Any], refusal: str) -> None:
    answer = raw(fake, "sendMessage", **{"chat_id": ann.id, **given})
    assert answer["error_code"] == 400
    assert re.search(refusal, answer["description"], re.IGNORECASE)
    assert fake.messages(ann.id) == []


async def test_the_errors_are_those_that_python_telegram_bot_knows(
    bot: telegram.Bot, fake: FakeTelegram, ann: User
) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(4711, "a")
    with pytest.raises(InvalidToken):
        async with telegram.Bot("1:wrong", base_url=fake.base_url):
            pass
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("a", ann.id, 77)
    fake.fail("sendMessage", "flood")
    with pytest.raises(RetryAfter):
        await bot.send_message(ann.id, "a")
    fake.fail("sendMessage", "lost answer")
    with pytest.raises(NetworkError):
        await bot.send_message(ann.id, "sent all the same")
    assert [each["text"] for each in fake.messages(ann.id)] == ["sent all the same"]
    fake.call(lambda: setattr(fake.world.chats[ann.id], "is_blocked", True))
    with pytest.raises(Forbidden, match="blocked by the user"):
        await bot.send_message(ann.id, "a")


# -- the queue --------------------------------------------------------------------------------------------------------


def test_a_press_dies_after_150_seconds_and_a_message_after_a_day(fake: FakeTelegram, ann: User) -> None:
    sent = raw(fake, "sendMessage", chat_id=ann.id, text="a", reply_markup=KEYBOARD)["result"]
    fake.press(ann, sent, "Approve")
    fake.say(ann, ann, "hello")
    fake.advance(151)
    assert [min(each) for each in raw(fake, "getUpdates")["result"]] == ["message"]
    fake.advance(86_400)
    assert raw(fake, "getUpdates")["result"] == []


def test_updates_come_again_until_the_offset_confirms_them(fake: FakeTelegram, ann: User) -> None:
    for text in ("a", "b", "c"):
        fake.say(ann, ann, text)
    first = raw(fake, "getUpdates")["result"]
    assert raw(fake, "getUpdates")["result"] == first
    assert raw(fake, "getUpdates", offset=first[0]["update_id"] + 1)["result"] == first[1:]
    assert raw(fake, "getUpdates", offset=-1)["result"] == first[2:]
    assert raw(fake, "getUpdates")["result"] == first[2:]


def test_the_kinds_of_updates_that_are_wanted_stick(fake: FakeTelegram, ann: User) -> None:
    raw(fake, "getUpdates", allowed_updates=["callback_query"])
    fake.say(ann, ann, "not wanted")
    assert raw(fake, "getUpdates")["result"] == []
    raw(fake, "getUpdates", allowed_updates=["message"])
    fake.say(ann, ann, "wanted")
    assert len(raw(fake, "getUpdates")["result"]) == 1


async def test_a_newer_poll_ends_the_older_and_a_webhook_ends_all(bot: telegram.Bot, fake: FakeTelegram) -> None:
    older = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.to_thread(fake.wait_for, "getUpdates")
    async with telegram.Bot(fake.token, base_url=fake.base_url) as another:
        newer = asyncio.create_task(another.get_updates(timeout=20))
        with pytest.raises(Conflict, match="terminated by other getUpdates"):
            await older
        await bot.set_webhook("https://bots.example/hook", secret_token="s3cret")
        with pytest.raises(Conflict):
            await newer
    with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
        await bot.get_updates(timeout=0)
    await bot.delete_webhook()
    assert await bot.get_updates(timeout=0) == ()


async def test_a_group_takes_twenty_messages_a_minute(bot: telegram.Bot, fake: FakeTelegram) -> None:
    group = fake.group("Team")
    for number in range(20):
        await bot.send_message(group.id, str(number))
        fake.advance(1)
    with pytest.raises(RetryAfter) as refused:
        await bot.send_message(group.id, "20")
    assert refused.value.retry_after.total_seconds() > 30  # type: ignore[union-attr]  # a number or a timedelta
    fake.advance(60)
    await bot.send_message(group.id, "20")


# -- the other two clients --------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_aiogram_sends_polls_and_answers(aiogram: Any, fake: FakeTelegram, ann: User) -> None:
    server = aiogram.client.telegram.TelegramAPIServer(
        base=f"{fake.url}/bot{{token}}/{{method}}", file=f"{fake.url}/file/bot{{token}}/{{path}}"
    )
    dispatcher, pressed = aiogram.Dispatcher(), asyncio.Event()

    @dispatcher.callback_query()
    async def on_press(query: Any) -> None:
        await query.answer("done")
        assert isinstance(query.message, aiogram.types.Message)
        await query.message.edit_text("approved")
        pressed.set()

    async with aiogram.Bot(fake.token, session=aiogram.client.session.aiohttp.AiohttpSession(api=server)) as bot:
        markup = aiogram.types.InlineKeyboardMarkup.model_validate(KEYBOARD)
        await bot.send_message(ann.id, "shall I?", reply_markup=markup)
        await bot.send_document(ann.id, aiogram.types.BufferedInputFile(b"whole", "whole.txt"))
        polling = asyncio.create_task(dispatcher.start_polling(bot, handle_signals=False, polling_timeout=5))
        query_id = fake.press(ann, fake.messages(ann.id)[0], "Approve")
        await asyncio.wait_for(pressed.wait(), 10)
        await dispatcher.stop_polling()
        await polling
    assert fake.answers(query_id)[0]["text"] == "done"
    assert fake.messages(ann.id)[0]["text"] == "approved"
    assert fake.messages(ann.id)[1]["document"]["file_size"] == 5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # its sessions are left to the garbage collector
def test_pytelegrambotapi_sends_polls_and_answers(
    fake: FakeTelegram, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telebot.apihelper, "API_URL", fake.url + "/bot{0}/{1}")
    bot = telebot.TeleBot(fake.token, threaded=False)
    markup = telebot.types.InlineKeyboardMarkup([[telebot.types.InlineKeyboardButton("Approve", callback_data="yes")]])
    sent = bot.send_message(ann.id, "shall I?", reply_markup=markup)
    query_id = fake.press(ann, fake.messages(ann.id)[0], "Approve")
    [update] = bot.get_updates(timeout=1)
    assert update.callback_query.data == "yes"
    bot.answer_callback_query(query_id, "done")
    bot.edit_message_text("approved", ann.id, sent.message_id)
    bot.send_document(ann.id, telebot.types.InputFile(io.BytesIO(b"whole")), visible_file_name="whole.txt")
    assert fake.answers(query_id)[0]["text"] == "done"
    assert [each.get("text") for each in fake.messages(ann.id)] == ["approved", None]
