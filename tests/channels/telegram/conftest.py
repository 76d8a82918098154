"""The fake Bot API server, a person and a bot that has met them, and a desk that is reached by both."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from askfirst.backing import Backing, StoredMemory, StoredMessages
from askfirst.dispatch import Dispatcher
from askfirst.effects import Risk
from askfirst.hearing import Hearing
from askfirst.people import Directory, Identity, Person
from askfirst.policy.ruling import Stage
from askfirst.reception import Reception
from askfirst.testing.bench import Bench, a_draft, bench
from askfirst.testing.telegram import FakeTelegram, User
from channels.telegram.api import Api
from channels.telegram.channel import TelegramChannel
from channels.telegram.settings import Settings, settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from askfirst.engine import Case
    from askfirst.intake import Draft
    from askfirst.request import Request
    from askfirst.testing.telegram import Message

KEY = b"k" * 32


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram() as made:
        yield made


@pytest.fixture
def ann(fake: FakeTelegram) -> User:
    return fake.user("Ann")


@pytest.fixture
def bob(fake: FakeTelegram) -> User:
    return fake.user("Bob")


@dataclass
class Line:
    """A desk that asks and hears by Telegram; nothing moves but by ``pump``."""

    bench: Bench
    fake: FakeTelegram
    channel: TelegramChannel
    reception: Reception
    dispatcher: Dispatcher

    async def ask(self, *recipients: str, risk: Risk = Risk.HIGH, is_delivered: bool = True, **changes: Any) -> Request:
        """A request, sent to these recipients; ``terms`` are members of its terms."""
        draft: Draft = a_draft(**{name: changes.pop(name) for name in ("key", "command") if name in changes})
        found = draft.classification
        effects = tuple(replace(each, risk=risk) for each in found.effects)
        terms = replace(draft.terms, stages=(Stage(recipients=recipients),), **changes.pop("terms", {}))
        draft = replace(draft, classification=replace(found, effects=effects), terms=terms, **changes)
        request = (await self.bench.desk.ask(draft)).request
        if is_delivered:
            await self.deliver()
        return request

    async def deliver(self) -> None:
        while await self.dispatcher.deliver_due():
            pass

    async def pump(self) -> None:
        """Receive what waits, handle it, tell people, bring messages up to date."""
        await self.channel.poller.receive(self.reception)
        while await self.reception.handle_waiting("telegram"):
            await self.reception.told()
        await self.deliver()

    async def case(self, request: Request) -> Case:
        return await self.bench.desk.case(request.id)

    def last(self, chat: User | Any) -> Message:
        return self.fake.messages(chat.id)[-1]

    async def press(self, user: User, message: Message, button: str, **options: Any) -> list[dict[str, Any]]:
        """Press, and what the person is answered."""
        query = self.fake.press(user, message, button, **options)
        await self.pump()
        return self.fake.answers(query)

    async def say(self, user: User, text: str, chat: Any = None, **options: Any) -> str:
        """Write, and what the bot says last in that chat."""
        self.fake.say(user, chat or user, text, **options)
        await self.pump()
        return str(self.last(chat or user).get("text"))


@asynccontextmanager
async def line_over(
    fake: FakeTelegram, people: tuple[Person, ...], folder: Path, *, learns_name: bool = True, **table: Any
) -> AsyncIterator[Line]:
    directory = Directory(people=people)
    with bench(folder / "askfirst.db", people=directory, schemes={"web", "telegram"}) as made:
        token = folder / "token"
        token.write_text(fake.token)
        token.chmod(0o600)
        settings: Settings = settings_of({"token_file": "token", "api_url": fake.url, **table}, folder)
        backing = Backing(
            scheme="telegram",
            table={},
            folder=folder,
            machine="laptop",
            key=KEY,
            clock=made.clock,
            requests=made.desk,
            messages=StoredMessages("telegram", writer=made.writer, reader=made.reader, clock=made.clock),
            memory=StoredMemory("telegram", writer=made.writer, reader=made.reader),
            log=lambda: made.log.head.seen,
        )
        api = Api(settings.token, settings.api_url)
        channel = TelegramChannel(settings, backing, api, poll_s=0)
        reception = Reception(
            writer=made.writer,
            reader=made.reader,
            audit=made.log,
            clock=made.clock,
            hearing=Hearing(desk=made.desk, people=directory, clock=made.clock),
            listeners={"telegram": channel},
        )
        dispatcher = Dispatcher(
            writer=made.writer,
            reader=made.reader,
            audit=made.log,
            clock=made.clock,
            channels={"telegram": channel},
            machine="laptop",
            on_unreachable=made.desk.unreachable,
        )
        if learns_name:
            await channel.introduce()
        yield Line(made, fake, channel, reception, dispatcher)
        await api.close()


def person(name: str, user: User) -> Person:
    recipients = (f"telegram:{user.id}",)
    return Person(id=f"local:{name}", identities=(Identity(id=f"telegram:{user.id}"),), recipients=recipients)


@pytest.fixture
def opened(fake: FakeTelegram, ann: User, bob: User, tmp_path: Path) -> Callable[..., Any]:
    """Opens a line on which Ann and Bob are known; ``table`` adds to the channel's table."""

    def make(**table: Any) -> Any:
        return line_over(fake, (person("ann", ann), person("bob", bob)), tmp_path, **table)

    return make


@pytest.fixture
async def line(opened: Callable[..., Any]) -> AsyncIterator[Line]:
    async with opened() as made:
        yield made
