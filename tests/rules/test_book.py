"""What the book says about a rule: its words, its risk, and whether it is switched on."""

from __future__ import annotations

import pytest

from askfirst.effects import Risk
from askfirst.errors import ConfigError
from askfirst.rules.book import RuleBook
from askfirst.rules.load import pack
from askfirst.shell.command import HOLE, Command, Word
from askfirst.shell.options import MAX_SHOWN_CHARS

_A = """
[pack]
id = "a"
title = "A"
[programs.tool]
harmless = ["list"]
value_options = ["-x"]
[[rules]]
id = "a.drop"
program = "tool"
subcommand = ["drop"]
kind = "changes-data"
risk = "critical"
loss = "drops {operands} by {program}"
suggestion = "tool list {operand1} {operands}"
[[rules]]
id = "a.code"
handler = true
kind = "deletes-files"
risk = "high"
loss = "deletes {what}"
suggestion = "ls {what}"
"""
_B = """
[pack]
id = "b"
title = "B"
enabled = false
[programs.tool]
aliases = ["utensil"]
value_options = ["-y"]
[programs.other]
aliases = ["utensil"]
[[rules]]
id = "b.drop"
program = "tool"
subcommand = ["drop"]
kind = "disrupts"
risk = "high"
loss = "disrupts"
[[rules]]
id = "b.other"
program = "other"
subcommand = ["drop"]
kind = "disrupts"
risk = "high"
loss = "disrupts"
"""


def _book(*, disabled: tuple[str, ...] = (), enabled: tuple[str, ...] = ()) -> RuleBook:
    return RuleBook([pack(_A, "a"), pack(_B, "b")], disabled=disabled, enabled=enabled)


def _command(*words: str | Word) -> Command:
    argv = tuple(word if isinstance(word, Word) else Word(text=word) for word in words)
    return Command(argv=argv, span=(3, 9), via=("sudo",))


def test_an_effect_names_rule_loss_and_place() -> None:
    (effect,) = _book().match(_command("tool", "drop", "one two", "three"))

    assert (effect.rule, effect.risk, effect.target) == ("a.drop", Risk.CRITICAL, "one two three")
    assert effect.loss == "drops one two three by tool"
    assert effect.suggestion == "tool list 'one two' 'one two' three"
    assert (effect.span, effect.via, effect.command) == ((3, 9), ("sudo",), "tool drop one two three")


def test_a_suggestion_for_an_unknown_or_missing_word_is_dropped() -> None:
    (unknown,) = _book().match(_command("tool", "drop", Word(text=HOLE, shown="$X")))
    (missing,) = _book().match(_command("tool", "drop"))

    assert (unknown.loss, unknown.suggestion) == ("drops $X by tool", "")
    assert (missing.loss, missing.suggestion) == ("drops by tool", "")


def test_a_glob_stays_a_glob_in_a_suggestion_unless_it_could_say_more() -> None:
    (plain,) = _book().match(_command("tool", "drop", Word(text="*.log", glob=True)))
    (sly,) = _book().match(_command("tool", "drop", Word(text="*;reboot", glob=True)))

    assert plain.suggestion == "tool list *.log *.log"
    assert sly.suggestion == "tool list '*;reboot' '*;reboot'"


def test_a_long_list_of_operands_is_cut_in_the_reason() -> None:
    (effect,) = _book().match(_command("tool", "drop", *["name"] * 1_000))

    assert len(effect.target) == MAX_SHOWN_CHARS


def test_gravest_effects_come_first_and_all_are_kept() -> None:
    effects = _book(enabled=("b",)).match(_command("utensil", "drop", "x"))

    assert [effect.rule for effect in effects] == ["a.drop", "b.drop", "b.other"]


@pytest.mark.parametrize(
    ("disabled", "enabled", "live"),
    [
        ((), (), {"a.drop"}),
        ((), ("b",), {"a.drop", "b.drop"}),
        ((), ("b.drop",), {"a.drop", "b.drop"}),
        (("a",), (), set()),
        (("a.drop",), (), set()),
        (("a",), ("a.drop",), {"a.drop"}),
        (("b.drop",), ("b",), {"a.drop"}),
    ],
)
def test_packs_and_rules_are_switched_by_name(
    disabled: tuple[str, ...], enabled: tuple[str, ...], live: set[str]
) -> None:
    book = _book(disabled=disabled, enabled=enabled)

    assert {effect.rule for effect in book.match(_command("tool", "drop", "x"))} == live


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"'a\.dorp'; did you mean 'a\.drop'\?"):
        _book(disabled=("a.dorp",))


def test_a_handlers_effect_is_worded_by_its_rule() -> None:
    effect = _book().effect("a.code", _command("rm", "x y"), target="x y", what="x y", facts=("it exists",))

    assert (effect.loss, effect.suggestion, effect.risk) == ("deletes x y", "ls 'x y'", Risk.HIGH)
    assert effect.facts == ("it exists",)


def test_a_handler_may_grade_otherwise() -> None:
    effect = _book().effect(
        "a.code", _command("rm"), target="x", what="x", risk=Risk.LOW, reversible=True, suggestion="git status"
    )

    assert (effect.risk, effect.reversible, effect.suggestion) == (Risk.LOW, True, "git status")


def test_the_effect_of_a_rule_that_is_switched_off_is_recorded_but_asks_nobody() -> None:
    effect = _book(disabled=("a",)).effect("a.code", _command("rm"), target="x", what="x")

    assert effect.risk is Risk.MEDIUM
    assert effect.facts == ("the rule is switched off by configuration",)


def test_an_unknown_rule_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        _book().effect("a.none", _command("rm"), target="x")


def test_a_program_of_two_packs_has_the_options_of_both() -> None:
    book = _book()

    assert book.standing(_command("tool", "-x", "1", "-y", "2", "list")) == "harmless"


def test_a_name_of_two_programs_is_harmless_only_when_both_say_so() -> None:
    assert _book().standing(_command("utensil", "list")) == "known"


def test_packs_that_disagree_about_help_are_refused() -> None:
    first = pack(_A.replace('harmless = ["list"]', 'help_options = ["-?"]'), "a")
    second = pack(_B.replace('value_options = ["-y"]', 'help_options = ["help"]'), "b")

    with pytest.raises(ConfigError, match="disagree about the help options of tool"):
        RuleBook([first, second])
