"""Random histories against the real store, compared with a model of a few lines after every act."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from askfirst.engine import Amend, Case, Content
from askfirst.engine.scopes import LONGEST_MS
from askfirst.engine.versions import VERSIONS_MAX
from askfirst.policy.ruling import ONCE, ScopeOffer
from askfirst.request import RequestState, Verdict
from askfirst.store import schema
from askfirst.testing.bench import Bench, a_draft, a_review, bench

T = TypeVar("T")
LIFE_MS = 600_000
PEOPLE = ("local:ann", "local:bob", "local:eve")


class Model:
    """What should be true of one request."""

    def __init__(self, command: str, now_ms: int) -> None:
        self.command = command
        self.version = 1
        self.deadline_ms = now_ms + LIFE_MS
        self.state = "pending"
        self.denied_at_ms = 0
        self.is_denied_late = False
        self.grant = ""
        self.grant_until_ms = 0
        self.uses_left = 0
        self.several_since_ms: int | None = None
        """Since when its grant is one for several runs, if it is."""
        self.said: set[tuple[str, Verdict]] = set()
        self.runs = 0

    def tick(self, now_ms: int) -> None:
        if self.state == "pending" and now_ms >= self.deadline_ms:
            self.state = "expired"
        elif self.grant == "issued" and now_ms >= self.grant_until_ms:
            self.grant = "lapsed"

    def approve(self, now_ms: int, uses: int) -> None:
        if self.state == "pending":
            life_ms = 120_000 if uses == 1 else LONGEST_MS
            self.state, self.grant, self.grant_until_ms, self.uses_left = "approved", "issued", now_ms + life_ms, uses
            self.several_since_ms = now_ms if uses > 1 else None
        elif self.state == "expired" and not self.grant and not self.is_denied_late:
            self.grant, self.grant_until_ms, self.uses_left = "issued", now_ms + 600_000, 1

    def deny(self, now_ms: int) -> None:
        if self.state == "pending" or (self.state == "approved" and self.grant == "issued" and not self.runs):
            self.state, self.denied_at_ms = "denied", now_ms
        elif self.grant != "issued":
            self.is_denied_late |= self.state == "expired" and not self.grant
            return
        self.grant = "revoked" if self.grant else ""

    def redeem(self, now_ms: int) -> bool:
        self.tick(now_ms)
        if self.grant != "issued":
            return False
        self.uses_left -= 1
        self.runs += 1
        if not self.uses_left:
            self.grant = "redeemed"
        return True


class Desk(RuleBasedStateMachine):
    """Agents ask, amend and try, people decide, time passes, the sweeper comes when it likes."""

    requests = Bundle("requests")

    def __init__(self, url: str) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.bench: Bench = self._stack.enter_context(bench(folder / "store.db", url))
        self.bench.writer.submit(_empty).result()
        self.models: dict[str, Model] = {}
        self.keys: dict[str, str] = {}
        self.tries = 0

    def teardown(self) -> None:
        self._stack.close()

    @property
    def now_ms(self) -> int:
        return self.bench.clock.now_ms()

    def case(self, request: str) -> Case:
        return asyncio.run(self.bench.desk.case(request))

    def is_overruled(self, model: Model) -> bool:
        """Whether the same command was denied after it was approved for several runs."""
        since_ms = model.several_since_ms
        return since_ms is not None and any(
            each.state == "denied" and each.command == model.command and each.denied_at_ms >= since_ms
            for each in self.models.values()
        )

    def answers(self, key: str, command: str) -> set[str]:
        """The requests that may answer this draft; none: it becomes a new one."""
        if key in self.keys:
            return {self.keys[key]}
        same = {each: model for each, model in self.models.items() if model.command == command}
        granted = {
            each
            for each, model in same.items()
            if model.grant == "issued" and self.now_ms < model.grant_until_ms and not self.is_overruled(model)
        }
        # a deadline that no sweeper has seen yet leaves the request open to join
        waiting = {each for each, model in same.items() if self.case(each).request.state is RequestState.PENDING}
        denied = {
            each
            for each, model in same.items()
            if model.state == "denied" and self.now_ms - model.denied_at_ms < 600_000
        }
        return granted or waiting or denied

    @rule(target=requests, key=st.integers(0, 3), retry=st.integers(0, 2))
    def ask(self, key: int, retry: int) -> object:
        command, name = f"rm -rf {key}", f"key-{key}-{retry}"
        draft = a_draft(key=name, command=command, now_ms=self.now_ms)
        terms = replace(draft.terms, scopes=(ONCE, ScopeOffer(kind="uses", amount=2)))
        expected = self.answers(name, command)
        case = asyncio.run(self.bench.desk.ask(replace(draft, terms=terms)))
        if expected:
            assert case.request.id in expected
            return multiple()
        assert case.request.id not in self.models
        self.keys[name] = case.request.id
        self.models[case.request.id] = Model(command, self.now_ms)
        return case.request.id

    @rule(
        request=requests,
        person=st.sampled_from(PEOPLE),
        verdict=st.sampled_from((Verdict.APPROVE, Verdict.DENY)),
        scope=st.sampled_from(("once", "uses:2")),
        stale=st.booleans(),
        again=st.booleans(),
    )
    def review(self, request: str, person: str, verdict: Verdict, scope: str, stale: bool, again: bool) -> None:
        model, case = self.models[request], self.case(request)
        self.tries += 1
        shown = case.earlier[-1] if stale and case.earlier else case.request
        draft = a_review(shown, verdict, person=person, decision_id=f"{self.tries}", scope=scope)
        asyncio.run(self.bench.desk.review(draft))
        if again:
            asyncio.run(self.bench.desk.review(draft))
        model.tick(self.now_ms)
        if shown is not case.request or (person, verdict) in model.said:
            return
        if self.case(request).reviews[-1].counted:
            model.said.add((person, verdict))
        if verdict is Verdict.APPROVE:
            model.approve(self.now_ms, 2 if scope == "uses:2" else 1)
        else:
            model.deny(self.now_ms)

    @rule(request=requests)
    def asks_back(self, request: str) -> None:
        self.tries += 1
        draft = a_review(self.case(request).request, Verdict.NEEDS_INFO, text="why?", decision_id=f"{self.tries}")
        step = asyncio.run(self.bench.desk.review(draft))
        self.models[request].tick(self.now_ms)
        assert step.done == (self.models[request].state == "pending")

    @rule(request=requests, key=st.integers(0, 3))
    def amend(self, request: str, key: int) -> None:
        model, asked = self.models[request], self.case(request).request
        model.tick(self.now_ms)
        command = f"rm -rf {key}"
        action = replace(asked.action, arguments={"command": command})
        content = Content(action=action, effects=asked.effects, risk=asked.risk)
        terms = replace(asked.terms, approval_expires_at_ms=self.now_ms + LIFE_MS)
        step = asyncio.run(self.bench.desk.amend(request, Amend(content=content, claim=asked.claim, terms=terms)))
        assert step.done == (model.state == "pending" and command != model.command and model.version < VERSIONS_MAX)
        if step.done:
            model.command, model.deadline_ms, model.said = command, self.now_ms + LIFE_MS, set()
            model.version += 1

    @rule(request=requests)
    def redeem(self, request: str) -> None:
        case = self.case(request)
        self.tries += 1
        step = asyncio.run(
            self.bench.desk.redeem(
                request, action_digest=case.request.action_digest, attempt=f"{self.tries}", tool_use_id="t"
            )
        )
        model = self.models[request]
        model.tick(self.now_ms)
        assert step.done == (not self.is_overruled(model) and model.redeem(self.now_ms))

    @rule(request=requests)
    def revoke(self, request: str) -> None:
        model = self.models[request]
        model.tick(self.now_ms)
        step = asyncio.run(self.bench.desk.revoke(request, by="local:ann", channel="terminal"))
        assert step.done == (model.grant == "issued")
        if step.done:
            model.grant = "revoked"

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
            case = self.case(request_id)
            assert case.request.state.value == model.state
            assert (case.grant.state.value if case.grant else "") == model.grant
            assert [each.version for each in (*case.earlier, case.request)] == list(range(1, model.version + 1))

    @invariant()
    def nothing_runs_more_often_than_allowed_and_the_log_knows_every_run(self) -> None:
        released = [entry.request for entry in self.bench.log.entries if entry.type == "gate.released"]
        assert {each: released.count(each) for each in released} == {
            request_id: model.runs for request_id, model in self.models.items() if model.runs
        }


def _empty(connection: sa.Connection) -> None:
    """A database is used by one example after the other."""
    for table in reversed(schema.metadata.sorted_tables):
        connection.execute(table.delete())


@pytest.mark.slow
def test_random_histories_are_as_the_model_says(store_url: str) -> None:
    examples = 15 if store_url else 40
    limits = settings(max_examples=examples, stateful_step_count=30, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(lambda: Desk(store_url), settings=limits)
