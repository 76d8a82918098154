"""Random histories against the real store, compared with a model of a few lines after every act."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from askfirst.request import Verdict
from askfirst.store import schema
from askfirst.testing.bench import Bench, a_draft, a_review, bench

T = TypeVar("T")
PEOPLE = ("local:ann", "local:bob", "local:eve")


class Model:
    """What should be true of one request."""

    def __init__(self, created_ms: int) -> None:
        self.deadline_ms = created_ms + 600_000
        self.state = "pending"
        self.grant = ""
        self.grant_until_ms = 0
        self.approved_by: set[str] = set()
        self.runs = 0

    def tick(self, now_ms: int) -> None:
        if self.state == "pending" and now_ms >= self.deadline_ms:
            self.state = "expired"
        elif self.grant == "issued" and now_ms >= self.grant_until_ms:
            self.grant = "lapsed"

    def approve(self, now_ms: int) -> None:
        self.tick(now_ms)
        if self.state == "pending":
            self.state, self.grant, self.grant_until_ms = "approved", "issued", now_ms + 120_000
        elif self.state == "expired" and not self.grant:
            self.grant, self.grant_until_ms = "issued", now_ms + 600_000

    def deny(self, now_ms: int) -> None:
        self.tick(now_ms)
        if self.state == "pending" or (self.state == "approved" and self.grant == "issued"):
            self.state = "denied"
            self.grant = "revoked" if self.grant else ""
        elif self.state == "expired" and self.grant == "issued":
            self.grant = "revoked"

    def redeem(self, now_ms: int) -> bool:
        self.tick(now_ms)
        if self.state in {"approved", "expired"} and self.grant == "issued":
            self.grant = "redeemed"
            self.runs += 1
            return True
        return False


class Desk(RuleBasedStateMachine):
    """Agents ask and try, people decide, time passes, the sweeper comes when it likes."""

    requests = Bundle("requests")

    def __init__(self, url: str) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.bench: Bench = self._stack.enter_context(bench(folder / "store.db", url))
        self.bench.writer.submit(_empty).result()
        self.models: dict[str, Model] = {}
        self.tries = 0

    def teardown(self) -> None:
        self._stack.close()

    @property
    def now_ms(self) -> int:
        return self.bench.clock.now_ms()

    @rule(target=requests, key=st.integers(0, 3))
    def ask(self, key: int) -> object:
        draft = a_draft(key=f"key-{key}", command=f"rm -rf {key}", now_ms=self.now_ms)
        case = asyncio.run(self.bench.desk.ask(draft))
        if case.request.id in self.models:
            return multiple()
        self.models[case.request.id] = Model(self.now_ms)
        return case.request.id

    @rule(request=requests, person=st.sampled_from(PEOPLE), approve=st.booleans(), again=st.booleans())
    def review(self, request: str, person: str, approve: bool, again: bool) -> None:
        model = self.models[request]
        case = asyncio.run(self.bench.desk.case(request))
        verdict = Verdict.APPROVE if approve else Verdict.DENY
        before = any(each.person == person and each.verdict is verdict and each.counted for each in case.reviews)
        self.tries += 1
        draft = a_review(case.request, verdict, person=person, decision_id=f"{self.tries}")
        asyncio.run(self.bench.desk.review(draft))
        if again:
            asyncio.run(self.bench.desk.review(draft))
        if before:
            model.tick(self.now_ms)
        elif approve:
            model.approve(self.now_ms)
        else:
            model.deny(self.now_ms)

    @rule(request=requests)
    def redeem(self, request: str) -> None:
        case = asyncio.run(self.bench.desk.case(request))
        self.tries += 1
        step = asyncio.run(
            self.bench.desk.redeem(
                request, action_digest=case.request.action_digest, attempt=f"{self.tries}", tool_use_id="t"
            )
        )
        assert step.done == self.models[request].redeem(self.now_ms)

    @rule(request=requests)
    def cancel(self, request: str) -> None:
        model = self.models[request]
        model.tick(self.now_ms)
        step = asyncio.run(self.bench.desk.cancel(request, ""))
        assert step.done == (model.state == "pending")
        if step.done:
            model.state = "cancelled"

    @rule(seconds=st.integers(1, 400))
    def wait(self, seconds: int) -> None:
        self.bench.clock.advance(seconds)

    @rule()
    def sweep(self) -> None:
        asyncio.run(self.bench.desk.sweep())
        for model in self.models.values():
            model.tick(self.now_ms)

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        for request_id, model in self.models.items():
            case = asyncio.run(self.bench.desk.case(request_id))
            assert case.request.state.value == model.state
            assert (case.grant.state.value if case.grant else "") == model.grant

    @invariant()
    def nothing_runs_twice_and_the_log_knows_every_run(self) -> None:
        released = [entry.request for entry in self.bench.log.entries if entry.type == "gate.released"]
        assert len(released) == len(set(released)) == sum(model.runs for model in self.models.values())


def _empty(connection: sa.Connection) -> None:
    """A database is used by one example after the other."""
    for table in reversed(schema.metadata.sorted_tables):
        connection.execute(table.delete())


@pytest.mark.slow
def test_random_histories_are_as_the_model_says(store_url: str) -> None:
    examples = 15 if store_url else 40
    limits = settings(
        max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(lambda: Desk(store_url), settings=limits)
