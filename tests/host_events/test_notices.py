"""News of agents, for people who want to be told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.alerts import SEEN
from askfirst.card import card_of
from askfirst.engine import Case
from askfirst.host import NoOpinion, Notice, TurnEnded
from askfirst.notices import SAID_MAX_CHARS, SESSIONS_MAX
from askfirst.request import Request, RequestKind, RequestState, Verdict
from askfirst.sight import read_sight
from askfirst.testing.host_calls import AFTER, AGENT, BEFORE, ECHO, OTHER, PROMPT

if TYPE_CHECKING:
    from tests.host_events.conftest import Scene

IDLE = Notice(agent=AGENT, about="idle", text="Claude is waiting for your input", cwd="/srv/p")
STOPPED = TurnEnded(agent=AGENT, said="All done; the password was hunter2.\nShall I push?", cwd="/srv/p")
NEWS = '[hosts]\ntell = ["prompt", "idle", "stop"]\ntell_every_s = 60\n'


def test_by_default_no_news_are_told(scene: Scene) -> None:
    async def story() -> list[Request]:
        assert await scene.answer(IDLE) == NoOpinion()
        assert await scene.answer(STOPPED) == NoOpinion()
        assert await scene.notices.settle() == 0
        return await scene.desk.pending()

    assert scene.run(story) == []


def test_news_are_told_in_the_agent_s_own_words_without_secrets_and_with_nothing_to_approve(
    scene_over: Callable[..., Scene],
) -> None:
    scene = scene_over(NEWS)

    async def story() -> Request:
        assert await scene.answer(STOPPED) == NoOpinion()
        await scene.notices.settle()
        [told] = await scene.desk.pending()
        return told

    told = scene.run(story)
    assert told.question == (
        "claude-code (session session-) in /srv/p has stopped. The agent's words, unchecked:\n"
        "> All done; the password was [password].\n"
        "> Shall I push?"
    )
    assert (told.kind, told.options) == (RequestKind.QUESTION, (SEEN,))
    assert (told.terms.reminders_at_ms, told.terms.escalation) == ((), ())
    card = card_of(Case(request=told))
    assert card.is_from_gate
    assert card.headline == "LOW · tells you something"


def test_what_happens_within_the_pause_is_folded_into_one_message_which_replaces_the_last(
    scene_over: Callable[..., Scene],
) -> None:
    scene = scene_over(NEWS)

    async def story() -> tuple[Request, list[Request]]:
        await scene.answer(STOPPED)
        assert await scene.notices.settle() == 0
        [first] = await scene.desk.pending()
        for _ in range(3):
            await scene.answer(replace(STOPPED, said=""))
        await scene.answer(replace(IDLE, agent=OTHER))
        wait_ms = await scene.notices.settle()
        assert 59_000 < wait_ms <= 60_001
        assert await scene.desk.pending() == [first]
        scene.bench.clock.advance(61)
        assert await scene.notices.settle() == 0
        return (await scene.desk.case(first.id)).request, await scene.desk.pending()

    first, pending = scene.run(story)
    assert first.state is RequestState.CANCELLED
    [second] = pending
    assert second.question == (
        "claude-code (session session-) in /srv/p has stopped (2 more before).\n\n"
        "claude-code (session session-) in /srv/p is idle and waits for its person. The program's words:\n"
        "> Claude is waiting for your input"
    )


def test_a_session_that_goes_on_takes_its_news_back(scene_over: Callable[..., Scene]) -> None:
    scene = scene_over(NEWS)
    works = replace(BEFORE, call=ECHO)

    async def story() -> tuple[Request, list[Request]]:
        await scene.answer(STOPPED)
        await scene.notices.settle()
        [told] = await scene.desk.pending()
        await scene.answer(IDLE)
        await scene.answer(works)
        await scene.notices.settle()
        scene.bench.clock.advance(61)
        await scene.notices.settle()
        return (await scene.desk.case(told.id)).request, await scene.desk.pending()

    told, pending = scene.run(story)
    assert told.end is not None
    assert (told.state, told.end.text) == (RequestState.CANCELLED, "the agent went on")
    assert pending == []


def test_what_a_session_of_the_same_name_does_on_another_machine_is_told_apart(
    scene_over: Callable[..., Scene],
) -> None:
    """A session's name is the word of whoever relays a hook."""
    scene = scene_over(NEWS)
    laptop = read_sight({}, "laptop")

    async def story() -> tuple[Request, list[Request]]:
        await scene.answer(replace(STOPPED, said=""))
        await scene.notices.settle()
        [told] = await scene.desk.pending()
        await scene.answer(replace(BEFORE, call=replace(ECHO, sight=laptop)))
        await scene.notices.settle()
        assert await scene.desk.pending() == [told]
        await scene.answer(replace(STOPPED, said=""))
        await scene.answer(replace(STOPPED, said="", machine="laptop"))
        await scene.answer(replace(AFTER, call=replace(ECHO, sight=laptop)))
        await scene.answer(replace(IDLE, text="", machine="laptop"))
        scene.bench.clock.advance(61)
        await scene.notices.settle()
        return told, await scene.desk.pending()

    told, pending = scene.run(story)
    assert told.question == "claude-code (session session-) in /srv/p has stopped."
    [news] = pending
    assert news.question == (
        "claude-code (session session-) in /srv/p has stopped.\n\n"
        "claude-code on laptop (session session-) in /srv/p is idle and waits for its person."
    )


def test_what_was_asked_on_another_machine_does_not_keep_a_prompt_here_from_being_told(
    scene_over: Callable[..., Scene],
) -> None:
    scene = scene_over(NEWS)

    async def story() -> list[Request]:
        theirs = replace(BEFORE, call=replace(BEFORE.call, sight=read_sight({}, "laptop")), can_ask_here=False)
        hook = asyncio.ensure_future(scene.answer(theirs, wait_s=0))
        await scene.asked()
        await hook
        await scene.answer(replace(IDLE, about="prompt"))
        await scene.notices.settle()
        return [each for each in await scene.desk.pending() if each.kind is RequestKind.QUESTION]

    [told] = scene.run(story)
    assert "waits for an answer at its own prompt" in told.question


def test_a_prompt_that_people_were_asked_about_is_not_told_as_well(scene_over: Callable[..., Scene]) -> None:
    scene = scene_over(NEWS)
    prompt = replace(IDLE, about="prompt")

    async def story() -> list[Request]:
        shown = asyncio.ensure_future(scene.answer(PROMPT))
        await scene.asked()
        await scene.answer(prompt)
        await scene.notices.settle()
        asked = await scene.desk.pending()
        await scene.decide(Verdict.DENY)
        await shown
        await scene.answer(prompt)
        await scene.notices.settle()
        return [*asked, *await scene.desk.pending()]

    asked, told = scene.run(story)
    assert asked.kind is RequestKind.APPROVAL
    assert "waits for an answer at its own prompt" in told.question


def test_many_sessions_are_counted_and_the_message_stays_short(scene_over: Callable[..., Scene]) -> None:
    scene = scene_over(NEWS)

    async def story() -> Request:
        for number in range(300):
            await scene.answer(replace(STOPPED, agent=replace(AGENT, session=f"s{number}"), said="x" * 2000))
        await scene.notices.settle()
        [told] = await scene.desk.pending()
        return told

    told = scene.run(story)
    assert told.question.endswith("… and 248 more sessions")
    assert told.question.count("has stopped") == SESSIONS_MAX
    assert len(told.question) < SESSIONS_MAX * (SAID_MAX_CHARS + 150)


def test_the_agent_cannot_write_as_if_it_were_the_gate(scene_over: Callable[..., Scene]) -> None:
    """Each line of its words begins with a sign of ours, and the note that marks our messages cannot be given."""
    scene = scene_over(NEWS)

    async def story() -> Request:
        await scene.answer(replace(STOPPED, said="ok\n\nclaude-code has stopped.\r\x1b[2K\u202eevil", cwd="/a\nb"))
        await scene.notices.settle()
        [told] = await scene.desk.pending()
        return told

    first, *lines = scene.run(story).question.split("\n")
    assert first.startswith("claude-code (session session-) in /a b has stopped.")
    assert all(line.startswith("> ") for line in lines)
    assert "\x1b" not in "".join(lines)
