"""What is wrong with a policy file is one sentence with file, line, key and a way out."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.errors import PolicyError
from askfirst.policy.read import MAX_BYTES, read_policy, require_tightening

RULE = '[[rule]]\nname = "r"\nmatch = { tool = "*" }\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[rle]]\nx = 1\n", "p.toml:1: unknown key 'rle'; did you mean 'rule'?"),
        (RULE + 'outcom = "ask"\n', "p.toml:4: unknown key 'rule[1].outcom'; did you mean 'outcome'?"),
        (
            '[[rule]]\nname = "a"\n[rule.match]\ncomand = "x"\n',
            "p.toml:4: unknown key 'rule[1].match.comand'; did you mean 'command'?",
        ),
        ("[risk.hgh]\noutcome = 'ask'\n", "p.toml:1: unknown key 'risk.hgh'; did you mean 'high'?"),
        ("strict = true\n", "p.toml:1: unknown key 'strict'; it is a key of [policy] in config.toml; here write"),
        (RULE + 'outcome = "asks"\n', "p.toml:4: rule[1].outcome is 'asks': expected 'allow' or 'ask' or 'deny' or"),
        (RULE + "approvals = 0\n", "p.toml:4: rule[1].approvals is 0: input should be greater than or equal to 1"),
        (RULE + 'approvals = "2"\n', "p.toml:4: rule[1].approvals is '2': input should be a valid integer"),
        ('[[rule]]\noutcome = "ask"\n', "p.toml:1: rule[1].name is missing"),
        (RULE + RULE, "p.toml:5: two rules are called 'r'; give each its own name"),
        ('[[rule]]\nname = "r"\nmatch = {}\n', "p.toml:3: rule[1].match: an empty match would fit nothing"),
        ('[routes]\ndefault = ["slack"]\n', "p.toml:2: routes.default: 'slack' is no recipient, expected scheme:addr"),
        (RULE + 'outcome = "shadow"\n', "p.toml:1: rule[1]: outcome = 'shadow' needs would"),
        (
            "[confidence]\nhigh_above = 0.5\nlow_below = 0.7\n",
            "p.toml:1: confidence: low_below = 0.7 is above high_above",
        ),
        (RULE + 'action = "ask"\n', "p.toml:4: unknown key 'rule[1].action'; write outcome, e.g. outcome = 'ask'"),
        (
            RULE + 'effect = "deploys"\n',
            "p.toml:4: unknown key 'rule[1].effect'; it says what the rule is about: write it in match = {",
        ),
        (
            '[[rule]]\nname = "r"\nmatch = { tool = "x", outcome = "ask" }\n',
            "p.toml:3: unknown key 'rule[1].match.outcome'; it stands beside match, as outcome = … of the rule",
        ),
        (RULE + 'reviewers = "role:lead"\n', "p.toml:4: rule[1].reviewers is 'role:lead': write a list, ['role:lead']"),
        ("[routes]\ndefault = { to = [] }\n", "p.toml:2: routes.default: write a list, [ … ]"),
        (
            RULE + 'scopes = ["session"]\n',
            "p.toml:4: rule[1].scopes[1] is 'session': write a table { … } with kind, amount, pattern",
        ),
        (
            '[[rule]]\nname = "r"\nmatch = { tool = "x", time = { hours = "9-17" } }\n',
            "p.toml:3: rule[1].match.time.hours is '9-17': write from-to like '22:00-06:00'",
        ),
        (
            '[quiet_hours]\nstart = "22"\nend = "07:00"\n',
            "p.toml:2: quiet_hours.start is '22': write a time like '07:00'",
        ),
        (
            '[[rule]]\nname = "No Deploys"\nmatch = { tool = "x" }\n',
            "p.toml:2: rule[1].name is 'No Deploys': write at most 64 small letters, digits, dots, dashes and under",
        ),
        ('[rule]\nname = "r"\n', "p.toml: rule: each rule is a table [[rule]] of its own"),
        ('x = "\n', "p.toml is not TOML: "),
        ("[[rule]]\n" + "x = " + "[" * 100_000 + "\n", "p.toml is not TOML: "),
        ("x = " + "9" * 5000 + "\n", "p.toml is not TOML: "),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_nearest_name(text: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as told:
        read_policy(text.encode(), source="p.toml")

    assert str(told.value).startswith(sentence)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "text",
    [
        '[risk.high]\non_timeout = "approve"\n',
        '[risk.critical]\non_timeout = "approve"\n',
        RULE + 'on_timeout = "approve"\n',
        '[[rule]]\nname = "r"\nmatch = { risk = ["low", "high"] }\non_timeout = "approve"\n',
        '[[rule]]\nname = "r"\nmatch = { risk = "low" }\nrisk = "high"\non_timeout = "approve"\n',
    ],
)
def test_a_deadline_that_approves_is_refused_for_high_and_critical(text: str) -> None:
    with pytest.raises(PolicyError, match="approve"):
        read_policy(text.encode(), source="p.toml")


def test_a_deadline_may_approve_what_is_low_or_medium() -> None:
    text = '[risk.medium]\non_timeout = "approve"\n[[rule]]\nname = "r"\nmatch = { risk = "low" }\n'
    text += 'on_timeout = "approve"\n'

    assert read_policy(text.encode(), source="p.toml").rule[0].on_timeout == "approve"


@pytest.mark.parametrize(
    "text",
    [
        'extends = "strict"\n',
        "terminal_decisions = true\n",
        '[routes]\ndefault = ["web:inbox"]\n',
        '[quiet_hours]\nstart = "22:00"\nend = "07:00"\n',
        '[risk.high]\noutcome = "allow"\n',
        '[unknown]\noutcome = "allow"\n',
        '[risk.high]\nroute = "async"\n',
        RULE + 'outcome = "allow"\n',
        RULE + "reminders_s = [5]\n",
        RULE + "escalation = []\n",
        RULE + 'stages = [{ name = "a", route = "async" }]\n',
        '[[rule]]\nname = "r"\nmatch = { condition = "true" }\n',
    ],
)
def test_what_a_project_may_not_say_is_refused_and_not_ignored(text: str) -> None:
    raw = read_policy(text.encode(), source="askfirst.toml")

    with pytest.raises(PolicyError, match="may not stand in a project's file"):
        require_tightening(raw, source="askfirst.toml")


def test_a_file_beyond_the_limit_is_refused() -> None:
    with pytest.raises(PolicyError, match="larger than"):
        read_policy(b"#" * (MAX_BYTES + 1), source="p.toml")


@given(st.binary(max_size=200) | st.text('[]{}="\n.rulematchriskhigh1', max_size=60).map(str.encode))
def test_whatever_the_bytes_are_they_are_a_policy_or_a_policy_error(content: bytes) -> None:
    with suppress(PolicyError):
        read_policy(content, source="p.toml")
