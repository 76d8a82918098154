"""An approval is for the state that was shown: whatever changes it meanwhile is asked about anew."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from askfirst.analyst import DiskAnalyst
from askfirst.asking import Asking
from askfirst.audit_port import EntryType
from askfirst.call import ToolCall
from askfirst.card import card_of
from askfirst.config import parse_config
from askfirst.desk import Desk
from askfirst.effects import Risk
from askfirst.evidence.eye import Eye
from askfirst.evidence.gather import Gatherer
from askfirst.evidence.sources import sources
from askfirst.evidence_config import EvidenceConfig
from askfirst.gate import Attempt, Gate
from askfirst.host import Agent, Allow, BeforeTool, Deny
from askfirst.host import Verdict as HookVerdict
from askfirst.policy.ruling import ScopeOffer, Stage
from askfirst.request import GrantState, RequestState, Verdict
from askfirst.testing.bench import a_review
from askfirst.testing.ladder_policy import ConfiguredPolicy
from askfirst.testing.repositories import commit, git, make_repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from askfirst.engine import Case
    from askfirst.policy.question import Question
    from askfirst.policy.ruling import Ruling
    from askfirst.testing.bench import Bench

CONFIG = parse_config(b"", source="defaults")


class Changed:
    """The default policy, on other terms where a test says so."""

    def __init__(self) -> None:
        self._policy = ConfiguredPolicy(config=CONFIG)
        self.terms: dict[str, Any] = {}

    def at_once(self, question: Question) -> Ruling:
        return self.rule_on(question)

    def rule_on(self, question: Question) -> Ruling:
        return replace(self._policy.rule_on(question), **self.terms)


class Scene:
    """A real gate over a real repository, and a person who acts while a hook waits."""

    def __init__(self, bench: Bench, project: Path) -> None:
        self.project = project
        self.bench = bench
        gatherer = Gatherer(sources(EvidenceConfig()), eye=Eye, limit_s=30)
        self.ruler = Changed()
        self.asking = Asking(analyst=DiskAnalyst(), ruler=self.ruler, clock=bench.clock, gatherer=gatherer)
        self.desk: Desk = bench.desk
        self.desk._inspector = self.asking
        self.gate = Gate(desk=self.desk, asking=self.asking)

    def event(self, command: str, tool_use_id: str = "toolu_1", **arguments: Any) -> BeforeTool:
        return BeforeTool(
            agent=Agent(host="claude-code", session="s"),
            call=ToolCall(tool="Bash", arguments={"command": command, **arguments}, cwd=str(self.project), session="s"),
            tool_use_id=tool_use_id,
        )

    def run(self, command: str, *acts: Callable[[Case], Any]) -> HookVerdict:
        """The hook's verdict, with one act of the person for each version that is asked."""

        async def story() -> HookVerdict:
            until_s = asyncio.get_running_loop().time() + 20
            waiting = asyncio.ensure_future(self.gate.before(self.event(command), Attempt(id="a", until_s=until_s)))
            for version, act in enumerate(acts, 1):
                case = await self._version(version)
                done = act(case)
                if done is not None:
                    await done
            return await waiting

        return asyncio.run(asyncio.wait_for(story(), 30))

    async def _version(self, version: int) -> Case:
        """The case once this version of it waits for people."""
        while True:
            for request in await self.desk.pending():
                if request.version == version:
                    return await self.desk.case(request.id)
            await asyncio.sleep(0.01)

    def approve(self, case: Case, **changes: Any) -> Any:
        review = a_review(
            case.request, Verdict.APPROVE, decision_id=f"d{case.request.version}-{case.request.id}", **changes
        )
        return self.desk.review(review)

    def case(self) -> Case:
        async def story() -> Case:
            return await self.desk.case((await self.desk.requests())[0].id)

        return asyncio.run(story())


@pytest.fixture
def scene(desk_bench: Bench, tmp_path: Path) -> Scene:
    project = make_repository(tmp_path / "project")
    commit(project, "second.txt")
    (project / "a.txt").write_text("dirty\n", encoding="utf-8")
    return Scene(desk_bench, project)


def test_what_stays_as_it_was_shown_runs(scene: Scene) -> None:
    verdict = scene.run("git reset --hard HEAD~1", scene.approve)
    assert isinstance(verdict, Allow)
    case = scene.case()
    assert case.grant is not None
    assert case.grant.state is GrantState.REDEEMED
    assert case.grant.state_digest == case.request.evidence.state_digest != ""


def test_a_change_after_the_approval_lapses_it_and_the_new_version_shows_the_difference(scene: Scene) -> None:
    """I2: the decision is bound to the state beside the action."""

    async def approve_and_change(case: Case) -> None:
        (scene.project / "a.txt").write_text("dirty and more\n", encoding="utf-8")
        (scene.project / "src/b.py").write_text("b = 'new work'\n", encoding="utf-8")
        await scene.approve(case)

    seen: list[Case] = []

    async def look_and_approve(case: Case) -> None:
        seen.append(case)
        await scene.approve(case)

    verdict = scene.run("git reset --hard HEAD~1", approve_and_change, look_and_approve)
    assert isinstance(verdict, Allow)
    anew = seen[0]
    assert (anew.request.version, anew.request.changed_by, anew.request.state) == (2, "state", RequestState.PENDING)
    assert anew.grant is not None
    assert anew.grant.state is GrantState.LAPSED
    names = [name for name, _, _ in card_of(anew).difference]
    assert names == ["effects", "impact", f"uncommitted changes in {scene.project}"]
    types = [each.type for each in scene.bench.log.entries]
    assert types.count(EntryType.GRANT_LAPSED) == 1
    assert types.count(EntryType.GRANT_ISSUED) == 2
    assert types.count(EntryType.GATE_RELEASED) == 1
    lapsed = next(each for each in scene.bench.log.entries if each.type is EntryType.GRANT_LAPSED)
    assert lapsed.decision["reason"] == "what it would hit has changed since it was approved"


def test_an_approval_of_the_version_before_opens_nothing(scene: Scene) -> None:
    (scene.project / "loose.txt").write_text("x", encoding="utf-8")

    async def approve_and_change(case: Case) -> None:
        (scene.project / "new.txt").write_text("x", encoding="utf-8")
        await scene.approve(case)

    async def approve_the_old_one(case: Case) -> None:
        old = replace(a_review(case.earlier[0], Verdict.APPROVE, person="local:bob"), version=1)
        step = await scene.desk.review(old)
        assert not step.done
        await scene.desk.review(a_review(case.request, Verdict.DENY))

    verdict = scene.run("git clean -fd", approve_and_change, approve_the_old_one)
    assert isinstance(verdict, Deny)


@pytest.mark.parametrize(
    ("command", "change"),
    [
        ("git reset --hard HEAD~1", lambda p: (p / "src/b.py").write_text("b = 3\n")),
        ("git branch -D topic", lambda p: git(p, "branch", "-f", "topic", "HEAD")),
        ("git clean -fd", lambda p: (p / "loose2.txt").write_text("x")),
        ("git clean -fd", lambda p: (p / "loose.txt").write_text("longer than before")),
        ("rm -rf loose", lambda p: (p / "loose/more.txt").write_text("x")),
        ("rm -f loose.txt", lambda p: (p / "loose.txt").write_text("longer than before")),
        ("git stash clear", lambda p: git(p, "stash", "push", "-q", "-m", "another")),
        ("git push --force origin main", lambda p: git(p, "update-ref", "refs/remotes/origin/main", "topic")),
    ],
)
def test_each_kind_of_change_is_seen(scene: Scene, command: str, change: Callable[[Path], Any]) -> None:
    project = scene.project
    git(project, "branch", "topic", "HEAD~1")
    git(project, "switch", "--quiet", "topic")
    commit(project, "on-topic.txt")
    git(project, "switch", "--quiet", "main")
    git(project, "stash", "push", "-q")
    git(project, "remote", "add", "origin", "https://example.invalid/x.git")
    git(project, "update-ref", "refs/remotes/origin/main", "HEAD~1")
    (project / "a.txt").write_text("dirty\n", encoding="utf-8")
    (project / "loose").mkdir()
    for name in ("loose.txt", "loose/file.txt"):
        (project / name).write_text("x", encoding="utf-8")

    async def approve_and_change(case: Case) -> None:
        change(project)
        await scene.approve(case)

    async def deny(case: Case) -> None:
        assert card_of(case).difference
        await scene.desk.review(a_review(case.request, Verdict.DENY))

    assert isinstance(scene.run(command, approve_and_change, deny), Deny)
    assert scene.case().request.version == 2


def test_what_does_not_concern_it_changes_nothing(scene: Scene) -> None:
    (scene.project / "loose.txt").write_text("x", encoding="utf-8")

    async def approve_and_change(case: Case) -> None:
        (scene.project / "other.txt").write_text("x", encoding="utf-8")
        (scene.project / "a.txt").write_text("something else\n", encoding="utf-8")
        await scene.approve(case)

    assert isinstance(scene.run("rm -f loose.txt", approve_and_change), Allow)


def test_a_permission_for_several_runs_is_for_what_they_meet(scene: Scene) -> None:
    """Whoever allows it five times has not seen the later states, and says so by choosing that."""
    scene.ruler.terms["scopes"] = (ScopeOffer(kind="once"), ScopeOffer(kind="uses", amount=5))
    (scene.project / "loose.txt").write_text("x", encoding="utf-8")

    async def approve_and_change(case: Case) -> None:
        (scene.project / "loose.txt").write_text("longer", encoding="utf-8")
        await scene.approve(case, scope="uses:5")

    assert isinstance(scene.run("rm -f loose.txt", approve_and_change), Allow)


def test_what_cannot_be_checked_again_is_asked_again(scene: Scene) -> None:
    (scene.project / "loose.txt").write_text("x", encoding="utf-8")

    async def approve_and_break(case: Case) -> None:
        (scene.project / ".git/index").write_bytes(b"no index")
        await scene.approve(case)

    async def deny(case: Case) -> None:
        await scene.desk.review(a_review(case.request, Verdict.DENY))

    assert isinstance(scene.run("git clean -fd", approve_and_break, deny), Deny)
    anew = scene.case().request
    assert anew.version == 2
    assert anew.evidence.has_failed
    assert anew.risk is Risk.CRITICAL


def test_what_nobody_could_be_asked_about_anew_is_taken_back(scene: Scene) -> None:
    """I6: by the policy of now a channel is told that is not there."""

    async def approve_and_change(case: Case) -> None:
        (scene.project / "a.txt").write_text("something else\n", encoding="utf-8")
        scene.ruler.terms["stages"] = (Stage(recipients=("pager:5",)),)
        await scene.approve(case)

    assert isinstance(scene.run("git reset --hard", approve_and_change), Deny)
    case = scene.case()
    assert case.grant is not None
    assert (case.request.state, case.grant.state) == (RequestState.APPROVED, GrantState.REVOKED)
    entry = next(each for each in scene.bench.log.entries if each.type is EntryType.GRANT_REVOKED)
    assert str(entry.decision["reason"]).startswith(
        "the rule git.reset-hard tells pager:5, and there is no such channel"
    )


def test_without_anybody_to_look_a_bound_grant_opens_nothing(scene: Scene) -> None:
    async def approve_and_forget(case: Case) -> None:
        scene.desk._inspector = None
        await scene.approve(case)

    assert isinstance(scene.run("git reset --hard HEAD~1", approve_and_forget), Deny)
    grant = scene.case().grant
    assert grant is not None
    assert grant.state is GrantState.ISSUED
