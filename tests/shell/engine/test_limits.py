"""Hostile input: bounded work, no crash, and beyond a limit a question, never silence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from askfirst.effects import Outcome
from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from askfirst.shell import limits
from askfirst.shell.analysis import Analysis, analyse
from askfirst.shell.evaluate import Evaluator
from askfirst.shell.execute import Execute
from askfirst.shell.job import Place
from askfirst.shell.source import prepare
from askfirst.shell.state import State

BEYOND: dict[str, str] = {
    "nested substitutions, open": "$(" * 5_000,
    "nested substitutions, closed": "echo " + "$(echo " * 200 + ")" * 200,
    "a delete before nested substitutions": "rm -rf / --no-preserve-root ; " + "$(" * 24,
    "nested quotes": "echo " + '"$(echo ' * 100 + ')"' * 100,
    "parentheses": "(" * 20_000 + ")" * 20_000,
    "nested case": "case x in a) " * 500 + ";; esac " * 500,
    "nested if": "if a; then " * 100 + "fi; " * 100,
    "nested eval": "eval " * 500 + "rm",
    "wrappers": "sudo " * 1_000 + "ls",
    "a megabyte of commands": "ls;" * 400_000,
    "many commands": "ls;" * 40_000,
    "many words": "ls " + "a " * 100_000,
    "a megabyte in one word": "a" * 1_000_000,
    "functions that double": "".join(f"f{i}() {{ f{i + 1}; f{i + 1}; }}; " for i in range(30)) + "f0",
    "loops in loops": "while x=$x; do " * 25 + "ls;" + "done;" * 25,
    "dollars": "$" * 100_000,
    "angle brackets": "<" * 100_000,
    "a trap that sets itself": 'x=\'trap "$x" EXIT\'; trap "$x" EXIT',
}
WITHIN: dict[str, str] = {
    "one shell with many arguments": "bash -c " * 500,
    "backticks": "`" * 4_000,
    "braces": "{" * 10_000,
    "brace lists": "echo " + "{a,b}" * 30,
    "nested braces": "echo " + "{a," * 50 + "}" * 50,
    "here-documents": "".join(f"cat <<E{i}\nx\nE{i}\n" for i in range(500)),
    "open here-documents": "cat " + " ".join(f"<<E{i}" for i in range(500)) + "\n" + "x\n" * 5_000,
    "a doubling variable": "x=a; " + "x=$x$x; " * 40 + "echo $x",
    "a recursive function": "f() { f; }; f",
    "an alias of itself": "alias a=b; alias b=a; a",
    "nested parameters": "echo " + "${x:-" * 300 + "}" * 300,
    "a glob to strip": "x=" + "a" * 500 + "; echo ${x%%*a*a*a*a*a*a*a*a*a*a*b}",
    "three loops": "for a in {1..100}; do for b in {1..100}; do for c in {1..100}; do ls $a$b$c; done; done; done",
    "an open quote": "ls '",
    "nothing": "",
    "newlines": "\n" * 10_000,
    "a long here-document": "cat > f <<'E'\n" + "it's $(text)\n" * 15_000 + "E\n",
}


@pytest.mark.parametrize("name", BEYOND)
def test_beyond_a_limit_the_answer_is_a_question(name: str, run: Callable[..., Analysis]) -> None:
    analysis = run(BEYOND[name])
    assert analysis.outcome is Outcome.GATE
    assert {effect.rule for effect in analysis.effects} & {"execution.limits", "double.rm"}


@pytest.mark.parametrize("name", WITHIN)
def test_odd_input_within_the_limits_is_analysed(name: str, run: Callable[..., Analysis]) -> None:
    assert run(WITHIN[name]).outcome is not Outcome.GATE


@pytest.mark.parametrize("name", [*BEYOND, *WITHIN])
def test_the_work_is_counted(name: str) -> None:
    text = (BEYOND | WITHIN)[name]
    budget = limits.Budget()
    budget.start(60)
    evaluator = Evaluator(text, NoFacts(), budget, Execute)
    try:
        evaluator.script(text, Place(), State(cwd="/", home="/root"))
    except limits.LimitError:
        pass
    else:
        assert budget.frames == limits.MAX_FRAMES
        assert budget.depth == limits.MAX_SCRIPT_DEPTH
    assert budget.steps >= -1
    assert len(evaluator.found.commands) <= 3 * limits.MAX_STEPS


def test_time_is_a_limit_too() -> None:
    text = "for i in 1 2 3; do " * 3 + "ls $i; " * 40 + "done; " * 3
    analysis = analyse(text, cwd="/", facts=NoFacts(), book=RuleBook([]), cpu_s=0)
    assert analysis.outcome is Outcome.GATE


PIECES = st.sampled_from(
    [
        *r"""$( ) ` ' " ${ } (( <( > | && ; \ {a,b} ;; esac if then fi done $x x=1 # echo eval <<< 2>&1""".split(),
        *(
            "<<E\n",
            "E\n",
            "\n",
            " ",
            "\\\n",
            "for i in 1 2; do ",
            "case x in a)",
            "rm -rf /",
            "bash -c ",
            "python3 -c ",
        ),
        *("\0", "\ufeff", "\u00a0", "\ud800", "\ufffc", "\ue000", "\r\n", "é"),
    ]
)
BOOK = RuleBook.load()


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES | st.text(max_size=3), max_size=40))
@example(["$(", "\\", "<<<", "}"])  # ends in a here-document without a body, for which more is parsed than was sent
def test_no_text_breaks_the_analysis(pieces: list[str]) -> None:
    text = "".join(pieces)
    analysis = analyse(text, cwd="/w", facts=NoFacts(), book=BOOK, home="/h", cpu_s=60)
    assert analysis.outcome in Outcome
    for command in analysis.commands:
        assert command.argv
        assert 0 <= command.span[0] <= command.span[1] <= len(text)


@given(st.lists(PIECES | st.text(max_size=3), max_size=40))
def test_prepared_text_keeps_the_way_back_to_the_original(pieces: list[str]) -> None:
    text = "".join(pieces)
    source = prepare(text)
    offsets = [source.original(index) for index in range(len(source.code))]
    assert offsets == sorted(offsets)
    assert all(0 <= offset <= len(text) for offset in offsets)


@given(st.text(alphabet="abc \t;|é\n", max_size=60))
def test_plain_text_is_prepared_as_it_is(text: str) -> None:
    source = prepare(text)
    assert source.code == text
    assert source.closed
    assert source.ends == {}


@pytest.mark.parametrize(
    "text", ["kubectl exec pod - rm -rf /srv/x", "ssh host - rm -rf /srv/x", "flock f - -c 'rm -rf /srv/x'"]
)
def test_a_lone_dash_is_used_up(text: str, run: Callable[..., Analysis]) -> None:
    assert run(text).outcome in Outcome
