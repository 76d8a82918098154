"""The conformance suite of channels: subclass it over a fake of your service, and run it with pytest.

    import pytest

    pytest.register_assert_rewrite("askfirst.testing.channel_suite")

    from askfirst.testing.channel_suite import ListenerSuite

    class TestPager(ListenerSuite):
        scheme, recipient = "pager", "pager:ops"
        person, stranger = "pager:17", "pager:666"

        @asynccontextmanager
        async def open(self, backing: Backing) -> AsyncIterator[Harness]:
            async with FakePager() as service:
                yield PagerHarness(open_channel(backing), service)

``ChannelSuite`` is for channels that show requests, and where people decide by a way of its own (the web inbox);
``ListenerSuite`` adds what has to hold of everything that a channel hears. Cards, requests, people and the store are
the real ones; only the service is yours, and it should hold the real one's limits.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from askfirst.backing import Backing, StoredMessages, channel_key
from askfirst.dispatch import Dispatcher
from askfirst.effects import Risk
from askfirst.engine import Amend, Content
from askfirst.errors import ChannelError
from askfirst.hearing import Hearing
from askfirst.inbound import Decision
from askfirst.people import Directory, Identity, Person
from askfirst.policy.ruling import Stage
from askfirst.ports import Listener
from askfirst.reception import Reception
from askfirst.request import RequestState, Verdict
from askfirst.store import outbox
from askfirst.testing.bench import FakeSigner, a_draft, bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from askfirst.card import Card
    from askfirst.engine import Case
    from askfirst.ports import Channel
    from askfirst.request import Request
    from askfirst.testing.bench import Bench

PERSON = "local:ann"
Failure = Literal["", "away", "slow_down", "gone"]

HOSTILE = (
    "rm -rf build && echo '<b>safe</b> *bold* _x_ [ok](https://a.example) `tick` ``` @everyone #1 :ok: ~~no~~'\n"
    "# </details> <script>alert(1)</script> -->\n"
    "printf 'a\u202etxt.exe\u2066' '\x1b[2K' '\u200b' '🔥' 'é' '\u0430pt'"
)
"""Markup of every service, and characters that hide or reorder; what people see has to say what would run."""
LONG = "rm -rf " + " ".join(f"build/artifact-{number:05}" for number in range(3_000)) + " /etc/the-last-word"


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


class ChannelSuite:
    """What has to hold of every channel.

    Attributes:
        scheme: of the channel.
        recipient: where requests are sent.
        person: the identity of somebody who may decide.
        stranger: the identity of somebody whom nobody knows.
        bench: while a test runs: the desk with its store, for channels that are part of the broker.
    """

    scheme: str
    recipient: str
    person: str
    stranger: str
    bench: Bench

    def open(self, backing: Backing) -> AbstractAsyncContextManager[Harness]:
        """The channel over a fresh fake of its service."""
        raise NotImplementedError

    # -- showing --------------------------------------------------------------------------------------------------

    def test_a_request_is_shown_with_its_command_its_code_and_a_way_to_decide(self, tmp_path: Path) -> None:
        async def story(office: Office) -> None:
            request = await office.ask()
            [(recipient, message)] = office.sent(request)
            assert recipient == self.recipient
            shown = office.harness.shown(message)
            assert "git reset --hard HEAD~2" in shown
            assert request.code in shown
            assert "2 unpushed commits" in shown
            assert office.harness.offers(message)

        self.run(tmp_path, story)

    def test_hostile_text_is_shown_as_it_is_and_hides_nothing(self, tmp_path: Path) -> None:
        """I9: no markup of the command is obeyed, and no character of it is invisible."""

        async def story(office: Office) -> None:
            request = await office.ask(HOSTILE)
            card = await office.dispatcher.card(request.id)
            shown = office.harness.shown(office.sent(request)[-1][1])
            for line in card.command.splitlines():
                assert line in shown
            assert not set("\u202e\u2066\x1b\u200b") & set(shown)

        self.run(tmp_path, story)

    def test_a_long_command_is_shown_to_its_end(self, tmp_path: Path) -> None:
        """I9: what is too long for a message is attached or linked whole, never cut silently."""

        async def story(office: Office) -> None:
            request = await office.ask(LONG)
            shown = office.harness.shown(office.sent(request)[-1][1])
            assert "build/artifact-01500" in shown
            assert "/etc/the-last-word" in shown

        self.run(tmp_path, story)

    def test_a_message_says_how_its_request_ended_and_offers_nothing_any_more(self, tmp_path: Path) -> None:
        """I10: whoever ended it, by whatever way."""

        async def story(office: Office) -> None:
            request = await office.ask()
            await office.bench.desk.cancel(request.id, "not needed")
            await office.deliver()
            message = office.sent(request)[-1][1]
            assert "cancelled" in office.harness.shown(message).lower()
            assert not office.harness.offers(message)

        self.run(tmp_path, story)

    def test_showing_the_same_again_is_no_failure(self, tmp_path: Path) -> None:
        async def story(office: Office) -> None:
            request = await office.ask()
            card = await office.dispatcher.card(request.id)
            [(recipient, message)] = office.sent(request)
            await office.harness.channel.update(card, recipient, message)
            before = office.harness.shown(message)
            await office.harness.channel.update(card, recipient, message)
            assert office.harness.shown(message) == before

        self.run(tmp_path, story)

    # -- deciding -------------------------------------------------------------------------------------------------

    def test_a_person_approves(self, tmp_path: Path) -> None:
        async def story(office: Office) -> None:
            request = await office.ask()
            await office.act(request, self.person, Verdict.APPROVE)
            case = await office.case(request)
            assert case.request.state is RequestState.APPROVED
            [review] = case.reviews
            assert (review.person, review.channel, review.counted) == (PERSON, self.scheme, True)
            assert review.assurance <= office.harness.channel.caps.assurance
            message = office.sent(request)[-1][1]
            assert "approved" in office.harness.shown(message).lower()
            assert not office.harness.offers(message)

        self.run(tmp_path, story)

    def test_a_person_denies_with_a_reason(self, tmp_path: Path) -> None:
        async def story(office: Office) -> None:
            request = await office.ask()
            await office.act(request, self.person, Verdict.DENY, text="use git stash")
            case = await office.case(request)
            assert case.request.state is RequestState.DENIED
            assert [each.text for each in case.reviews] == ["use git stash"]

        self.run(tmp_path, story)

    def test_a_critical_request_takes_its_code(self, tmp_path: Path) -> None:
        async def story(office: Office) -> None:
            request = await office.ask(risk=Risk.CRITICAL)
            await office.act(request, self.person, Verdict.APPROVE, typed_code="")
            assert (await office.case(request)).request.state is RequestState.PENDING
            await office.act(request, self.person, Verdict.APPROVE, typed_code=request.action_digest[:8])
            assert (await office.case(request)).request.state is RequestState.APPROVED

        self.run(tmp_path, story)

    def test_a_deny_after_the_approval_takes_it_back(self, tmp_path: Path) -> None:
        """I5: by the words or control that the channel has for it, until the grant is used."""

        async def story(office: Office) -> None:
            request = await office.ask()
            plan = await office.planned(request, self.person, Verdict.DENY)
            await office.act(request, self.person, Verdict.APPROVE)
            await office.take(await office.harness.act(plan))
            assert (await office.case(request)).request.state is RequestState.DENIED

        self.run(tmp_path, story)

    # -- the story ------------------------------------------------------------------------------------------------

    def run(self, tmp_path: Path, story: Callable[[Office], Awaitable[None]]) -> None:
        """Run a story in an office of its own."""

        async def run() -> None:
            async with self.office(tmp_path) as office:
                await story(office)

        asyncio.run(asyncio.wait_for(run(), 60))

    @asynccontextmanager
    async def office(self, tmp_path: Path) -> AsyncIterator[Office]:
        """A desk over a fresh store, with this channel."""
        people = Directory(people=(Person(id=PERSON, identities=(Identity(id=self.person),)),))
        with bench(tmp_path / "suite.db", people=people, schemes={self.scheme}) as made:
            self.bench = made
            async with self.open(self._backing(made, tmp_path)) as harness:
                channel = harness.channel
                reception = None
                if isinstance(channel, Listener):
                    reception = reception_over(made, people, channel)
                dispatcher = Dispatcher(
                    writer=made.writer,
                    reader=made.reader,
                    audit=made.log,
                    clock=made.clock,
                    channels={self.scheme: channel},
                    machine="laptop",
                    on_unreachable=made.desk.unreachable,
                )
                yield Office(
                    bench=made, harness=harness, dispatcher=dispatcher, reception=reception, recipient=self.recipient
                )

    def _backing(self, made: Bench, folder: Path) -> Backing:
        return Backing(
            scheme=self.scheme,
            table={},
            folder=folder,
            machine="laptop",
            key=channel_key(FakeSigner(), self.scheme),
            clock=made.clock,
            requests=made.desk,
            messages=StoredMessages(self.scheme, writer=made.writer, reader=made.reader, clock=made.clock),
        )


class ListenerSuite(ChannelSuite):
    """What has to hold of everything that a channel hears."""

    def test_a_service_that_fails_is_an_error_of_the_channel_and_the_message_comes_later(self, tmp_path: Path) -> None:
        async def story(office: Office) -> None:
            request = await office.ask()
            card = await office.dispatcher.card(request.id)
            channel = office.harness.channel
            for failure in ("away", "slow_down", "gone"):
                office.harness.fail(failure)
                error = await _refused(channel.send(card, self.recipient, f"key-{failure}"))
                assert (error.is_permanent, error.retry_after_s > 0) == (failure == "gone", failure == "slow_down")
            office.harness.fail("away")
            assert not (await channel.check()).ok
            office.harness.fail("")
            assert (await channel.check()).ok
            assert await channel.send(card, self.recipient, "key")

        self.run(tmp_path, story)

    def test_a_delivery_that_comes_again_is_one_review(self, tmp_path: Path) -> None:
        """I3: the same delivery, in the same batch and later, and after a restart."""

        async def story(office: Office) -> None:
            request = await office.ask()
            deliveries = await office.act(request, self.person, Verdict.APPROVE)
            await office.take([*deliveries, *deliveries])
            renamed = [(f"again-{number}", raw) for number, (_, raw) in enumerate(deliveries)]
            await office.take(renamed)
            assert [each.counted for each in (await office.case(request)).reviews] == [True]

        self.run(tmp_path, story)

    def test_a_stranger_decides_nothing_and_is_answered(self, tmp_path: Path) -> None:
        async def story(office: Office) -> None:
            request = await office.ask()
            for verdict in (Verdict.APPROVE, Verdict.DENY):
                await office.act(request, self.stranger, verdict)
            case = await office.case(request)
            assert (case.request.state, case.reviews) == (RequestState.PENDING, ())

        self.run(tmp_path, story)

    def test_whoever_decides_is_told_what_became_of_it(self, tmp_path: Path) -> None:
        async def story(office: Office) -> None:
            request = await office.ask()
            plan = await office.planned(request, self.person, Verdict.APPROVE)
            await office.act(request, self.person, Verdict.APPROVE)
            told = len(office.harness.told())
            assert told
            await office.take(await office.harness.act(replace(plan, text="")))
            assert len(office.harness.told()) > told
            assert "already" in office.harness.told()[-1] or "before" in office.harness.told()[-1]

        self.run(tmp_path, story)

    def test_free_text_is_never_a_decision(self, tmp_path: Path) -> None:
        """I7: not the words alone, not with a code of another request, not quoted, not within other words."""

        async def story(office: Office) -> None:
            request = await office.ask()
            code = request.code
            for text in (
                "approve",
                "Approve!",
                "yes",
                "👍",
                "lgtm, go ahead",
                "/approve",
                "/approve 000000-00000000",
                f"> /approve {code}",
                f"do not approve {code}",
                f"should I approve {code}?",
                code,
            ):
                deliveries = await office.act(request, self.person, None, text=text)
                assert not [each for each in heard(office, deliveries) if _counts(each, request)], text
            assert (await office.case(request)).request.state is RequestState.PENDING

        self.run(tmp_path, story)

    def test_a_decision_on_an_older_version_does_not_count(self, tmp_path: Path) -> None:
        """I2: the agent has amended its request after the message was shown."""

        async def story(office: Office) -> None:
            request = await office.ask()
            plan = await office.planned(request, self.person, Verdict.APPROVE)
            await office.bench.desk.amend(request.id, an_amendment(request))
            await office.take(await office.harness.act(plan))
            assert (await office.case(request)).request.state is RequestState.PENDING

        self.run(tmp_path, story)

    def test_no_mutilated_delivery_breaks_the_channel_or_decides_for_somebody_else(self, tmp_path: Path) -> None:
        async def story(office: Office) -> None:
            request = await office.ask()
            plan = await office.planned(request, self.person, Verdict.APPROVE)
            deliveries = await office.harness.act(plan)
            listener = office.harness.channel
            assert isinstance(listener, Listener)
            for _, raw in deliveries:
                for mutilated in mutilations(raw):
                    try:
                        found = listener.parse(mutilated)
                    except ChannelError:
                        continue
                    assert isinstance(found, tuple)
                    assert listener.parse(mutilated) == found
            await office.take(
                [(f"poison-{n}", raw) for n, raw in enumerate((b"", b"{", b"\xff", b"[]", b"null", b"1"))]
            )
            await office.take(deliveries)
            assert (await office.case(request)).request.state is RequestState.APPROVED

        self.run(tmp_path, story)

    def test_a_decision_holds_when_the_person_cannot_be_told(self, tmp_path: Path) -> None:
        async def story(office: Office) -> None:
            request = await office.ask()
            plan = await office.planned(request, self.person, Verdict.DENY)
            deliveries = await office.harness.act(plan)
            office.harness.fail("away")
            await office.take(deliveries)
            office.harness.fail("")
            for _ in range(10):  # a channel that has to ask its service is asked again
                office.bench.clock.advance(60)
                await office.take([])
                await office.take(deliveries)
            assert (await office.case(request)).request.state is RequestState.DENIED

        self.run(tmp_path, story)


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


async def _refused(sending: Awaitable[str]) -> ChannelError:
    try:
        await sending
    except ChannelError as error:
        return error
    raise AssertionError("it was sent although the service fails")


def heard(office: Office, deliveries: Sequence[tuple[str, bytes]]) -> list[Any]:
    """What the channel reads in these deliveries."""
    listener = office.harness.channel
    assert isinstance(listener, Listener)
    return [inbound for _, raw in deliveries for inbound in listener.parse(raw)]


def _counts(inbound: object, request: Request) -> bool:
    """Whether this would decide the request."""
    if not isinstance(inbound, Decision) or inbound.doubt:
        return False
    reference = inbound.reference
    return bool(reference.request_id) or reference.code.upper() == request.code.upper()


def an_amendment(request: Request) -> Amend:
    """The same request with another command."""
    action = replace(request.action, arguments={"command": "git reset --hard HEAD~3"})
    content = Content(action=action, effects=request.effects, risk=request.risk)
    return Amend(content=content, claim=request.claim, terms=request.terms)


def mutilations(raw: bytes) -> Iterator[bytes]:
    """The delivery cut off, with flipped bits, and, where it is JSON, with members missing or of other types."""
    step = max(1, len(raw) // 24)
    for end in range(0, len(raw), step):
        yield raw[:end]
        yield raw[:end] + bytes([raw[end] ^ 0x01]) + raw[end + 1 :]
        yield raw[:end] + b"\xff" + raw[end + 1 :]
    try:
        value = json.loads(raw)
    except ValueError:
        return
    for changed in itertools.islice(_changed(value), 400):
        yield json.dumps(changed).encode()


def _changed(value: Any) -> Iterator[Any]:
    """The JSON value with one part of it missing, or replaced by something else."""
    yield from (None, [], {}, 0, "", True, -(2**70), "x" * 5000)
    if isinstance(value, dict):
        for name, member in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            yield from ({**value, name: changed} for changed in _changed(member))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from ([*value[:index], changed, *value[index + 1 :]] for changed in _changed(member))
