"""E-mail as a channel: what the core calls, each call handed to the part that does it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from askfirst.errors import ChannelError
from askfirst.inbound import Decision, Ignored, Undo
from askfirst.pace import Buckets
from askfirst.ports import Capabilities, Health, Rate
from channels.email.address import SCHEME, address_of, tagged
from channels.email.compose import Envelope, composed, message_id_of
from channels.email.parse import ASSURANCE, parse_mail
from channels.email.render import Letter, letter_of, standing
from channels.email.seal import Sealer
from channels.email.settings import settings_of
from channels.email.vetting import Vetting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import EmailMessage

    from askfirst.backing import Backing
    from askfirst.card import Card
    from askfirst.inbound import Inbound, Instruction, Outcome
    from askfirst.ports import Reception
    from channels.email.mailbox import Incoming
    from channels.email.settings import Settings

CAPS = Capabilities(
    threads=True,
    files=True,
    free_text=True,
    assurance=ASSURANCE,
    rate=Rate(burst=20, per_s=1),
    recipient_rate=Rate(burst=10, per_s=0.2),
)
_ANSWERS_EACH = Rate(burst=10, per_s=10 / 3600)
"""How often one address is answered: what answers to our answers is a machine."""
_PAUSE_FIRST_S, _PAUSE_MAX_S = 1.0, 60.0
_USAGE = (
    "Your mail changed nothing: its first line has to be one of the lines that my mail offers, with nothing else in "
    "it, for instance `approve CODE` or `deny CODE the reason`. Write an empty line below it, or nothing."
)
_log = logging.getLogger(__name__)


class Outgoing(Protocol):
    """Where mails are sent by."""

    async def send(self, message: EmailMessage, to: str) -> None:
        """Send one; ChannelError when it is not taken."""
        ...

    async def check(self) -> None:
        """ChannelError when it would not be."""
        ...


class EmailChannel:
    """One address.

    Args:
        backing: what it stands on.
        settings: whose ``address`` and ``authserv_id`` are read.
        outgoing: sends.
        incoming: hears.
    """

    scheme = SCHEME
    caps = CAPS

    def __init__(self, backing: Backing, settings: Settings, outgoing: Outgoing, incoming: Incoming) -> None:
        self._settings = settings
        self._clock = backing.clock
        self._memory = backing.memory
        self._sealer = Sealer(backing.key)
        self._vetting = Vetting(self._sealer, backing.requests)
        self._outgoing = outgoing
        self._incoming = incoming
        self._answers = Buckets(_ANSWERS_EACH)

    async def send(self, card: Card, recipient: str, key: str) -> str:
        """Send the card; the same key is the same mail, which a mail program shows once."""
        message_id = message_id_of(self._settings.address, recipient, key)
        await self._show(card, recipient, message_id)
        await self._memory.remember(_memory_key(message_id), standing(card))
        return message_id

    async def update(self, card: Card, recipient: str, external_id: str) -> None:
        """Send how it stands now into the same thread, where there is something new to know.

        A mail cannot be changed. What was sent before decides nothing any more: the engine refuses it.
        """
        now = standing(card)
        if await self._memory.recall(_memory_key(external_id)) == now:
            return
        await self._show(card, recipient, message_id_of(self._settings.address, external_id, now), answers=external_id)
        await self._memory.remember(_memory_key(external_id), now)

    async def check(self) -> Health:
        """Whether both servers let us in."""
        try:
            await self._outgoing.check()
            await self._incoming.check()
        except ChannelError as error:
            return Health(ok=False, text=str(error))
        return Health(ok=True, text=f"sends and hears as {self._settings.address}")

    def parse(self, raw: bytes) -> tuple[Inbound, ...]:
        """See ``channels.email.parse``."""
        return parse_mail(raw, address=self._settings.address, authserv_id=self._settings.authserv_id)

    async def vet(self, inbound: Inbound) -> Inbound:
        """Compare the address that a reply went to with the ones we gave."""
        return await self._vetting.act(inbound) if isinstance(inbound, Decision | Undo) else inbound

    async def run(self, reception: Reception) -> None:
        """Hear by IMAP until cancelled."""
        pause_s = _PAUSE_FIRST_S

        async def take(deliveries: Sequence[tuple[str, bytes]], cursor: str) -> None:
            nonlocal pause_s
            pause_s = _PAUSE_FIRST_S
            await reception.take(SCHEME, deliveries, cursor=cursor)

        while True:
            try:
                await self._incoming.listen(await reception.cursor(SCHEME), take)
            except ChannelError as error:
                _log.warning("no mail is heard, trying again in %.0f s: %s", pause_s, error)
            await asyncio.sleep(pause_s)
            pause_s = min(_PAUSE_MAX_S, pause_s * 2)

    async def acknowledge(self, inbound: Inbound, outcome: Outcome) -> None:
        """Answer the mail; one whose sender nobody knows only where it is proven who that is.

        Otherwise whoever writes in somebody else's name makes us write to them.
        """
        assert not isinstance(inbound, Ignored)
        if outcome.is_stranger and getattr(inbound, "assurance", ASSURANCE) < ASSURANCE:
            return
        mark = "✅" if outcome.counted else "⚠️"
        await self._answer(inbound.origin.recipient, inbound.origin.message, f"{mark} {outcome.text}")

    async def instruct(self, instruction: Instruction, person: str) -> None:
        """Say how it is done."""
        del person
        await self._answer(instruction.origin.recipient, instruction.origin.message, _USAGE)

    async def _show(self, card: Card, recipient: str, message_id: str, *, answers: str = "") -> None:
        to = _to(recipient)
        reply_to = tagged(self._settings.address, self._sealer.tag(to, card.request_id, card))
        await self._send(letter_of(card), to, message_id, reply_to=reply_to, answers=answers)

    async def _answer(self, recipient: str, answers: str, text: str) -> None:
        bucket = self._answers.of(recipient, self._clock.now_ms())
        if bucket.wait_ms(self._clock.now_ms()):
            raise ChannelError(f"{recipient} was answered often enough for now")
        bucket.take(self._clock.now_ms())
        message_id = message_id_of(self._settings.address, recipient, answers, text)
        await self._send(
            Letter(subject="[Askfirst] your answer", text=f"{text}\n"), _to(recipient), message_id, answers=answers
        )

    async def _send(self, letter: Letter, to: str, message_id: str, *, reply_to: str = "", answers: str = "") -> None:
        envelope = Envelope(
            sender=self._settings.address,
            to=to,
            message_id=message_id,
            at_ms=self._clock.now_ms(),
            reply_to=reply_to,
            answers=answers,
        )
        await self._outgoing.send(composed(letter, envelope), to)


def _to(recipient: str) -> str:
    found = address_of(recipient.removeprefix(f"{SCHEME}:"))
    if found is None:
        raise ChannelError(f"{recipient!r} is no address, expected email:name@example.com", is_permanent=True)
    return found


def _memory_key(message_id: str) -> str:
    return f"standing/{message_id}"


def open_channel(backing: Backing) -> EmailChannel:
    """The channel of the ``[email]`` table.

    Raises:
        ConfigError: it cannot be used, or the extra is not installed.
    """
    settings = settings_of(backing.table, backing.folder)
    from channels.email.mailbox import Mailbox  # noqa: PLC0415  # an extra
    from channels.email.outgoing import Outgoing as Submission  # noqa: PLC0415  # an extra

    return EmailChannel(backing, settings, Submission(settings), Mailbox(settings))
