"""Cases and events for the engine, without a store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from askfirst.engine import Amend, Case, Cast, Content, Redeem, step
from askfirst.people import Electorate, Person
from askfirst.request import Review, Verdict
from askfirst.testing.bench import a_draft, a_request

if TYPE_CHECKING:
    from askfirst.engine import Step

NOW_MS = 1_800_000_000_000

ANN = Person(id="local:ann", roles=frozenset({"lead"}), teams=frozenset({"infra"}))
BOB = Person(id="local:bob", roles=frozenset({"security"}), recipients=("web:bob",))
CAT = Person(id="local:cat", roles=frozenset({"security"}))
STAFF = Electorate(people=(ANN, BOB, CAT), requesters=frozenset({"local:requester"}))


class Play:
    """One case and what happens to it, a line an act."""

    NOW_MS = NOW_MS
    STAFF = STAFF

    def __init__(self) -> None:
        self.case: Case = Case(request=a_request(a_draft()))
        self.now_ms = NOW_MS
        self.last: Step | None = None
        self.log: list[str] = []

    def terms(self, **terms: Any) -> Play:
        request = self.case.request
        self.case = replace(self.case, request=replace(request, terms=replace(request.terms, **terms)))
        return self

    def request(self, **members: Any) -> Play:
        self.case = replace(self.case, request=replace(self.case.request, **members))
        return self

    def after(self, seconds: float) -> Play:
        self.now_ms += round(seconds * 1000)
        return self

    def does(self, event: Any) -> Step:
        self.last = step(self.case, event, self.now_ms)
        self.case = self.last.case
        self.log += [line.type.value for line in self.last.log]
        return self.last

    def says(
        self, person: str, verdict: Verdict | str, *, edit: Content | None = None, electorate: Any = STAFF, **more: Any
    ) -> Step:
        request = self.case.request
        review = Review(
            decision_id=f"{len(self.case.reviews)}",
            request_id=request.id,
            version=request.version,
            action_digest=request.action_digest,
            person=person if ":" in person else f"local:{person}",
            channel="web",
            verdict=Verdict(verdict),
            text="",
            assurance=1,
            at_ms=self.now_ms,
        )
        return self.does(Cast(review=replace(review, **more), electorate=electorate, edit=edit))

    def redeems(self, attempt: str = "attempt-1", **more: Any) -> Step:
        event = Redeem(action_digest=self.case.request.action_digest, attempt=attempt, tool_use_id=f"call-{attempt}")
        return self.does(replace(event, **more))

    def content(self, command: str = "", **members: Any) -> Content:
        """The request's own content, or with another command."""
        request = self.case.request
        arguments = {"command": command} if command else request.action.arguments
        action = replace(request.action, arguments=arguments)
        return replace(Content(action=action, effects=request.effects, risk=request.risk), **members)

    def amends(self, command: str = "", reason: str = "") -> Step:
        claim = replace(self.case.request.claim, reason=reason)
        return self.does(Amend(content=self.content(command), claim=claim, terms=self.case.request.terms))


@pytest.fixture
def play() -> Play:
    return Play()
