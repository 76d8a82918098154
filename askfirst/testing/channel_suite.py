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
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.backing import Backing, StoredMessages, channel_key
from askfirst.dispatch import Dispatcher
from askfirst.effects import Risk
from askfirst.engine import Amend, Content
from askfirst.errors import ChannelError
from askfirst.inbound import Decision
from askfirst.people import Directory, Identity, Person
from askfirst.ports import Listener
from askfirst.request import RequestState, Verdict
from askfirst.testing.bench import FakeSigner, bench
from askfirst.testing.channel_office import PERSON, Act, Failure, Harness, Office, reception_over
from askfirst.testing.mutilations import mutilations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from askfirst.request import Request
    from askfirst.testing.bench import Bench

__all__ = ["Act", "ChannelSuite", "Failure", "Harness", "ListenerSuite"]
"""What tests of a channel need; those of outsiders find it here."""

HOSTILE = (
    "rm -rf build && echo '<b>safe</b> *bold* _x_ [ok](https://a.example) `tick` ``` @everyone #1 :ok: ~~no~~'\n"
    "# </details> <script>alert(1)</script> -->\n"
    "printf 'a\u202etxt.exe\u2066' '\x1b[2K' '\u200b' '🔥' 'é' '\u0430pt'"
)
"""Markup of every service, and characters that hide or reorder; what people see has to say what would run."""
LONG = "rm -rf " + " ".join(f"build/artifact-{number:05}" for number in range(3_000)) + " /etc/the-last-word"


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
                assert not [each for each in office.heard(deliveries) if _counts(each, request)], text
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


async def _refused(sending: Awaitable[str]) -> ChannelError:
    try:
        await sending
    except ChannelError as error:
        return error
    raise AssertionError("it was sent although the service fails")


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
