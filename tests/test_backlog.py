"""How much may wait: over all, of a host, of a caller; counted seldom, and never too little."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from askfirst import backlog
from askfirst.backlog import FRESH_MS
from askfirst.bounds import Bounds
from askfirst.errors import OverloadedError, StoreError
from askfirst.request import Verdict
from askfirst.testing.bench import a_review, bench, one_of_many

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from askfirst.engine import Case
    from askfirst.testing.bench import Bench


async def ask(made: Bench, number: int, *, host: str = "", caller: str = "") -> Case:
    """A request of a session of its own."""
    draft = one_of_many(f"n{number}", number, now_ms=made.clock.now_ms())
    name = host or f"host-{number}"
    agent = replace(draft.agent, host=name)
    return await made.desk.ask(replace(draft, agent=agent, action=replace(draft.action, host=name), caller=caller))


async def ask_from(made: Bench, number: int, machine: str) -> Case:
    """The same by a hook of another machine, all of one host."""
    draft = one_of_many(f"n{number}", number, now_ms=made.clock.now_ms())
    agent = replace(draft.agent, host="claude-code")
    return await made.desk.ask(
        replace(draft, agent=agent, action=replace(draft.action, host=agent.host, machine=machine))
    )


async def withdraw(made: Bench, case: Case) -> None:
    await made.desk.cancel(case.request.id, "no need")


def told(path: Path, story: Any, **bounds: int) -> None:
    with bench(path / "store.db", bounds=Bounds(**bounds)) as made:
        asyncio.run(story(made))


def test_other_hosts_and_sessions_are_no_way_round_the_limit_over_all(tmp_path: Path) -> None:
    async def story(made: Bench) -> None:
        first = await ask(made, 1)
        for number in (2, 3):
            await ask(made, number)
        with pytest.raises(OverloadedError, match=r"^3 requests wait for people already; try again later$"):
            await ask(made, 4)
        assert len(await made.desk.requests()) == 3
        await made.desk.review(a_review(first.request, Verdict.DENY))
        await ask(made, 5)
        with pytest.raises(OverloadedError):
            await ask(made, 6)

    told(tmp_path, story, pending=3)


def test_a_caller_cannot_take_all_of_what_may_wait(tmp_path: Path) -> None:
    async def story(made: Bench) -> None:
        first = await ask(made, 1, caller="token:a")
        await ask(made, 2, caller="token:a")
        with pytest.raises(OverloadedError, match=r"^2 requests of token:a wait for people already; wait for these"):
            await ask(made, 3, caller="token:a")
        await ask(made, 4, caller="token:b")
        await ask(made, 5)
        await withdraw(made, first)
        await ask(made, 6, caller="token:a")

    told(tmp_path, story, pending_per_caller=2)


def test_a_caller_leaves_half_of_a_host_to_others(tmp_path: Path) -> None:
    """It chooses the host's name: without that, nobody's hooks could ask any more."""

    async def story(made: Bench) -> None:
        first = await ask(made, 1, host="claude-code", caller="token:a")
        await ask(made, 2, host="claude-code", caller="token:a")
        with pytest.raises(OverloadedError, match=r"^2 requests of claude-code from token:a wait for people already"):
            await ask(made, 3, host="claude-code", caller="token:a")
        await ask(made, 4, host="another", caller="token:a")
        await withdraw(made, first)
        await ask(made, 5, host="claude-code", caller="token:a")
        await ask(made, 6, host="claude-code")
        await ask(made, 7, host="claude-code")

    told(tmp_path, story, pending_per_host=4)


def test_what_the_hooks_of_another_machine_let_wait_is_that_machines(tmp_path: Path) -> None:
    async def story(made: Bench) -> None:
        for number in (1, 2):
            await ask_from(made, number, "laptop")
        with pytest.raises(OverloadedError, match=r"^2 requests of claude-code from token:laptop wait"):
            await ask_from(made, 3, "laptop")
        await ask_from(made, 4, "ci")

    told(tmp_path, story, pending_per_host=4)


def test_what_a_caller_let_wait_counts_at_a_broker_that_is_started_anew(tmp_path: Path) -> None:
    """Else each restart would let it take another half of a host."""
    path = tmp_path / "store.db"

    async def before(made: Bench) -> None:
        await ask(made, 1, host="claude-code", caller="token:a")
        await ask_from(made, 2, "laptop")

    async def after(made: Bench) -> None:
        with pytest.raises(OverloadedError, match=r"^1 requests of claude-code from token:a wait"):
            await ask(made, 3, host="claude-code", caller="token:a")
        with pytest.raises(OverloadedError, match=r"^1 requests of claude-code from token:laptop wait"):
            await ask_from(made, 4, "laptop")
        with pytest.raises(OverloadedError, match=r"^2 requests of claude-code wait"):
            await ask(made, 5, host="claude-code", caller="token:b")
        await ask(made, 6, caller="token:a")
        with pytest.raises(OverloadedError, match=r"^2 requests of token:a wait"):
            await ask(made, 7, caller="token:a")

    bounds = Bounds(pending_per_host=2, pending_per_caller=2)
    for story in (before, after):
        with bench(path, bounds=bounds) as made:
            asyncio.run(story(made))


def test_callers_without_a_session_share_no_session_that_could_be_full(tmp_path: Path) -> None:
    async def story(made: Bench) -> None:
        for number in (1, 2, 3):
            draft = one_of_many(f"n{number}", number, now_ms=made.clock.now_ms())
            agent = replace(draft.agent, host="ci", session="")
            await made.desk.ask(replace(draft, agent=agent, action=replace(draft.action, host="ci", session="")))

    told(tmp_path, story, pending_per_session=2)


def test_what_waits_is_not_counted_at_every_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str | None] = []
    count = backlog.waiting.count
    monkeypatch.setattr(backlog.waiting, "count", lambda *given: (counted.append(given[2]), count(*given))[1])

    async def story(made: Bench) -> None:
        for number in range(20):
            await ask(made, number, host="one")
        assert counted == [None, "one"]
        made.clock.advance(FRESH_MS / 1000)
        await ask(made, 20, host="one")
        assert counted == [None, "one"] * 2

    told(tmp_path, story)


def test_what_another_broker_let_in_is_seen_after_a_while(tmp_path: Path) -> None:
    async def story(made: Bench) -> None:
        path = made.path
        await ask(made, 1)
        with bench(path) as other:
            for number in (2, 3):
                await ask(other, number)
        made.clock.advance(FRESH_MS / 1000)
        with pytest.raises(OverloadedError):
            await ask(made, 4)

    told(tmp_path, story, pending=3)


def test_what_a_caller_let_wait_at_another_broker_is_seen_after_a_while(tmp_path: Path) -> None:
    async def story(made: Bench) -> None:
        await ask(made, 1, host="claude-code", caller="token:a")
        with bench(made.path) as other:
            await ask(other, 2, host="claude-code", caller="token:a")
        made.clock.advance(FRESH_MS / 1000)
        with pytest.raises(OverloadedError, match=r"^2 requests of claude-code from token:a wait"):
            await ask(made, 3, host="claude-code", caller="token:a")
        await ask(made, 4, host="claude-code", caller="token:b")

    told(tmp_path, story, pending_per_host=4)


def test_a_request_that_was_not_written_takes_no_room_for_long(tmp_path: Path) -> None:
    async def story(made: Bench) -> None:
        append, made.log.append = made.log.append, None  # type: ignore[assignment,method-assign]  # the log fails
        for number in (1, 2, 3):
            with pytest.raises(StoreError):
                await ask(made, number, caller="token:a")
        made.log.append = append  # type: ignore[method-assign]  # and works again
        for number in (4, 5):
            await ask(made, number, caller="token:a")

    told(tmp_path, story, pending=2, pending_per_host=2, pending_per_caller=2)


def test_hosts_without_end_are_not_remembered_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "NAMES_MAX", 3)

    async def story(made: Bench) -> None:
        for number in range(8):
            await ask(made, number, caller=f"token:{number}")
        with pytest.raises(OverloadedError, match="1 requests of host-7 wait"):
            await ask(made, 8, host="host-7")
        with pytest.raises(OverloadedError, match="1 requests of host-0 wait"):
            await ask(made, 9, host="host-0")  # forgotten, and counted anew

    told(tmp_path, story, pending_per_host=1)
