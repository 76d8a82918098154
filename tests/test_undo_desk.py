"""Taking back what ran: who may, once for each press, and written down each time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from askfirst.audit_port import EntryType
from askfirst.card import card_of
from askfirst.engine import Case
from askfirst.engine.undo import ways_back
from askfirst.errors import RescueError
from askfirst.people import Directory, Person
from askfirst.policy.ruling import ONCE, ScopeOffer
from askfirst.request import GrantState, Receipt, Verdict
from askfirst.rescue import Order
from askfirst.testing.bench import Bench, FakeClock, a_draft, a_review, bench
from askfirst.testing.net import MemoryNet


@pytest.fixture
def net() -> MemoryNet:
    return MemoryNet(FakeClock())


@pytest.fixture
def made(tmp_path: Path, net: MemoryNet) -> Iterator[Bench]:
    people = Directory(
        people=(Person(id="local:ann"), Person(id="local:bob")), requesters={"claude-code": ("local:bob",)}
    )
    with bench(tmp_path / "askfirst.db", net=net, people=people) as it:
        yield it


async def released(made: Bench, *, ran: bool = True) -> Case:
    case = await made.desk.ask(a_draft())
    await made.desk.review(a_review(case.request, Verdict.APPROVE))
    digest = case.request.action_digest
    step = await made.desk.redeem(case.request.id, action_digest=digest, attempt="attempt-1", tool_use_id="t")
    if ran:
        step = await made.desk.executed(
            case.request.id,
            action_digest=digest,
            outcome="ok",
            tool_use_id="t",
            receipt=Receipt(exit_code=0, duration_ms=1200, head="3f2a" * 10),
        )
    return step.case


def test_what_ran_is_undone_and_the_undo_is_undone(made: Bench, net: MemoryNet) -> None:
    async def story() -> None:
        case = await released(made)
        assert card_of(case).undo.offer == "undo"
        first = await made.undos.undo(case.request.id, turn=0, by="local:ann", channel="web", assurance=1)
        assert (first.done, first.note) == (True, "put back 2 files")
        assert first.case.grant is not None
        assert first.case.grant.state is GrantState.UNDONE
        assert (card_of(first.case).undo.offer, card_of(first.case).undo.turn) == ("redo", 1)
        second = await made.undos.undo(case.request.id, turn=1, by="local:ann", channel="telegram")
        assert second.case.grant is not None
        assert second.case.grant.state is GrantState.EXECUTED

    asyncio.run(story())
    assert [each.snapshot for each in net.orders] == ["snapshot-1", "snapshot-2"]
    assert (net.waiting, net.seen) == ([], ["snapshot-1"])
    undone = [each for each in made.log.entries if each.type == "gate.undone"]
    assert [(each.actor.id, each.actor.channel, each.decision["verdict"]) for each in undone] == [
        ("local:ann", "web", "undone"),
        ("local:ann", "telegram", "redone"),
    ]
    assert undone[0].decision["snapshot"] == "snapshot-1"
    assert undone[0].decision["aside"] == "snapshot-2"


def test_a_second_press_of_the_same_button_does_nothing(made: Bench, net: MemoryNet) -> None:
    async def story() -> list[bool]:
        case = await released(made)
        press = [made.undos.undo(case.request.id, turn=0, by="local:ann", channel="web") for _ in range(5)]
        return [step.done for step in await asyncio.gather(*press)]

    assert sorted(asyncio.run(story())) == [False, False, False, False, True]
    assert len(net.orders) == 1


@pytest.mark.parametrize(
    ("person", "why"),
    [
        ("local:bob", "local:bob is not among the reviewers of this request"),
        ("agent", "agent is not among the reviewers of this request"),
    ],
)
def test_the_requester_and_strangers_undo_nothing(made: Bench, net: MemoryNet, person: str, why: str) -> None:
    """I5: whoever asks never counts, and neither does somebody whom nobody knows."""

    async def story() -> None:
        case = await released(made)
        step = await made.undos.undo(case.request.id, turn=0, by=person, channel="web")
        assert (step.done, step.note) == (False, why)

    asyncio.run(story())
    assert net.orders == []


def test_what_has_not_run_cannot_be_undone(made: Bench) -> None:
    async def story() -> None:
        case = await made.desk.ask(a_draft())
        step = await made.undos.undo(case.request.id, turn=0, by="local:ann", channel="web")
        assert (step.done, step.note) == (False, "there is nothing to undo: it has not run")
        assert (await made.undos.preview(case.request.id)).problems == (step.note,)

    asyncio.run(story())


def test_nothing_is_released_while_what_was_promised_cannot_be_kept(made: Bench, net: MemoryNet) -> None:
    async def story() -> None:
        case = await made.desk.ask(a_draft())
        await made.desk.review(a_review(case.request, Verdict.APPROVE))
        net.fails = "another git process holds its index"
        digest = case.request.action_digest
        with pytest.raises(RescueError, match="holds its index"):
            await made.desk.redeem(case.request.id, action_digest=digest, attempt="attempt-1", tool_use_id="t")
        after = await made.desk.case(case.request.id)
        assert after.grant is not None
        assert after.grant.state is GrantState.ISSUED
        [refused] = [entry for entry in made.log.entries if entry.type is EntryType.GATE_REFUSED]
        assert refused.request == case.request.id
        assert "holds its index" in str(refused.decision["reason"])
        net.fails = ""
        step = await made.desk.redeem(case.request.id, action_digest=digest, attempt="attempt-2", tool_use_id="t")
        assert step.done
        assert [entry.type for entry in made.log.entries].count(EntryType.GATE_REFUSED) == 1

    asyncio.run(story())


def test_a_snapshot_that_let_nothing_run_is_dropped(made: Bench, net: MemoryNet) -> None:
    async def story() -> None:
        case = await made.desk.ask(a_draft())
        await made.desk.review(a_review(case.request, Verdict.APPROVE))
        digest = case.request.action_digest
        tries = [
            made.desk.redeem(case.request.id, action_digest=digest, attempt=f"attempt-{n}", tool_use_id="t")
            for n in range(4)
        ]
        assert sum(step.done for step in await asyncio.gather(*tries)) == 1

    asyncio.run(story())
    assert len(net.kept) == 1


def test_an_undo_that_failed_changes_nothing_and_can_be_tried_again(made: Bench, net: MemoryNet) -> None:
    async def story() -> None:
        case = await released(made)
        net.fails = "the disk is full"
        with pytest.raises(RescueError, match="the disk is full"):
            await made.undos.undo(case.request.id, turn=0, by="local:ann", channel="web")
        net.fails = ""
        assert (await made.undos.undo(case.request.id, turn=0, by="local:ann", channel="web")).done

    asyncio.run(story())


def test_an_undo_that_a_crash_cut_off_is_finished_at_the_next_start_and_logged_once(
    made: Bench, net: MemoryNet
) -> None:
    async def story() -> None:
        case = await released(made)
        net.waiting = [
            Order(request_id=case.request.id, snapshot="snapshot-1", turn=0, by="local:ann", channel="web", assurance=1)
        ]
        await made.undos.finish()
        await made.undos.finish()
        after = await made.desk.case(case.request.id)
        assert after.grant is not None
        assert after.grant.state is GrantState.UNDONE

    asyncio.run(story())
    assert [each.type for each in made.log.entries].count("gate.undone") == 1
    assert net.waiting == []


def test_a_receipt_says_whether_exactly_what_was_approved_ran(made: Bench) -> None:
    async def story() -> None:
        case = await released(made, ran=False)
        assert card_of(case).receipt == "released; the host has not reported yet what came of it"
        digest = "f" * 64
        step = await made.desk.executed(case.request.id, action_digest=digest, outcome="failed", tool_use_id="t")
        assert card_of(step.case).receipt == "what ran differs from what was approved · failed"

    asyncio.run(story())


def test_a_receipt_has_exit_code_duration_and_the_new_head(made: Bench) -> None:
    case = asyncio.run(released(made))
    assert (
        card_of(case).receipt == "ran exactly what was approved · ok · exit code 0 · 1.2 s · HEAD is now 3f2a3f2a3f2a"
    )
    [entry] = [each for each in made.log.entries if each.type == "gate.executed"]
    assert {name: entry.decision[name] for name in ("exit_code", "duration_ms")} == {
        "exit_code": 0,
        "duration_ms": 1200,
    }


def test_a_permission_that_nobody_used_says_that_it_did_not_run(made: Bench) -> None:
    async def story() -> Case:
        case = await made.desk.ask(a_draft())
        await made.desk.review(a_review(case.request, Verdict.APPROVE))
        made.clock.advance(121)
        await made.desk.sweep()
        return await made.desk.case(case.request.id)

    assert card_of(asyncio.run(story())).receipt == "it did not run: the permission lapsed unused"


def test_a_card_that_waits_says_what_was_promised(made: Bench) -> None:
    async def story() -> None:
        case = await made.desk.ask(a_draft())
        promised = replace(case.request, promise=replace(case.request.promise, holds=True, words="can be undone\u202e"))
        card = card_of(Case(request=promised))
        assert (card.undo.words, card.undo.offer) == ("can be undone\\u{202E}", "")

    asyncio.run(story())


async def ran_twice(made: Bench) -> Case:
    """A permission for three runs, of which two have been made."""
    draft = a_draft()
    terms = replace(draft.terms, scopes=(ONCE, ScopeOffer(kind="uses", amount=3)))
    case = await made.desk.ask(replace(draft, terms=terms))
    await made.desk.review(a_review(case.request, Verdict.APPROVE, scope="uses:3"))
    digest = case.request.action_digest
    for number in (1, 2):
        name = f"t{number}"
        await made.desk.redeem(case.request.id, action_digest=digest, attempt=name, tool_use_id=name)
        step = await made.desk.executed(case.request.id, action_digest=digest, outcome="ok", tool_use_id=name)
    return step.case


def test_each_run_of_a_permission_for_several_can_be_undone_and_redone(made: Bench, net: MemoryNet) -> None:
    async def story() -> None:
        case = await ran_twice(made)
        id_ = case.request.id

        async def undo(use: int, turn: int) -> Case:
            step = await made.undos.undo(id_, turn=turn, by="local:ann", channel="web", use=use)
            assert step.done, step.note
            return step.case

        assert [(each.use, each.offer, each.snapshot) for each in ways_back(case)] == [
            (1, "undo", "snapshot-1"),
            (2, "undo", "snapshot-2"),
        ]
        await undo(1, 0)
        case = await undo(0, 0)  # the newest
        assert [(each.use, each.offer, each.turn, each.snapshot) for each in ways_back(case)] == [
            (1, "redo", 1, "snapshot-3"),
            (2, "redo", 1, "snapshot-4"),
        ]
        case = await undo(1, 1)
        assert [each.offer for each in ways_back(case)] == ["undo", "redo"]
        assert case.grant is not None
        assert case.grant.state is GrantState.ISSUED  # one run is left
        refused = await made.undos.undo(id_, turn=0, by="local:ann", channel="web", use=1)
        assert not refused.done
        assert refused.note.startswith("it is no longer as you saw it: local:ann was there before you")
        missing = await made.undos.undo(id_, turn=0, by="local:ann", channel="web", use=3)
        assert (missing.done, missing.note) == (False, "there is no undo: it ran 2 times, not 3")

    asyncio.run(story())
    undone = [each.decision for each in made.log.entries if each.type == "gate.undone"]
    assert [(each["use"], each["verdict"], each["snapshot"]) for each in undone] == [
        (1, "undone", "snapshot-1"),
        (2, "undone", "snapshot-2"),
        (1, "redone", "snapshot-3"),
    ]


def test_what_was_undone_before_it_ran_again_stays_so(made: Bench) -> None:
    async def story() -> None:
        case = await ran_twice(made)
        await made.undos.undo(case.request.id, turn=0, by="local:ann", channel="web")
        digest = case.request.action_digest
        step = await made.desk.redeem(case.request.id, action_digest=digest, attempt="t3", tool_use_id="t3")
        assert [each.offer for each in ways_back(step.case)] == ["undo", "redo", "undo"]
        assert card_of(step.case).undo.turn == 0

    asyncio.run(story())
