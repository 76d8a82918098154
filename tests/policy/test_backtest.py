"""A policy tried on the past: what people denied comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from askfirst.effects import Classification, Effect, EffectKind, Risk
from askfirst.effects import Outcome as Found
from askfirst.policy.backtest import ERASED, NEVER_KEPT, backtest, past_call
from askfirst.policy.question import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.call import ToolCall
    from askfirst.policy.policy import Policy


def _classify(call: ToolCall) -> Classification:
    if not call.command.startswith("git reset"):
        return Classification(outcome=Found.ALLOW, commands=(call.command,))
    effect = Effect(
        rule="git.reset-hard",
        kind=EffectKind.DISCARDS_CHANGES,
        risk=Risk.HIGH,
        reversible=False,
        target="the work tree",
        loss="loses work",
        command=call.command,
    )
    return Classification(outcome=Found.GATE, effects=(effect,), commands=(call.command,))


def _entry(command: str | None, ended: str) -> dict[str, Any]:
    return {
        "t": "2026-11-25T12:00:00Z",
        "agent": {"name": "claude-code", "session": "s", "cwd": "/proj"},
        "action": {"tool": "Bash", "input": {"sha256": "00", "len": 2}},
        "input": None if command is None else {"command": command},
        "ended": ended,
    }


PAST = [
    _entry("git reset --hard", "denied"),
    _entry("git reset --hard HEAD~1", "approved"),
    _entry("ls", "passed"),
    _entry("terraform plan", "passed"),
    _entry(None, "approved"),
    {"action": {"tool": "Bash", "summary": "git reset --hard"}, "input": None, "ended": "refused"},
]


@pytest.mark.parametrize(
    ("user", "false_allows", "saved", "stopped"),
    [
        ("", [], [], []),
        (
            '[[rule]]\nname = "r"\noutcome = "allow"\nmatch = { rule = "git.reset-hard" }\n',
            ["git reset --hard"],
            ["git reset --hard HEAD~1"],
            [],
        ),
        ('[[rule]]\nname = "r"\noutcome = "ask"\nmatch = { command = "terraform *" }\n', [], [], ["terraform plan"]),
        (
            '[[rule]]\nname = "r"\noutcome = "deny"\nmatch = { rule = "git.reset-hard" }\n',
            [],
            [],
            ["git reset --hard HEAD~1"],
        ),
    ],
)
def test_a_policy_is_judged_by_what_people_denied(
    user: str, false_allows: list[str], saved: list[str], stopped: list[str], policy_of: Callable[..., Policy]
) -> None:
    policy = policy_of(user=user)
    calls = [past_call(each, _classify, lambda cwd: Place(project=cwd)) for each in PAST]
    report = backtest(calls, lambda _: policy)

    assert [each.past.title for each in report.false_allows] == false_allows
    assert [each.past.title for each in report.saved] == saved
    assert [each.past.title for each in report.newly_stopped] == stopped
    assert (report.total, report.unread, report.erased, report.never_kept) == (4, 2, 1, 1)
    assert [each.title for each in calls[-2:]] == [ERASED, NEVER_KEPT]


def test_an_entry_of_another_release_is_no_reason_to_stop() -> None:
    call = past_call({"t": "nonsense", "input": {"command": "ls"}}, _classify, lambda _: Place())

    assert call.question is not None
    assert call.question.at.year == 1970
