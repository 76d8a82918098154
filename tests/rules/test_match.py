"""How command lines are read: options before and behind, clusters, values, abbreviations, unknown words."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.rules.book import RuleBook
from askfirst.rules.load import pack
from askfirst.rules.patterns import path, pattern
from askfirst.shell.command import HOLE, Command, Stream, Word

_PACK = """
[pack]
id = "demo"
title = "Demo"

[programs.demo]
aliases = ["demo2", "demo-*"]
value_options = ["-n", "--name", "-X"]
dry_run = ["--dry-run", "--dry-run=client", "-q"]
passes_on = ["exec *"]
harmless = ["get", "** list", "rollout status|history", "* get-*"]

[programs.runner]
runs = true
harmless = ["ls"]

[[rules]]
id = "demo.delete"
program = "demo"
subcommand = ["delete", "rollout undo"]
kind = "changes-infrastructure"
risk = "high"
loss = "deletes {operands}"
suggestion = "demo get {operand1}"

[[rules]]
id = "demo.force"
program = "demo"
subcommand = ["push"]
options_any = ["--force|-f"]
kind = "publishes"
risk = "critical"
loss = "forces"

[[rules]]
id = "demo.generic"
program = "demo"
subcommand = ["** remove*"]
kind = "changes-infrastructure"
risk = "high"
loss = "removes {operands}"

[[rules]]
id = "demo.method"
program = "demo"
subcommand = ["call"]
options_any = ["-X=DELETE"]
any_operand = ["*"]
not_operand = ["localhost*"]
kind = "changes-data"
risk = "high"
loss = "deletes"

[[rules]]
id = "demo.bare"
program = "demo"
subcommand = ["<end>"]
options_any = ["--prod"]
kind = "deploys"
risk = "high"
loss = "deploys"

[[rules]]
id = "demo.pair"
program = "demo"
subcommand = ["drop"]
operands = ["ns|ns/*", "*"]
kind = "changes-data"
risk = "high"
loss = "drops"

[[rules]]
id = "demo.exec"
program = "demo"
subcommand = ["exec"]
kind = "escalates"
risk = "high"
loss = "runs {operands}"

[[rules]]
id = "demo.input"
program = "demo"
subcommand = ["admin"]
stdin = ["disable *"]
kind = "disrupts"
risk = "high"
loss = "disables"
"""
BOOK = RuleBook([pack(_PACK, "demo")])


def _command(*words: str, stdin: Stream | None = None) -> Command:
    return Command(argv=tuple(Word(text=word) for word in words), stdin=stdin or Stream())


def _rules(text: str) -> list[str]:
    words = text.replace("HOLE", HOLE).split()
    return [effect.rule.removeprefix("demo.") for effect in BOOK.match(_command(*words))]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("demo delete x", ["delete"]),
        ("/usr/bin/demo delete x", ["delete"]),
        ("demo2 delete x", ["delete"]),
        ("demo-7 delete x", ["delete"]),
        ("demo.exe delete x", ["delete"]),
        ("demo -n prod delete x", ["delete"]),
        ("demo -nprod delete x", ["delete"]),
        ("demo --name=prod delete x", ["delete"]),
        ("demo --name prod delete x", ["delete"]),
        ("demo --unknown prod delete x", ["delete"]),
        ("demo --flag delete x", ["delete"]),
        ("demo -- delete x", ["delete"]),
        ("demo delete -- --help", ["delete"]),
        ("demo delete --name --help", ["delete"]),
        ("demo delete --version 3 x", ["delete"]),
        ("demo HOLE delete x", ["delete"]),
        ("demo rollout undo x", ["delete"]),
        ("demo delete", ["delete"]),
        ("demo delete x --help", []),
        ("demo --help delete x", []),
        ("demo --version", []),
        ("demo get delete", []),
        ("demo rollout status x", []),
        ("other delete x", []),
        ("demo delete x --dry-run", []),
        ("demo delete x --dry-run=client", []),
        ("demo delete x --dry-run=true", []),
        ("demo delete x -aq", []),
        ("demo delete x --dry-run=none", ["delete"]),
        ("demo delete x --dry-run=false", ["delete"]),
        ("demo delete x --dry-run --dry-run=none", ["delete"]),
        ("demo push --force", ["force"]),
        ("demo push --force=x", ["force"]),
        ("demo push --forc", ["force"]),
        ("demo push --fo", []),
        ("demo push -f", ["force"]),
        ("demo push -vf", ["force"]),
        ("demo -f push", ["force"]),
        ("demo push", []),
        ("demo a b remove-all x", ["generic"]),
        ("demo remove x", ["generic"]),
        ("demo a remove list", ["generic"]),
        ("demo a list remove", []),
        ("demo a get-x remove", []),
        ("demo --zone list a remove x", ["generic"]),
        ("demo call -X DELETE host", ["method"]),
        ("demo call -XDELETE host", ["method"]),
        ("demo call -X=DELETE host", ["method"]),
        ("demo call -sX DELETE host", ["method"]),
        ("demo call host -X DELETE", ["method"]),
        ("demo call -X GET host", []),
        ("demo call -X DELETE localhost:3000", []),
        ("demo call -X DELETE localhost:3000 host", ["method"]),
        ("demo call -X DELETE", []),
        ("demo call -X DELETE HOLE", ["method"]),
        ("demo --prod", ["bare"]),
        ("demo --prod get", []),
        ("demo drop ns prod", ["pair"]),
        ("demo drop ns/x HOLE", ["pair"]),
        ("demo drop HOLE prod", []),
        ("demo drop ns", []),
        ("runner --flag demo2 -n x delete y", ["delete"]),
        ("runner bin/demo@latest delete y", ["delete"]),
        ("runner runner demo delete y", []),
        ("demo exec -n x web --help", ["exec"]),
        ("demo exec --help web", []),
        ("demo@2 delete x", ["delete"]),
    ],
)
def test_a_command_line_is_read_as_the_program_reads_it(text: str, rules: list[str]) -> None:
    assert _rules(text) == rules


@pytest.mark.parametrize(
    ("text", "standing"),
    [
        ("demo get x", "harmless"),
        ("demo get HOLE", "harmless"),
        ("demo a b list", "harmless"),
        ("demo delete --help", "harmless"),
        ("demo delete --dry-run x", "harmless"),
        ("demo HOLE list", "known"),
        ("demo --unknown value get", "known"),
        ("demo -n prod get", "harmless"),
        ("demo delete x", "known"),
        ("demo something", "known"),
        ("demo", "known"),
        ("runner ls", "harmless"),
        ("runner script --help", "known"),
        ("other get", "unknown"),
    ],
)
def test_only_what_is_known_to_the_letter_is_called_harmless(text: str, standing: str) -> None:
    words = text.replace("HOLE", HOLE).split()

    assert BOOK.standing(_command(*words)) == standing


@pytest.mark.parametrize(
    ("stdin", "found"),
    [
        (Stream(), False),
        (Stream(kind="text", text="show stat\n"), False),
        (Stream(kind="text", text="show stat\n disable server a\n"), True),
        (Stream(kind="file", text="commands"), True),
        (Stream(kind="unknown"), True),
    ],
)
def test_input_counts_when_a_line_of_it_matches_or_it_is_not_known(stdin: Stream, *, found: bool) -> None:
    assert bool(BOOK.match(_command("demo", "admin", stdin=stdin))) is found


@pytest.mark.parametrize(
    ("source", "text", "matches"),
    [
        ("ns|namespace/*", "ns", True),
        ("ns|namespace/*", "namespace/api", True),
        ("ns|namespace/*", "nsx", False),
        ("*-delete", "topic-delete", True),
        ("a*c", "abc", True),
        ("a?c", "abc", True),
        ("a?c", f"a{HOLE}c", False),
        ("*", HOLE, True),
        ("a.c", "abc", False),
        ("a[b]c", "abc", False),
        ("*a*a*a*a*a*b", "a" * 5_000, False),
    ],
)
def test_a_pattern_is_alternatives_with_two_wildcards(source: str, text: str, *, matches: bool) -> None:
    assert pattern(source).matches(text) is matches


@given(st.text(alphabet=string.ascii_letters + "-./:[]()+^$\\", max_size=12))
def test_a_pattern_without_wildcards_matches_itself_alone(text: str) -> None:
    assert pattern(text).matches(text)
    assert not pattern(text).matches(text + "x")


@given(st.lists(st.sampled_from(["-v", "--flag", "-n", "--name=a", "x", "-abc", "--", HOLE]), max_size=6))
def test_words_behind_the_subcommand_never_hide_it(rest: list[str]) -> None:
    assert "demo.delete" in [effect.rule for effect in BOOK.match(_command("demo", "delete", *rest))]


@given(st.lists(st.sampled_from(["-v", "--flag", "--name=a", "-nx", "--other=1"]), max_size=6))
def test_options_before_the_subcommand_never_hide_it(options: list[str]) -> None:
    assert "demo.delete" in [effect.rule for effect in BOOK.match(_command("demo", *options, "delete", "x"))]


@given(st.lists(st.text(max_size=8), max_size=30))
def test_no_command_line_breaks_the_matcher(words: list[str]) -> None:
    command = _command("demo", *words)

    assert BOOK.standing(command) in {"harmless", "known"}
    assert isinstance(BOOK.match(command), list)


def test_a_path_of_any_depth_ends_at_its_earliest_verb() -> None:
    words = tuple(Word(text=word) for word in "compute instances list delete".split())

    assert path("** list|delete").end(words) == 3
    assert path("**").end(words) == 4
