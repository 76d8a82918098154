"""A desk with one channel over a fake of its service: where ``askfirst.testing.channel_suite`` plays its stories."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from askfirst.hearing import Hearing
from askfirst.policy.ruling import Stage
from askfirst.ports import Listener
from askfirst.reception import Reception
from askfirst.store import outbox
from askfirst.testing.bench import a_draft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.card import Card
    from askfirst.dispatch import Dispatcher
    from askfirst.engine import Case
    from askfirst.people import Directory
    from askfirst.ports import Channel
    from askfirst.request import Request, Verdict
    from askfirst.testing.bench import Bench

PERSON = "local:ann"
Failure = Literal["", "away", "slow_down", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody does at the service.

    Attributes:
        by: the identity, ``scheme:id``.
        card: the card as it was sent, when the message says that.
        message: the channel's id of the message that they act on.
        verdict: what they decide by the control, or the exact words, that the message offers; None: they only talk.
        text: their comment, reason or answer; or, with no verdict, what they say.
        typed_code: the code that they type where one is asked for.
    """

    by: str
    card: Card
    message: str
    verdict: Verdict | None = None
    text: str = ""
    typed_code: str = ""


class Harness(Protocol):
    """A channel over a fake of its service."""

    channel: Channel

    def shown(self, message: str) -> str:
        """All text that people can see of a message: as the service shows it, with files that are attached."""
        ...

    def offers(self, message: str) -> bool:
        """Whether the message still offers to approve, or to answer."""
        ...

    async def act(self, act: Act) -> Sequence[tuple[str, bytes]]:
        """Let somebody act; what the channel takes in because of it, as for ``Reception.take``.

        A channel whose people decide by a way of its own has done it when this returns, and returns nothing.
        """
        ...

    def fail(self, failure: Failure) -> None:
        """From now on the service is away, wants us to slow down, or the recipient is gone; ``""``: all is well."""
        ...

    def told(self) -> Sequence[str]:
        """What people were told in answer to what they did, oldest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A desk with one channel."""

    bench: Bench
    harness: Harness
    dispatcher: Dispatcher
    reception: Reception | None
    recipient: str

    async def ask(self, command: str = "git reset --hard HEAD~2", **changes: Any) -> Request:
        """A new request that this channel is to show."""
        draft = a_draft(key=f"key-{command[:40]}-{sorted(changes)}", command=command)
        stages = (Stage(recipients=(self.recipient,)),)
        terms = replace(draft.terms, stages=stages, assurance_min=0)
        case = await self.bench.desk.ask(replace(draft, **{"terms": terms, **changes}))
        await self.deliver()
        return case.request

    async def deliver(self) -> None:
        """Carry out what is owed, with time passing between one delivery and the next."""
        scheme = self.harness.channel.scheme
        for _ in range(300):
            await self.dispatcher.deliver_due()
            with self.bench.reader.connect() as connection:
                due_ms = outbox.next_due(connection, scheme)
            if due_ms is None or due_ms > self.bench.clock.now_ms():
                return
            self.bench.clock.advance(1)

    async def case(self, request: Request) -> Case:
        """The case as it stands."""
        return await self.bench.desk.case(request.id)

    def sent(self, request: Request) -> list[tuple[str, str]]:
        """(recipient, message) of what was sent about a request."""
        with self.bench.reader.connect() as connection:
            rows = connection.exec_driver_sql(
                "select recipient, external_id, request_id from outbox where kind = 'send' and done = 1 "
                "and external_id is not null order by id"
            ).all()
        return [(recipient, message) for recipient, message, of in rows if of == request.id]

    async def act(self, request: Request, by: str, verdict: Verdict | None = None, **more: Any) -> list[Any]:
        """Let somebody act on the message about a request, and handle what comes of it; the deliveries."""
        deliveries = list(await self.harness.act(await self.planned(request, by, verdict, **more)))
        await self.take(deliveries)
        return deliveries

    async def planned(self, request: Request, by: str, verdict: Verdict | None = None, **more: Any) -> Act:
        """The act, on the newest message."""
        card = await self.dispatcher.card(request.id)
        return Act(by=by, card=card, message=self.sent(request)[-1][1], verdict=verdict, **more)

    async def take(self, deliveries: Sequence[tuple[str, bytes]]) -> None:
        """Handle what the channel took in, then show what became of it."""
        if self.reception is not None and deliveries:
            scheme = self.harness.channel.scheme
            await self.reception.take(scheme, deliveries)
            while await self.reception.handle_waiting(scheme):
                await self.reception.told()
        await self.deliver()

    def heard(self, deliveries: Sequence[tuple[str, bytes]]) -> list[Any]:
        """What the channel reads in these deliveries."""
        listener = self.harness.channel
        assert isinstance(listener, Listener)
        return [inbound for _, raw in deliveries for inbound in listener.parse(raw)]


def reception_over(made: Bench, people: Directory, channel: Listener) -> Reception:
    """A reception for one channel over a bench."""
    return Reception(
        writer=made.writer,
        reader=made.reader,
        audit=made.log,
        clock=made.clock,
        hearing=Hearing(desk=made.desk, people=people, clock=made.clock),
        listeners={channel.scheme: channel},
    )
