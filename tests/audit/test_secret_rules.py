"""Looking for marks leaves out no rule that could match: proved from the patterns, and tried on what they match."""

from __future__ import annotations

import importlib
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import RegexBasedDetector
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.redact import without_secrets
from audit.secret_rule import Rule, Rules
from audit.secret_rules import RULES, rule_of
from suite import agent_lines, build_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ALWAYS = Rules(replace(rule, marks=(), words=()) for rule in RULES.all)
"""The same rules, each of which is searched for in every text."""
EVERY_RULE = pytest.mark.parametrize(
    "rule", [pytest.param(rule, id=f"{number} {rule.name}") for number, rule in enumerate(RULES.all)]
)
GAP = "\0"
"""Any text, also none."""
SPELLED_CHARS = 5
"""A set of more characters is a gap."""
STANDS_FOR = {"s": "ſ", "k": "\N{KELVIN SIGN}", "i": "ı\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"}
"""What patterns that ignore case take for these letters, too."""
EVERY_CHARACTER = "".join(map(chr, range(sys.maxunicode + 1)))
FRAGMENTS = [
    *sorted({sign for rule in RULES.all for sign in (*rule.marks, *rule.words)}),
    *("--api-", "_pass=", "hunter2hunter2", ' "', "' ", "://a:b", " -p ", " -a ", "docker ", "echo x | ", "=", ": "),
    *("0123456789:", "a1B2" * 12, "A1B2" * 5, "a1b2" * 16, " PRIVATE KEY-----", "-----", "; ", ".", "-", "_", " "),
    *("ſ", "\N{KELVIN SIGN}", "ı", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "Σ", "é", "٣", "\u00a0", "\n", "\0"),
]
SPELLED_OTHERWISE = [
    (pattern, rule_of("", pattern).pattern)
    for plugin in get_mapping_from_secret_type_to_class().values()
    if issubclass(plugin, RegexBasedDetector)
    for pattern in plugin.denylist
    if rule_of("", pattern).pattern != pattern
]
"""Patterns of detect-secrets, and what is searched for in their place."""
SECRET_AFTER_NAME = st.tuples(
    st.sampled_from(["", " ", "[", "'", "x", "."]),
    st.sampled_from(["cl", "cloudant_", "ibm-cloud-", "cos_secret_access_", "secret-", "softlayer_api_", "sl"]),
    st.sampled_from(["key", "password", "token", "KEY"]),
    st.lists(st.sampled_from([*" :=>]'\"", ":=", "=>", "::", "   "]), max_size=6).map("".join),
    st.sampled_from(["abcdefghijklmnopqrstuvwx", "0123456789abcdef" * 3, "0123456789abcdef" * 4, "Aa0_" * 11]),
    st.sampled_from(["", " ", "'", ";", "0"]),
).map("".join)
AROUND = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=4).map("".join)
FAR = st.sampled_from(["", "", "", " " * 3570, "x " * 2040])
"""Puts what follows near an edge of the window that is searched at once."""


def unmarked(pattern: re.Pattern[str], marks: Iterable[str]) -> set[str]:
    """Forms without a mark, of which one fits each text without a mark that the pattern matches."""
    small = [mark for mark in marks if mark == mark.lower()]
    capital = [] if pattern.flags & re.IGNORECASE else [mark for mark in marks if mark not in small]

    def is_marked(form: str) -> bool:
        return any(mark in form.lower() for mark in small) or any(mark in form for mark in capital)

    return _spelled(importlib.import_module("re._parser").parse(pattern.pattern, pattern.flags), is_marked)


def _spelled(tree: Iterable[tuple[Any, Any]], is_marked: Callable[[str], bool]) -> set[str]:
    forms = {""}
    for op, value in tree:
        pieces = _pieces(str(op), value, is_marked)
        forms = {form + piece for form in forms for piece in pieces if not is_marked(form + piece)}
    return forms


def _pieces(op: str, value: Any, is_marked: Callable[[str], bool]) -> set[str]:
    match op:
        case "LITERAL":
            return {chr(value)}
        case "IN" if len(value) <= SPELLED_CHARS and all(str(kind) == "LITERAL" for kind, _ in value):
            return {chr(code) for _, code in value}
        case "BRANCH":
            return {form for branch in value[1] for form in _spelled(branch, is_marked)}
        case "SUBPATTERN" if not value[1] | value[2]:  # no flags of its own
            return _spelled(value[3], is_marked)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT" if value[0]:
            return {f"{GAP}{form}{GAP}" for form in _spelled(value[2], is_marked)}
        case "AT" | "ASSERT" | "ASSERT_NOT":  # they take no text, and only make a pattern match less
            return {""}
    return {GAP}


@EVERY_RULE
def test_nothing_without_a_mark_can_match(rule: Rule) -> None:
    signs = (*rule.marks, *rule.words)
    assert not signs or unmarked(rule.pattern, signs) == set()


@pytest.mark.parametrize(
    ("pattern", "mark"),
    [
        ("api_?key", "api_key"),
        ("(?:token|secret)=", "token"),
        ("k[a-e]y", "key"),
        ("(?:key)?=", "key"),
        ("a+b", "aab"),
        ("(?=key).*", "key"),
        ("(?i)aws", "AWS"),
        ("(?i:A)WS", "AWS"),
        ("[^k]ey", "key"),
    ],
)
def test_the_proof_refuses_a_mark_that_may_be_missing(pattern: str, mark: str) -> None:
    assert unmarked(re.compile(pattern), [mark])


@pytest.mark.parametrize("letter", "abcdefghijklmnopqrstuvwxyz")
def test_a_mark_is_found_in_whatever_stands_for_its_letters(letter: str) -> None:
    rule = Rule("", re.compile(letter, re.IGNORECASE), (letter,))
    same = rule.pattern.findall(EVERY_CHARACTER)
    assert set(same) == {letter, letter.upper(), *STANDS_FOR.get(letter, "")}
    assert all(Rules([rule]).for_text(f"é{character}") for character in same)


def assert_nothing_is_left_out(text: str) -> None:
    chosen = RULES.for_text(text)
    assert not [rule for rule in RULES.all if rule not in chosen and rule.pattern.search(text)]
    assert without_secrets(text, RULES) == without_secrets(text, ALWAYS)


@st.composite
def matching(draw: st.DrawFn, rule: Rule) -> str:
    """What the pattern matches, with letters put in another case where it ignores case."""
    text, pick = draw(st.from_regex(rule.pattern)), draw(st.randoms()).choice
    if not rule.pattern.flags & re.IGNORECASE:
        return text
    return "".join(pick([letter, letter.swapcase(), *STANDS_FOR.get(letter.lower(), "")]) for letter in text)


@EVERY_RULE
@settings(max_examples=15)
@given(data=st.data())
def test_what_a_pattern_matches_is_found_as_if_nothing_were_left_out(rule: Rule, data: st.DataObject) -> None:
    parts = (FAR, AROUND, matching(rule), AROUND)
    assert_nothing_is_left_out("".join(data.draw(part) for part in parts))


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_texts_of_pieces_of_secrets_are_searched_as_if_nothing_were_left_out(text: str) -> None:
    assert_nothing_is_left_out(text)
    assert_nothing_is_left_out(text.upper())


def test_commands_are_searched_as_if_nothing_were_left_out() -> None:
    for row in [*agent_lines.rows(), *build_lines.rows()]:
        assert_nothing_is_left_out(row.command)


@settings(max_examples=500)
@given(st.lists(SECRET_AFTER_NAME, min_size=1, max_size=2).map("".join))
def test_patterns_that_are_spelled_otherwise_find_the_same(text: str) -> None:
    assert SPELLED_OTHERWISE
    for theirs, ours in SPELLED_OTHERWISE:
        assert [match.span(ours.groups) for match in ours.finditer(text)] == [
            match.span(ours.groups) for match in theirs.finditer(text)
        ]


def test_a_command_holds_marks_of_less_than_two_rules_on_average() -> None:
    commands = [row.command for row in agent_lines.rows()]
    assert sum(bool(rule.marks or rule.words) for command in commands for rule in RULES.for_text(command)) < 2 * len(
        commands
    )


@pytest.mark.parametrize(
    ("pattern", "token"),
    [
        (re.compile("AC[a-z0-9]{30,}"), "AC" + "a1" * 15),
        (re.compile("AC[a-z0-9]{32}", re.IGNORECASE), "ac" + "a1" * 16),
    ],
)
def test_a_pattern_that_is_not_known_here_exactly_is_always_searched_for(pattern: re.Pattern[str], token: str) -> None:
    """Another release of detect-secrets may bring it; the one that is known is AC[a-z0-9]{32}."""
    assert rule_of("twilio", re.compile("AC[a-z0-9]{32}")).marks == ("AC",)
    new = rule_of("twilio", pattern)
    rules = Rules([*RULES.all, new])
    assert new.marks == ()
    assert new in rules.for_text("git status")  # nothing else is
    assert new in rules.for_text("mysql: AC")  # and beside others
    assert without_secrets(f"say {token} now", RULES) == f"say {token} now"
    assert without_secrets(f"say {token} now", rules) == "say [redacted: twilio] now"
