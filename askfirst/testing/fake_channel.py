"""A channel without a service: it remembers what it was given, and its deliveries are JSON that tests write.

    channel = FakeChannel()
    await reception.take("fake", [channel.says("d1", {"by": "fake:ann", "code": "0AB1CD-0123abcd", "verdict": "deny"})])

Members of a decision: ``by``, ``verdict``, and ``code`` or ``request`` with ``version`` and ``digest``; also ``text``,
``typed``, ``part``, ``doubt``, ``assurance``, ``replies_to``. ``{"retracts": delivery}``, ``{"undo": code}``,
``{"link": code}``, ``{"instruction": name}`` and a list of all these are deliveries, too; anything else is ignored.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from askfirst.errors import ChannelError
from askfirst.inbound import Decision, Ignored, Instruction, Linking, Origin, Reference, Retraction, Undo
from askfirst.ports import Capabilities, Health
from askfirst.request import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.card import Card
    from askfirst.inbound import Inbound, Outcome
    from askfirst.ports import Reception


class FakeChannel:
    """See the module's docstring.

    Attributes:
        failures: calls to come that fail, e.g. ``[ChannelError("away")]``; the first one is used up by the next call.
        shown: message id to the card that it shows.
        sent: (key, recipient) of everything that was sent.
        acknowledged: what people were told.
        instructed: (instruction, person).
        doubts: delivery to what ``vet`` finds out about it.
    """

    def __init__(self, scheme: str = "fake", caps: Capabilities | None = None) -> None:
        self.scheme = scheme
        self.caps = caps or Capabilities(buttons=True, edits=True, free_text=True, assurance=1)
        self.failures: list[Exception] = []
        self.shown: dict[str, Card] = {}
        self.sent: list[tuple[str, str]] = []
        self.acknowledged: list[tuple[Inbound, Outcome]] = []
        self.instructed: list[tuple[Instruction, str]] = []
        self.doubts: dict[str, str] = {}
        self.vetted = 0
        self._waiting: dict[str, asyncio.Future[None]] = {}

    def says(self, delivery: str, said: object) -> tuple[str, bytes]:
        """A delivery as ``Reception.take`` wants it."""
        return delivery, json.dumps({"id": delivery, "said": said}).encode()

    async def send(self, card: Card, recipient: str, key: str) -> str:
        """Remember it."""
        self._fail()
        self.sent.append((key, recipient))
        message = f"m{len(self.sent)}"
        self.shown[message] = card
        return message

    async def update(self, card: Card, recipient: str, external_id: str) -> None:
        """Remember it."""
        del recipient
        self._fail()
        self.shown[external_id] = card

    async def check(self) -> Health:
        """Well, unless the next call is to fail."""
        return Health(ok=not self.failures, text="well" if not self.failures else str(self.failures[0]))

    def parse(self, raw: bytes) -> tuple[Inbound, ...]:
        """What the JSON says."""
        try:
            told = json.loads(raw)
            delivery, said = told["id"], told["said"]
        except (ValueError, KeyError, TypeError) as error:
            raise ChannelError("no delivery of a fake channel") from error
        return tuple(self._inbound(delivery, each) for each in (said if isinstance(said, list) else [said]))

    async def vet(self, inbound: Inbound) -> Inbound:
        """As it is, with the doubt that a test has laid down."""
        self.vetted += 1
        self._fail()
        if isinstance(inbound, Decision) and inbound.delivery in self.doubts:
            return replace(inbound, doubt=self.doubts[inbound.delivery])
        return inbound

    async def run(self, reception: Reception) -> None:
        """Nothing comes by itself."""

    async def acknowledge(self, inbound: Inbound, outcome: Outcome) -> None:
        """Remember it."""
        self.acknowledged.append((inbound, outcome))
        self._told(inbound.delivery).set_result(None)

    async def told_of(self, delivery: str) -> None:
        """Return once somebody was told what became of this delivery."""
        await self._told(delivery)

    def _told(self, delivery: str) -> asyncio.Future[None]:
        future = self._waiting.get(delivery)
        if future is None or future.done():
            future = self._waiting[delivery] = asyncio.get_running_loop().create_future()
        return future

    async def instruct(self, instruction: Instruction, person: str) -> None:
        """Remember it."""
        self.instructed.append((instruction, person))

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    def _inbound(self, delivery: str, said: Any) -> Inbound:
        if not isinstance(said, dict):
            return Ignored(delivery=delivery, reason="no object")
        origin = Origin(
            identity=said.get("by", f"{self.scheme}:nobody"),
            name=said.get("name", ""),
            recipient=f"{self.scheme}:room",
            replies_to=said.get("replies_to", ""),
            at_ms=said.get("at_ms"),
        )
        match said:
            case {"verdict": _}:
                return _decision(delivery, origin, said)
            case {"retracts": retracted}:
                return Retraction(delivery=delivery, origin=origin, retracted=retracted, reason="it was edited")
            case {"undo": code}:
                return Undo(delivery=delivery, origin=origin, reference=Reference(code=code))
            case {"link": code}:
                return Linking(delivery=delivery, origin=origin, link_code=code)
            case {"instruction": name}:
                return Instruction(delivery=delivery, origin=origin, name=name)
        return Ignored(delivery=delivery, reason="chatter")


def _decision(delivery: str, origin: Origin, said: Mapping[str, Any]) -> Decision:
    return Decision(
        delivery=delivery,
        origin=origin,
        reference=Reference(
            code=said.get("code", ""),
            request_id=said.get("request", ""),
            version=said.get("version", 0),
            action_digest=said.get("digest", ""),
        ),
        verdict=Verdict(said["verdict"]),
        part=said.get("part", ""),
        text=said.get("text", ""),
        typed_code=said.get("typed", ""),
        assurance=said.get("assurance", 1),
        doubt=said.get("doubt", ""),
    )
