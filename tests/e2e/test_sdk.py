"""Programs that ask, over a real broker: the stories told in memory, and what only a real one can do."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import anthropic
import pytest
from anthropic import beta_tool

from askfirst import AlreadyUsed, Approval, Denied, HumanLayer, Refusal, TimedOut
from askfirst.demo.script import Call, Say
from askfirst.demo.scripted_model import ScriptedModel
from askfirst.errors import Error, NotAllowedError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
PATIENCE_S = 30


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


def layer(broker: Any, **settings: Any) -> HumanLayer:
    return HumanLayer(url=f"unix:{broker.paths.socket}", **settings)


class Program:
    """A program with one gated function."""

    def __init__(self, **settings: Any) -> None:
        self.ran: list[tuple[str, int]] = []
        self.layer = HumanLayer(**settings)

        def pay(account: str, amount: int) -> str:
            """Pay an invoice."""
            self.ran.append((account, amount))
            return f"paid {amount}"

        self.pay: Callable[..., str] = self.layer.require_approval(pay)


def test_an_approval_runs_once_with_its_outcome_in_the_log(broker: Any, person: Any, pool: ThreadPoolExecutor) -> None:
    broker.start()
    program = Program(url=f"unix:{broker.paths.socket}")
    running: Future[str] = pool.submit(program.pay, "DE1", 5)
    request = broker.pending()
    assert (request["host"], request["tool"], request["arguments"]) == (
        "python",
        "pay",
        {"account": "DE1", "amount": 5},
    )
    assert request["claim"]["reason"] == "Pay an invoice."
    person.decide(request, "approve", "fine")
    assert running.result(PATIENCE_S) == "paid 5"
    assert program.ran == [("DE1", 5)]
    assert broker.request(request["id"])["grant"]["outcome"] == "ok"
    assert broker.types()[-2:] == ["gate.released", "gate.executed"]


def test_a_denial_has_its_reason_and_nothing_runs(broker: Any, person: Any, pool: ThreadPoolExecutor) -> None:
    broker.start()
    program = Program(url=f"unix:{broker.paths.socket}")
    running: Future[str] = pool.submit(program.pay, "DE1", 5)
    person.decide(broker.pending(), "deny", "not this account")
    with pytest.raises(Denied, match="not this account"):
        running.result(PATIENCE_S)
    assert program.ran == []


def test_a_broker_that_is_killed_while_a_person_decides_costs_nothing(
    broker: Any, person: Any, pool: ThreadPoolExecutor
) -> None:
    broker.start()
    program = Program(url=f"unix:{broker.paths.socket}")
    running: Future[str] = pool.submit(program.pay, "DE1", 5)
    first = broker.pending()
    broker.kill()
    broker.start()
    second = broker.pending()
    assert second["id"] == first["id"]
    person.decide(second, "approve")
    assert running.result(PATIENCE_S) == "paid 5"
    assert len(broker.requests()) == 1


def test_a_program_without_a_broker_starts_one(
    broker: Any, person: Any, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASKFIRST_STATE_DIR", str(broker.paths.root))
    program = Program()
    running: Future[str] = pool.submit(program.pay, "DE1", 5)
    person.decide(broker.pending(), "approve")
    assert running.result(PATIENCE_S) == "paid 5"


def test_a_run_that_is_started_again_joins_what_waits_and_repeats_nothing(
    broker: Any, person: Any, pool: ThreadPoolExecutor
) -> None:
    broker.start()
    url = f"unix:{broker.paths.socket}"
    crashed = Program(url=url, run_id="run-1")
    first: Future[str] = pool.submit(crashed.pay, "DE1", 5)
    request = broker.pending()
    again = Program(url=url, run_id="run-1")
    second: Future[str] = pool.submit(again.pay, "DE1", 5)
    person.decide(request, "approve")
    for running in (first, second):
        with contextlib.suppress(AlreadyUsed):  # whichever of both comes first runs it
            running.result(PATIENCE_S)
    assert len(crashed.ran) + len(again.ran) == 1
    third = Program(url=url, run_id="run-1")
    with pytest.raises(AlreadyUsed):
        third.pay("DE1", 5)
    assert len(broker.requests()) == 1


def test_a_deadline_of_ones_own_and_what_it_may_not_do(broker: Any) -> None:
    broker.start()
    hl = layer(broker)
    late = hl.request_approval("deploy", {"to": "prod"}, timeout=1)
    assert isinstance(late, Refusal)
    assert isinstance(late.error, TimedOut)
    with pytest.raises(NotAllowedError, match="does not let a deadline approve"):
        hl.request_approval("deploy", {"to": "prod"}, timeout=1, on_timeout="auto_approve")
    with pytest.raises(Error, match="no such channel"):
        hl.request_approval("deploy", {"to": "prod"}, contact_channel="carrier-pigeon:7")


def test_an_asynchronous_program_asks_many_at_once(broker: Any, person: Any) -> None:
    broker.start()
    hl = layer(broker)

    async def story() -> list[Any]:
        asked = [asyncio.create_task(hl.request_approval_async("step", {"n": n})) for n in range(5)]
        for _ in asked:
            await asyncio.to_thread(lambda: person.decide(broker.pending(), "approve"))
        return await asyncio.gather(*asked)

    assert all(isinstance(each, Approval) for each in asyncio.run(asyncio.wait_for(story(), 60)))


def test_tools_of_the_anthropic_sdk_ask_first(broker: Any, person: Any) -> None:
    """A model calls two gated tools; one is denied, and it is told so in words it can act on."""
    broker.start()
    hl = layer(broker)
    deleted: list[str] = []

    @beta_tool
    @hl.require_approval
    def delete_user(user_id: str) -> str:
        """Delete a user account permanently."""
        deleted.append(user_id)
        return f"deleted {user_id}"

    turns = (
        (Say(text="First."), Call(id="toolu_01", tool="delete_user", arguments={"user_id": "u1"})),
        (Say(text="Second."), Call(id="toolu_02", tool="delete_user", arguments={"user_id": "u2"})),
        (Say(text="Done."),),
    )
    verdicts = threading.Thread(
        target=lambda: [person.decide(broker.pending(), each, "only the test account") for each in ("approve", "deny")]
    )
    with ScriptedModel(turns) as model:
        with anthropic.Anthropic(base_url=model.url, api_key="scripted", max_retries=0) as client:
            verdicts.start()
            runner = client.beta.messages.tool_runner(
                model="claude-test", max_tokens=100, tools=[delete_user], messages=[{"role": "user", "content": "go"}]
            )
            last = runner.until_done()
        told = model.results()
    verdicts.join(PATIENCE_S)
    assert deleted == ["u1"]
    assert [each.is_error for each in told] == [False, True]
    assert "only the test account" in told[1].text
    assert "Do not retry it" in told[1].text
    assert last.content[0].type == "text"
