"""The gate over a real desk: what passes, what waits, and what each end of the wait becomes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TypeVar

import pytest

from askfirst.asking import Asking, Look
from askfirst.call import ToolCall
from askfirst.config import Config, parse_config
from askfirst.effects import Classification, Effect, EffectKind, Outcome, Risk
from askfirst.engine import Step
from askfirst.errors import NotAllowedError
from askfirst.gate import Attempt, Gate
from askfirst.host import AfterTool, Agent, Allow, BeforeTool, Deny, NoOpinion
from askfirst.policy.question import Question
from askfirst.policy.ruling import Outcome as Ruled
from askfirst.policy.ruling import Ruling, ScopeOffer, Stage
from askfirst.request import Action, GrantState, Request, RequestState, Verdict
from askfirst.testing.bench import Bench, a_review
from askfirst.testing.ladder_policy import ConfiguredPolicy

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


def event(
    tool_use_id: str = "toolu_1", command: str = "git reset --hard", *, why: str = "clean start", **arguments: object
) -> BeforeTool:
    return BeforeTool(
        agent=Agent(host="claude-code", session="session-1"),
        call=ToolCall(tool="Bash", arguments={"command": command, **arguments}, cwd="/srv/p", session="session-1"),
        tool_use_id=tool_use_id,
        justification=why,
        can_rewrite=True,
    )


class FakeRuler:
    """The configured policy, until a test says otherwise."""

    def __init__(self, config: Config) -> None:
        self.configured = ConfiguredPolicy(config=config)
        self.outcome: Ruled | None = None
        self.stages: tuple[Stage, ...] = ()
        self.scopes: tuple[ScopeOffer, ...] = ()
        self.shadowed_by: tuple[str, ...] = ()

    def at_once(self, question: Question) -> Ruling:
        return self.rule_on(question)

    def rule_on(self, question: Question) -> Ruling:
        ruling = self.configured.rule_on(question)
        return replace(
            ruling,
            outcome=self.outcome or ruling.outcome,
            stages=self.stages or ruling.stages,
            scopes=self.scopes or ruling.scopes,
            shadowed_by=self.shadowed_by,
        )


class Scene:
    """A gate, an analyst, and a person who acts while a hook waits."""

    def __init__(self, desk_bench: Bench, config: Config = CONFIG) -> None:
        self.bench = desk_bench
        self.analyst = FakeAnalyst()
        self.ruler = FakeRuler(config)
        self.asking = Asking(analyst=self.analyst, ruler=self.ruler, clock=desk_bench.clock)
        self.desk = desk_bench.desk
        self.desk._editor = self.asking
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


def test_where_calls_have_no_ids_an_outcome_is_known_by_what_ran(scene: Scene) -> None:
    async def story() -> object:
        await asyncio.gather(scene.gate.before(event(""), scene.attempt()), scene.decide(Verdict.APPROVE))
        for command in ("git reset --hard HEAD~9", "git reset --hard", "git reset --hard"):
            ran = event("", command)
            await scene.gate.after(AfterTool(agent=ran.agent, call=ran.call, tool_use_id="", ok=None))
        [request] = await scene.bench.desk.requests()
        return (await scene.bench.desk.case(request.id)).grant

    assert run(story).outcome == "unknown"  # type: ignore[attr-defined]
    assert [entry.type for entry in scene.bench.log.entries].count("gate.executed") == 1


def test_where_calls_have_no_ids_every_call_is_one_of_its_own(scene: Scene) -> None:
    async def story() -> object:
        await asyncio.gather(scene.gate.before(event(""), scene.attempt()), scene.decide(Verdict.APPROVE))
        again = asyncio.create_task(scene.gate.before(event(""), scene.attempt("attempt-2")))
        await asyncio.gather(again, scene.decide(Verdict.DENY))
        return again.result()

    assert isinstance(run(story), Deny)
    assert len(asyncio.run(scene.bench.desk.requests())) == 2


def test_a_rewritten_command_is_noticed_after_it_ran(scene: Scene) -> None:
    async def story() -> object:
        await asyncio.gather(scene.gate.before(event(), scene.attempt()), scene.decide(Verdict.APPROVE))
        ran = event("toolu_1", "git reset --hard HEAD~9")
        await scene.gate.after(AfterTool(agent=ran.agent, call=ran.call, tool_use_id="toolu_1", ok=True))
        [request] = await scene.bench.desk.requests()
        return (await scene.bench.desk.case(request.id)).grant

    assert run(story).detail == "what ran differs from what was approved"  # type: ignore[attr-defined]


EDIT = {"command": "git reset --hard HEAD"}


def test_a_call_that_was_approved_with_changes_runs_as_changed_and_the_agent_hears_it(scene: Scene) -> None:
    """I2: what is handed back is exactly what was approved."""

    async def story() -> object:
        verdict, _ = await asyncio.gather(
            scene.gate.before(event(description="tidy"), scene.attempt()), scene.decide(Verdict.APPROVE, edit=EDIT)
        )
        return verdict

    verdict = run(story)
    assert isinstance(verdict, Allow)
    assert verdict.arguments == {"command": "git reset --hard HEAD", "description": "tidy"}
    assert verdict.reason.startswith("Approved with changes by local:ann")
    assert "instead of `git reset --hard` this runs: `git reset --hard HEAD`" in verdict.reason


def test_a_host_that_cannot_be_handed_other_arguments_is_told_what_to_run(scene: Scene) -> None:
    async def story() -> list[object]:
        plain = replace(event(), can_rewrite=False)
        first, _ = await asyncio.gather(
            scene.gate.before(plain, scene.attempt("a")), scene.decide(Verdict.APPROVE, edit=EDIT)
        )
        again = await scene.gate.before(replace(plain, tool_use_id="toolu_2"), scene.attempt("b", wait_s=0))
        right = replace(event("toolu_3", EDIT["command"]), can_rewrite=False)
        return [first, again, await scene.gate.before(right, scene.attempt("c", wait_s=0))]

    first, again, right = run(story)
    for verdict in (first, again):
        assert isinstance(verdict, Deny)
        assert "`git reset --hard HEAD`. Run exactly that; it passes." in verdict.reason
    assert isinstance(right, Allow)


@pytest.mark.parametrize(
    ("asked", "for_the_edit", "passes"),
    [
        (Stage(), Stage(approvals_needed=2), False),
        (Stage(), Stage(reviewers=("role:lead",)), False),
        (Stage(), Stage(name="proposer"), True),
        (Stage(reviewers=("local:ann",)), Stage(reviewers=("local:ann", "local:bob")), True),
        (Stage(reviewers=("local:ann",)), Stage(), True),
    ],
)
def test_an_edit_is_refused_where_the_policy_asks_others_or_more_people_about_it(
    scene: Scene, asked: Stage, for_the_edit: Stage, *, passes: bool
) -> None:
    """Else whoever may approve 50 approves 5,000 alone, which takes two: the edit is no way round its rule."""

    async def story() -> None:
        scene.ruler.stages = (asked,)
        await scene.gate.before(event(), scene.attempt(wait_s=0))
        scene.ruler.stages = (for_the_edit,)
        await scene.decide(Verdict.APPROVE, edit=EDIT)

    if passes:
        run(story)
        return
    with pytest.raises(NotAllowedError) as refused:
        run(story)
    assert str(refused.value) == (
        "your edit is for others or more people to approve, by the rule git.reset-hard; deny it, and say what to do"
    )


def test_an_edit_is_approved_as_far_as_its_own_rule_offers(scene: Scene) -> None:
    """Else one run of `git push origin main` is approved for the session by the rule for `feature/x`."""
    five = ScopeOffer(kind="uses", amount=5)

    async def story() -> tuple[Step, Step]:
        scene.ruler.scopes = (ScopeOffer(kind="once"), five, ScopeOffer(kind="session"))
        await scene.gate.before(event(), scene.attempt(wait_s=0))
        request = await scene.asked()
        scene.ruler.scopes = (ScopeOffer(kind="once"), ScopeOffer(kind="uses", amount=2))
        wide = a_review(request, Verdict.APPROVE, edit=EDIT, scope="session", decision_id="wide")
        refused = await scene.desk.review(wide)
        narrow = a_review(request, Verdict.APPROVE, edit=EDIT, scope="uses:2", decision_id="narrow")
        none_such = await scene.desk.review(narrow)
        assert none_such.note == "its rule offers once, uses:5, session; not uses:2"
        return refused, await scene.desk.review(a_review(request, Verdict.APPROVE, edit=EDIT))

    refused, approved = run(story)
    assert (refused.done, refused.note) == (
        False,
        "for what you have made of it its rule offers once, uses:2; not session",
    )
    grant = approved.case.grant
    assert grant is not None
    assert (grant.scope, grant.uses_max) == ("once", 1)
    assert approved.case.request.terms.scopes == (ScopeOffer(kind="once"), ScopeOffer(kind="uses", amount=2))


def test_an_edit_that_comes_when_nobody_waits_reaches_the_identical_retry(scene: Scene) -> None:
    async def story() -> list[object]:
        first = await scene.gate.before(event("toolu_1"), scene.attempt("a", wait_s=0))
        await scene.decide(Verdict.APPROVE, edit=EDIT)
        second = await scene.gate.before(event("toolu_2"), scene.attempt("b", wait_s=0))
        third = await scene.gate.before(event("toolu_3"), scene.attempt("c", wait_s=0))
        return [first, second, third]

    first, second, third = run(story)
    assert isinstance(first, Deny)
    assert isinstance(second, Allow)
    assert second.arguments == EDIT
    assert isinstance(third, Deny)


def test_a_reviewers_question_ends_the_wait_and_a_retry_that_says_more_answers_it(scene: Scene) -> None:
    async def story() -> list[object]:
        first, _ = await asyncio.gather(
            scene.gate.before(event("toolu_1"), scene.attempt("a")),
            scene.decide(Verdict.NEEDS_INFO, text="on which branch?"),
        )
        same = await scene.gate.before(event("toolu_2"), scene.attempt("b", wait_s=0))
        retry = scene.gate.before(event("toolu_3", why="on my scratch branch"), scene.attempt("c"))
        task = asyncio.create_task(retry)
        async with asyncio.timeout(5):
            while (await scene.asked()).version == 1:
                pass
        await scene.decide(Verdict.APPROVE)
        return [first, same, await task]

    first, same, last = run(story)
    for verdict in (first, same):
        assert isinstance(verdict, Deny)
        assert verdict.reason.startswith("Pending: ")
        assert "local:ann asks before deciding" in verdict.reason
        assert '"on which branch?"' in verdict.reason
    assert isinstance(last, Allow)
    [request] = asyncio.run(scene.desk.requests())
    assert (request.version, request.claim.reason) == (2, "on my scratch branch")


def test_two_calls_of_the_same_action_wait_for_one_decision_and_one_of_them_runs(scene: Scene) -> None:
    async def decide_when_both_wait() -> None:
        async with asyncio.timeout(5):
            while scene.bench.hub.waiting < 2:
                await scene.bench.desk.pending()
        await scene.decide(Verdict.APPROVE)

    async def story() -> list[object]:
        verdicts = await asyncio.gather(
            scene.gate.before(event("toolu_1"), scene.attempt("a")),
            scene.gate.before(event("toolu_2"), scene.attempt("b")),
            decide_when_both_wait(),
        )
        return list(verdicts[:2])

    assert sorted(type(verdict).__name__ for verdict in run(story)) == ["Allow", "Deny"]
    assert len(asyncio.run(scene.desk.requests())) == 1


def test_what_was_denied_is_answered_at_once_and_a_stop_answers_everything(scene: Scene) -> None:
    async def story() -> list[object]:
        await asyncio.gather(scene.gate.before(event(), scene.attempt("a")), scene.decide(Verdict.DENY, text="no"))
        again = await scene.gate.before(event("toolu_2"), scene.attempt("b"))
        await asyncio.gather(
            scene.gate.before(event("toolu_3", "git clean -fdx"), scene.attempt("c")),
            scene.decide(Verdict.DENY, text="enough", stop=True),
        )
        other = await scene.gate.before(event("toolu_4", "git push --force"), scene.attempt("d"))
        return [again, other]

    again, other = run(story)
    assert isinstance(again, Deny)
    assert again.reason.startswith("Denied: `git reset --hard` was denied by a person")
    assert isinstance(other, Deny)
    assert other.reason.startswith("Denied: `git push --force` was denied by a person, who told this session to stop")
    assert '"enough"' in other.reason
    assert asyncio.run(scene.desk.pending()) == []


def test_an_approval_for_a_pattern_lets_its_like_pass_unasked(desk_bench: Bench) -> None:
    """P28: what was allowed for the session stays allowed."""
    scene = Scene(desk_bench)
    offers = (ScopeOffer(kind="once"), ScopeOffer(kind="session", pattern="git reset --hard *"))
    scene.ruler.scopes = offers

    async def story() -> list[object]:
        first, _ = await asyncio.gather(
            scene.gate.before(event("t1", "git reset --hard HEAD~1"), scene.attempt("a")),
            scene.decide(Verdict.APPROVE, scope="session git reset --hard *"),
        )
        scene.analyst.head = "2" * 40
        second = await scene.gate.before(event("t2", "git reset --hard HEAD~2"), scene.attempt("b", wait_s=0))
        third = await scene.gate.before(event("t3", "git reset --hard; rm -rf x"), scene.attempt("c", wait_s=0))
        ran = event("t2", "git reset --hard HEAD~2")
        await scene.gate.after(AfterTool(agent=ran.agent, call=ran.call, tool_use_id="t2", ok=True))
        return [first, second, third]

    assert [type(verdict) for verdict in run(story)] == [Allow, Allow, Deny]
    [entry] = [each for each in desk_bench.log.entries if each.type == "gate.executed"]
    assert entry.decision["as_approved"] is True


@pytest.mark.parametrize("outcome", [Ruled.DENY, Ruled.ALLOW])
def test_what_the_policy_decides_alone_is_logged(desk_bench: Bench, outcome: Ruled) -> None:
    scene = Scene(desk_bench)
    scene.ruler.outcome = outcome
    scene.ruler.shadowed_by = ("no-reset would deny",)

    async def story() -> object:
        return await scene.gate.before(event(), scene.attempt(wait_s=0))

    verdict = run(story)
    desk_bench.writer.submit(lambda _connection: None).result()
    [entry] = desk_bench.log.entries
    assert (entry.decision["rule"], entry.decision["shadowed_by"]) == ("git.reset-hard", ("no-reset would deny",))
    if outcome is Ruled.ALLOW:
        assert (verdict, entry.type) == (NoOpinion(), "gate.passed")
        return
    assert isinstance(verdict, Deny)
    assert verdict.reason.startswith("Denied: `git reset --hard` is denied by the policy (rule git.reset-hard)")
    assert entry.type == "gate.refused"


def test_where_nobody_can_be_asked_the_call_is_denied_with_the_fix(desk_bench: Bench) -> None:
    """I6: denied, with the reason and the fix."""
    scene = Scene(desk_bench)
    scene.ruler.stages = (Stage(reviewers=("role:nobody",)),)

    async def story() -> object:
        return await scene.gate.before(event(), scene.attempt())

    verdict = run(story)
    assert isinstance(verdict, Deny)
    assert verdict.reason.startswith("Denied: `git reset --hard` needs a person's approval, and nobody can give it: ")
    assert "add people to the configuration, or mend the rule" in verdict.reason
    assert [entry.type for entry in desk_bench.log.entries] == ["gate.refused"]


def test_the_policy_is_asked_once_for_each_version_and_frozen_with_it(scene: Scene) -> None:
    """I8: what changes in the policy while people think changes nothing for them (P19)."""

    async def story() -> object:
        waiting = asyncio.create_task(scene.gate.before(event(), scene.attempt()))
        frozen = (await scene.asked()).terms
        scene.ruler.outcome = Ruled.DENY
        scene.ruler.stages = (Stage(approvals_needed=5),)
        await scene.decide(Verdict.APPROVE)
        verdict = await waiting
        [request] = await scene.desk.requests()
        assert request.terms == frozen
        return verdict

    assert isinstance(run(story), Allow)


REACH = "session git reset --hard *"


async def approved_for_the_session(scene: Scene) -> None:
    scene.ruler.scopes = (ScopeOffer(kind="once"), ScopeOffer(kind="session", pattern="git reset --hard *"))
    await asyncio.gather(
        scene.gate.before(event("t0", "git reset --hard HEAD~1"), scene.attempt("t0")),
        scene.decide(Verdict.APPROVE, scope=REACH),
    )


def test_a_session_that_was_told_to_stop_uses_no_approval_that_came_before(scene: Scene) -> None:
    """I5: whatever it tries, also what was approved before and has not run."""

    async def story() -> list[object]:
        await approved_for_the_session(scene)
        await asyncio.gather(
            scene.gate.before(event("t1", "git clean -fdx"), scene.attempt("t1")),
            scene.decide(Verdict.DENY, stop=True),
        )
        like = await scene.gate.before(event("t2", "git reset --hard HEAD~2"), scene.attempt("t2"))
        same = await scene.gate.before(event("t3", "git reset --hard HEAD~1"), scene.attempt("t3"))
        return [like, same]

    for verdict in run(story):
        assert isinstance(verdict, Deny)
        assert "who told this session to stop" in verdict.reason


def test_what_was_denied_after_an_approval_that_reaches_it_is_not_let_pass_by_that(scene: Scene) -> None:
    """I5: the request was made before the approval, and denied after it."""

    async def story() -> list[object]:
        await scene.gate.before(event("t1", "git reset --hard HEAD~9", why=""), scene.attempt("t1", wait_s=0))
        waiting = await scene.asked()
        await scene.bench.desk.ask(scene.asking.draft(*await looked_at(scene, "git reset --hard HEAD~1"), key="k"))
        [first] = [each for each in await scene.bench.desk.pending() if each.id != waiting.id]
        scene.bench.clock.advance(1)
        await scene.bench.desk.review(a_review(first, Verdict.APPROVE, scope=REACH))
        scene.bench.clock.advance(1)
        await scene.bench.desk.review(a_review(waiting, Verdict.DENY))
        same = await scene.gate.before(event("t2", "git reset --hard HEAD~9", why=""), scene.attempt("t2"))
        insists = event("t3", "git reset --hard HEAD~9", why="really")
        again = await scene.gate.before(insists, scene.attempt("t3", wait_s=0))
        like = await scene.gate.before(event("t4", "git reset --hard HEAD~2"), scene.attempt("t4"))
        return [same, again, like]

    scene.ruler.scopes = (ScopeOffer(kind="once"), ScopeOffer(kind="session", pattern="git reset --hard *"))
    same, again, like = run(story)
    assert isinstance(same, Deny)
    assert same.reason.startswith("Denied: ")
    assert isinstance(again, Deny)
    assert again.reason.startswith("Pending: ")
    assert isinstance(like, Allow)


@pytest.mark.parametrize("edit", [None, {"command": "git reset HEAD~1"}])
def test_a_call_that_comes_back_after_a_stop_runs_nothing_that_was_approved_for_it(
    scene: Scene, edit: dict[str, object] | None
) -> None:
    """I5: its hook has died meanwhile, or its host has deferred it, and it comes back under the id that it had."""

    async def story() -> list[object]:
        await scene.gate.before(event("t1"), scene.attempt("a", wait_s=0))
        await scene.decide(Verdict.APPROVE, edit=edit)
        stopped = asyncio.create_task(scene.gate.before(event("t2", "git clean -fdx"), scene.attempt("b")))
        await scene.decide(Verdict.DENY, stop=True)
        await stopped
        return [await scene.gate.before(event("t1"), scene.attempt("c", wait_s=0))]

    [verdict] = run(story)
    assert isinstance(verdict, Deny)
    assert "was told to stop" in verdict.reason


def test_a_late_approval_does_not_pass_what_was_denied_when_asked_again(scene: Scene) -> None:
    """I5: the same action was asked once more before somebody approved the request that had expired."""

    async def story() -> object:
        await scene.gate.before(event("t1"), scene.attempt("a", wait_s=0))
        first = await scene.asked()
        scene.bench.clock.advance(8 * 24 * 3600)
        await scene.desk.sweep()
        await scene.gate.before(event("t2"), scene.attempt("b", wait_s=0))
        second = await scene.asked()
        late = await scene.bench.desk.review(a_review(first, Verdict.APPROVE))
        assert late.case.grant is not None
        scene.bench.clock.advance(1)
        await scene.bench.desk.review(a_review(second, Verdict.DENY))
        return await scene.gate.before(event("t3"), scene.attempt("c", wait_s=0))

    verdict = run(story)
    assert isinstance(verdict, Deny)
    assert "denied by a person" in verdict.reason


async def looked_at(scene: Scene, command: str) -> tuple[Look, Action]:
    call = event(command=command)
    look = await scene.asking.look(call.call, call.agent)
    return look, await scene.asking.resolve(look)
