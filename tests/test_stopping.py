"""A session that is told to stop: whatever else of it waits for people ends in the same moment."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from askfirst import answers
from askfirst.bounds import Bounds
from askfirst.broker.shown import case_out
from askfirst.policy.ruling import Stage
from askfirst.request import RequestState, Verdict
from askfirst.sdk.outcomes import Cancelled, decision
from askfirst.store import outbox, schema
from askfirst.testing.bench import Bench, a_draft, a_review, bench
from mcp_server.words import result

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.engine import Case, Step
    from askfirst.intake import Draft


def draft(key: str, *, host: str = "claude-code", session: str = "session-1", machine: str = "") -> Draft:
    made = a_draft(key=key, command=f"rm -rf {key}")
    action = replace(made.action, host=host, session=session, machine=machine)
    return replace(made, agent=replace(made.agent, host=host, session=session), action=action)


async def stopped(made: Bench, case: Case) -> Step:
    return await made.desk.review(a_review(case.request, Verdict.DENY, stop=True, text="you are off the rails"))


def test_what_else_of_a_stopped_session_waits_is_withdrawn_with_it(desk_bench: Bench) -> None:
    """I5, I10: nobody approves any more what would be refused when it is about to run."""

    async def story() -> tuple[list[Case], Step]:
        desk = desk_bench.desk
        last = await desk.ask(draft("last"))
        command = await desk.ask(draft("waits"))
        question = await desk.ask(replace(draft("asks"), question="which?"))
        with desk_bench.hub.waiter(command.request.id) as told:
            step = await stopped(desk_bench, last)
            assert await asyncio.wait_for(told, 5) == await desk.case(command.request.id)
        late = await desk.review(a_review(command.request, Verdict.APPROVE))
        assert (late.done, late.note) == (False, "already cancelled by local:ann via web")
        return [await desk.case(each.request.id) for each in (command, question)], step

    cases, step = asyncio.run(story())
    code = step.case.request.code
    why = f"the session was told to stop by local:ann (request {code})"
    assert step.note == "denied; the session is told to stop; what else of it waited is withdrawn (2)"
    for case in cases:
        end = case.request.end
        assert case.request.state is RequestState.CANCELLED
        assert end is not None
        assert (end.by, end.channel, end.text, end.stop) == ("local:ann", "web", why, True)
    entries = [each for each in desk_bench.log.entries if each.type == "gate.cancelled"]
    assert [each.request for each in entries] == [each.request.id for each in cases]
    assert {(each.actor.type, each.actor.id, each.actor.channel, each.actor.assurance) for each in entries} == {
        ("human", "local:ann", "web", 1)
    }
    assert entries[0].decision == {"verdict": "cancelled", "reason": why, "stop": True}


def test_whoever_waited_for_it_is_told_that_its_session_was_told_to_stop(desk_bench: Bench) -> None:
    async def story() -> tuple[Case, str]:
        case = await desk_bench.desk.ask(draft("waits"))
        step = await stopped(desk_bench, await desk_bench.desk.ask(draft("last")))
        return await desk_bench.desk.case(case.request.id), step.case.request.code

    case, code = asyncio.run(story())
    why = f"the session was told to stop by local:ann (request {code})"
    told = f"Withdrawn: `rm -rf waits` was not run (request {case.request.code}): {why}. Stop now"
    shown = case_out(case).model_dump(mode="json")
    ended = decision(shown, asked=None)
    assert isinstance(ended, Cancelled)
    assert str(ended) == f"{told}, and wait for the person."
    assert answers.refusal(case).startswith(f"{told}: run no further commands")
    assert result(shown, is_gated=True)["next"] == (
        f"It was withdrawn: {why}. Stop now: do nothing more, and wait for the person."
    )


@pytest.mark.parametrize("store_url", [""])  # looks into the file
def test_its_messages_are_edited_with_it(desk_bench: Bench) -> None:
    """I10: they say by whom, where and when."""

    async def story() -> list[str]:
        stages = (Stage(recipients=("web:a", "web:b")),)
        waits = draft("waits")
        waits = replace(waits, terms=replace(waits.terms, stages=stages))
        case = await desk_bench.desk.ask(waits)
        await stopped(desk_bench, await desk_bench.desk.ask(draft("last")))
        with sqlite3.connect(f"file:{desk_bench.path}?mode=ro", uri=True) as database:
            found = database.execute(
                "select recipient from outbox where kind = ? and request_id = ? order by id",
                (outbox.UPDATE, case.request.id),
            )
            return [recipient for (recipient,) in found]

    assert asyncio.run(story()) == ["web:a", "web:b"]


def test_what_is_not_of_that_session_waits_on(desk_bench: Bench) -> None:
    """One that is called the same is another one on another machine, or of another host."""

    async def story() -> list[RequestState]:
        desk = desk_bench.desk
        others = [
            await desk.ask(draft("1", session="session-2")),
            await desk.ask(draft("2", host="codex")),
            await desk.ask(draft("3", machine="build-1")),
        ]
        approved = await desk.ask(draft("4"))
        await desk.review(a_review(approved.request, Verdict.APPROVE))
        step = await stopped(desk_bench, await desk.ask(draft("5")))
        assert (step.note, step.others) == ("denied; the session is told to stop", ())
        nameless = [await desk.ask(draft(key, session="")) for key in ("6", "7")]
        await stopped(desk_bench, nameless[0])
        plain = [await desk.ask(draft(key, session="session-3")) for key in ("8", "9")]
        await desk.review(a_review(plain[0].request, Verdict.DENY))
        return [(await desk.case(each.request.id)).request.state for each in (*others, approved, nameless[1], plain[1])]

    assert asyncio.run(story()) == [
        *[RequestState.PENDING] * 3,
        RequestState.APPROVED,
        *[RequestState.PENDING] * 2,
    ]


def test_what_is_overdue_ends_as_its_deadline_says(desk_bench: Bench) -> None:
    """I4: a deadline that has passed has passed, also where nobody has looked yet."""

    async def story() -> None:
        overdue = await desk_bench.desk.ask(draft("overdue"))
        desk_bench.clock.advance(300)
        last = draft("last")
        later = replace(last.terms, approval_expires_at_ms=last.terms.approval_expires_at_ms + 600_000)
        case = await desk_bench.desk.ask(replace(last, terms=later))
        desk_bench.clock.advance(300)
        step = await stopped(desk_bench, case)
        assert step.note == "denied; the session is told to stop"
        assert [each.request.state for each in step.others] == [RequestState.EXPIRED]
        assert (await desk_bench.desk.case(overdue.request.id)).request.state is RequestState.EXPIRED

    asyncio.run(story())


def test_what_cannot_be_read_keeps_no_session_from_being_stopped(desk_bench: Bench) -> None:
    async def story() -> None:
        cases = [await desk_bench.desk.ask(draft(key)) for key in ("1", "2", "3")]

        def tear(connection: sa.Connection) -> None:
            torn = schema.request.c.id == cases[0].request.id
            connection.execute(sa.update(schema.request).where(torn).values(body="{}"))

        await desk_bench.writer.write(tear)
        step = await stopped(desk_bench, cases[2])
        assert step.done
        assert [each.request.id for each in step.others] == [cases[1].request.id]

    asyncio.run(story())


def test_however_much_waits_all_of_it_ends(tmp_path: Path) -> None:
    many = 300

    async def story(made: Bench) -> None:
        cases = [await made.desk.ask(draft(f"{number}")) for number in range(many)]
        step = await stopped(made, cases[-1])
        assert len(step.others) == many - 1
        assert await made.desk.pending() == []

    with bench(tmp_path / "store.db", bounds=Bounds(pending_per_session=many)) as made:
        asyncio.run(story(made))
