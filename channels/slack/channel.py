"""Slack as a channel: what the core calls, each call handed to the part that does it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from askfirst.errors import ChannelError
from askfirst.inbound import Decision, Ignored, Undo
from askfirst.ports import Capabilities, Health, Rate
from channels.slack.controls import Sealer
from channels.slack.parse import ASSURANCE, PRESS, SCHEME, delivery_id, parse_envelope
from channels.slack.render import escaped, message_of
from channels.slack.settings import settings_of
from channels.slack.vetting import Vetting

if TYPE_CHECKING:
    from askfirst.backing import Backing
    from askfirst.card import Card
    from askfirst.inbound import Inbound, Instruction, Outcome
    from askfirst.ports import Reception
    from channels.slack.api import Api

CAPS = Capabilities(
    buttons=True,
    edits=True,
    threads=True,
    files=False,
    free_text=True,
    idempotent_send=False,
    text_max=40_000,
    assurance=ASSURANCE,
    rate=Rate(burst=20, per_s=1),
    recipient_rate=Rate(burst=3, per_s=1),
)
"""One message a second and channel. From: https://docs.slack.dev/apis/web-api/rate-limits"""
_HELP = (
    "I show what coding agents ask, and take buttons, or whole messages: approve CODE, deny CODE reason, "
    "answer CODE text, ask CODE question, undo CODE, link CODE."
)


class SlackChannel:
    """One app in one workspace.

    Args:
        backing: what it stands on.
        api: the service.
    """

    scheme = SCHEME
    caps = CAPS

    def __init__(self, backing: Backing, api: Api) -> None:
        self._api = api
        self._sealer = Sealer(backing.key)
        self._vetting = Vetting(self._sealer, backing.requests)

    async def send(self, card: Card, recipient: str, key: str) -> str:
        """Show a card; a repetition shows it twice, and both messages work."""
        del key
        message = message_of(card, self._sealer)
        channel, ts = await self._api.post(recipient.removeprefix(f"{SCHEME}:"), message.text, message.blocks)
        await self._post_parts(card, channel, ts)
        return f"{channel}/{ts}"

    async def update(self, card: Card, recipient: str, external_id: str) -> None:
        """Show how it stands now."""
        del recipient
        channel, _, ts = external_id.partition("/")
        message = message_of(card, self._sealer)
        await self._api.update(channel, ts, message.text, message.blocks)
        if card.changed_by:  # the first version's whole text is in the thread already
            await self._post_parts(card, channel, ts)

    async def _post_parts(self, card: Card, channel: str, ts: str) -> None:
        for number, part in enumerate(message_of(card, self._sealer).parts, start=1):
            await self._api.post(channel, f"version {card.version}, part {number}", part, thread=ts)

    async def check(self) -> Health:
        """Whether the service knows us."""
        try:
            return Health(ok=True, text=await self._api.me())
        except ChannelError as error:
            return Health(ok=False, text=str(error))

    def parse(self, raw: bytes) -> tuple[Inbound, ...]:
        """See ``channels.slack.parse``."""
        return parse_envelope(raw)

    async def vet(self, inbound: Inbound) -> Inbound:
        """Compare a press with what we made."""
        if isinstance(inbound, Decision):
            return await self._vetting.decision(inbound)
        return await self._vetting.undo(inbound) if isinstance(inbound, Undo) else inbound

    async def run(self, reception: Reception) -> None:
        """Hear by Socket Mode until cancelled."""

        async def take(envelope: dict[str, Any]) -> None:
            raw = json.dumps(envelope, ensure_ascii=False).encode("utf-8", "backslashreplace")
            await reception.take(SCHEME, [(delivery_id(envelope), raw)])

        await self._api.listen(take, asyncio.get_running_loop().create_future())

    async def acknowledge(self, inbound: Inbound, outcome: Outcome) -> None:
        """Tell the person alone, beside what they did."""
        assert not isinstance(inbound, Ignored)
        mark = "✅" if outcome.counted else "⚠️"
        await self._whisper(inbound.origin.message, f"{mark} {outcome.text}")

    async def instruct(self, instruction: Instruction, person: str) -> None:
        """Say how it is done."""
        del person
        await self._whisper(instruction.origin.message, _HELP)

    async def _whisper(self, message: str, text: str) -> None:
        kind, channel, ts, user = message.split("/")
        await self._api.whisper(channel, user, escaped(text), thread=ts if kind == PRESS else "")


def open_channel(backing: Backing) -> SlackChannel:
    """The channel of the ``[slack]`` table.

    Raises:
        ConfigError: it cannot be used, or the extra is not installed.
    """
    settings = settings_of(backing.table, backing.folder)
    from channels.slack.api import Api  # noqa: PLC0415  # an extra

    return SlackChannel(backing, Api(settings))
