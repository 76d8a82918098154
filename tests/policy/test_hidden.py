"""A rule that an earlier one of its file hides is named, and never one that still decides something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.policy.build import Builder
from askfirst.policy.condition import compile_condition
from askfirst.policy.hidden import _covers, hidden_rules
from askfirst.policy.matcher import Fit, Matcher
from askfirst.policy.patterns import command_covers, name_covers, name_matches, words_match
from askfirst.policy.raw import RawMatch
from askfirst.policy.subject import subjects_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.policy.question import Question


def found(first: str, second: str) -> list[str]:
    text = f'[[rule]]\nname = "first"\n{first}\n\n[[rule]]\nname = "second"\n{second}\n'
    return hidden_rules(text.encode(), source="policy.toml")


TERRAFORM = 'outcome = "ask"\nmatch = { command = "terraform *" }'
PLAN = 'outcome = "allow"\nmatch = { command = "terraform plan *" }'


def test_a_hidden_rule_is_told_with_its_line() -> None:
    [told] = found(TERRAFORM, PLAN)
    assert told == (
        "policy.toml:6: the rule 'second' is hidden: 'first' above it fits every call that it surely fits, and the "
        "first rule counts; put it above, or take it out"
    )
    assert found(PLAN, TERRAFORM) == []


@pytest.mark.parametrize(
    ("first", "second", "hidden"),
    [
        (TERRAFORM, TERRAFORM, True),
        ('outcome = "deny"\nmatch = { tool = "*" }', PLAN, True),
        ('outcome = "deny"\nmatch = { tool = "Bash" }', PLAN, False),
        ('outcome = "shadow"\nwould = "deny"\nmatch = { command = "terraform *" }', PLAN, False),
        (TERRAFORM, 'outcome = "shadow"\nwould = "deny"\nmatch = { command = "terraform plan *" }', True),
        # a rule that allows by its command is passed over for high and critical risk
        ('outcome = "allow"\nmatch = { command = "terraform *" }', PLAN, True),
        (
            'outcome = "allow"\nmatch = { command = "terraform *" }',
            'outcome = "deny"\nmatch = { command = "terraform plan *" }',
            False,
        ),
        (
            'outcome = "allow"\nmatch = { command = "terraform *", risk = ["low", "high"] }',
            'outcome = "deny"\nmatch = { command = "terraform plan *", risk = "high" }',
            True,
        ),
        ('match = { command = "terraform *" }', PLAN, True),
        ('match = { command = "terraform *" }', 'outcome = "deny"\nmatch = { command = "terraform plan *" }', False),
        # exceptions of the first let calls through
        (f'{TERRAFORM}\nunless = {{ branch = "main" }}', PLAN, False),
        (f'{TERRAFORM}\nunless = {{ branch = "main" }}', f'{PLAN}\nunless = {{ branch = "main" }}', True),
        (TERRAFORM, f'{PLAN}\nunless = {{ branch = "main" }}', True),
        # all that the first asks for, the second has to ask for
        ('outcome = "ask"\nmatch = { command = "terraform *", branch = "main" }', PLAN, False),
        (TERRAFORM, 'outcome = "deny"\nmatch = { command = ["terraform plan *", "tofu plan"] }', False),
        (
            'outcome = "ask"\nmatch = { command = ["tofu *", "terraform *"] }',
            'outcome = "deny"\nmatch = { command = ["terraform plan *", "tofu plan"] }',
            True,
        ),
        ('outcome = "ask"\nmatch = { command = "terraform * x" }', PLAN, False),
        ('outcome = "ask"\nmatch = { command = "terraform" }', TERRAFORM, False),
        ('outcome = "ask"\nmatch = { command = "a b*" }', 'outcome = "deny"\nmatch = { command = "a bc" }', True),
        ('outcome = "ask"\nmatch = { command = "a b*" }', 'outcome = "deny"\nmatch = { command = "a b../c" }', True),
        ('outcome = "ask"\nmatch = { command = "a b*" }', 'outcome = "deny"\nmatch = { command = "a b/../c" }', False),
        ('outcome = "ask"\nmatch = { command = "a *b" }', 'outcome = "deny"\nmatch = { command = "a *" }', False),
        ('outcome = "ask"\nmatch = { rule = "git.*" }', 'outcome = "deny"\nmatch = { rule = "git.push-*" }', True),
        ('outcome = "ask"\nmatch = { rule = "git.*" }', 'outcome = "deny"\nmatch = { effect = "publishes" }', False),
        ('outcome = "ask"\nmatch = { branch = "*" }', 'outcome = "deny"\nmatch = { tool = "Bash" }', False),
        ('outcome = "ask"\nmatch = { path = "a/**" }', 'outcome = "deny"\nmatch = { path = "a/**" }', True),
        ('outcome = "ask"\nmatch = { path = "a/**" }', 'outcome = "deny"\nmatch = { path = "a/b/**" }', False),
        (
            'outcome = "ask"\nmatch = { confidence_below = 0.5 }',
            'outcome = "deny"\nmatch = { confidence_below = 0.4 }',
            True,
        ),
        (
            'outcome = "ask"\nmatch = { confidence_below = 0.4 }',
            'outcome = "deny"\nmatch = { confidence_below = 0.5 }',
            False,
        ),
        ('outcome = "ask"\nmatch = { inside_project = false }', "match = { inside_project = false }", True),
        ('outcome = "ask"\nmatch = { inside_project = false }', "match = { inside_project = true }", False),
        (
            'outcome = "ask"\nmatch = { time = { hours = "09:00-17:00" } }',
            'match = { time = { hours = "09:00-17:00" } }',
            True,
        ),
        (
            'outcome = "ask"\nmatch = { time = { hours = "09:00-17:00" } }',
            'match = { time = { hours = "10:00-11:00" } }',
            False,
        ),
    ],
)
def test_only_what_can_be_told_for_sure_is_hidden(first: str, second: str, *, hidden: bool) -> None:
    assert bool(found(first, second)) is hidden


LETTERS = st.text(alphabet="ab*.$/", max_size=5)
WORDS = st.lists(st.sampled_from(["a", "b", "ab", "*", "a*", "*b", "a*b", "..", "a/..", "$x"]), min_size=1, max_size=4)


@settings(max_examples=400)
@given(wide=LETTERS, narrow=LETTERS, filling=st.lists(st.text(alphabet="ab.", max_size=3), min_size=6, max_size=6))
def test_what_fits_a_covered_name_fits_the_one_that_covers_it(wide: str, narrow: str, filling: list[str]) -> None:
    name = narrow
    for text in filling:
        name = name.replace("*", text, 1)
    if name_covers(wide, narrow) and name_matches(narrow, name):
        assert name_matches(wide, name)


@settings(max_examples=600)
@given(wide=WORDS, narrow=WORDS, filling=st.lists(WORDS, min_size=4, max_size=4))
def test_what_fits_a_covered_command_fits_the_one_that_covers_it(
    wide: list[str], narrow: list[str], filling: list[list[str]]
) -> None:
    words = [
        word.replace("*", "x") for given_, more in zip(narrow, filling, strict=False) for word in _filled(given_, more)
    ]
    if command_covers(" ".join(wide), " ".join(narrow)) and words_match(" ".join(narrow), words):
        assert words_match(" ".join(wide), words)


def _filled(word: str, more: list[str]) -> list[str]:
    return more if word == "*" else [word.replace("*", more[0])]


def a_key(name: str, *values: object) -> st.SearchStrategy[dict[str, object]]:
    several = st.lists(st.sampled_from(values), min_size=1, max_size=2)
    return st.one_of(st.just({}), several.map(lambda each: {name: each}))


MATCHES = st.tuples(
    a_key("command", "git *", "git reset *", "git reset --hard", "*", "ls"),
    a_key("rule", "git.*", "git.reset-hard", "*", "other"),
    a_key("risk", "low", "high"),
    a_key("tool", "Bash", "*", "Read"),
    a_key("branch", "main", "feature/*", "*"),
    a_key("host", "claude-*", "codex"),
    a_key("effect", "discards-changes", "publishes"),
).map(lambda keys: {name: value for each in keys for name, value in each.items()} or {"tool": "Bash"})


@settings(max_examples=400)
@given(wide=MATCHES, narrow=MATCHES)
def test_a_match_that_covers_another_fits_wherever_that_one_surely_does(
    wide: dict[str, object], narrow: dict[str, object], questions: list[Question]
) -> None:
    first, second = RawMatch.model_validate(wide), RawMatch.model_validate(narrow)
    if not _covers(first, second):
        return
    for question in questions:
        for subject in subjects_of(question):
            if _matcher(second).fits(subject, question) is Fit.YES:
                assert _matcher(first).fits(subject, question) is Fit.YES


def _matcher(raw: RawMatch) -> Matcher:
    return Builder(routes={}, protected=(), compile_condition=compile_condition)._matcher(raw)


@pytest.fixture(scope="module")
def questions(question: Callable[..., Question], effect: Callable[..., object]) -> list[Question]:
    return [
        question("git reset --hard", effect()),
        question("git reset $X", effect(command="git reset $X")),
        question("ls"),
        question("ls", tool="Read"),
    ]
