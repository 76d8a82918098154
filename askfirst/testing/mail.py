"""A mail server on loopback for tests: it takes mails by SMTP, and has people who answer them.

    with FakeMail() as fake:
        …                                  # a mail is sent to 127.0.0.1, fake.port
        raw = fake.reply(message_id, "ann@example.com", "approve 9F2C1A-1b2c3d4e")

SMTP is aiosmtpd's, so what it takes is what the standard takes. Replies look like those of mail programs: quoted text,
threads, the address of ``Reply-To``, and what the receiving server found out about the sender. IMAP is tested against a
real server; ``inbox`` only holds what came.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from typing import TYPE_CHECKING, Self

from aiosmtpd.controller import Controller

from askfirst.errors import ChannelError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from aiosmtpd import smtp

ADDRESS, AUTHSERV = "askfirst@example.com", "mx.example.com"
_ANSWERS = {"slow_down": "452 4.7.1 too many mails, try again later", "gone": "550 5.1.1 no such user here"}


class FakeInbox:
    """What came in, as ``channels.email.mailbox.Incoming`` hands it over.

    Attributes:
        is_away: nobody can listen.
        has_refused: set once somebody has tried.
    """

    def __init__(self) -> None:
        self.is_away = False
        self.has_refused = asyncio.Event()
        self._mails: list[tuple[str, bytes]] = []
        self._came = asyncio.Event()

    def put(self, id_: str, raw: bytes) -> None:
        """A mail came."""
        self._mails.append((id_, raw))
        self._came.set()

    async def listen(self, cursor: str, take: Callable[[Sequence[tuple[str, bytes]], str], Awaitable[None]]) -> None:
        """Hand over what came after the cursor, until cancelled."""
        at = int(cursor or 0)
        while True:
            if self.is_away:
                self.has_refused.set()
                raise ChannelError("the mailbox is away")
            self._came.clear()
            fresh = self._mails[at:]
            at += len(fresh)
            await take(fresh, str(at))
            await self._came.wait()

    async def check(self) -> None:
        """Whether it is there."""
        if self.is_away:
            raise ChannelError("the mailbox is away")


class FakeMail:
    """The server, its mails and its people.

    Attributes:
        port: of SMTP, on 127.0.0.1.
        inbox: what came in.
    """

    def __init__(self) -> None:
        self.inbox = FakeInbox()
        self._failure = ""
        self._numbers = itertools.count(1)
        self._sent: list[EmailMessage] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._controller: Controller | None = None

    def __enter__(self) -> Self:
        """Serve."""
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        """Serve no more."""
        self._stop()

    def table(self, folder: Path) -> dict[str, object]:
        """The ``[email]`` table that reaches it, with its password in this folder."""
        password = folder / "email-password"
        password.write_text("secret", encoding="ascii")
        password.chmod(0o600)
        here = f"127.0.0.1:{self.port}"
        return {
            "address": ADDRESS,
            "smtp_url": f"smtp://{here}",
            "imap_url": f"imap://{here}",
            "password_file": password.name,
            "authserv_id": AUTHSERV,
        }

    def fail(self, failure: str) -> None:
        """From now on it is ``away``, wants us to ``slow_down``, or recipients are ``gone``; ``""``: all is well."""
        self._failure = failure
        self.inbox.is_away = failure == "away"
        if self.inbox.is_away:
            self._stop()
        else:
            self._start()

    def sent(self, to: str = "") -> list[EmailMessage]:
        """What it took, oldest first; to one person, or all."""
        return [each for each in self._sent if not to or each["To"] == to]

    def thread(self, message_id: str) -> list[EmailMessage]:
        """This mail and those that belong to it, each once, as mail programs show them."""
        found = {
            str(each["Message-ID"]): each
            for each in self._sent
            if f"<{message_id}>" in {str(each["Message-ID"]), str(each["In-Reply-To"])}
        }
        return list(found.values())

    def reply(self, message_id: str, by: str, words: str, *, genuine: bool = True, **headers: str) -> bytes:
        """The raw reply of somebody to the newest mail of a thread, as it arrives here.

        Args:
            message_id: of the first mail of the thread.
            by: the address that stands in ``From``.
            words: above the quoted text.
            genuine: whether the receiving server finds that it comes from there.
            headers: further ones, or others; ``_`` stands for ``-``, an empty one is left out.
        """
        newest = self.thread(message_id)[-1]
        quoted = "".join(f"> {line}\n" for line in text_of(newest).splitlines())
        found = "pass" if genuine else "fail"
        known = {
            "Authentication-Results": f"{AUTHSERV}; dmarc={found} header.from={by.rpartition('@')[2]}",
            "From": f"Somebody <{by}>",
            "To": str(newest["Reply-To"] or newest["From"]),
            "Subject": f"Re: {newest['Subject']}",
            "Message-ID": f"<reply-{next(self._numbers)}@mail.example.com>",
            "In-Reply-To": str(newest["Message-ID"]),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        message = EmailMessage(policy=SMTP)
        for name, value in known.items():
            if value:
                message[name] = value
        message.set_content(f"{words}\n\nOn Wed, Askfirst wrote:\n{quoted}")
        message.add_alternative(f"<p>{words}</p><blockquote>{quoted}</blockquote>", subtype="html")
        return message.as_bytes()

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: smtp.SMTP, _session: smtp.Session, envelope: smtp.Envelope, address: str, _options: list[str]
    ) -> str:
        """Whether a recipient is taken."""
        if self._failure in _ANSWERS:
            return _ANSWERS[self._failure]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: smtp.SMTP, _session: smtp.Session, envelope: smtp.Envelope) -> str:  # noqa: N802
        """Take a mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        assert max(map(len, content.split(b"\r\n"))) <= 998, "longer lines are cut by servers (RFC 5321 §4.5.3.1.6)"
        message = message_from_bytes(content, _class=EmailMessage, policy=default)
        assert isinstance(message, EmailMessage)
        self._sent.append(message)
        return "250 2.0.0 taken"

    def _start(self) -> None:
        if self._controller is None:
            self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
            self._controller.start()

    def _stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


def text_of(message: EmailMessage) -> str:
    """The text of a mail, as it is read."""
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def files_of(message: EmailMessage) -> Iterator[str]:
    """The text of what is attached."""
    for each in message.iter_attachments():
        with contextlib.suppress(KeyError):
            yield str(each.get_content())
