"""The conformance suite of channels over the fake Bot API server."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.request import Verdict
from askfirst.testing.channel_suite import ListenerSuite
from askfirst.testing.telegram import FakeTelegram, User
from channels.telegram.api import Api
from channels.telegram.channel import TelegramChannel
from channels.telegram.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from askfirst.backing import Backing
    from askfirst.testing.channel_suite import Act, Failure, Harness

ANN, STRANGER = 1001, 6666
_FAULTS = {"away": "lost", "slow_down": "flood"}


class TelegramHarness:
    """People who press and write at the fake."""

    def __init__(self, channel: TelegramChannel, fake: FakeTelegram) -> None:
        self.channel = channel
        self._fake = fake
        self._users = {ANN: fake.user("Ann", user_id=ANN), STRANGER: fake.user("Mallory", user_id=STRANGER)}
        self._offset = 0
        self._queries: list[str] = []

    def shown(self, message: str) -> str:
        number = int(message.split("/")[1])
        messages = self._fake.messages(ANN)
        text = next(each["text"] for each in messages if each["message_id"] == number)
        files = [self._fake.file(each["document"]["file_id"]) for each in messages if "document" in each]
        return "\n".join([text, *(each.decode() for each in files)])

    def offers(self, message: str) -> bool:
        number = int(message.split("/")[1])
        return any(each["message_id"] == number and "reply_markup" in each for each in self._fake.messages(ANN))

    async def act(self, act: Act) -> Sequence[tuple[str, bytes]]:
        user = self._users[int(act.by.partition(":")[2])]
        self._do(act, user)
        updates = await self._fetched()
        self._offset = max([self._offset, *(int(id_) + 1 for id_, _ in updates)])
        return updates

    def _do(self, act: Act, user: User) -> None:
        chat = self._users[ANN]
        card = next(each for each in self._fake.messages(ANN) if act.message == f"{ANN}/{each['message_id']}")
        if act.verdict is None:
            self._fake.say(user, chat, act.text)
        elif act.text or act.typed_code:
            self._fake.say(user, chat, f"/{act.verdict.value} {act.card.code} {act.text}".strip())
        elif "reply_markup" in card and act.verdict in {Verdict.APPROVE, Verdict.DENY}:
            self._queries.append(self._fake.press(user, card, act.verdict.value.title()))
        else:
            self._fake.say(user, chat, f"/{act.verdict.value} {act.card.code}")

    async def _fetched(self) -> list[tuple[str, bytes]]:
        api = self.channel.poller._api
        return [(str(each["update_id"]), json.dumps(each).encode()) for each in await api.poll(self._offset, 0)]

    def fail(self, failure: Failure) -> None:
        self._fake.call(self._fake.world.faults.clear)
        self._fake.call(lambda: setattr(self._fake.world.chats[ANN], "is_blocked", failure == "gone"))
        if failure in _FAULTS:
            for method in ("sendMessage", "getMe"):
                self._fake.fail(method, _FAULTS[failure], times=9)

    def told(self) -> Sequence[str]:
        answers = [each["text"] for query in self._queries for each in self._fake.answers(query) if each["text"]]
        replies = [
            each["text"] for each in self._fake.messages(ANN) if each.get("text", "").startswith(("✅ a", "⚠️", "✅ d"))
        ]
        return [*answers, *replies]


class TestTelegram(ListenerSuite):
    scheme, recipient = "telegram", f"telegram:{ANN}"
    person, stranger = f"telegram:{ANN}", f"telegram:{STRANGER}"

    @asynccontextmanager
    async def open(self, backing: Backing) -> AsyncIterator[Harness]:
        token = backing.folder / "token"
        with FakeTelegram() as fake:
            token.write_text(fake.token)
            token.chmod(0o600)
            settings = settings_of({"token_file": "token", "api_url": fake.url}, backing.folder)
            api = Api(settings.token, settings.api_url)
            channel = TelegramChannel(settings, replace(backing), api, poll_s=0)
            yield TelegramHarness(channel, fake)
            await api.close()
