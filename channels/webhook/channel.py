"""Sends cards to the programs at the other end, signed, and tells them what became of decisions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import httpx

from askfirst.clock import new_id
from askfirst.errors import ChannelError
from askfirst.inbound import Decision, Ignored, Undo
from askfirst.ports import Capabilities, Health
from channels.webhook import wire
from channels.webhook.config import hooks_of
from channels.webhook.door import door

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from askfirst.backing import Backing
    from askfirst.card import Card
    from askfirst.clock import Clock
    from askfirst.inbound import Inbound, Instruction, Outcome
    from askfirst.ports import Reception
    from channels.webhook.config import HookConfig

SCHEME: Final = "webhook"
_GONE = frozenset({404, 410})
_RETRY_MAX_S = 3600.0


class WebhookChannel:
    """One channel for all programs; ``webhook:NAME`` or ``webhook:NAME/anything`` is a recipient.

    Args:
        hooks: by name.
        clock: for timestamps.
        transport: of the HTTP client, for tests.
    """

    scheme = SCHEME

    def __init__(
        self, hooks: dict[str, HookConfig], clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._hooks = hooks
        self._clock = clock
        self._http = httpx.AsyncClient(transport=transport, follow_redirects=False)
        self.caps = Capabilities(
            buttons=True,
            edits=True,
            free_text=True,
            idempotent_send=True,
            assurance=max(each.assurance for each in hooks.values()),
            needs_public_url=True,
        )

    async def send(self, card: Card, recipient: str, key: str) -> str:
        """Post the card; the key is the message's id, so that a repetition can be told."""
        body = wire.shown(card, "request.created", key, recipient, self._clock.now_ms())
        await self._post(self._hook(recipient), key, body)
        return key

    async def update(self, card: Card, recipient: str, external_id: str) -> None:
        """Post the card as it stands now."""
        body = wire.shown(card, "request.updated", external_id, recipient, self._clock.now_ms())
        await self._post(self._hook(recipient), new_id(), body)

    async def check(self) -> Health:
        """Ping every program."""
        answers = await asyncio.gather(*(self._ping(each) for each in self._hooks.values()))
        problems = [each for each in answers if each]
        return Health(ok=not problems, text="; ".join(problems) or f"{len(answers)} programs answer")

    def parse(self, raw: bytes) -> tuple[Inbound, ...]:
        """See ``wire``."""
        return wire.parse(raw, SCHEME)

    async def vet(self, inbound: Inbound) -> Inbound:
        """Worth no more than its program; the signature has said everything else."""
        if isinstance(inbound, Decision | Undo):
            return replace(inbound, assurance=min(inbound.assurance, self._hook(inbound.origin.recipient).assurance))
        return inbound

    async def run(self, reception: Reception) -> None:
        """Everything comes in by the door."""

    async def acknowledge(self, inbound: Inbound, outcome: Outcome) -> None:
        """Post what became of it."""
        assert not isinstance(inbound, Ignored)
        delivery = inbound.delivery.partition("/")[2]
        hook = self._hook(inbound.origin.recipient)
        await self._post(hook, new_id(), wire.told(delivery, outcome, self._clock.now_ms()))

    async def instruct(self, instruction: Instruction, person: str) -> None:
        """There are none."""

    def app(self, reception: Reception) -> ASGIApp:
        """Where signed decisions come in: ``POST /hooks/webhook/NAME``."""
        return door(self._hooks, reception, SCHEME)

    async def _ping(self, hook: HookConfig) -> str:
        try:
            await self._post(hook, new_id(), wire.ping(self._clock.now_ms()))
        except ChannelError as error:
            return str(error)
        return ""

    def _hook(self, recipient: str) -> HookConfig:
        name = recipient.removeprefix(f"{SCHEME}:").partition("/")[0]
        found = self._hooks.get(name)
        if found is None:
            known = ", ".join(sorted(self._hooks))
            raise ChannelError(f"no [webhook.{name[:40]}] in the configuration; known: {known}", is_permanent=True)
        return found

    async def _post(self, hook: HookConfig, id_: str, body: str) -> None:
        headers = {"content-type": "application/json", **hook.seal.headers(id_, body, self._clock.now_ms())}
        try:
            response = await self._http.post(
                hook.url, content=body.encode("ascii"), headers=headers, timeout=hook.timeout_s
            )
        except httpx.HTTPError as error:
            raise ChannelError(f"webhook.{hook.name} cannot be reached: {type(error).__name__}") from error
        if not response.is_success:
            raise ChannelError(
                f"webhook.{hook.name} answered {response.status_code}",
                retry_after_s=_retry_after_s(response),
                is_permanent=response.status_code in _GONE,
            )


def open_channel(backing: Backing, transport: httpx.AsyncBaseTransport | None = None) -> WebhookChannel:
    """The channel of ``[webhook.NAME]`` tables.

    Raises:
        ConfigError: one cannot be used.
    """
    return WebhookChannel(hooks_of(backing.table, backing.folder), backing.clock, transport)


def _retry_after_s(response: httpx.Response) -> float:
    """Seconds of ``Retry-After``; a date, or nonsense, counts for nothing."""
    said = response.headers.get("retry-after", "")
    return min(_RETRY_MAX_S, float(said)) if said.isascii() and said.isdigit() else 0.0
