"""What a policy file says to no effect is named with its line, and nothing that has one."""

from __future__ import annotations

from importlib import resources

import pytest

from askfirst.policy.slips import slips
from askfirst.policy.source import READY

_RULE = '[[rule]]\nname = "r"\n'


def _match(key: str, value: str, place: str = "match") -> str:
    other = 'match = { tool = "*" }\n' if place == "unless" else ""
    return f"{_RULE}{other}{place} = {{ {key} = {value} }}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (_match("command", "'^git push.*'"), 3),
        (_match("command", "'^git push.*'", "unless"), 4),
        (_match("command", "['git push *', '(git|hg) push *']"), 3),
        (_match("tool", "'^mcp__stripe__.*$'"), 3),
        (_match("branch", "'^main$'"), 3),
    ],
)
def test_a_regular_expression_where_a_pattern_is_meant_is_told(text: str, line: int) -> None:
    [told] = slips(text.encode(), source="p.toml")
    assert told.startswith(f"p.toml:{line}: the rule 'r' fits no ")
    assert told.endswith("there are no regular expressions; in a pattern * alone is special")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("command", "rm -rf .*"),
        ("command", "grep ^foo *"),
        ("command", "grep -P '\\\\s+$' *"),
        ("command", "git.* push *"),
        ("command", "(x) *"),
        ("path", "^notes/**"),
        ("session", "^s"),
        ("branch", "(wip)"),
        ("tool", "mcp__a.b__*"),
    ],
)
def test_a_pattern_that_only_looks_like_one_is_left_alone(key: str, value: str) -> None:
    assert slips(_match(key, f"'''{value}'''").encode(), source="p.toml") == []


_LATE = "its deadline has passed by then"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[risk.high]\napproval_timeout_s = 300\nreminders_s = [120, 600]\n",
            (
                f"p.toml:3: risk.high has reminders_s after 600 s, and people have 300 s: {_LATE}, unless another file "
                "has it go on"
            ),
        ),
        (
            (
                f'{_RULE}match = {{ tool = "*" }}\napproval_timeout_s = 300\non_timeout = "reject"\n'
                "escalation = [{ after_s = 300 }]\n"
            ),
            f"p.toml:6: the rule 'r' has escalation after 300 s, and people have 300 s: {_LATE}",
        ),
        ("[risk.high]\napproval_timeout_s = 300\nreminders_s = [299]\n", ""),
        ("[risk.high]\nreminders_s = [900]\n", ""),
        (
            (
                '[risk.high]\napproval_timeout_s = 300\nreminders_s = [400]\non_timeout = "escalate"\n'
                "escalation = [{ after_s = 900 }]\n"
            ),
            "",
        ),
        (
            (
                f'{_RULE}match = {{ tool = "*" }}\napproval_timeout_s = 300\nreminders_s = [400]\n'
                '[risk.high]\non_timeout = "escalate"\nescalation = [{ after_s = 300 }]\n'
            ),
            "",
        ),
        (
            (
                "[risk.high]\napproval_timeout_s = 300\nreminders_s = [400]\n"
                f'{_RULE}match = {{ tool = "*" }}\napproval_timeout_s = 900\n'
            ),
            "",
        ),
    ],
)
def test_what_would_come_after_the_deadline_is_told_where_the_file_says_both(text: str, told: str) -> None:
    assert slips(text.encode(), source="p.toml") == ([told] if told else [])


@pytest.mark.parametrize(
    ("outcome", "terms", "told"),
    [
        ("deny", 'reviewers = ["role:lead"]', "p.toml:5: the rule 'r' says reviewers, and denies: nobody is asked"),
        ("deny", "approvals = 2", "p.toml:5: the rule 'r' says approvals, and denies: nobody is asked"),
        ("deny", "", ""),
        ("ask", 'reviewers = ["role:lead"]', ""),
        ("allow", 'reviewers = ["role:lead"]', ""),
    ],
)
def test_reviewers_of_what_is_denied_are_told(outcome: str, terms: str, told: str) -> None:
    """Those of an ``allow`` count where a ceiling, or an agent that is not sure, has it asked about."""
    text = f'{_RULE}match = {{ tool = "*" }}\noutcome = "{outcome}"\n{terms}\n'
    assert slips(text.encode(), source="p.toml") == ([told] if told else [])


@pytest.mark.parametrize("name", ["built-in", *READY])
def test_no_ready_policy_says_anything_to_no_effect(name: str) -> None:
    content = resources.files("askfirst.policy.ready").joinpath(f"{name}.toml").read_bytes()
    assert slips(content, source=name) == []
