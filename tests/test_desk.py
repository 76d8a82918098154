"""The desk over a real store: each act durable, idempotent, told to whoever waits."""

from __future__ import annotations

import asyncio
import math
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from askfirst.audit_port import Entry, EntryType
from askfirst.engine.reviews import REFUSED_OF_PERSON_MAX
from askfirst.errors import StoreError
from askfirst.request import GrantState, RequestState, Verdict
from askfirst.store import schema
from askfirst.store.calm import Calm
from askfirst.testing.bench import a_draft, a_request, a_review, bench

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.testing.bench import Bench


def test_a_request_is_approved_redeemed_once_and_executed(desk_bench: Bench) -> None:
    async def story() -> None:
        desk = desk_bench.desk
        case = await desk.ask(a_draft())
        waiter = asyncio.create_task(desk.wait(case.request.id, 5))
        step = await desk.review(a_review(case.request, Verdict.APPROVE))
        assert step.done
        ended = await waiter
        assert ended.request.state is RequestState.APPROVED
        digest = case.request.action_digest
        first, second = await asyncio.gather(
            desk.redeem(case.request.id, action_digest=digest, attempt="a", tool_use_id="t"),
            desk.redeem(case.request.id, action_digest=digest, attempt="b", tool_use_id="t"),
        )
        assert [first.done, second.done] == [True, False]
        [released] = await desk.running("session-1")
        done = await desk.executed(released.request.id, action_digest=digest, outcome="ok")
        assert done.case.grant is not None
        assert done.case.grant.state is GrantState.EXECUTED

    asyncio.run(story())
    assert [entry.type for entry in desk_bench.log.entries] == [
        "gate.requested",
        "review.cast",
        "gate.decided",
        "grant.issued",
        "gate.released",
        "gate.executed",
    ]


def test_each_step_that_comes_alone_is_written_by_the_loops_own_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk that is quick enough, as it is here whatever the machine's (docs/adr/0015-work-on-the-spot.md)."""
    monkeypatch.setattr(Calm, "is_calm", lambda _self: True)

    async def story(made: Bench, threads: set[int]) -> None:
        await made.desk.note(Entry(type=EntryType.GATE_PASSED))  # the writer's thread opens the connection
        with made.writer._at_work:  # it answers before it is idle again
            pass
        append = made.log.append
        monkeypatch.setattr(made.log, "append", lambda *given: (threads.add(threading.get_ident()), append(*given))[1])
        request = (await made.desk.ask(a_draft())).request
        await made.desk.review(a_review(request, Verdict.APPROVE))
        digest = request.action_digest
        await made.desk.redeem(request.id, action_digest=digest, attempt="a", tool_use_id="t")
        await made.desk.executed(request.id, action_digest=digest, outcome="ok")

    threads: set[int] = set()
    with bench(tmp_path / "askfirst.db") as made:
        asyncio.run(story(made, threads))
        assert made.log.entries[-1].type == "gate.executed"
    assert threads == {threading.get_ident()}


def test_the_same_key_finds_the_same_request(desk_bench: Bench) -> None:
    async def story() -> set[str]:
        cases = await asyncio.gather(*(desk_bench.desk.ask(a_draft()) for _ in range(8)))
        return {case.request.id for case in cases}

    assert len(asyncio.run(story())) == 1
    assert len(desk_bench.log.entries) == 1


def test_the_same_decision_again_changes_nothing_and_hears_the_same(desk_bench: Bench) -> None:
    async def story() -> None:
        case = await desk_bench.desk.ask(a_draft())
        draft = a_review(case.request, Verdict.DENY)
        first = await desk_bench.desk.review(draft)
        second = await desk_bench.desk.review(draft)
        assert (first.done, second.done) == (True, True)

    asyncio.run(story())
    assert sum(entry.type == "review.cast" for entry in desk_bench.log.entries) == 1


def test_a_review_that_was_refused_and_not_kept_counts_for_nothing_when_it_comes_again(tmp_path: Path) -> None:
    async def story(made: Bench) -> None:
        request = (await made.desk.ask(a_draft())).request
        for n in range(REFUSED_OF_PERSON_MAX):
            await made.desk.review(a_review(request, Verdict.APPROVE, doubt="too old", decision_id=f"{n}"))
        last = a_review(request, Verdict.APPROVE, decision_id="last")
        refused = await made.desk.review(replace(last, doubt="too old"))
        again = await made.desk.review(last)
        assert (refused.done, again.done, again.note) == (False, False, refused.note)
        kept = (await made.desk.case(request.id)).reviews
        assert (len(kept), any(each.decision_id == "last" for each in kept)) == (REFUSED_OF_PERSON_MAX, False)

    with bench(tmp_path / "askfirst.db") as made:
        asyncio.run(story(made))


def test_a_request_that_cannot_be_read_stays_pending_and_holds_up_no_other(desk_bench: Bench) -> None:
    async def story() -> None:
        broken = (await desk_bench.desk.ask(a_draft(key="broken", command="git clean -fd"))).request.id
        whole = (await desk_bench.desk.ask(a_draft())).request.id

        def spoil(connection: sa.Connection) -> None:
            mine = schema.request.c.id == broken
            connection.execute(schema.request.update().where(mine).values(body='{"from": "a newer release"}'))

        desk_bench.writer.submit(spoil).result()
        desk_bench.clock.advance(601)
        assert await desk_bench.desk.sweep() == 1
        assert (await desk_bench.desk.case(whole)).request.state is RequestState.EXPIRED
        assert [each.id for each in await desk_bench.desk.requests()] == [whole]
        with pytest.raises(StoreError, match="stored request cannot be read"):
            await desk_bench.desk.review(a_review(a_request(a_draft()), Verdict.APPROVE, request_id=broken))

    asyncio.run(story())


def test_a_request_whose_bytes_are_damaged_holds_up_no_other(tmp_path: Path) -> None:
    """Only a file can hold what is no UTF-8: PostgreSQL refuses it."""

    async def story(made: Bench) -> None:
        broken = (await made.desk.ask(a_draft(key="broken", command="git clean -fd"))).request
        whole = (await made.desk.ask(a_draft())).request.id

        def spoil(connection: sa.Connection) -> None:
            damaged = sa.text("update request set body = cast(replace(body, 'clean', x'ff') as text) where id = :id")
            connection.execute(damaged, {"id": broken.id})

        made.writer.submit(spoil).result()
        assert [each.id for each in await made.desk.requests()] == [whole]
        with pytest.raises(StoreError, match="stored request cannot be read"):
            await made.desk.review(a_review(broken, Verdict.APPROVE))
        made.clock.advance(601)
        assert await made.desk.sweep() == 1
        assert (await made.desk.case(whole)).request.state is RequestState.EXPIRED

    with bench(tmp_path / "askfirst.db") as made:
        asyncio.run(story(made))


def test_a_page_is_whole_although_a_request_in_it_cannot_be_read(desk_bench: Bench) -> None:
    async def story() -> None:
        keys = ("a", "b", "c")
        asked = [(await desk_bench.desk.ask(a_draft(key=key, command=f"rm -rf {key}"))).request.id for key in keys]
        oldest, broken, newest = sorted(asked)

        def spoil(connection: sa.Connection) -> None:
            mine = schema.request.c.id == broken
            connection.execute(schema.request.update().where(mine).values(body='{"from": "a newer release"}'))

        desk_bench.writer.submit(spoil).result()
        assert [each.id for each in await desk_bench.desk.requests(limit=2)] == [newest, oldest]

    asyncio.run(story())


def test_an_overdue_request_expires_at_the_next_sweep_once(desk_bench: Bench) -> None:
    async def story() -> None:
        case = await desk_bench.desk.ask(a_draft())
        desk_bench.clock.advance(601)
        assert await desk_bench.desk.sweep() == 1
        assert await desk_bench.desk.sweep() == 0
        ended = await desk_bench.desk.case(case.request.id)
        assert ended.request.state is RequestState.EXPIRED

    asyncio.run(story())
    assert [entry.type for entry in desk_bench.log.entries] == ["gate.requested", "gate.timeout"]


def test_a_late_approval_lets_the_next_identical_attempt_pass(desk_bench: Bench) -> None:
    async def story() -> None:
        desk = desk_bench.desk
        case = await desk.ask(a_draft())
        desk_bench.clock.advance(700)
        step = await desk.review(a_review(case.request, Verdict.APPROVE))
        assert step.note.startswith("late")
        [granted] = await desk.granted(case.request.action_digest)
        redeemed = await desk.redeem(
            granted.request.id, action_digest=case.request.action_digest, attempt="n", tool_use_id="t2"
        )
        assert redeemed.done

    asyncio.run(story())


def test_work_that_fails_leaves_no_entry_behind(desk_bench: Bench) -> None:
    async def story() -> None:
        case = await desk_bench.desk.ask(a_draft())
        unknown = replace(a_review(case.request, Verdict.DENY), request_id="nobody")
        results = await asyncio.gather(
            desk_bench.desk.review(unknown),
            desk_bench.desk.review(a_review(case.request, Verdict.APPROVE)),
            return_exceptions=True,
        )
        assert isinstance(results[0], Exception)
        assert not isinstance(results[1], BaseException)

    asyncio.run(story())
    assert len(desk_bench.log.entries) == 4


async def _keeping_time(made: Bench) -> asyncio.Task[None]:
    """Somebody who keeps the time of what is there, and has fallen asleep over it."""
    keeping = asyncio.create_task(made.desk.keep_time())
    while made.desk._next_ms == math.inf:  # known once it sleeps
        await made.desk.waiting()
    return keeping


def _reads(made: Bench) -> list[str]:
    """The statements that the reader is asked from now on."""
    reads: list[str] = []

    @event.listens_for(made.reader, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        reads.append(statement.lower())

    return reads


def test_a_request_that_is_due_before_the_next_look_at_timers_is_not_late(desk_bench: Bench) -> None:
    async def story() -> None:
        await desk_bench.desk.ask(a_draft(key="later"))
        keeping = await _keeping_time(desk_bench)
        draft = a_draft(key="sooner", command="git stash drop")
        now_ms = desk_bench.clock.now_ms()
        case = await desk_bench.desk.ask(replace(draft, terms=replace(draft.terms, approval_expires_at_ms=now_ms + 50)))
        desk_bench.clock.advance(0.05)
        case = await desk_bench.desk.wait(case.request.id, 3)  # the look would come after 5 s
        assert case.request.state is RequestState.EXPIRED
        keeping.cancel()

    asyncio.run(story())


def test_a_decision_makes_nobody_read_the_timers_while_its_waiter_goes_on(desk_bench: Bench) -> None:
    async def story() -> None:
        reads = _reads(desk_bench)
        case = await desk_bench.desk.ask(a_draft())
        keeping = await _keeping_time(desk_bench)
        reads.clear()
        assert (await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))).done
        await desk_bench.desk.case(case.request.id)
        await desk_bench.desk.case(case.request.id)
        assert not [each for each in reads if "min(" in each]
        keeping.cancel()

    asyncio.run(story())
