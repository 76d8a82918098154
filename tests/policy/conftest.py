"""Questions, layers and policies for the policy's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from askfirst.call import ToolCall
from askfirst.effects import Classification, Effect, EffectKind, Outcome, Risk
from askfirst.host import Agent
from askfirst.policy.question import Place, Question
from askfirst.policy.raw import RawPolicy
from askfirst.policy.read import read_policy, require_tightening
from askfirst.policy.source import assemble, project_ceiling

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.policy.policy import Policy


def _read(text: str, name: str) -> RawPolicy | None:
    return read_policy(text.encode(), source=f"{name}.toml") if text else None


def build_policy(*, user: str = "", managed: str = "", project: str = "") -> Policy:
    """A policy of these texts."""
    policy = assemble(managed=_read(managed, "managed"), user=_read(user, "user"), config=RawPolicy(), loaded=())
    raw = _read(project, "askfirst")
    if raw is None:
        return policy
    require_tightening(raw, source="askfirst.toml")
    return replace(policy, ceilings=(*policy.ceilings, project_ceiling(raw, policy.general.protected)))


def build_question(
    command: str = "git reset --hard",
    *effects: Effect,
    tool: str = "Bash",
    found: Outcome | None = None,
    **others: object,
) -> Question:
    """A question about a command with these effects."""
    gravest = max((effect.risk for effect in effects), default=Risk.LOW)
    outcome = found or (Outcome.GATE if gravest >= Risk.HIGH else Outcome.ALLOW)
    arguments = {"command": command} if tool == "Bash" else {}
    commands = (command,) if tool == "Bash" else ()
    given: dict[str, object] = {
        "call": ToolCall(tool=tool, arguments=arguments, cwd="/proj", session="s"),
        "classification": Classification(outcome=outcome, effects=effects, commands=commands),
        "agent": Agent(host="claude-code", session="s", model="claude-x"),
        "at": datetime(2026, 11, 25, 12, 0, tzinfo=UTC),
        "place": Place(project="/proj", repository="acme/api", branch="feature/x", default_branch="main"),
    }
    return Question(**(given | others))  # type: ignore[arg-type]  # a test's shorthand


def build_effect(
    risk: Risk = Risk.HIGH,
    *,
    rule: str = "git.reset-hard",
    kind: EffectKind = EffectKind.DISCARDS_CHANGES,
    command: str = "git reset --hard",
    target: str = "the work tree",
    cwd: str = "/proj",
) -> Effect:
    """An effect of this risk."""
    return Effect(
        rule=rule, kind=kind, risk=risk, reversible=False, target=target, loss="loses work", command=command, cwd=cwd
    )


@pytest.fixture(scope="session")
def policy_of() -> Callable[..., Policy]:
    return build_policy


@pytest.fixture(scope="session")
def question() -> Callable[..., Question]:
    return build_question


@pytest.fixture(scope="session")
def effect() -> Callable[..., Effect]:
    return build_effect
