"""The conformance suite of channels over a mail server on loopback."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.request import Verdict
from askfirst.testing.channel_suite import ListenerSuite
from askfirst.testing.mail import FakeMail, files_of, text_of
from channels.email.channel import EmailChannel
from channels.email.outgoing import Outgoing
from channels.email.parse import delivery_id
from channels.email.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from askfirst.backing import Backing
    from askfirst.testing.channel_suite import Act, Failure, Harness

ANN, STRANGER = "ann@example.com", "mallory@example.org"
_VERBS = {Verdict.NEEDS_INFO: "ask"}


class MailHarness:
    """People who read and answer mail."""

    def __init__(self, channel: EmailChannel, fake: FakeMail) -> None:
        self.channel = channel
        self._fake = fake

    def shown(self, message: str) -> str:
        thread = self._fake.thread(message)
        return "\n".join(f"{each['Subject']}\n{text_of(each)}\n{''.join(files_of(each))}" for each in thread)

    def offers(self, message: str) -> bool:
        text = text_of(self._fake.thread(message)[-1])
        return "\n    approve " in text or "\n    answer " in text

    async def act(self, act: Act) -> Sequence[tuple[str, bytes]]:
        verb = _VERBS.get(act.verdict, act.verdict.value) if act.verdict else ""
        words = f"{verb} {act.card.code} {act.text}".strip() if verb else act.text
        if act.verdict is Verdict.APPROVE and act.card.risk is Risk.CRITICAL and not act.typed_code:
            words = "approve it"
        raw = self._fake.reply(act.message, act.by.removeprefix("email:"), words)
        return [(delivery_id(raw), raw)]

    def fail(self, failure: Failure) -> None:
        self._fake.fail(failure)

    def told(self) -> Sequence[str]:
        return [text_of(each) for each in self._fake.sent() if each["Subject"] == "Re: [Askfirst] your answer"]


class TestEmail(ListenerSuite):
    scheme, recipient = "email", f"email:{ANN}"
    person, stranger = f"email:{ANN}", f"email:{STRANGER}"

    @asynccontextmanager
    async def open(self, backing: Backing) -> AsyncIterator[Harness]:
        with FakeMail() as fake:
            settings = settings_of(fake.table(backing.folder), backing.folder)
            yield MailHarness(EmailChannel(backing, settings, Outgoing(settings), fake.inbox), fake)
