"""Agents that go on and are woken, and runs that are resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from askfirst.broker.hook_route import _elsewhere
from askfirst.host import Allow, Defer, Deny, NoOpinion, Notice, SessionStarted, Tell, TurnEnded, Wake
from askfirst.request import Verdict
from askfirst.sight import read_sight
from askfirst.testing.bench import a_review
from askfirst.testing.host_calls import AGENT, BEFORE, RESET

if TYPE_CHECKING:
    from tests.host_events.conftest import Scene

RELEASE = '[hosts]\ninteractive = "release"\n'


def test_an_agent_that_goes_on_is_woken_once_when_somebody_has_decided(scene_over: Callable[..., Scene]) -> None:
    scene = scene_over(RELEASE, terminal=False)
    ended = TurnEnded(agent=AGENT, can_wake=True)

    async def story() -> list[Any]:
        pending = await scene.answer(BEFORE)
        older = asyncio.create_task(scene.answer(ended, "a"))
        await asyncio.sleep(0)
        newer = asyncio.create_task(scene.answer(ended, "b"))
        assert await older == NoOpinion()
        await scene.decide(Verdict.APPROVE)
        woken = await newer
        return [pending, woken, await scene.answer(ended, "c"), await scene.answer(BEFORE, "d")]

    pending, woken, nothing, retry = scene.run(story)
    assert pending.reason.startswith("Pending: ")
    assert isinstance(woken, Wake)
    assert "is approved: the gate lets the identical `git reset --hard` through" in woken.reason
    assert nothing == NoOpinion()
    assert retry == Allow(arguments=RESET.arguments)


def test_a_broker_that_was_restarted_wakes_the_agent_all_the_same(scene_over: Callable[..., Scene]) -> None:
    scene = scene_over(RELEASE, terminal=False)

    async def story() -> Any:
        await scene.answer(BEFORE)
        scene.restart()
        waiting = asyncio.create_task(scene.answer(TurnEnded(agent=AGENT, can_wake=True)))
        await scene.watched()
        await scene.decide(Verdict.DENY, text="keep it")
        return await waiting

    assert "keep it" in scene.run(story).reason


@pytest.mark.parametrize("restarted", [False, True])
def test_a_session_of_another_machine_hears_nothing_and_takes_no_word_away(
    scene_over: Callable[..., Scene], restarted: bool
) -> None:
    """Its name is the word of whoever relays a hook."""
    scene = scene_over(RELEASE, terminal=False)

    async def story() -> list[Any]:
        await scene.answer(BEFORE)
        if restarted:
            scene.restart()
        waiting = asyncio.create_task(scene.answer(TurnEnded(agent=AGENT, can_wake=True)))
        await scene.watched()
        theirs = await scene.answer(TurnEnded(agent=AGENT, can_wake=True, machine="laptop"), "b")
        await scene.decide(Verdict.DENY, text="keep it")
        started = await scene.answer(SessionStarted(agent=AGENT, machine="laptop"), "c")
        return [theirs, started, await waiting]

    theirs, started, woken = scene.run(story)
    assert theirs == NoOpinion()
    assert "keep it" not in started.reason
    assert "keep it" in woken.reason


def test_the_machine_of_a_session_is_that_of_its_token() -> None:
    sight = read_sight({}, "laptop")
    events = [SessionStarted(agent=AGENT), TurnEnded(agent=AGENT), Notice(agent=AGENT, about="idle", text="")]
    assert [_elsewhere(each, sight) for each in events] == [replace(each, machine="laptop") for each in events]


def test_an_agent_is_woken_by_a_late_approval(scene_over: Callable[..., Scene]) -> None:
    scene = scene_over(terminal=False)

    async def story() -> Any:
        held = asyncio.create_task(scene.answer(BEFORE))
        [request] = await scene.asked()
        scene.bench.clock.advance(601)
        await scene.desk.sweep()
        expired = await held
        waiting = asyncio.create_task(scene.answer(TurnEnded(agent=AGENT, can_wake=True)))
        await scene.watched()
        await scene.desk.review(a_review(request, Verdict.APPROVE))
        return expired, await waiting

    expired, woken = scene.run(story)
    assert expired.reason.startswith("Expired: ")
    assert "is approved" in woken.reason


def test_nobody_is_woken_for_nothing_and_a_headless_run_ends(scene_over: Callable[..., Scene]) -> None:
    scene = scene_over(RELEASE, terminal=False)

    async def story() -> list[Any]:
        empty = await scene.answer(TurnEnded(agent=AGENT, can_wake=True))
        await scene.answer(BEFORE)
        return [empty, await scene.answer(TurnEnded(agent=AGENT))]

    assert scene.run(story) == [NoOpinion(), NoOpinion()]


def test_a_session_that_starts_hears_how_approvals_work_and_what_was_decided_meanwhile(
    scene_over: Callable[..., Scene],
) -> None:
    scene = scene_over(RELEASE, terminal=False)

    async def story() -> Any:
        await scene.answer(BEFORE)
        await scene.decide(Verdict.APPROVE)
        return await scene.answer(SessionStarted(agent=AGENT))

    told = scene.run(story)
    assert isinstance(told, Tell)
    first, second = told.reason.split("\n")
    assert first.startswith("Askfirst gates this session")
    assert "is approved" in second


RUN = replace(BEFORE, agent=replace(AGENT, interactive=False), can_ask_here=False, runner_pid=9)


def test_a_deferred_call_of_another_machine_defers_none_here(scene_over: Callable[..., Scene]) -> None:
    scene = scene_over("[hosts]\ndefer_after_s = 0\n")
    theirs = replace(RUN, tool_use_id="toolu_2", call=replace(RESET, sight=read_sight({}, "laptop")))

    async def story() -> list[Any]:
        return [await scene.answer(theirs), await scene.answer(RUN, "b", wait_s=0)]

    assert scene.run(story) == [Defer(), Defer()]


def test_a_run_that_is_resumed_defers_one_call_at_a_time(scene_over: Callable[..., Scene]) -> None:
    """A host resumes the last deferred call only; the others of its turn wait in their hooks."""
    scene = scene_over("[hosts]\ndefer_after_s = 0\n")
    other = replace(RUN, tool_use_id="toolu_2", call=replace(RESET, cwd="/srv/q"))

    async def story() -> list[Any]:
        deferred = await scene.answer(RUN)
        first = (await scene.desk.pending())[0]
        await scene.desk.review(a_review(first, Verdict.APPROVE))  # decided, and not yet taken up
        held = await scene.answer(other, "b", wait_s=0)
        return [
            deferred,
            held,
            await scene.answer(RUN, "c"),
            await scene.answer(RUN, "d"),
            await scene.answer(other, "e"),
        ]

    deferred, held, resumed, twice, after = scene.run(story)
    assert (deferred, after) == (Defer(), Defer())
    assert isinstance(held, Deny)
    assert resumed == Allow(arguments=RESET.arguments)
    assert isinstance(twice, Deny)
