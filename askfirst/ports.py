"""What the core needs of a channel: the ports that ``channels/`` implements.

A channel sends cards and shows what became of them (``Channel``). One that people decide by also hears
(``Listener``): what arrives is stored raw, in one commit with the provider's cursor, before anybody looks at it (I3);
then it is parsed by a pure function, decided by the core, and acknowledged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import ASGIApp

    from askfirst.card import Card
    from askfirst.inbound import Inbound, Instruction, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast a service takes messages: so many at once, and then so many a second.

    Attributes:
        burst: messages at once, >= 1.
        per_s: messages a second after that, > 0.
    """

    burst: int
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a channel can do.

    Attributes:
        buttons: offers controls; else people type words with the code.
        edits: can change a message after it was sent.
        threads: can keep a request, session or repository apart from others.
        files: can attach what is too long for a message.
        free_text: people can write back.
        idempotent_send: the same key is sent once even when the answer to the first attempt was lost.
        text_max: longest text of a message, in ``text_unit``; 0: no limit.
        text_unit: what the limit counts.
        retention_s: kind of event to how long the provider keeps it while nobody fetches it, seconds; a kind that is
            not named is never lost.
        assurance: the highest assurance of a review that this channel can vouch for (0 … 3).
        needs_public_url: the provider has to reach the broker.
        rate: how fast the service takes messages over all; None: as fast as they come.
        recipient_rate: the same for each recipient.
    """

    buttons: bool = False
    edits: bool = False
    threads: bool = False
    files: bool = False
    free_text: bool = False
    idempotent_send: bool = False
    text_max: int = 0
    text_unit: Literal["characters", "utf-16", "bytes"] = "characters"
    retention_s: Mapping[str, int] = field(default_factory=dict)
    assurance: int = 0
    needs_public_url: bool = False
    rate: Rate | None = None
    recipient_rate: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a channel stands.

    Attributes:
        ok: it could deliver and hear now.
        text: a sentence: what was found and, when it is not well, what to do.
    """

    ok: bool
    text: str


class Channel(Protocol):
    """A way to reach people. It only delivers; who is asked and what counts is the core's.

    Attributes:
        scheme: the part of a recipient before the colon, e.g. ``web``.
        caps: what it can do.
    """

    scheme: str
    caps: Capabilities

    async def send(self, card: Card, recipient: str, key: str) -> str:
        """Show a card to a recipient, e.g. ``web:inbox``.

        Args:
            card: what to show.
            recipient: with its scheme.
            key: the same key is the same delivery: a channel that can tell sends it once.

        Returns:
            the channel's own id of the message, for ``update``.

        Raises:
            ChannelError: it could not be delivered. It is tried again, not before ``retry_after_s``; where it
                ``is_permanent`` the next recipient of the route is told instead.
        """
        ...

    async def update(self, card: Card, recipient: str, external_id: str) -> None:
        """Show what became of the request in the message that was sent.

        Raises:
            ChannelError: it could not be delivered now; it is tried again.
        """
        ...

    async def check(self) -> Health:
        """How the channel stands, found out now; never raises."""
        ...


class Reception(Protocol):
    """Where a listener hands in what it receives; ``askfirst.reception`` implements it."""

    async def take(self, scheme: str, deliveries: Sequence[tuple[str, bytes]], *, cursor: str | None = None) -> None:
        """Store deliveries (id, raw bytes) and the cursor in one commit, then have them handled.

        Returns when they are on disk, so that the provider may be told. The same id again is stored once.
        A delivery that cannot be parsed is kept, set apart and audited; it never blocks the next.

        Raises:
            StoreError: nothing was stored; do not confirm anything to the provider.
        """
        ...

    async def cursor(self, scheme: str) -> str:
        """The cursor of the last commit, ``""`` before the first."""
        ...

    async def turned_away(self, scheme: str, door: str, reason: str) -> None:
        """Write down that something was not let in at a door (``webhook:pager``), e.g. as its signature is wrong.

        It never raises, and however often it happens, the log grows by a few entries an hour.
        """
        ...


@runtime_checkable
class Listener(Channel, Protocol):
    """A channel that people decide by."""

    def parse(self, raw: bytes) -> tuple[Inbound, ...]:
        """What one delivery says; pure, and total: what makes no sense is ``Ignored`` with the reason.

        Raises:
            ChannelError: it is no delivery of this provider at all; it is set apart.
        """
        ...

    async def vet(self, inbound: Inbound) -> Inbound:
        """The same after asking the provider what only it knows now: permission, edits, the bound head.

        What does not hold becomes a ``doubt``. A channel with nothing to ask returns it as it is.

        Raises:
            ChannelError: it cannot be found out now; it is tried again, and nothing counts meanwhile.
        """
        ...

    async def run(self, reception: Reception) -> None:
        """Receive until cancelled, one broker at a time (the core holds the lease); errors are waited out inside."""
        ...

    async def acknowledge(self, inbound: Inbound, outcome: Outcome) -> None:
        """Tell the person what became of what they did; a failure here changes nothing that was decided.

        Raises:
            ChannelError: it could not be told.
        """
        ...

    async def instruct(self, instruction: Instruction, person: str) -> None:
        """Carry out what the channel answers by itself, for a known person.

        Raises:
            ChannelError: it could not be answered.
        """
        ...


@runtime_checkable
class Exposed(Listener, Protocol):
    """A listener that its provider reaches by HTTP: its application is mounted at ``/hooks/<scheme>``."""

    def app(self, reception: Reception) -> ASGIApp:
        """The application; it trusts nothing before the provider's signature over the raw body is verified."""
        ...
