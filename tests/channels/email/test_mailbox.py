"""Mail heard from a real IMAP server: at once, once, over broken connections and new numbers."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from askfirst.errors import ChannelError
from askfirst.testing.dovecot import PASSWORD, Dovecot, dovecot
from channels.email.mailbox import MAIL_MAX_BYTES, Mailbox
from channels.email.settings import Server, Settings, Tls

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]
NOWHERE = Server(host="127.0.0.1", port=9, tls="none")


@pytest.fixture(scope="module")
def running() -> Iterator[Dovecot]:
    with dovecot() as made:
        yield made


@dataclass(frozen=True)
class Account:
    """An inbox of its own on the server."""

    server: Dovecot
    user: str

    def deliver(self, *mails: bytes) -> None:
        self.server.deliver(*mails, user=self.user)


@pytest.fixture
def account(running: Dovecot, request: pytest.FixtureRequest) -> Account:
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
    return Account(server=running, user=f"{name}@example.com")


def settings(account: Account, mode: Tls = "implicit", **changes: Any) -> Settings:
    port = account.server.ports["imaps" if mode == "implicit" else "imap"]
    known: dict[str, Any] = {
        "address": account.user,
        "smtp": NOWHERE,
        "imap": Server(host="127.0.0.1", port=port, tls=mode),
        "user": account.user,
        "password": PASSWORD,
        "folder": "INBOX",
        "authserv_id": "",
        "tls": ssl.create_default_context(cafile=str(account.server.authority)),
    }
    return Settings(**{**known, **changes})


def mail(name: str, text: str = "hello") -> bytes:
    return f"From: ann@example.com\r\nMessage-ID: <{name}@example.com>\r\nSubject: {name}\r\n\r\n{text}\r\n".encode()


class Kept:
    """What was handed over."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.raws: list[bytes] = []
        self.cursor = ""
        self.changed = asyncio.Condition()

    async def take(self, deliveries: Sequence[tuple[str, bytes]], cursor: str) -> None:
        async with self.changed:
            self.names += [id_.partition("@")[0] for id_, _ in deliveries]
            self.raws += [raw for _, raw in deliveries]
            self.cursor = cursor
            self.changed.notify_all()

    async def until(self, is_enough: Callable[[], bool]) -> None:
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(is_enough), 20)


async def heard(kept: Kept, mailbox: Mailbox, story: Callable[[], Any], cursor: str = "") -> None:
    """Listen while something happens."""
    listening = asyncio.create_task(mailbox.listen(cursor, kept.take))
    try:
        await kept.until(lambda: bool(kept.cursor) or listening.done())
        await story()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def run(story: Callable[[], Any]) -> Any:
    return asyncio.run(asyncio.wait_for(story(), 50))


@pytest.mark.parametrize("mode", ["implicit", "starttls"])
def test_new_mail_is_heard_at_once_and_old_mail_is_not(account: Account, mode: Tls) -> None:
    async def story() -> None:
        account.deliver(mail("old"))
        kept, mailbox = Kept(), Mailbox(settings(account, mode))
        await mailbox.check()

        async def comes() -> None:
            await asyncio.to_thread(account.deliver, mail("new"))
            await kept.until(lambda: len(kept.names) == 1)
            await asyncio.to_thread(account.deliver, *(mail(f"n{number}") for number in range(20)))
            await kept.until(lambda: len(kept.names) == 21)

        await heard(kept, mailbox, comes)
        assert kept.names == ["new", *(f"n{number}" for number in range(20))]
        flags = account.server.connection(account.user)
        flags.select("INBOX")
        assert flags.search(None, "UNSEEN")[1][0].split() == [b"%d" % number for number in range(1, 23)]
        flags.logout()

    run(story)


def test_what_came_while_nobody_listened_is_heard_later_and_once(account: Account) -> None:
    async def story() -> None:
        kept, mailbox = Kept(), Mailbox(settings(account))

        async def nothing() -> None:
            pass

        await heard(kept, mailbox, nothing)
        account.deliver(mail("a"), mail("b"))
        await heard(kept, mailbox, lambda: kept.until(lambda: len(kept.names) == 2), kept.cursor)
        await heard(kept, mailbox, nothing, kept.cursor)
        account.deliver(mail("c"))
        await heard(kept, mailbox, lambda: kept.until(lambda: len(kept.names) == 3), kept.cursor)
        assert kept.names == ["a", "b", "c"]

    run(story)


def test_where_mails_were_numbered_anew_the_recent_ones_are_read_again(account: Account) -> None:
    async def story() -> None:
        account.deliver(mail("a"), mail("b"))
        kept, mailbox = Kept(), Mailbox(settings(account))
        await heard(kept, mailbox, lambda: kept.until(lambda: len(kept.names) == 2), "1:700")
        assert kept.names == ["a", "b"]
        for broken in ("700", "x:y", "1:2:3", ""):
            again = Kept()
            await heard(again, mailbox, lambda again=again: again.until(lambda: bool(again.cursor)), broken)
            assert (again.names, again.cursor) == ([], kept.cursor)

    run(story)


def test_of_a_long_mail_the_beginning_is_read(account: Account) -> None:
    async def story() -> None:
        kept, mailbox = Kept(), Mailbox(settings(account))

        async def comes() -> None:
            await asyncio.to_thread(account.deliver, mail("long", "x" * 78 + "\r\n" * (MAIL_MAX_BYTES * 2)))
            await kept.until(lambda: len(kept.names) == 1)

        await heard(kept, mailbox, comes)
        assert len(kept.raws[0]) == MAIL_MAX_BYTES
        assert kept.names == ["long"]

    run(story)


def test_a_connection_that_breaks_is_an_error_of_the_channel(account: Account) -> None:
    async def story() -> None:
        kept, mailbox = Kept(), Mailbox(settings(account))
        listening = asyncio.create_task(mailbox.listen("", kept.take))
        await kept.until(lambda: bool(kept.cursor))
        await asyncio.to_thread(account.server.stop)
        with pytest.raises(ChannelError):
            await asyncio.wait_for(listening, 20)
        with pytest.raises(ChannelError):
            await mailbox.check()
        account.server.start()
        await mailbox.check()

    run(story)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "another"}, "shows no mail"),
        ({"folder": "Nowhere"}, "shows no mail"),
        ({"tls": ssl.create_default_context()}, "certificate verify failed"),
        ({"imap": NOWHERE}, "refused"),
    ],
)
def test_what_does_not_let_us_in_is_told(account: Account, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ChannelError, match=words):
        run(lambda: Mailbox(settings(account, **changes)).check())
