"""What channels hear: kept first, handled once, by whom it came, on which version, and what is told of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from askfirst import hearing
from askfirst.audit_port import EntryType
from askfirst.effects import Risk
from askfirst.engine import Case
from askfirst.engine.reviews import REFUSED_OF_PERSON_MAX
from askfirst.errors import ChannelError, StoreAwayError
from askfirst.hearing import Hearing, decision_id_of
from askfirst.inbound import Inbound, Outcome
from askfirst.knocks import Knocks
from askfirst.people import Directory, Identity, Person
from askfirst.reception import KEPT_DAYS, PATIENCE_S, RAW_MAX_BYTES, Reception
from askfirst.request import GrantState, Request, RequestState
from askfirst.store import inbox, restored
from askfirst.store.reading import read
from askfirst.store.writer import Writer
from askfirst.testing.bench import Bench, a_draft, bench
from askfirst.testing.fake_channel import FakeChannel

PEOPLE = Directory(
    people=(
        Person(id="local:ann", identities=(Identity(id="fake:ann"),)),
        Person(id="local:bob", identities=(Identity(id="fake:bob", assurance=0),)),
    )
)


@dataclass(frozen=True)
class Desk:
    """A desk with a reception for one fake channel."""

    bench: Bench
    channel: FakeChannel
    reception: Reception

    async def hear(self, *deliveries: tuple[str, bytes], cursor: str | None = None) -> None:
        await self.reception.take("fake", deliveries, cursor=cursor)
        await self.settle()

    async def settle(self) -> None:
        while await self.reception.handle_waiting("fake"):
            await self.reception.told()

    async def ask(self, **changes: Any) -> Request:
        return (await self.bench.desk.ask(replace(a_draft(), **changes))).request

    async def case(self, request: Request) -> Case:
        return await self.bench.desk.case(request.id)

    def told(self) -> list[str]:
        return [outcome.text for _, outcome in self.channel.acknowledged]

    def entries(self, kind: EntryType) -> list[Any]:
        return [entry for entry in self.bench.log.entries if entry.type is kind]


@contextmanager
def desk_with(path: Path, url: str, channel: FakeChannel | None = None) -> Iterator[Desk]:
    channel = channel or FakeChannel()
    with bench(path, url, people=PEOPLE) as made:
        yield Desk(made, channel, reception_of(made, channel))


def reception_of(made: Bench, channel: FakeChannel) -> Reception:
    return Reception(
        writer=made.writer,
        reader=made.reader,
        audit=made.log,
        clock=made.clock,
        hearing=Hearing(desk=made.desk, people=PEOPLE, clock=made.clock, undos=made.undos),
        listeners={"fake": channel},
    )


@pytest.fixture
def desk(tmp_path: Path, store_url: str) -> Iterator[Desk]:
    with desk_with(tmp_path / "askfirst.db", store_url) as made:
        yield made


def by_code(request: Request, verdict: str = "approve", by: str = "fake:ann", **more: Any) -> dict[str, Any]:
    return {"by": by, "code": request.code, "verdict": verdict, **more}


def by_press(request: Request, verdict: str = "approve", by: str = "fake:ann", **more: Any) -> dict[str, Any]:
    return {"by": by, "request": request.id, "version": request.version, "verdict": verdict, **more}


@pytest.mark.parametrize("said", [by_code, by_press])
def test_a_person_decides_and_is_told(desk: Desk, said: Any) -> None:
    async def story() -> None:
        request = await desk.ask()
        await desk.hear(desk.channel.says("d1", said(request)))
        case = await desk.case(request)
        assert case.request.state is RequestState.APPROVED
        assert [(each.person, each.channel, each.counted) for each in case.reviews] == [("local:ann", "fake", True)]
        assert [outcome for _, outcome in desk.channel.acknowledged] == [
            Outcome(counted=True, text="approved", request_id=request.id)
        ]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("verdict", "after_s", "state"),
    [
        ("approve", -1, RequestState.PENDING),
        ("approve", None, RequestState.APPROVED),  # its service hands nothing over again
        ("approve", 1, RequestState.APPROVED),
        ("deny", -1, RequestState.DENIED),
    ],
)
def test_what_was_decided_before_a_restore_and_is_heard_again_does_not_count(
    desk: Desk, verdict: str, after_s: int | None, state: RequestState
) -> None:
    """I2: it may have been used up, of which the restored store knows nothing."""

    async def story() -> None:
        request = await desk.ask()
        desk.bench.clock.advance(60)
        now_ms = desk.bench.clock.now_ms()
        await desk.bench.writer.write(lambda connection: restored.settle(connection, now_ms))
        at_ms = None if after_s is None else now_ms + after_s * 1000
        await desk.hear(desk.channel.says("d1", by_code(request, verdict, at_ms=at_ms)))
        case = await desk.case(request)
        assert case.request.state is state
        if state is RequestState.PENDING:
            [told] = desk.told()
            assert told.startswith("this was done before the store was restored from a backup")
            assert desk.entries(EntryType.REVIEW_REJECTED)[0].decision["note"] == told
            await desk.hear(desk.channel.says("d2", by_code(request, verdict, at_ms=now_ms + 1000)))
            assert (await desk.case(request)).request.state is RequestState.APPROVED
        newer = await desk.ask(key="k2", action=replace(request.action, arguments={"command": "rm -rf other"}))
        await desk.hear(desk.channel.says("d3", by_code(newer, at_ms=now_ms - 1000)))
        assert (await desk.case(newer)).request.state is RequestState.APPROVED

    asyncio.run(story())


def test_nothing_is_undone_by_what_was_heard_before_a_restore(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask()
        now_ms = desk.bench.clock.now_ms() + 1
        await desk.bench.writer.write(lambda connection: restored.settle(connection, now_ms))
        await desk.hear(desk.channel.says("d1", {"by": "fake:ann", "undo": request.code, "at_ms": now_ms - 1}))
        assert [each.startswith("this was done before the store was restored") for each in desk.told()] == [True]

    asyncio.run(story())


def test_the_same_delivery_again_is_the_same_review(desk: Desk) -> None:
    """I3: by the provider's id, also under another envelope, in another order, after the first was handled."""

    async def story() -> None:
        request = await desk.ask()
        press = desk.channel.says("d1", by_code(request))
        await desk.hear(press, press)
        await desk.hear(press)
        await desk.hear(("another envelope", press[1]))
        assert len((await desk.case(request)).reviews) == 1
        assert desk.told() == ["approved", "approved"]

    asyncio.run(story())


def test_whoever_is_refused_again_and_again_still_hears_why(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask()
        await desk.hear(desk.channel.says("no", by_code(request, "deny")))
        await desk.hear(*(desk.channel.says(f"{n}", by_code(request)) for n in range(REFUSED_OF_PERSON_MAX + 1)))
        unkept = (
            "already denied by local:ann via fake; so many reviews did not count before that only the log has this one"
        )
        assert desk.told()[-1] == unkept
        await desk.hear(desk.channel.says("deny again", by_code(request, "deny")))
        assert desk.told()[-1] == unkept

    asyncio.run(story())


def test_deliveries_and_cursor_are_on_disk_before_they_are_handled(desk: Desk) -> None:
    """I3: a process that ends right after `take` loses nothing; the next one handles it, in the order of arrival."""

    async def story() -> None:
        request = await desk.ask()
        says = desk.channel.says
        await desk.reception.take(
            "fake", [says("9", by_code(request, "deny")), says("10", by_code(request))], cursor="11"
        )
        later = replace(desk, reception=reception_of(desk.bench, desk.channel))
        assert await later.reception.cursor("fake") == "11"
        await later.settle()
        assert (await desk.case(request)).request.state is RequestState.DENIED
        assert desk.told() == ["denied", "already denied by local:ann via fake 0 s ago"]

    asyncio.run(story())


def test_the_cursor_is_empty_before_the_first_delivery_and_can_move_alone(desk: Desk) -> None:
    async def story() -> None:
        assert await desk.reception.cursor("fake") == ""
        await desk.hear(cursor="7")
        await desk.hear()
        assert await desk.reception.cursor("fake") == "7"

    asyncio.run(story())


@pytest.mark.parametrize("raw", [b"", b"\xff\x00", b"{}", b"x" * (RAW_MAX_BYTES + 1)], ids=len)
def test_what_cannot_be_read_is_set_apart_and_the_next_is_handled(desk: Desk, raw: bytes) -> None:
    async def story() -> None:
        request = await desk.ask()
        await desk.hear(("poison", raw), desk.channel.says("d1", by_code(request)))
        assert (await desk.case(request)).request.state is RequestState.APPROVED
        [entry] = desk.entries(EntryType.CHANNEL_MALFORMED)
        assert entry.data["delivery"] == "poison"
        assert entry.data["delivery_sha256"] == hashlib.sha256(b"poison").hexdigest()
        await replace(desk, reception=reception_of(desk.bench, desk.channel)).settle()
        assert len(desk.entries(EntryType.CHANNEL_MALFORMED)) == 1

    asyncio.run(story())


def test_a_channel_that_breaks_on_a_delivery_does_not_hold_up_the_next(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask()
        bad = desk.channel.says("bad", {"by": "fake:ann", "verdict": "no such verdict"})
        await desk.hear(bad, desk.channel.says("d1", by_code(request)))
        assert (await desk.case(request)).request.state is RequestState.APPROVED
        assert [entry.data["cause"] for entry in desk.entries(EntryType.CHANNEL_MALFORMED)] == ["ValueError"]

    asyncio.run(story())


@pytest.mark.parametrize("id_", ["", "a\0b", "x" * 300, "\ud800"], ids=["empty", "NUL", "long", "surrogate"])
def test_whatever_a_provider_calls_a_delivery_it_is_kept_once(desk: Desk, id_: str) -> None:
    async def story() -> None:
        request = await desk.ask()
        raw = desk.channel.says("d1", by_code(request))[1]
        await desk.hear((id_, raw), (id_, raw))
        assert desk.told() == ["approved"]

    asyncio.run(story())


def test_a_stranger_decides_nothing_is_told_so_and_is_written_down_a_few_times(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask()
        for number in range(20):
            await desk.hear(desk.channel.says(f"d{number}", by_code(request, by="fake:eve", name="Ann\u202e")))
        assert (await desk.case(request)).reviews == ()
        assert desk.channel.vetted == 0
        assert [outcome.is_stranger for _, outcome in desk.channel.acknowledged] == [True] * 3
        refused = desk.entries(EntryType.CHANNEL_REFUSED)
        assert [(entry.actor.id, entry.data["name"]) for entry in refused] == [("fake:eve", "Ann\\u{202E}")] * 3

    asyncio.run(story())


def test_many_strangers_cannot_flood_the_log(desk: Desk) -> None:
    async def story() -> None:
        says = desk.channel.says
        await desk.hear(*(says(f"d{n}", {"by": f"fake:{n}", "verdict": "approve", "code": "x"}) for n in range(200)))
        assert len(desk.entries(EntryType.CHANNEL_REFUSED)) == 60

    asyncio.run(story())


def test_what_a_door_turns_away_is_written_down_a_few_times_and_counted(desk: Desk) -> None:
    async def story() -> None:
        for number in range(20):
            await desk.reception.turned_away("fake", "fake:pager", f"the signature \u202e does not fit {number}")
        desk.bench.clock.advance(1200)
        await desk.reception.turned_away("fake", "fake:pager", "x" * 999)
        refused = desk.entries(EntryType.CHANNEL_REFUSED)
        assert [(entry.actor.channel, dict(entry.data)) for entry in refused] == [
            *(
                ("fake", {"recipient": "fake:pager", "reason": f"the signature \\u{{202E}} does not fit {number}"})
                for number in range(3)
            ),
            ("fake", {"recipient": "fake:pager", "reason": "x" * 200, "unwritten": 17}),
        ]

    asyncio.run(story())


def test_many_doors_cannot_flood_the_log(desk: Desk) -> None:
    async def story() -> None:
        for number in range(200):
            await desk.reception.turned_away("fake", f"fake:{number}", "no")
        assert len(desk.entries(EntryType.CHANNEL_REFUSED)) == 60

    asyncio.run(story())


class Away(Writer):
    """A writer whose store is away."""

    def __init__(self) -> None: ...

    async def write(self, work: object, *, is_brief: bool = False) -> Any:
        raise StoreAwayError(f"away: {work} {is_brief}")


def test_what_cannot_be_written_down_is_turned_away_all_the_same(desk: Desk) -> None:
    async def story() -> None:
        await Knocks(writer=Away(), audit=desk.bench.log, clock=desk.bench.clock).note("fake", "fake:pager", "no")

    asyncio.run(story())


def test_a_channel_cannot_speak_for_the_people_of_another(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask()
        await desk.hear(desk.channel.says("d1", by_code(request, by="local:ann")))
        assert (await desk.case(request)).reviews == ()
        assert len(desk.entries(EntryType.CHANNEL_MALFORMED)) == 1

    asyncio.run(story())


BAD_NAMES = ["fake:\0", "fake:a\u202eb", "fake:" + "x" * 400, "fake:\ud800"]


@pytest.mark.parametrize("by", BAD_NAMES, ids=["NUL", "bidi", "long", "surrogate"])
def test_an_identity_that_is_none_is_set_apart_and_the_store_goes_on(desk: Desk, by: str) -> None:
    async def story() -> None:
        request = await desk.ask()
        kinds = ({"link": "C"}, {"instruction": "x"}, {"undo": "x"}, {"verdict": "approve", "code": request.code})
        await desk.hear(*(desk.channel.says(f"d{n}", {"by": by, **each}) for n, each in enumerate(kinds)))
        await desk.hear(desk.channel.says("good", by_code(request)))
        assert (await desk.case(request)).request.state is RequestState.APPROVED
        assert len(desk.entries(EntryType.CHANNEL_MALFORMED)) == len(kinds)

    asyncio.run(story())


def test_what_the_store_cannot_take_is_set_apart_and_the_store_goes_on(desk: Desk) -> None:
    """PostgreSQL's text has no NUL; whatever a store refuses, one delivery must not end the broker again and again."""

    async def story() -> None:
        request = await desk.ask()
        odd = by_code(request, text="\0 \ud800 \U0001f525", name="\0", scope="\0")
        press = {"by": "fake:ann", "request": request.id, "version": 1, "verdict": "deny", "replies_to": "\0"}
        await desk.hear(desk.channel.says("d1", odd), desk.channel.says("d2", press))
        await desk.hear(desk.channel.says("good", by_code(request, "deny")))
        assert (await desk.case(request)).request.state is RequestState.DENIED

    asyncio.run(story())


def test_a_retraction_counts_whoever_made_it(desk: Desk) -> None:
    """Who edits a comment is not always known: it makes nothing less safe."""

    async def story() -> None:
        request = await desk.ask()
        await desk.hear(
            desk.channel.says("d1", by_code(request)), desk.channel.says("d2", {"by": "", "retracts": "d1"})
        )
        assert [each.counted for each in (await desk.case(request)).reviews] == [False]

    asyncio.run(story())


def test_somebody_known_may_mistype_a_code_more_often_than_a_stranger_may_try(desk: Desk) -> None:
    async def story() -> None:
        await desk.ask()
        wrong = {"by": "fake:ann", "verdict": "approve", "code": "000000-00000000"}
        await desk.hear(*(desk.channel.says(f"d{n}", wrong) for n in range(30)))
        assert len(desk.told()) == 20

    asyncio.run(story())


def test_of_what_was_handled_only_the_id_is_kept(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask()
        await desk.hear(desk.channel.says("d1", by_code(request)), ("poison", b"poison"))
        with desk.bench.reader.connect() as connection:
            rows = connection.exec_driver_sql("select external_id, raw, handled from inbox order by external_id").all()
        assert [(id_, bytes(raw), handled) for id_, raw, handled in rows] == [("d1", b"", 1), ("poison", b"poison", 2)]

    asyncio.run(story())


def test_what_the_channel_doubts_is_recorded_and_does_not_count(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask()
        desk.channel.doubts["d2"] = "the comment was edited"
        await desk.hear(
            desk.channel.says("d1", by_code(request, doubt="it was forwarded")),
            desk.channel.says("d2", by_code(request)),
        )
        case = await desk.case(request)
        assert case.request.state is RequestState.PENDING
        assert [(each.counted, each.note) for each in case.reviews] == [
            (False, "it was forwarded"),
            (False, "the comment was edited"),
        ]
        assert len(desk.entries(EntryType.REVIEW_REJECTED)) == 2
        assert desk.told() == ["it was forwarded", "the comment was edited"]

    asyncio.run(story())


WRONG = [
    {"code": ""},
    {"code": "approve"},
    {"code": "000000-00000000"},
    {"request": "no such request", "version": 1},
    {"request": "\0", "version": 1},
]


@pytest.mark.parametrize("reference", WRONG, ids=str)
def test_what_names_no_request_is_refused_and_written_down(desk: Desk, reference: dict[str, Any]) -> None:
    async def story() -> None:
        await desk.ask()
        await desk.hear(desk.channel.says("d1", {"by": "fake:ann", "verdict": "approve", **reference}))
        assert len(desk.entries(EntryType.CHANNEL_REFUSED)) == 1
        assert [outcome.counted for _, outcome in desk.channel.acknowledged] == [False]

    asyncio.run(story())


def test_a_decision_names_the_version_that_was_shown(desk: Desk) -> None:
    """I2: a request's id alone, another version, or digits of another digest decide nothing."""

    async def story() -> None:
        request = await desk.ask()
        says, base = desk.channel.says, {"by": "fake:ann", "verdict": "approve", "request": request.id}
        await desk.hear(
            says("d1", base),
            says("d2", {**base, "version": 2}),
            says("d3", {**base, "version": 1, "digest": "0" * 8}),
            says("d4", {**base, "version": 1, "digest": request.action_digest[:7]}),
            says("d5", {**base, "version": 1, "code": f"{request.id[-6:]}-00000000"}),
        )
        case = await desk.case(request)
        assert (case.request.state, case.reviews) == (RequestState.PENDING, ())
        await desk.hear(says("d6", {**base, "version": 1, "digest": request.action_digest[:8]}))
        assert (await desk.case(request)).request.state is RequestState.APPROVED

    asyncio.run(story())


@pytest.mark.parametrize(("typed", "counts"), [("", False), ("approve", False), ("digits", True), ("code", True)])
def test_a_critical_request_takes_its_code(desk: Desk, typed: str, counts: bool) -> None:
    async def story() -> None:
        request = await desk.ask(risk=Risk.CRITICAL)
        said = {"digits": request.action_digest[:8].upper(), "code": request.code.lower()}.get(typed, typed)
        await desk.hear(desk.channel.says("d1", by_press(request, typed=said)))
        case = await desk.case(request)
        assert [each.counted for each in case.reviews] == [counts]
        assert (case.request.state is RequestState.APPROVED) is counts

    asyncio.run(story())


def test_a_typed_code_is_code_enough_for_a_critical_request_and_a_deny_takes_none(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask(risk=Risk.CRITICAL)
        await desk.hear(desk.channel.says("d1", by_code(request)))
        assert (await desk.case(request)).request.state is RequestState.APPROVED
        await desk.hear(desk.channel.says("d2", by_press(request, "deny")))
        assert (await desk.case(request)).request.state is RequestState.DENIED

    asyncio.run(story())


def test_a_review_is_worth_no_more_than_its_channel_and_its_identity(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask()
        await desk.hear(
            desk.channel.says("d1", by_code(request, assurance=3)),
            desk.channel.says("d2", by_code(request, "deny", by="fake:bob", assurance=3)),
        )
        assert [each.assurance for each in (await desk.case(request)).reviews] == [1, 0]

    asyncio.run(story())


def test_a_channel_that_cannot_find_out_is_asked_again_while_others_go_on(desk: Desk) -> None:
    async def story() -> None:
        one, two = await desk.ask(), await desk.ask(key="k2", action=replace(a_draft().action, cwd="/elsewhere"))
        desk.channel.failures = [
            ChannelError("away"),
        ]
        await desk.hear(desk.channel.says("d1", by_code(one)), desk.channel.says("d2", by_code(two)))
        assert (await desk.case(one)).request.state is RequestState.PENDING
        assert (await desk.case(two)).request.state is RequestState.APPROVED
        desk.channel.failures = [ChannelError("away", retry_after_s=30)]
        desk.bench.clock.advance(1)
        await desk.settle()
        desk.bench.clock.advance(29)
        await desk.settle()
        assert (await desk.case(one)).reviews == ()
        desk.bench.clock.advance(1)
        await desk.settle()
        assert (await desk.case(one)).request.state is RequestState.APPROVED

    asyncio.run(story())


def test_a_channel_that_hangs_while_it_finds_out_holds_up_nobody_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(inbound: Inbound) -> Inbound:
        if getattr(inbound, "delivery", "") == "d1":
            await asyncio.Event().wait()
        return inbound

    async def story() -> None:
        one, two = await desk.ask(), await desk.ask(key="k2", action=replace(a_draft().action, cwd="/elsewhere"))
        await desk.hear(desk.channel.says("d1", by_code(one)), desk.channel.says("d2", by_code(two)))
        assert (await desk.case(two)).request.state is RequestState.APPROVED
        assert (await desk.case(one)).reviews == ()

    monkeypatch.setattr(hearing, "VET_MAX_S", 0.01)
    monkeypatch.setattr(desk.channel, "vet", hang)
    asyncio.run(story())


def test_what_cannot_be_found_out_for_an_hour_counts_for_nothing(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask()
        desk.channel.failures = [ChannelError("away")] * 2
        await desk.hear(desk.channel.says("d1", by_code(request)))
        desk.bench.clock.advance(PATIENCE_S + 1)
        await desk.settle()
        desk.bench.clock.advance(3600)
        await desk.settle()
        assert (await desk.case(request)).reviews == ()
        assert [entry.data["cause"] for entry in desk.entries(EntryType.CHANNEL_MALFORMED)] == ["away"]

    asyncio.run(story())


def test_an_approval_that_was_edited_before_its_release_is_taken_back(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask()
        says = desk.channel.says
        await desk.hear(says("d1", by_code(request)), says("d2", {"by": "fake:eve", "retracts": "d1"}))
        case = await desk.case(request)
        assert case.grant is not None
        assert case.grant.state is GrantState.REVOKED
        assert [(each.counted, each.note) for each in case.reviews] == [(False, "taken back: it was edited")]
        [entry] = desk.entries(EntryType.REVIEW_RETRACTED)
        assert entry.actor.id == "fake:eve"
        await desk.hear(says("d3", {"by": "fake:eve", "retracts": "d1"}))
        assert desk.told() == ["approved", "taken back: it was edited"]

    asyncio.run(story())


def test_one_approval_of_two_that_was_edited_no_longer_counts(desk: Desk) -> None:
    async def story() -> None:
        terms = a_draft().terms
        two = replace(terms, stages=(replace(terms.stages[0], approvals_needed=2),))
        request = await desk.ask(terms=two)
        says = desk.channel.says
        await desk.hear(
            says("d1", by_code(request)),
            says("d2", {"retracts": "d1"}),
            says("d3", by_code(request, by="fake:bob")),
        )
        assert (await desk.case(request)).request.state is RequestState.PENDING
        await desk.hear(says("d4", by_code(request)))
        assert (await desk.case(request)).request.state is RequestState.APPROVED

    asyncio.run(story())


def test_a_retraction_that_overtakes_its_approval_still_takes_it_back(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask()
        says = desk.channel.says
        await desk.hear(says("d2", {"retracts": "d1"}), says("d1", by_code(request)))
        case = await desk.case(request)
        assert (case.request.state, case.reviews[0].counted) == (RequestState.PENDING, False)

    asyncio.run(story())


def test_a_deny_that_was_edited_stands_and_what_ran_is_not_taken_back(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask()
        says = desk.channel.says
        await desk.hear(says("d1", by_code(request, "deny")), says("d2", {"retracts": "d1"}))
        assert (await desk.case(request)).request.state is RequestState.DENIED
        ran = await desk.ask(key="k2", action=replace(a_draft().action, cwd="/elsewhere"))
        await desk.hear(says("d3", by_code(ran)))
        await desk.bench.desk.redeem(ran.id, action_digest=ran.action_digest, attempt="a", tool_use_id="t")
        await desk.hear(says("d4", {"retracts": "d3"}))
        case = await desk.case(ran)
        assert case.grant is not None
        assert case.grant.state is GrantState.REDEEMED

    asyncio.run(story())


def test_a_pressed_message_that_nobody_remembers_sending_is_kept_up_to_date(desk: Desk) -> None:
    """I10: the answer to a send was lost, so two messages show the request; both are edited when it ends."""

    async def story() -> None:
        request = await desk.ask()
        await desk.hear(desk.channel.says("d1", by_press(request, replies_to="orphan")))
        await desk.hear(desk.channel.says("d2", by_code(request, "deny", replies_to="some talk")))
        with desk.bench.reader.connect() as connection:
            rows = connection.exec_driver_sql(
                "select kind, recipient, external_id, message_id is not null from outbox where channel = 'fake'"
            ).all()
        assert [tuple(row)[:3] for row in rows if row[0] == "send"] == [("send", "fake:room", "orphan")]
        assert [row[0] for row in rows].count("update") == 2

    asyncio.run(story())


def test_instructions_are_for_people_and_undo_and_links_answer_where_there_are_none(desk: Desk) -> None:
    async def story() -> None:
        request = await desk.ask()
        says = desk.channel.says
        await desk.hear(
            says("d1", {"by": "fake:ann", "instruction": "pending"}),
            says("d2", {"by": "fake:eve", "instruction": "pending"}),
            says("d3", {"by": "fake:ann", "undo": request.code}),
            says("d4", {"by": "fake:new", "link": "CODE"}),
            says("d5", "hello"),
        )
        assert [(each.name, person) for each, person in desk.channel.instructed] == [("pending", "local:ann")]
        assert [outcome.counted for _, outcome in desk.channel.acknowledged] == [False, False, False]

    asyncio.run(story())


def test_several_decisions_of_one_delivery_are_several_reviews(desk: Desk) -> None:
    async def story() -> None:
        one, two = await desk.ask(), await desk.ask(key="k2", action=replace(a_draft().action, cwd="/elsewhere"))
        await desk.hear(desk.channel.says("d1", [by_code(one, part="1"), by_code(two, "deny", part="2")]))
        states = [(await desk.case(each)).request.state for each in (one, two)]
        assert states == [RequestState.APPROVED, RequestState.DENIED]

    asyncio.run(story())


def test_handled_deliveries_are_forgotten_after_a_month_and_still_not_counted_twice(desk: Desk) -> None:
    def kept(connection: sa.Connection) -> list[str]:
        return list(connection.exec_driver_sql("select external_id from inbox").scalars())

    async def story() -> None:
        request = await desk.ask()
        await desk.hear(desk.channel.says("d1", by_code(request)))
        desk.bench.clock.advance((KEPT_DAYS + 1) * 86_400)
        running = asyncio.create_task(desk.reception.run("fake"))
        await desk.reception.take("fake", [desk.channel.says("d2", by_code(request))])
        async with asyncio.timeout(5):
            await desk.channel.told_of("d2")
            while "d1" in await read(desk.bench.reader, kept):  # forgetting comes after what waits was handled
                pass
        running.cancel()
        await desk.hear(desk.channel.says("d1", by_code(request)))
        assert len((await desk.case(request)).reviews) == 2

    asyncio.run(story())


def test_a_decision_id_says_where_it_came_from_and_keeps_parts_apart() -> None:
    assert decision_id_of("fake", "a", "b") != decision_id_of("fake", "ab")
    assert decision_id_of("fake", "a:b") != decision_id_of("fake", "a", "b")
    assert decision_id_of("telegram", "1").startswith("telegram:")


def test_standings_are_what_the_schema_calls_unhandled() -> None:
    assert inbox.Standing.WAITING == 0
