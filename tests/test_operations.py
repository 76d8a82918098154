"""Operations of a service that wait for people: asked about like anything else, and let go once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from askfirst.analyst import DiskAnalyst
from askfirst.asking import Asking
from askfirst.call import ToolCall
from askfirst.config import parse_config
from askfirst.errors import NobodyToAskError
from askfirst.operations import Operations
from askfirst.policy.question import Question
from askfirst.policy.ruling import Outcome, Ruling
from askfirst.request import Request, Verdict
from askfirst.testing.bench import Bench, a_review, bench
from askfirst.testing.ladder_policy import ConfiguredPolicy

DEPLOY = ToolCall(
    tool="deploy_environment",
    arguments={"environment": "production", "repository": "acme/api"},
    cwd="",
    session="run 987",
)


class Ruler:
    """The configured policy, or a freeze."""

    def __init__(self) -> None:
        self.is_frozen = False
        self._policy = ConfiguredPolicy(config=parse_config(b"", source="defaults"))

    def at_once(self, question: Question) -> Ruling | None:
        return self.rule_on(question)

    def rule_on(self, question: Question) -> Ruling:
        ruling = self._policy.rule_on(question)
        return replace(ruling, outcome=Outcome.DENY, rule="freeze", reason="Friday") if self.is_frozen else ruling


def over(made: Bench) -> tuple[Operations, Ruler]:
    ruler = Ruler()
    return Operations(made.desk, Asking(analyst=DiskAnalyst(), ruler=ruler, clock=made.clock)), ruler


async def asked(operations: Operations, made: Bench) -> Request:
    why = await operations.ask(
        DEPLOY, by="github-actions", key="run 987", recipient="github:acme/api/runs/987@production"
    )
    assert why == ""
    [request] = await made.desk.pending()
    return request


def test_an_operation_is_asked_about_once_and_its_service_is_told_beside_the_people(tmp_path: Path) -> None:
    async def story(made: Bench) -> None:
        operations, _ = over(made)
        request = await asked(operations, made)
        assert await asked(operations, made) == request
        assert request.terms.stages[0].recipients == ("web:inbox", "github:acme/api/runs/987@production")
        assert request.agent.host == "github-actions"
        assert request.action.arguments["environment"] == "production"

    run(tmp_path, story)


def test_an_approval_lets_it_go_however_often_that_is_asked_until_the_service_was_told(tmp_path: Path) -> None:
    async def story(made: Bench) -> None:
        operations, _ = over(made)
        request = await asked(operations, made)
        assert (await operations.release(request.id))[0] is False
        await made.desk.review(a_review(request, Verdict.APPROVE))
        assert await operations.release(request.id) == (True, "")
        assert await operations.release(request.id) == (True, "")
        await operations.released(request.id)
        await operations.released(request.id)
        assert await operations.release(request.id) == (False, "")
        case = await made.desk.case(request.id)
        assert case.grant is not None
        assert [use.outcome for use in case.grant.uses] == ["ok"]

    run(tmp_path, story)


def test_a_deny_before_it_went_on_wins(tmp_path: Path) -> None:
    """I5."""

    async def story(made: Bench) -> None:
        operations, _ = over(made)
        request = await asked(operations, made)
        await made.desk.review(a_review(request, Verdict.APPROVE))
        await made.desk.review(a_review(request, Verdict.DENY, person="local:bob"))
        may_go_on, why = await operations.release(request.id)
        assert not may_go_on
        assert why

    run(tmp_path, story)


def test_what_the_policy_denies_is_not_asked_about(tmp_path: Path) -> None:
    async def story(made: Bench) -> None:
        operations, ruler = over(made)
        ruler.is_frozen = True
        why = await operations.ask(DEPLOY, by="github-actions", key="run 987", recipient="github:x")
        assert why == "denied by the policy (rule freeze): Friday"
        assert await made.desk.pending() == []

    run(tmp_path, story)


def test_without_a_channel_to_the_service_nothing_is_asked(tmp_path: Path) -> None:
    """I6: an approval that nobody could carry out is not asked for."""

    async def story(made: Bench) -> None:
        operations, _ = over(made)
        with pytest.raises(NobodyToAskError, match="pager"):
            await operations.ask(DEPLOY, by="github-actions", key="run 987", recipient="pager:x")
        assert [each.state for each in await made.desk.requests()] == []

    run(tmp_path, story)


def run(folder: Path, story: object) -> None:
    async def play() -> None:
        with bench(folder / "askfirst.db", schemes={"web", "github"}) as made:
            await story(made)  # type: ignore[operator]  # an async function

    asyncio.run(play())
