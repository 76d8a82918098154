"""Prompts that race, questions, and what ran unapproved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from askfirst.bypasses import OWN_PROMPT
from askfirst.call import ToolCall
from askfirst.host import (
    Allow,
    Answered,
    AskHere,
    Deny,
    HostQuestion,
    NoOpinion,
    QuestionsShown,
)
from askfirst.policy.ruling import Outcome, Stage
from askfirst.request import GrantState, RequestState, Verdict
from askfirst.sight import read_sight
from askfirst.testing.bench import a_review
from askfirst.testing.host_calls import AFTER, AGENT, BEFORE, ECHO, OTHER, PROMPT, RESET
from askfirst.testing.ladder_policy import ConfiguredPolicy

if TYPE_CHECKING:
    from tests.host_events.conftest import Scene

QUESTIONS = QuestionsShown(
    agent=AGENT,
    call=ToolCall(tool="AskUserQuestion", arguments={"questions": "…"}, session="session-1"),
    questions=(
        HostQuestion(text="Which?", options=("A", "B")),
        HostQuestion(text="Who?", options=("x",), several=True),
    ),
)


def test_a_prompt_is_answered_from_elsewhere_and_its_call_is_released_once(scene: Scene) -> None:
    async def story() -> list[Any]:
        before = await scene.answer(BEFORE)
        prompt, _ = await asyncio.gather(scene.answer(PROMPT), scene.decide(Verdict.APPROVE))
        again = await scene.answer(PROMPT, "attempt-2")
        await scene.answer(AFTER)
        return [before, prompt, again]

    before, prompt, again = scene.run(story)
    assert isinstance(before, AskHere)
    assert "discards 3 changed files" in before.reason
    assert prompt == Allow(arguments=RESET.arguments)
    assert isinstance(again, Deny)
    assert scene.types.count("gate.released") == 1
    assert scene.types[-1] == "gate.executed"


@pytest.mark.parametrize(("verdict", "kind"), [(Verdict.DENY, Deny), (None, NoOpinion)])
def test_a_prompt_closes_by_a_denial_and_stays_without_a_decision(
    scene: Scene, verdict: Verdict | None, kind: type
) -> None:
    async def story() -> Any:
        await scene.answer(BEFORE)
        if verdict is None:
            return await scene.answer(PROMPT, wait_s=0)
        return (await asyncio.gather(scene.answer(PROMPT), scene.decide(verdict, text="no")))[0]

    assert isinstance(scene.run(story), kind)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_yes_at_the_host_is_a_review_even_over_a_broker_s_death(scene: Scene, restarted: bool) -> None:
    async def story() -> Any:
        await scene.answer(BEFORE)
        [request] = await scene.desk.pending()
        if restarted:
            scene.restart()
        await scene.answer(AFTER)
        return await scene.desk.case(request.id)

    case = scene.run(story)
    assert (case.request.state, case.reviews[0].channel, case.reviews[0].assurance) == (
        RequestState.APPROVED,
        "terminal",
        0,
    )
    assert case.grant.state is GrantState.EXECUTED
    assert "gate.bypassed" not in scene.types


def test_a_yes_after_the_deadline_is_a_late_approval(scene: Scene) -> None:
    async def story() -> Any:
        await scene.answer(BEFORE)
        [request] = await scene.desk.pending()
        scene.bench.clock.advance(601)
        await scene.desk.sweep()
        await scene.answer(AFTER)
        return await scene.desk.case(request.id)

    assert scene.run(story).grant.late
    assert "gate.bypassed" not in scene.types


def test_a_gated_call_that_ran_unapproved_is_an_entry(scene_over: Callable[..., Scene]) -> None:
    scene = scene_over(terminal=False)

    async def story() -> Any:
        pending = await scene.answer(BEFORE, wait_s=0)
        [request] = await scene.desk.pending()
        await scene.answer(AFTER)
        return pending, await scene.desk.case(request.id)

    pending, case = scene.run(story)
    assert isinstance(pending, Deny)
    assert case.request.state is RequestState.CANCELLED
    assert scene.types[1] == "gate.bypassed"
    assert scene.bench.log.entries[1].decision == {"state": "pending", "outcome": "ok"}


def test_a_denied_call_that_the_host_ran_is_an_entry(scene: Scene) -> None:
    async def story() -> None:
        await scene.answer(BEFORE)
        await scene.decide(Verdict.DENY)
        await scene.answer(AFTER)

    scene.run(story)
    assert scene.types.count("gate.bypassed") == 1


ELSEWHERE = replace(BEFORE, can_ask_here=False)
"""A call that its hook holds until people decide: nothing is asked at the host's prompt."""


async def _refused(scene: Scene, how: str) -> None:
    """A call whose hook said no."""
    hook = asyncio.create_task(scene.answer(ELSEWHERE))
    [request] = await scene.asked()
    match how:
        case "denied":
            await scene.decide(Verdict.DENY)
        case "cancelled":
            await scene.desk.cancel(request.id, "not needed any more")
        case "expired":
            scene.bench.clock.advance(601)
            await scene.desk.sweep()
    assert isinstance(await hook, Deny)


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("how", ["denied", "expired", "cancelled"])
def test_what_ran_although_its_hook_said_no_is_an_entry_and_told_once(scene: Scene, how: str, restarted: bool) -> None:
    async def story() -> Any:
        await _refused(scene, how)
        if restarted:
            scene.restart()
        await scene.answer(replace(AFTER, tool_use_id="toolu_2"))
        await scene.answer(replace(AFTER, agent=OTHER))
        assert "gate.bypassed" not in scene.types
        ran = replace(AFTER, can_ask_here=False)
        await scene.answer(ran)
        await scene.answer(ran)
        return await scene.desk.pending()

    [alert] = scene.run(story)
    assert "claude-code ran `git reset --hard`, although request" in alert.question
    [shown] = scene.bypasses.recent  # by the doctor
    assert alert.question.startswith(f"{shown}. ")
    [entry] = [each for each in scene.bench.log.entries if each.type == "gate.bypassed"]
    assert entry.decision == {"state": how, "outcome": "ok"}


@pytest.mark.parametrize("how", ["denied", "expired", "cancelled"])
def test_a_host_without_ids_is_found_out_by_what_it_ran(scene: Scene, how: str) -> None:
    ran = replace(AFTER, tool_use_id="", can_ask_here=False)

    async def story() -> None:
        await _refused(scene, how)
        await scene.answer(replace(ran, call=ECHO))
        assert "gate.bypassed" not in scene.types
        await scene.answer(ran)
        await scene.answer(ran)

    scene.run(story)
    assert scene.types.count("gate.bypassed") == 1


def test_what_was_approved_after_its_hook_had_died_and_ran_is_a_release(scene: Scene) -> None:
    async def story() -> Any:
        attempt = scene.attempt()
        hook = asyncio.create_task(scene.events.answer(ELSEWHERE, attempt))
        [request] = await scene.asked()
        attempt.gone.set()
        await hook
        await scene.decide(Verdict.APPROVE)
        await scene.answer(replace(AFTER, can_ask_here=False))
        return await scene.desk.case(request.id)

    assert scene.run(story).grant.state is GrantState.EXECUTED
    assert "gate.bypassed" not in scene.types
    assert [each for each in scene.types if each.startswith("gate.")][-2:] == ["gate.released", "gate.executed"]


def test_what_ran_although_the_policy_denies_it_is_an_entry_and_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule_on = ConfiguredPolicy.rule_on

    def denies(self: ConfiguredPolicy, question: Any) -> Any:
        found = rule_on(self, question)
        return replace(found, outcome=Outcome.DENY) if question.call.command else found

    monkeypatch.setattr(ConfiguredPolicy, "rule_on", denies)

    async def story() -> Any:
        assert isinstance(await scene.answer(ELSEWHERE), Deny)
        await scene.answer(AFTER)
        return await scene.desk.pending()

    [alert] = scene.run(story)
    assert "claude-code ran `git reset --hard`, which the policy denies" in alert.question
    [entry] = [each for each in scene.bench.log.entries if each.type == "gate.bypassed"]
    assert (entry.decision["state"], entry.decision["outcome"]) == ("denied", "ok")


def test_a_call_of_a_host_without_ids_ends_only_what_waits_for_the_same(scene: Scene) -> None:
    nameless = replace(ELSEWHERE, tool_use_id="")

    async def story() -> Any:
        hook = asyncio.create_task(scene.answer(nameless))
        [request] = await scene.asked()
        ran = replace(AFTER, tool_use_id="", can_ask_here=False)
        await scene.answer(replace(ran, call=ECHO))
        assert (await scene.desk.case(request.id)).request.state is RequestState.PENDING
        await scene.answer(ran)
        await hook

    scene.run(story)
    assert scene.types.count("gate.bypassed") == 1


@pytest.mark.parametrize("name", ["toolu_1", ""], ids=["by its id", "by what ran"])
def test_what_ran_on_another_machine_is_nothing_to_a_call_of_the_same_names(scene: Scene, name: str) -> None:
    """A session's and a call's name are the word of whoever relays a hook."""
    before, ran = [replace(each, tool_use_id=name, can_ask_here=False) for each in (BEFORE, AFTER)]
    theirs = replace(ran, call=replace(ran.call, sight=read_sight({}, "laptop")))

    async def story() -> Any:
        hook = asyncio.create_task(scene.answer(before, "first"))
        [request] = await scene.asked()
        await scene.answer(theirs)
        pending = await scene.desk.case(request.id)
        await scene.decide(Verdict.APPROVE)
        await hook
        await scene.answer(theirs)
        running = await scene.desk.case(request.id)
        await scene.answer(ran)
        return pending, running, await scene.desk.case(request.id)

    pending, running, over = scene.run(story)
    assert pending.request.state is RequestState.PENDING
    assert [each.grant.state for each in (running, over)] == [GrantState.REDEEMED, GrantState.EXECUTED]
    assert scene.types.count("gate.bypassed") == 0


def test_people_are_told_of_a_bypass_here_after_one_of_the_same_names_on_another_machine(scene: Scene) -> None:
    async def story() -> list[str]:
        for sight in (read_sight({}, "laptop"), None):
            before, ran = [
                replace(each, can_ask_here=False, call=replace(RESET, sight=sight)) for each in (BEFORE, AFTER)
            ]
            await scene.answer(before, "a", wait_s=0)
            await scene.answer(ran)
        return [each.question for each in await scene.desk.pending() if each.question]

    there, here = scene.run(story)
    assert here.startswith("claude-code ran `git reset --hard`, although request ")
    assert there.startswith("claude-code on laptop ran `git reset --hard`, although request ")


def test_what_is_approved_and_unused_is_used_by_no_run_on_another_machine(scene: Scene) -> None:
    async def story() -> Any:
        await scene.answer(BEFORE, wait_s=0)
        [request] = await scene.asked()
        await scene.decide(Verdict.APPROVE)
        await scene.answer(replace(AFTER, can_ask_here=False, call=replace(AFTER.call, sight=read_sight({}, "laptop"))))
        return await scene.desk.case(request.id)

    assert scene.run(story).grant.state is GrantState.ISSUED


@pytest.mark.parametrize(("alive", "state"), [(True, RequestState.CANCELLED), (False, RequestState.PENDING)])
def test_a_hook_that_ends_while_its_host_lives_was_dismissed(scene: Scene, alive: bool, state: RequestState) -> None:
    async def story() -> RequestState:
        scene.alive = alive
        await scene.answer(BEFORE)
        [request] = await scene.desk.pending()
        attempt = scene.attempt()
        prompt = asyncio.create_task(scene.events.answer(PROMPT, attempt))
        await asyncio.sleep(0)
        attempt.gone.set()
        assert await prompt == NoOpinion()
        return (await scene.desk.case(request.id)).request.state

    assert scene.run(story) is state


def test_the_host_s_own_prompt_becomes_a_request_that_an_answer_there_ends(scene: Scene) -> None:
    echo = replace(BEFORE, call=ECHO)
    shown = replace(PROMPT, call=ECHO)

    async def story() -> list[Any]:
        found = [await scene.answer(echo)]
        prompt, _ = await asyncio.gather(scene.answer(shown), scene.decide(Verdict.APPROVE))
        found.append(prompt)
        await scene.answer(replace(echo, tool_use_id="toolu_2"))
        waiting = asyncio.create_task(scene.answer(shown, "attempt-2"))
        [request] = await scene.asked()
        assert request.notes == (OWN_PROMPT,)
        await scene.answer(replace(AFTER, call=ECHO, tool_use_id="toolu_2"))
        found.append(await waiting)
        return [*found, (await scene.desk.case(request.id)).request.end.text]

    assert scene.run(story) == [
        NoOpinion(),
        Allow(arguments=ECHO.arguments),
        NoOpinion(),
        "answered at the agent's own prompt",
    ]


def test_own_prompts_and_questions_stay_at_the_host_where_they_are_switched_off(
    scene_over: Callable[..., Scene],
) -> None:
    scene = scene_over("[hosts]\nprompts = false\n")

    async def story() -> list[Any]:
        await scene.answer(replace(BEFORE, call=ECHO))
        return [await scene.answer(replace(PROMPT, call=ECHO)), await scene.answer(QUESTIONS)]

    assert scene.run(story) == [NoOpinion(), NoOpinion()]
    assert scene.types == []


def test_a_prompt_for_what_was_just_released_is_not_asked_again_and_counts_once(
    scene_over: Callable[..., Scene],
) -> None:
    """A rule of the host's own may ask about what the gate has let pass."""
    scene = scene_over("[hosts]\nprompts = false\n", terminal=False)

    async def story() -> list[Any]:
        released, _ = await asyncio.gather(scene.answer(BEFORE), scene.decide(Verdict.APPROVE))
        return [released, await scene.answer(PROMPT), await scene.answer(PROMPT)]

    assert scene.run(story) == [Allow(arguments=RESET.arguments), Allow(arguments=RESET.arguments), NoOpinion()]


def test_a_second_identical_call_does_not_ride_on_the_first_one_s_release(scene: Scene) -> None:
    async def story() -> Any:
        scene.terminal = False
        await asyncio.gather(scene.answer(BEFORE), scene.decide(Verdict.APPROVE))
        scene.terminal = True
        second = await scene.answer(replace(BEFORE, tool_use_id="toolu_2"))
        assert isinstance(second, AskHere)
        return await scene.answer(PROMPT, "attempt-2", wait_s=0)

    assert scene.run(story) == NoOpinion()


@pytest.mark.parametrize(
    ("stages", "assurance"), [((Stage(approvals_needed=2),), 0), ((Stage(), Stage()), 0), ((Stage(),), 1)]
)
def test_where_a_yes_at_the_host_would_not_be_enough_the_call_is_held(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, stages: tuple[Stage, ...], assurance: int
) -> None:
    rule_on = ConfiguredPolicy.rule_on
    monkeypatch.setattr(
        ConfiguredPolicy, "rule_on", lambda self, q: replace(rule_on(self, q), stages=stages, assurance_min=assurance)
    )
    verdict = scene.run(lambda: scene.answer(BEFORE, wait_s=0))
    assert isinstance(verdict, Deny)
    assert verdict.reason.startswith("Pending: ")


def test_questions_are_answered_when_all_of_them_are(scene: Scene) -> None:
    async def story() -> Any:
        waiting = asyncio.create_task(scene.answer(QUESTIONS))
        first, second = await scene.asked(2)
        assert (first.question, second.question) == ("Which?", "Who? (x; several, with commas between)")
        await scene.desk.review(a_review(first, Verdict.ANSWER, text="B"))
        await scene.desk.review(a_review(second, Verdict.ANSWER, text="x, y"))
        return await waiting

    assert scene.run(story) == Answered(answers={"Which?": "B", "Who?": "x, y"})


def test_a_question_that_was_answered_at_the_host_waits_for_nobody(scene: Scene) -> None:
    async def story() -> Any:
        await scene.answer(replace(BEFORE, call=QUESTIONS.call))
        waiting = asyncio.create_task(scene.answer(QUESTIONS))
        await scene.asked(2)
        await scene.answer(replace(AFTER, call=QUESTIONS.call))
        return await waiting, await scene.desk.pending()

    assert scene.run(story) == (NoOpinion(), [])
