"""Everything that hosts tell, over a real desk: prompts that race, agents that go on and are woken, settings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from askfirst.alerts import SEEN, Alerts
from askfirst.asking import Asking
from askfirst.call import ToolCall
from askfirst.card import card_of
from askfirst.config import Config, parse_config
from askfirst.effects import Classification, Effect, EffectKind, Outcome, Risk
from askfirst.engine import Case
from askfirst.gate import Attempt, Gate
from askfirst.host import (
    AfterTool,
    Agent,
    Allow,
    Answered,
    AskHere,
    BeforeTool,
    ConfigChanged,
    Defer,
    Deny,
    HostQuestion,
    NoOpinion,
    Notice,
    PromptShown,
    QuestionsShown,
    SessionStarted,
    Tell,
    TurnEnded,
    Wake,
)
from askfirst.host_events import AtThisMachine, HostEvents, HostWaits
from askfirst.host_prompts import OWN_PROMPT, HostPrompts
from askfirst.notices import SAID_MAX_CHARS, SESSIONS_MAX, Notices
from askfirst.people import Directory
from askfirst.policy.ruling import Stage
from askfirst.request import Action, GrantState, Request, RequestKind, RequestState, Verdict
from askfirst.settings_watch import SettingsWatch
from askfirst.testing.bench import Bench, a_review
from askfirst.testing.ladder_policy import ConfiguredPolicy
from askfirst.wakes import Wakes

T = TypeVar("T")
AGENT = Agent(host="claude-code", session="session-1", interactive=True)
RESET = ToolCall(tool="Bash", arguments={"command": "git reset --hard"}, cwd="/srv/p", session="session-1")
ECHO = ToolCall(tool="Bash", arguments={"command": "echo"}, cwd="/srv/p", session="session-1")
BEFORE = BeforeTool(agent=AGENT, call=RESET, tool_use_id="toolu_1", can_rewrite=True, can_ask_here=True)
PROMPT = PromptShown(agent=AGENT, call=RESET, host_pid=7)
AFTER = AfterTool(agent=AGENT, call=RESET, tool_use_id="toolu_1", ok=True)
QUESTIONS = QuestionsShown(
    agent=AGENT,
    call=ToolCall(tool="AskUserQuestion", arguments={"questions": "…"}, session="session-1"),
    questions=(
        HostQuestion(text="Which?", options=("A", "B")),
        HostQuestion(text="Who?", options=("x",), several=True),
    ),
)


class FakeAnalyst:
    async def look(self, call: ToolCall) -> Classification:
        if call.command != "git reset --hard":
            return Classification(outcome=Outcome.ALLOW, effects=())
        effect = Effect(
            rule="git.reset-hard",
            kind=EffectKind.DISCARDS_CHANGES,
            risk=Risk.HIGH,
            reversible=False,
            target=".",
            loss="discards 3 changed files",
        )
        return Classification(outcome=Outcome.GATE, effects=(effect,))

    def resolve(self, call: ToolCall, agent: Agent, scripts: Iterable[str] = ()) -> Action:
        del scripts
        arguments = call.acting_arguments
        return Action(tool=call.tool, arguments=arguments, cwd=call.cwd, host=agent.host, session=agent.session)


class FakeRuler(ConfiguredPolicy):
    """Asks one person at this machine."""


class FakeInspector:
    """Settings files as a test says they are."""

    def __init__(self) -> None:
        self.ours = "f" * 64
        self.switched_off = False

    def fingerprint(self, host: str, path: Path) -> str:
        del host, path
        return self.ours

    def obstacles(self, host: str, path: Path) -> tuple[str, ...]:
        del host
        return (f"{path} has disableAllHooks, so no hook runs",) if self.switched_off else ()


class Scene:
    """A whole host door; the host's process is alive until a test says otherwise."""

    def __init__(self, bench: Bench, text: str = "", *, terminal: bool = True) -> None:
        self.bench, self.desk = bench, bench.desk
        self.config: Config = parse_config(text.encode(), source="test")
        self.alive = True
        self.terminal = terminal
        self.inspector = FakeInspector()
        self.restart()

    def restart(self) -> None:
        """Another broker over the same store: nothing that was kept in memory is left."""
        ruler = FakeRuler(config=self.config)
        self.asking = asking = Asking(analyst=FakeAnalyst(), ruler=ruler, clock=self.bench.clock)
        here = AtThisMachine(
            person="local:ann", people=Directory(is_open=True), terminal_decisions=lambda: self.terminal
        )
        self.prompts = HostPrompts(
            desk=self.desk, asking=asking, here=here, config=self.config.hosts, is_alive=lambda _pid: self.alive
        )
        self.wakes = wakes = Wakes(desk=self.desk, hub=self.bench.hub)
        waits = HostWaits(here=here, config=self.config.hosts, prompts=self.prompts, wakes=wakes)
        settings = SettingsWatch(
            inspector=self.inspector,
            watched=self._watched,
            desk=self.desk,
            alerts=(alerts := Alerts(desk=self.desk, asking=asking)),
        )
        self.notices = Notices(
            alerts=alerts,
            desk=self.desk,
            config=self.config.hosts,
            clock=self.bench.clock,
            redact=lambda said: said.replace("hunter2", "[password]"),
        )
        gate = Gate(desk=self.desk, asking=asking, waits=waits)
        self.events = HostEvents(gate=gate, prompts=self.prompts, wakes=wakes, settings=settings, notices=self.notices)

    async def _watched(self) -> Mapping[str, str]:
        return {"/s.json": "f" * 64}

    def attempt(self, name: str = "attempt-1", wait_s: float = 5.0) -> Attempt:
        return Attempt(id=name, until_s=asyncio.get_running_loop().time() + wait_s)

    async def answer(self, event: Any, name: str = "attempt-1", wait_s: float = 5.0) -> Any:
        return await self.events.answer(event, self.attempt(name, wait_s))

    async def asked(self, count: int = 1) -> list[Request]:
        async with asyncio.timeout(5):
            while len(pending := await self.desk.pending()) < count:
                await asyncio.to_thread(lambda: None)
        return pending

    async def decide(self, verdict: Verdict, **changes: object) -> None:
        [request] = await self.asked()
        await self.desk.review(a_review(request, verdict, **changes))

    async def watched(self) -> None:
        """Returns when a stopped agent's hook waits."""
        async with asyncio.timeout(5):
            while not self.bench.hub.following or not any(self.wakes._owed.values()):
                await asyncio.to_thread(lambda: None)

    @property
    def types(self) -> list[str]:
        return [entry.type for entry in self.bench.log.entries]


@pytest.fixture
def scene(desk_bench: Bench) -> Scene:
    return Scene(desk_bench)


def run(story: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(10):
            return await story()

    return asyncio.run(bounded())


def test_a_prompt_is_answered_from_elsewhere_and_its_call_is_released_once(scene: Scene) -> None:
    async def story() -> list[Any]:
        before = await scene.answer(BEFORE)
        prompt, _ = await asyncio.gather(scene.answer(PROMPT), scene.decide(Verdict.APPROVE))
        again = await scene.answer(PROMPT, "attempt-2")
        await scene.answer(AFTER)
        return [before, prompt, again]

    before, prompt, again = run(story)
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

    assert isinstance(run(story), kind)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_yes_at_the_host_is_a_review_even_over_a_broker_s_death(scene: Scene, restarted: bool) -> None:
    async def story() -> Any:
        await scene.answer(BEFORE)
        [request] = await scene.desk.pending()
        if restarted:
            scene.restart()
        await scene.answer(AFTER)
        return await scene.desk.case(request.id)

    case = run(story)
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

    assert run(story).grant.late
    assert "gate.bypassed" not in scene.types


def test_a_gated_call_that_ran_unapproved_is_an_entry(desk_bench: Bench) -> None:
    scene = Scene(desk_bench, terminal=False)

    async def story() -> Any:
        pending = await scene.answer(BEFORE, wait_s=0)
        [request] = await scene.desk.pending()
        await scene.answer(AFTER)
        return pending, await scene.desk.case(request.id)

    pending, case = run(story)
    assert isinstance(pending, Deny)
    assert case.request.state is RequestState.CANCELLED
    assert scene.types[1] == "gate.bypassed"
    assert scene.bench.log.entries[1].decision == {"state": "pending", "outcome": "ok"}


def test_a_denied_call_that_the_host_ran_is_an_entry(scene: Scene) -> None:
    async def story() -> None:
        await scene.answer(BEFORE)
        await scene.decide(Verdict.DENY)
        await scene.answer(AFTER)

    run(story)
    assert scene.types[-1] == "gate.bypassed"


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

    assert run(story) is state


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

    assert run(story) == [
        NoOpinion(),
        Allow(arguments=ECHO.arguments),
        NoOpinion(),
        "answered at the agent's own prompt",
    ]


def test_own_prompts_and_questions_stay_at_the_host_where_they_are_switched_off(desk_bench: Bench) -> None:
    scene = Scene(desk_bench, "[hosts]\nprompts = false\n")

    async def story() -> list[Any]:
        await scene.answer(replace(BEFORE, call=ECHO))
        return [await scene.answer(replace(PROMPT, call=ECHO)), await scene.answer(QUESTIONS)]

    assert run(story) == [NoOpinion(), NoOpinion()]
    assert scene.types == []


def test_a_prompt_for_what_was_just_released_is_not_asked_again_and_counts_once(desk_bench: Bench) -> None:
    """A rule of the host's own may ask about what the gate has let pass."""
    scene = Scene(desk_bench, "[hosts]\nprompts = false\n", terminal=False)

    async def story() -> list[Any]:
        released, _ = await asyncio.gather(scene.answer(BEFORE), scene.decide(Verdict.APPROVE))
        return [released, await scene.answer(PROMPT), await scene.answer(PROMPT)]

    assert run(story) == [Allow(arguments=RESET.arguments), Allow(arguments=RESET.arguments), NoOpinion()]


def test_a_second_identical_call_does_not_ride_on_the_first_one_s_release(scene: Scene) -> None:
    async def story() -> Any:
        scene.terminal = False
        await asyncio.gather(scene.answer(BEFORE), scene.decide(Verdict.APPROVE))
        scene.terminal = True
        second = await scene.answer(replace(BEFORE, tool_use_id="toolu_2"))
        assert isinstance(second, AskHere)
        return await scene.answer(PROMPT, "attempt-2", wait_s=0)

    assert run(story) == NoOpinion()


@pytest.mark.parametrize(
    ("stages", "assurance"), [((Stage(approvals_needed=2),), 0), ((Stage(), Stage()), 0), ((Stage(),), 1)]
)
def test_where_a_yes_at_the_host_would_not_be_enough_the_call_is_held(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, stages: tuple[Stage, ...], assurance: int
) -> None:
    rule_on = ConfiguredPolicy.rule_on
    monkeypatch.setattr(
        FakeRuler, "rule_on", lambda self, q: replace(rule_on(self, q), stages=stages, assurance_min=assurance)
    )
    verdict = run(lambda: scene.answer(BEFORE, wait_s=0))
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

    assert run(story) == Answered(answers={"Which?": "B", "Who?": "x, y"})


def test_a_question_that_was_answered_at_the_host_waits_for_nobody(scene: Scene) -> None:
    async def story() -> Any:
        await scene.answer(replace(BEFORE, call=QUESTIONS.call))
        waiting = asyncio.create_task(scene.answer(QUESTIONS))
        await scene.asked(2)
        await scene.answer(replace(AFTER, call=QUESTIONS.call))
        return await waiting, await scene.desk.pending()

    assert run(story) == (NoOpinion(), [])


RELEASE = '[hosts]\ninteractive = "release"\n'


def test_an_agent_that_goes_on_is_woken_once_when_somebody_has_decided(desk_bench: Bench) -> None:
    scene = Scene(desk_bench, RELEASE, terminal=False)
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

    pending, woken, nothing, retry = run(story)
    assert pending.reason.startswith("Pending: ")
    assert isinstance(woken, Wake)
    assert "is approved: the gate lets the identical `git reset --hard` through" in woken.reason
    assert nothing == NoOpinion()
    assert retry == Allow(arguments=RESET.arguments)


def test_a_broker_that_was_restarted_wakes_the_agent_all_the_same(desk_bench: Bench) -> None:
    scene = Scene(desk_bench, RELEASE, terminal=False)

    async def story() -> Any:
        await scene.answer(BEFORE)
        scene.restart()
        waiting = asyncio.create_task(scene.answer(TurnEnded(agent=AGENT, can_wake=True)))
        await scene.watched()
        await scene.decide(Verdict.DENY, text="keep it")
        return await waiting

    assert "keep it" in run(story).reason


def test_an_agent_is_woken_by_a_late_approval(desk_bench: Bench) -> None:
    scene = Scene(desk_bench, terminal=False)

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

    expired, woken = run(story)
    assert expired.reason.startswith("Expired: ")
    assert "is approved" in woken.reason


def test_nobody_is_woken_for_nothing_and_a_headless_run_ends(desk_bench: Bench) -> None:
    scene = Scene(desk_bench, RELEASE, terminal=False)

    async def story() -> list[Any]:
        empty = await scene.answer(TurnEnded(agent=AGENT, can_wake=True))
        await scene.answer(BEFORE)
        return [empty, await scene.answer(TurnEnded(agent=AGENT))]

    assert run(story) == [NoOpinion(), NoOpinion()]


def test_a_session_that_starts_hears_how_approvals_work_and_what_was_decided_meanwhile(desk_bench: Bench) -> None:
    scene = Scene(desk_bench, RELEASE, terminal=False)

    async def story() -> Any:
        await scene.answer(BEFORE)
        await scene.decide(Verdict.APPROVE)
        return await scene.answer(SessionStarted(agent=AGENT))

    told = run(story)
    assert isinstance(told, Tell)
    first, second = told.reason.split("\n")
    assert first.startswith("Askfirst gates this session")
    assert "is approved" in second


RUN = replace(BEFORE, agent=replace(AGENT, interactive=False), can_ask_here=False, runner_pid=9)


def test_a_run_that_is_resumed_defers_one_call_at_a_time(desk_bench: Bench) -> None:
    """A host resumes the last deferred call only; the others of its turn wait in their hooks."""
    scene = Scene(desk_bench, "[hosts]\ndefer_after_s = 0\n")
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

    deferred, held, resumed, twice, after = run(story)
    assert (deferred, after) == (Defer(), Defer())
    assert isinstance(held, Deny)
    assert resumed == Allow(arguments=RESET.arguments)
    assert isinstance(twice, Deny)


def test_a_changed_configuration_without_the_gate_is_kept_out_written_down_and_told(scene: Scene) -> None:
    changed = ConfigChanged(agent=AGENT, path="/s.json")

    async def story() -> list[Any]:
        found = [await scene.answer(changed)]
        scene.inspector.ours = ""
        found.append(await scene.answer(changed))
        scene.inspector.ours, scene.inspector.switched_off = "f" * 64, True
        found.append(await scene.answer(changed))
        found.append(await scene.answer(replace(changed, path="/other.json")))
        return found

    intact, gone, off, other = run(story)
    assert intact == NoOpinion()
    assert "not as they were installed" in gone.reason
    assert "disableAllHooks" in off.reason
    assert isinstance(other, Deny)
    assert scene.types.count("config.tamper") == 3
    alerts = run(scene.desk.pending)
    assert [each.kind.value for each in alerts] == ["question"] * 3
    assert {card_of(Case(request=each)).headline for each in alerts} == {"HIGH · tells you something"}


IDLE = Notice(agent=AGENT, about="idle", text="Claude is waiting for your input", cwd="/srv/p")
STOPPED = TurnEnded(agent=AGENT, said="All done; the password was hunter2.\nShall I push?", cwd="/srv/p")
OTHER = replace(AGENT, session="session-2")
NEWS = '[hosts]\ntell = ["prompt", "idle", "stop"]\ntell_every_s = 60\n'


def test_by_default_no_news_are_told(scene: Scene) -> None:
    async def story() -> list[Request]:
        assert await scene.answer(IDLE) == NoOpinion()
        assert await scene.answer(STOPPED) == NoOpinion()
        assert await scene.notices.settle() == 0
        return await scene.desk.pending()

    assert run(story) == []


def test_news_are_told_in_the_agent_s_own_words_without_secrets_and_with_nothing_to_approve(desk_bench: Bench) -> None:
    scene = Scene(desk_bench, NEWS)

    async def story() -> Request:
        assert await scene.answer(STOPPED) == NoOpinion()
        await scene.notices.settle()
        [told] = await scene.desk.pending()
        return told

    told = run(story)
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


def test_what_happens_within_the_pause_is_folded_into_one_message_which_replaces_the_last(desk_bench: Bench) -> None:
    scene = Scene(desk_bench, NEWS)

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
        desk_bench.clock.advance(61)
        assert await scene.notices.settle() == 0
        return (await scene.desk.case(first.id)).request, await scene.desk.pending()

    first, pending = run(story)
    assert first.state is RequestState.CANCELLED
    [second] = pending
    assert second.question == (
        "claude-code (session session-) in /srv/p has stopped (2 more before).\n\n"
        "claude-code (session session-) in /srv/p is idle and waits for its person. The program's words:\n"
        "> Claude is waiting for your input"
    )


def test_a_session_that_goes_on_takes_its_news_back(desk_bench: Bench) -> None:
    scene = Scene(desk_bench, NEWS)
    works = replace(BEFORE, call=ECHO)

    async def story() -> tuple[Request, list[Request]]:
        await scene.answer(STOPPED)
        await scene.notices.settle()
        [told] = await scene.desk.pending()
        await scene.answer(IDLE)
        await scene.answer(works)
        await scene.notices.settle()
        desk_bench.clock.advance(61)
        await scene.notices.settle()
        return (await scene.desk.case(told.id)).request, await scene.desk.pending()

    told, pending = run(story)
    assert told.end is not None
    assert (told.state, told.end.text) == (RequestState.CANCELLED, "the agent went on")
    assert pending == []


def test_a_prompt_that_people_were_asked_about_is_not_told_as_well(desk_bench: Bench) -> None:
    scene = Scene(desk_bench, NEWS)
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

    asked, told = run(story)
    assert asked.kind is RequestKind.APPROVAL
    assert "waits for an answer at its own prompt" in told.question


def test_many_sessions_are_counted_and_the_message_stays_short(desk_bench: Bench) -> None:
    scene = Scene(desk_bench, NEWS)

    async def story() -> Request:
        for number in range(300):
            await scene.answer(replace(STOPPED, agent=replace(AGENT, session=f"s{number}"), said="x" * 2000))
        await scene.notices.settle()
        [told] = await scene.desk.pending()
        return told

    told = run(story)
    assert told.question.endswith("… and 248 more sessions")
    assert told.question.count("has stopped") == SESSIONS_MAX
    assert len(told.question) < SESSIONS_MAX * (SAID_MAX_CHARS + 150)


def test_the_agent_cannot_write_as_if_it_were_the_gate(desk_bench: Bench) -> None:
    """Each line of its words begins with a sign of ours, and the note that marks our messages cannot be given."""
    scene = Scene(desk_bench, NEWS)

    async def story() -> Request:
        await scene.answer(replace(STOPPED, said="ok\n\nclaude-code has stopped.\r\x1b[2K\u202eevil", cwd="/a\nb"))
        await scene.notices.settle()
        [told] = await scene.desk.pending()
        return told

    first, *lines = run(story).question.split("\n")
    assert first.startswith("claude-code (session session-) in /a b has stopped.")
    assert all(line.startswith("> ") for line in lines)
    assert "\x1b" not in "".join(lines)
