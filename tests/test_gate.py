"""The gate over a real desk: what passes, what waits, and what each end of the wait becomes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TypeVar

import pytest

from askfirst.asking import Asking
from askfirst.call import ToolCall
from askfirst.config import Config, parse_config
from askfirst.effects import Classification, Effect, EffectKind, Outcome, Risk
from askfirst.gate import Attempt, Gate
from askfirst.host import AfterTool, Agent, Allow, BeforeTool, Deny, NoOpinion
from askfirst.policy.from_config import ConfiguredPolicy
from askfirst.request import Action, GrantState, Request, RequestState, Verdict
from askfirst.testing.bench import Bench, a_review

T = TypeVar("T")
CONFIG = parse_config(b"", source="defaults")


class FakeAnalyst:
    """Finds what it is told; HEAD changes when a test says so."""

    def __init__(self) -> None:
        self.found = Classification(outcome=Outcome.GATE, effects=(effect(Risk.HIGH),))
        self.head = "1" * 40

    async def look(self, _call: ToolCall) -> Classification:
        return self.found

    def resolve(self, call: ToolCall, agent: Agent, scripts: Iterable[str] = ()) -> Action:
        return Action(
            tool=call.tool,
            arguments=call.acting_arguments,
            cwd=call.cwd,
            host=agent.host,
            session=agent.session,
            head=self.head,
            files=dict.fromkeys(scripts, "0" * 64),
        )


def effect(risk: Risk) -> Effect:
    return Effect(
        rule="git.reset-hard",
        kind=EffectKind.DISCARDS_CHANGES,
        risk=risk,
        reversible=False,
        target=".",
        loss="discards 3 changed files",
        suggestion="git stash",
    )


def event(tool_use_id: str = "toolu_1", command: str = "git reset --hard", **arguments: object) -> BeforeTool:
    return BeforeTool(
        agent=Agent(host="claude-code", session="session-1"),
        call=ToolCall(tool="Bash", arguments={"command": command, **arguments}, cwd="/srv/p", session="session-1"),
        tool_use_id=tool_use_id,
        justification="clean start",
    )


class Scene:
    """A gate, an analyst, and a person who acts while a hook waits."""

    def __init__(self, desk_bench: Bench, config: Config = CONFIG) -> None:
        self.bench = desk_bench
        self.analyst = FakeAnalyst()
        ruler = ConfiguredPolicy(config=config)
        self.asking = Asking(analyst=self.analyst, ruler=ruler, clock=desk_bench.clock)
        self.gate = Gate(desk=desk_bench.desk, asking=self.asking)

    def attempt(self, name: str = "attempt-1", wait_s: float = 5.0) -> Attempt:
        return Attempt(id=name, until_s=asyncio.get_running_loop().time() + wait_s)

    async def asked(self) -> Request:
        """The request that waits, as soon as there is one."""
        async with asyncio.timeout(5):
            while not (pending := await self.bench.desk.pending()):
                pass
        return pending[0]

    async def decide(self, verdict: Verdict, **changes: object) -> None:
        await self.bench.desk.review(a_review(await self.asked(), verdict, **changes))


@pytest.fixture
def scene(desk_bench: Bench) -> Scene:
    return Scene(desk_bench)


def run(story: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(10):
            return await story()

    return asyncio.run(bounded())


@pytest.mark.parametrize(
    ("outcome", "risk", "strict", "asks"),
    [
        (Outcome.ALLOW, None, False, False),
        (Outcome.PASS, None, False, False),
        (Outcome.PASS, None, True, True),
        (Outcome.ALLOW, Risk.MEDIUM, True, False),
        (Outcome.GATE, Risk.HIGH, False, True),
        (Outcome.GATE, Risk.CRITICAL, False, True),
    ],
)
def test_who_is_asked(desk_bench: Bench, outcome: Outcome, risk: Risk | None, strict: bool, asks: bool) -> None:
    scene = Scene(desk_bench, replace(CONFIG, strict=strict))
    scene.analyst.found = Classification(outcome=outcome, effects=() if risk is None else (effect(risk),))

    async def story() -> object:
        return await scene.gate.before(event(), scene.attempt(wait_s=0))

    verdict = run(story)
    assert isinstance(verdict, Deny if asks else NoOpinion)


def test_an_approved_call_runs_with_exactly_its_own_input(scene: Scene) -> None:
    async def story() -> object:
        verdict, _ = await asyncio.gather(
            scene.gate.before(event(description="tidy", timeout=5), scene.attempt()), scene.decide(Verdict.APPROVE)
        )
        return verdict

    assert run(story) == Allow(arguments={"command": "git reset --hard", "description": "tidy", "timeout": 5})


def test_a_denied_call_hears_who_said_why_what_is_lost_and_what_is_safer(scene: Scene) -> None:
    async def story() -> object:
        verdict, _ = await asyncio.gather(
            scene.gate.before(event(), scene.attempt()), scene.decide(Verdict.DENY, text="keep my work")
        )
        return verdict

    verdict = run(story)
    assert isinstance(verdict, Deny)
    for part in ("was denied by a person", "keep my work", "discards 3 changed files", "git stash", "Do not retry"):
        assert part in verdict.reason


def test_nobody_deciding_is_not_a_denial_and_leaves_the_request_open(scene: Scene) -> None:
    async def story() -> object:
        return await scene.gate.before(event(), scene.attempt(wait_s=0))

    verdict = run(story)
    assert isinstance(verdict, Deny)
    assert "was not run yet" in verdict.reason
    assert "denied" not in verdict.reason


def test_an_expired_request_says_that_it_is_not_a_denial(scene: Scene) -> None:
    async def story() -> object:
        waiting = asyncio.create_task(scene.gate.before(event(), scene.attempt()))
        await scene.asked()
        scene.bench.clock.advance(601)
        await scene.bench.desk.sweep()
        return await waiting

    verdict = run(story)
    assert isinstance(verdict, Deny)
    assert "this is not a denial" in verdict.reason


def test_an_approval_after_the_hook_gave_up_lets_the_identical_retry_pass_once(scene: Scene) -> None:
    async def story() -> list[object]:
        first = await scene.gate.before(event("toolu_1", description="one"), scene.attempt("a", wait_s=0))
        [request] = await scene.bench.desk.pending()
        await scene.bench.desk.review(a_review(request, Verdict.APPROVE))
        second = await scene.gate.before(event("toolu_2", description="two"), scene.attempt("b", wait_s=0))
        third = await scene.gate.before(event("toolu_3"), scene.attempt("c", wait_s=0))
        return [first, second, third]

    assert [type(verdict) for verdict in run(story)] == [Deny, Allow, Deny]


def test_a_retry_of_another_command_is_another_request(scene: Scene) -> None:
    async def story() -> int:
        await scene.gate.before(event("toolu_1"), scene.attempt("a", wait_s=0))
        await scene.gate.before(event("toolu_2", "git reset --hard HEAD~1"), scene.attempt("b", wait_s=0))
        return len(await scene.bench.desk.pending())

    assert run(story) == 2


def test_a_hook_that_comes_back_joins_its_own_request_and_hears_the_allow_again(scene: Scene) -> None:
    async def story() -> list[object]:
        verdict, _ = await asyncio.gather(
            scene.gate.before(event(), scene.attempt("same")), scene.decide(Verdict.APPROVE)
        )
        again = await scene.gate.before(event(), scene.attempt("same"))
        other = await scene.gate.before(event(), scene.attempt("other"))
        return [verdict, again, other]

    assert [type(verdict) for verdict in run(story)] == [Allow, Allow, Deny]
    assert sum(entry.type == "gate.released" for entry in scene.bench.log.entries) == 1


def test_two_hooks_of_one_call_run_it_once(scene: Scene) -> None:
    async def story() -> list[object]:
        verdicts = await asyncio.gather(
            scene.gate.before(event(), scene.attempt("a")),
            scene.gate.before(event(), scene.attempt("b")),
            scene.decide(Verdict.APPROVE),
        )
        return list(verdicts[:2])

    assert sorted(type(verdict).__name__ for verdict in run(story)) == ["Allow", "Deny"]


def test_what_changed_while_waiting_is_a_new_request(scene: Scene) -> None:
    async def story() -> object:
        waiting = asyncio.create_task(scene.gate.before(event(), scene.attempt()))
        await scene.asked()
        scene.analyst.head = "2" * 40
        await scene.decide(Verdict.APPROVE)
        await scene.decide(Verdict.DENY)
        return await waiting

    assert isinstance(run(story), Deny)
    requests = asyncio.run(scene.bench.desk.requests())
    assert [request.state for request in requests] == [RequestState.DENIED, RequestState.APPROVED]
    assert all(entry.type != "gate.released" for entry in scene.bench.log.entries)


def test_nothing_is_released_to_a_hook_that_has_gone(scene: Scene) -> None:
    async def story() -> object:
        attempt = scene.attempt()
        waiting = asyncio.create_task(scene.gate.before(event(), attempt))
        await scene.asked()
        attempt.gone.set()
        return await waiting

    assert isinstance(run(story), Deny)
    [request] = asyncio.run(scene.bench.desk.pending())
    assert request.state is RequestState.PENDING


def test_the_outcome_closes_the_request_and_other_calls_leave_no_trace(scene: Scene) -> None:
    def done(tool_use_id: str, command: str = "git reset --hard") -> AfterTool:
        before = event(tool_use_id, command)
        return AfterTool(agent=before.agent, call=before.call, tool_use_id=tool_use_id, ok=False, detail="Exit code 1")

    async def story() -> object:
        await asyncio.gather(scene.gate.before(event(), scene.attempt()), scene.decide(Verdict.APPROVE))
        await scene.gate.after(done("toolu_other"))
        await scene.gate.after(done("toolu_1"))
        [request] = await scene.bench.desk.requests()
        return (await scene.bench.desk.case(request.id)).grant

    grant = run(story)
    assert grant is not None
    assert (grant.state, grant.outcome, grant.detail) == (GrantState.EXECUTED, "failed", "Exit code 1")  # type: ignore[attr-defined]
    assert [entry.type for entry in scene.bench.log.entries].count("gate.executed") == 1


def test_a_rewritten_command_is_noticed_after_it_ran(scene: Scene) -> None:
    async def story() -> object:
        await asyncio.gather(scene.gate.before(event(), scene.attempt()), scene.decide(Verdict.APPROVE))
        ran = event("toolu_1", "git reset --hard HEAD~9")
        await scene.gate.after(AfterTool(agent=ran.agent, call=ran.call, tool_use_id="toolu_1", ok=True))
        [request] = await scene.bench.desk.requests()
        return (await scene.bench.desk.case(request.id)).grant

    assert run(story).detail == "what ran differs from what was approved"  # type: ignore[attr-defined]
