"""Days of traffic in virtual time: agents, people and a sweeper on one event loop whose clock jumps when all wait.

From: the idea of trio's autojump clock. The wall clock that the engine reads is the loop's time plus an offset, which
itself jumps forwards and back, as a suspended laptop's or a corrected clock does.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import selectors
from collections import Counter
from dataclasses import replace

import pytest

from askfirst.engine import Case, Cast, Deadline, Event, Redeem, Step, next_due_ms, step
from askfirst.people import Electorate, Person
from askfirst.policy.ruling import ONCE, ScopeOffer, Stage
from askfirst.request import RequestState, Review, Verdict
from askfirst.terms import Escalation
from askfirst.testing.bench import a_draft, a_request

START_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
PEOPLE = ("ann", "bob", "cat")
BOSS = "boss"
STAFF = Electorate(people=tuple(Person(id=each) for each in (*PEOPLE, BOSS)))


class JumpingSelector(selectors.SelectSelector):
    """Never waits: when nothing is ready it moves the clock to the next timer."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.now_s += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on that clock."""

    def __init__(self) -> None:
        self.jumping = JumpingSelector()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now_s


class World:
    """All cases of one run; acts on them as the desk would, without a store."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.cases: dict[int, Case] = {}
        self.trace: list[tuple[int, int, str]] = []
        self.skew_ms = 0
        self.changed = asyncio.Event()

    def now_ms(self) -> int:
        return START_MS + self.skew_ms + round(asyncio.get_running_loop().time() * 1000)

    def act(self, number: int, event: Event) -> Step:
        now_ms = self.now_ms()
        done = step(self.cases[number], event, now_ms)
        self.cases[number] = done.case
        self.trace += [(now_ms, number, line.type.value) for line in done.log]
        self.changed.set()
        return done

    def count(self, kind: str) -> Counter[int]:
        return Counter(number for _, number, each in self.trace if each == kind)


def a_case(number: int, now_ms: int, rng: random.Random) -> Case:
    request = a_request(a_draft(command=f"rm -rf {number}"), created_at_ms=now_ms)
    stages = rng.choice(((Stage(),), (Stage(approvals_needed=2),), (Stage(name="proposer"), Stage(name="confirmer"))))
    terms = replace(
        request.terms,
        stages=stages,
        approval_expires_at_ms=now_ms + HOUR_MS,
        reminders_at_ms=(now_ms + HOUR_MS // 4, now_ms + HOUR_MS // 2),
        escalation=(Escalation(at_ms=now_ms + HOUR_MS * 3 // 4, reviewers=(BOSS,), recipients=("web:boss",)),),
        scopes=(ONCE, ScopeOffer(kind="uses", amount=3)),
    )
    return Case(request=replace(request, id=f"{number:026d}", terms=terms))


async def agent(world: World, number: int) -> None:
    rng = world.random
    await asyncio.sleep(rng.uniform(0, 48 * 3600))
    world.cases[number] = a_case(number, world.now_ms(), rng)
    world.changed.set()
    people = [asyncio.create_task(person(world, number, each)) for each in rng.sample(PEOPLE, rng.randint(0, 3))]
    for attempt in range(rng.randint(1, 5)):
        await asyncio.sleep(rng.expovariate(1 / 2000))
        digest = world.cases[number].request.action_digest
        world.act(number, Redeem(action_digest=digest, attempt=f"{number}-{attempt}", tool_use_id=""))
    await asyncio.gather(*people)


async def person(world: World, number: int, who: str) -> None:
    rng = world.random
    await asyncio.sleep(rng.expovariate(1 / 2400))
    request = world.cases[number].request
    verdict = Verdict.DENY if rng.random() < 0.2 else Verdict.APPROVE
    review = Review(
        decision_id=f"{number}-{who}",
        request_id=request.id,
        version=request.version,
        action_digest=request.action_digest,
        person=who,
        channel="web",
        verdict=verdict,
        text="",
        assurance=1,
        at_ms=world.now_ms(),
        scope=rng.choice(("once", "uses:3")),
    )
    world.act(number, Cast(review=review, electorate=STAFF))


async def sweeper(world: World) -> None:
    """Acts on what is due; asleep at times, as a laptop is."""
    while True:
        for number in list(world.cases):
            due_ms = next_due_ms(world.cases[number])
            if due_ms is not None and due_ms <= world.now_ms():
                world.act(number, Deadline())
        world.changed.clear()
        dues = [due_ms for case in world.cases.values() if (due_ms := next_due_ms(case)) is not None]
        pause_s = (
            4 * 3600 if world.random.random() < 0.01 else max(0.001, (min(dues, default=0) - world.now_ms()) / 1000)
        )
        await asyncio.sleep(min(pause_s, 300) if pause_s != 4 * 3600 else pause_s)


async def clock_jumps(world: World) -> None:
    while True:
        await asyncio.sleep(world.random.uniform(1800, 6 * 3600))
        world.skew_ms += world.random.choice((-1, 1)) * world.random.randint(0, HOUR_MS)


async def days(seed: int, agents: int) -> World:
    world = World(seed)
    background = [asyncio.create_task(each(world)) for each in (sweeper, clock_jumps)]
    await asyncio.gather(*(agent(world, number) for number in range(agents)))
    await asyncio.sleep(12 * 3600)
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)
    return world


def run(seed: int, agents: int = 300) -> World:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(days(seed, agents))
    finally:
        loop.close()


def fingerprint(world: World) -> str:
    return hashlib.sha256(repr(world.trace).encode()).hexdigest()


@pytest.mark.parametrize("seed", range(4))
def test_days_of_traffic_with_a_jumping_clock_break_no_promise(seed: int) -> None:
    """I4, I5: whoever is late, whatever the clock does, nothing opens twice and everything ends."""
    world = run(seed)
    states = Counter(case.request.state for case in world.cases.values())
    assert set(states) == {RequestState.APPROVED, RequestState.DENIED, RequestState.EXPIRED}
    assert max(world.count("gate.timeout").values()) == 1
    assert max(world.count("grant.issued").values()) == 1
    assert max(world.count("gate.reminded").values()) <= 2
    assert max(world.count("gate.escalated").values()) == 1
    released = world.count("gate.released")
    for number, case in world.cases.items():
        allowed = case.grant.uses_max if case.grant is not None else 0
        assert released[number] <= allowed
        assert next_due_ms(case) is None
        approvers = {each.person for each in case.reviews if each.counted and each.verdict is Verdict.APPROVE}
        assert case.grant is None or len(approvers) >= case.request.terms.approvals_needed
        if case.request.state is RequestState.APPROVED:
            assert case.request.end is not None
            assert case.request.end.at_ms < case.request.terms.approval_expires_at_ms


def test_the_same_seed_is_the_same_history_and_another_seed_another() -> None:
    assert fingerprint(run(1, 50)) == fingerprint(run(1, 50)) != fingerprint(run(2, 50))
