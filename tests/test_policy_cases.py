"""Case files say what is expected of the analysis and of the ruling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from askfirst.classify import classify
from askfirst.errors import PolicyError
from askfirst.policy.raw import RawPolicy
from askfirst.policy.read import read_policy
from askfirst.policy.source import assemble
from askfirst.policy_cases import load_cases, run_cases

if TYPE_CHECKING:
    from pathlib import Path

POLICY = b"""
extends = "team"
[[rule]]
name = "night"
outcome = "deny"
match = { command = "npm *", time = { hours = "22:00-06:00", timezone = "Europe/Berlin" } }
"""


@pytest.mark.parametrize(
    ("case", "wrong"),
    [
        ('command = "ls"\nexpect = "allow"', ""),
        ('command = "ls"\nexpect = "gate"', "expected gate, got allow (no rule)"),
        ('command = "rm -rf /"\nexpect = "gate"\nrule = "git.x"', "expected rule git.x, got filesystem.delete"),
        ('command = "rm -rf /"\noutcome = "ask"\nrisk = "critical"\napprovals = 2\ndecided_by = "risk.critical"', ""),
        ('command = "rm -rf /"\noutcome = "allow"', "expected outcome allow, got ask (rule risk.critical of the team"),
        ('command = "npm run x"\noutcome = "deny"\nat = 2026-11-25T23:00:00+01:00', ""),
        ('command = "ls"\noutcome = "ask"\nconfidence = 0.5', ""),
        ('tool = "mcp__stripe__create_refund"\noutcome = "ask"', ""),
    ],
)
def test_a_case_is_tried_on_the_analysis_and_on_the_policy(case: str, wrong: str, tmp_path: Path) -> None:
    policy = assemble(managed=None, user=read_policy(POLICY, source="p"), config=RawPolicy(), loaded=())
    file = tmp_path / "cases.toml"
    file.write_text(f"[[case]]\n{case}\n")

    (result,) = run_cases(load_cases(file), classify, policy.rule_on)

    assert result.wrong.startswith(wrong)
    assert bool(result.wrong) is bool(wrong)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[case]]\ncommand = "ls"\n', ": case.1: give expect"),
        ('[[case]]\nexpect = "allow"\n', ": case.1: give either command or tool"),
        ('[[case]]\ncommand = "ls"\noutcome = "ask"\nat = 2026-01-01T00:00:00\n', "needs an offset"),
        ("[[case]]\ncommnd = 1\n", "unknown key 'case.1.commnd'; did you mean 'command'?"),
        ('[[case]]\ncommand = "ls"\ntime = "22:00"\n', "unknown key 'case.1.time'"),
        ("[[cases]]\n", "unknown key 'cases'; did you mean 'case'?"),
        ("nonsense", "no case file"),
    ],
)
def test_a_case_that_says_nothing_usable_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "cases.toml"
    file.write_text(text)

    with pytest.raises(PolicyError, match=sentence):
        load_cases(file)
