"""A store that was put back from a backup: what was open in it opens nothing, and what waits goes on waiting."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from askfirst import card
from askfirst.break_glass import Code
from askfirst.errors import StoreError
from askfirst.policy.ruling import ScopeOffer, Stage
from askfirst.request import GrantState, RequestState, Verdict
from askfirst.restoring import Restoring
from askfirst.store import break_glass, restored, schema
from askfirst.store.restored import Restored
from askfirst.testing.bench import Bench, FakeSigner, a_draft, a_review

if TYPE_CHECKING:
    import sqlalchemy as sa

    from askfirst.engine import Case, Step
    from askfirst.intake import Draft

AT = "2027-01-15T08:00:00.000000Z"
WHEN = f"the store was restored from a backup of {AT}"
ABOUT = Restored(head="4:00", at=AT, lost=7)


def restoring(made: Bench) -> Restoring:
    return Restoring(
        writer=made.writer, reader=made.reader, audit=made.log, hub=made.hub, clock=made.clock, signer=FakeSigner()
    )


async def approved(made: Bench, key: str) -> Case:
    case = await made.desk.ask(a_draft(key=key, command=f"rm -rf {key}"))
    return (await made.desk.review(a_review(case.request, Verdict.APPROVE))).case


async def redeem(made: Bench, case: Case) -> Step:
    return await made.desk.redeem(
        case.request.id, action_digest=case.request.action_digest, attempt="attempt-1", tool_use_id="t"
    )


def a_code(now_ms: int, name: str, **changes: object) -> Code:
    values: dict[str, object] = {"created_at_ms": now_ms, "expires_at_ms": now_ms + 1000, "request_id": name} | changes
    return Code(id=name, person="local:ann", salt=os.urandom(16), hash=b"h" * 32, **values)  # type: ignore[arg-type]


def test_a_grant_that_a_backup_brought_back_is_redeemed_by_nobody(desk_bench: Bench) -> None:
    """I2: it may have been used after the backup, of which the store knows nothing."""

    async def story() -> None:
        cases = [await approved(desk_bench, str(number)) for number in range(3)]
        await desk_bench.writer.write(partial(restored.mark, restored=ABOUT))
        await restoring(desk_bench).settle()
        step = await redeem(desk_bench, cases[0])
        assert (step.done, step.note) == (False, f"the grant is revoked: {WHEN}; ask again")
        assert card.card_of(step.case).receipt == f"the approval was taken back: {WHEN}; ask again"
        assert await desk_bench.desk.grants() == []

    asyncio.run(story())
    revoked = [each for each in desk_bench.log.entries if each.type == "grant.revoked"]
    assert len(revoked) == 3
    assert {(each.actor.type, each.actor.id, each.decision["reason"]) for each in revoked} == {
        ("system", "restore", f"{WHEN}; ask again")
    }


def test_an_approval_and_what_it_was_passed_on_to_are_taken_back_once_each(desk_bench: Bench) -> None:
    offer = ScopeOffer(kind="duration", amount=60, pattern="rm -rf *")

    def drafted(key: str) -> Draft:
        draft = a_draft(key=key, command=f"rm -rf {key}")
        return replace(draft, terms=replace(draft.terms, scopes=(offer,)))

    async def story() -> None:
        case = await desk_bench.desk.ask(drafted("a"))
        await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE, scope="duration:60 rm -rf *"))
        assert await desk_bench.desk.covered(drafted("b")) is not None  # lapses with the first
        await desk_bench.writer.write(partial(restored.mark, restored=ABOUT))
        await restoring(desk_bench).settle()
        assert await desk_bench.desk.grants() == []

    asyncio.run(story())
    *revoked, entry = desk_bench.log.entries[-3:]
    assert [each.type for each in revoked] == ["grant.revoked", "grant.revoked"]
    assert entry.data is not None
    assert entry.data["grants_revoked"] == 2


def test_the_log_says_what_was_restored_and_what_came_of_it_once(desk_bench: Bench) -> None:
    async def story() -> None:
        await approved(desk_bench, "a")
        await desk_bench.desk.ask(a_draft(key="b", command="rm -rf b"))
        await desk_bench.writer.write(partial(restored.mark, restored=ABOUT))
        await restoring(desk_bench).settle()
        await restoring(desk_bench).settle()  # another start

    asyncio.run(story())
    [entry] = [each for each in desk_bench.log.entries if each.type == "store.restored"]
    assert entry.data == {
        "head": "4:00",
        "backup_at": AT,
        "grants_revoked": 1,
        "codes_revoked": 0,
        "pending": 1,
        "entries_lost": 7,
    }


def test_what_waits_is_shown_anew_with_the_reason_and_can_be_decided(desk_bench: Bench) -> None:
    async def story() -> None:
        asked = await desk_bench.desk.ask(a_draft(key="a", command="rm -rf a"))
        await desk_bench.writer.write(partial(restored.mark, restored=ABOUT))
        await restoring(desk_bench).settle()
        case = await desk_bench.desk.case(asked.request.id)
        note = f"{WHEN}; what was decided since then is lost, decide again"
        assert (case.request.state, case.request.notes) == (RequestState.PENDING, (*asked.request.notes, note))
        assert await desk_bench.desk.restored_at_ms() == desk_bench.clock.now_ms()
        done = await desk_bench.desk.review(a_review(asked.request, Verdict.APPROVE))
        assert done.case.request.state is RequestState.APPROVED
        assert (await redeem(desk_bench, done.case)).done

    asyncio.run(story())


def test_a_break_glass_code_is_not_used_twice_by_way_of_a_backup(desk_bench: Bench) -> None:
    now_ms = desk_bench.clock.now_ms()
    usable, window = a_code(now_ms, "AAAA"), a_code(now_ms, "BBBB", used_at_ms=now_ms, until_ms=now_ms + 500)
    ended = a_code(now_ms, "CCCC", used_at_ms=now_ms - 10)

    def work(connection: sa.Connection) -> None:
        for code in (usable, window, ended):
            break_glass.add(connection, code)
        restored.mark(connection, ABOUT)

    async def story() -> None:
        await desk_bench.writer.write(work)
        await restoring(desk_bench).settle()
        codes = await desk_bench.writer.write(break_glass.listed)
        assert {each.id: each.revoked_at_ms for each in codes} == {"AAAA": now_ms, "BBBB": now_ms, "CCCC": None}

    asyncio.run(story())
    revoked = [each.data["break_glass"] for each in desk_bench.log.entries if each.type == "break_glass.revoked"]
    assert sorted(revoked, key=str) == ["AAAA", "BBBB"]


def test_a_store_that_was_not_restored_is_left_alone(desk_bench: Bench) -> None:
    async def story() -> None:
        case = await approved(desk_bench, "a")
        await restoring(desk_bench).settle()
        assert (await redeem(desk_bench, case)).done

    asyncio.run(story())


def test_what_cannot_be_read_opens_nothing_and_holds_up_nobody(desk_bench: Bench) -> None:
    """A copy of a store can be sound as a file, and not in what it says."""

    def damage(ids: list[str], connection: sa.Connection) -> None:
        for table in (schema.grant, schema.review):
            connection.execute(table.update().where(table.c.request_id.in_(ids)).values(body="{"))
        restored.mark(connection, ABOUT)

    async def story() -> None:
        broken, whole = await approved(desk_bench, "a"), await approved(desk_bench, "b")
        draft = a_draft(key="c", command="rm -rf c")
        terms = replace(draft.terms, stages=(Stage(approvals_needed=2, recipients=("web:inbox",)),))
        waiting = await desk_bench.desk.ask(replace(draft, terms=terms))
        await desk_bench.desk.review(a_review(waiting.request, Verdict.APPROVE))
        asked = await desk_bench.desk.ask(a_draft(key="d", command="rm -rf d"))
        await desk_bench.writer.write(partial(damage, [broken.request.id, waiting.request.id]))
        await restoring(desk_bench).settle()
        assert [each.request.id for each in await desk_bench.desk.grants()] == []
        for each in (broken, waiting):
            with pytest.raises(StoreError, match="cannot be read"):
                await redeem(desk_bench, each)
        assert not (await redeem(desk_bench, whole)).done
        assert WHEN in (await desk_bench.desk.case(asked.request.id)).request.notes[-1]

    asyncio.run(story())


def test_more_grants_than_one_transaction_takes_are_all_taken_back(desk_bench: Bench) -> None:
    async def story() -> None:
        for number in range(300):
            await approved(desk_bench, str(number))
        await desk_bench.writer.write(partial(restored.mark, restored=ABOUT))
        await restoring(desk_bench).settle()
        found = [await desk_bench.desk.case(each.id) for each in await desk_bench.desk.requests(limit=400)]
        assert {each.grant.state for each in found if each.grant is not None} == {GrantState.REVOKED}

    asyncio.run(story())
