"""Telegram as a channel: what the core calls, each call handed to the part that does it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.errors import ChannelError
from askfirst.inbound import Decision, Ignored, Linking, Undo
from askfirst.ports import Capabilities, Health, Rate
from channels.telegram.api import Api
from channels.telegram.controls import Sealer
from channels.telegram.instructions import Instructions
from channels.telegram.outbound import Outbound
from channels.telegram.parse import ASSURANCE, INACCESSIBLE, PRESS, SCHEME, Me, parse_update
from channels.telegram.payload import TEXT_MAX_UNITS
from channels.telegram.poll import POLL_S, Poller
from channels.telegram.rich import Rich
from channels.telegram.settings import settings_of
from channels.telegram.vetting import Vetting
from channels.telegram.webhook import Webhook

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from askfirst.backing import Backing
    from askfirst.card import Card
    from askfirst.inbound import Inbound, Instruction, Outcome
    from askfirst.ports import Reception
    from channels.telegram.settings import Settings

PRESS_RETENTION_S = 150
MESSAGE_RETENTION_S = 86_400
"""How long the service keeps what nobody fetches. From: tdlib/telegram-bot-api, Client.cpp"""
CAPS = Capabilities(
    buttons=True,
    edits=True,
    threads=True,
    files=True,
    free_text=True,
    idempotent_send=False,
    text_max=TEXT_MAX_UNITS,
    text_unit="utf-16",
    retention_s={"press": PRESS_RETENTION_S, "message": MESSAGE_RETENTION_S},
    assurance=ASSURANCE,
    rate=Rate(burst=25, per_s=25),
    recipient_rate=Rate(burst=18, per_s=18 / 60),
)
"""30 messages a second, and 20 a minute in a group, less what answers to people take.
From: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this"""


class TelegramChannel:
    """One bot.

    Args:
        settings: its table.
        backing: what it stands on.
        api: the service.
        poll_s: how long a poll is held open, seconds.
    """

    scheme = SCHEME
    caps = CAPS

    def __init__(self, settings: Settings, backing: Backing, api: Api, poll_s: int = POLL_S) -> None:
        self._me = Me(id=settings.bot_id)
        self._api = api
        self._outbound = Outbound(api, settings, backing, sealer := Sealer(backing.key))
        self._vetting = Vetting(sealer, backing.requests)
        self._instructions = Instructions(api, self._outbound, self._vetting, backing)
        self._webhook = Webhook(api, settings, backing)
        self.poller = Poller(api, backing, self._outbound, self._webhook, poll_s)

    async def send(self, card: Card, recipient: str, key: str) -> str:
        """Show a card; a repetition shows it twice, and both messages work."""
        del key
        return str(await self._outbound.send(card, recipient))

    async def update(self, card: Card, recipient: str, external_id: str) -> None:
        """Show how it stands."""
        await self._outbound.update(card, external_id, recipient)

    async def check(self) -> Health:
        """Whether the service knows us, and whether we hear what people do."""
        try:
            _, name = await self._api.me()
        except ChannelError as error:
            return Health(ok=False, text=str(error))
        problem = self.poller.problem
        return Health(ok=not problem, text=problem or f"@{name} is heard")

    def parse(self, raw: bytes) -> tuple[Inbound, ...]:
        """See ``channels.telegram.parse``."""
        return parse_update(raw, self._me)

    async def vet(self, inbound: Inbound) -> Inbound:
        """Compare a press with what we made."""
        if isinstance(inbound, Decision):
            return await self._vetting.decision(inbound)
        return await self._vetting.undo(inbound) if isinstance(inbound, Undo) else inbound

    async def introduce(self) -> None:
        """Learn our own name, to know commands for other bots; until then every command is taken for ours."""
        self._me = replace(self._me, username=await self.poller.introduce())

    async def run(self, reception: Reception) -> None:
        """Receive, by polling or by a webhook."""
        await self.introduce()
        await self.poller.run(reception)

    async def acknowledge(self, inbound: Inbound, outcome: Outcome) -> None:
        """Tell the person: on the button that they pressed, or in answer to their words."""
        assert not isinstance(inbound, Ignored)
        origin = inbound.origin
        if isinstance(inbound, Decision | Undo) and inbound.doubt == INACCESSIBLE and outcome.request_id:
            await self._outbound.show_again(outcome.request_id, origin.recipient, "Shown anew; please press here:")
        if origin.message.startswith(PRESS):
            await self._instructions.answer(origin, outcome.text, alert=not outcome.counted)
            return
        mark = "✅" if outcome.counted else "⚠️"
        if isinstance(inbound, Linking):
            mark = "🔗" if outcome.counted else "⚠️"
        await self._instructions.reply(origin, Rich(f"{mark} {outcome.text}"))

    async def instruct(self, instruction: Instruction, person: str) -> None:
        """Answer a command or a button that decides nothing."""
        del person
        await self._instructions.carry_out(instruction)

    def app(self, reception: Reception) -> ASGIApp:
        """Where a webhook is served, at ``/hooks/telegram/update``; it answers only where one is configured."""
        return self._webhook.app(reception)


def open_channel(backing: Backing) -> TelegramChannel:
    """The channel of the ``[telegram]`` table.

    Raises:
        ConfigError: it cannot be used.
    """
    settings = settings_of(backing.table, backing.folder)
    return TelegramChannel(settings, backing, Api(settings.token, settings.api_url))
