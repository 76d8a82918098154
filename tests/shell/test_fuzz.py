"""Laws over commands that nobody wrote: no crash, no hang, no wrapper that hides, no text that disarms what follows."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.call import ToolCall
from askfirst.classify import classify
from askfirst.effects import Outcome
from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from suite import agent_lines, incidents, matrix
from suite.disguises import FAMILIES, single
from suite.effects import EFFECTS, argv

BOOK = RuleBook.load()
REAL = [row.command for row in (*agent_lines.rows(), *incidents.rows()) if len(row.command) < 500]
SAMPLE = random.Random(1).sample([row.command for row in matrix.rows() if not row.written], 500)
FRAGMENTS = [
    "$(", ")", "`", '"', "'", "\\\n", "\\", "<<E\n", "\nE\n", "<<'X'\n", "<<<", "<(", ">(", "${", "}", "{", "$'", "$((",
    "))", "((", "[[", "]]", ";", ";;", "&", "&&", "||", "|", "|&", "\n", "\r\n", "\t", "#", "~", "*", "{a,b}", "$IFS",
    "${x:-", "${!x}", "$@", "$1", "if ", "; then ", "; fi", "for i in ", "; do ", "; done", "case x in ", "esac",
    "f() { ",
    "\0", "\ufeff", "\u00a0", "\u2028", "\ud800", "\ufffc", "\x1b[0m", "sudo ", "xargs ", "bash -c ", "eval ", "ssh h ",
    "2>&1", ">", "< ", "alias x=", "trap ", "coproc ", "time ", "! ",
]  # fmt: skip
WRAPPING = ("prefix", "environment", "runners", "string-runners", "shell-string", "heredoc", "control-flow", "chaining")
NO_SHELL = ("expect", "pwsh")  # what they are given is no shell text, so shell text in it is none either
WRAPPERS = [
    (family, one) for family in WRAPPING for one in FAMILIES[family] if not one("x", ["x"]).startswith(NO_SHELL)
]
QUICK = settings(max_examples=150)


def judged(command):
    call = ToolCall(tool="Bash", arguments={"command": command}, cwd="/home/user/project")
    return classify(call, NoFacts(), book=BOOK, home="/home/user").outcome


@st.composite
def mutated(draw):
    """A real command with pieces cut out, doubled, joined and noise put in."""
    text = draw(st.sampled_from(REAL + SAMPLE))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.integers(0, 20)))
        match draw(st.sampled_from(("cut", "double", "insert", "truncate", "join", "noise"))):
            case "cut":
                text = text[:at] + text[end:]
            case "double":
                text = text[:at] + text[at:end] * draw(st.integers(2, 40)) + text[end:]
            case "insert":
                text = text[:at] + draw(st.sampled_from(FRAGMENTS)) * draw(st.integers(1, 30)) + text[at:]
            case "truncate":
                text = text[:at]
            case "join":
                text = text[:at] + draw(st.sampled_from(REAL)) + text[at:]
            case "noise":
                text = text[:at] + draw(st.text(max_size=20)) + text[at:]
    return text[:8000]


nested = st.recursive(
    st.sampled_from(REAL),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(WRAPPERS), inner).map(lambda pair: pair[0][1](pair[1], ["sh", "-c", pair[1]])),
        st.tuples(inner, st.sampled_from((" && ", " | ", "; ", " & ", "\n", " || ")), inner).map("".join),
        st.tuples(st.sampled_from(("$({})", "`{}`", "<({})", "({})", "{ {}; }", "if {}; then {}; fi")), inner).map(
            lambda pair: pair[0].replace("{}", pair[1])
        ),
    ),
    max_leaves=6,
)


@pytest.mark.slow
@QUICK
@given(mutated())
def test_a_mutated_command_never_raises_and_ends(command):
    assert judged(command) in Outcome


@pytest.mark.slow
@QUICK
@given(nested.map(lambda text: text[:20_000]))
def test_commands_in_commands_in_commands_never_raise_and_end(command):
    assert judged(command) in Outcome


@pytest.mark.slow
@QUICK
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join))
def test_syntax_without_sense_never_raises_and_ends(command):
    assert judged(command) in Outcome


@pytest.mark.slow
@settings(QUICK, max_examples=300)
@given(st.sampled_from(sorted(EFFECTS)), st.lists(st.sampled_from(WRAPPERS), min_size=2, max_size=3))
def test_wrapping_never_hides_what_is_gated(name, wrappers):
    command, words = EFFECTS[name], argv(EFFECTS[name])
    for family, wrap in wrappers:
        if family == "heredoc" and ("<<" in command or "$" in command):
            continue  # the inner end would end the outer one, and an unquoted body expands "$1" too early
        command = wrap(command, words)
        words = ["sh", "-c", command]
        command = f"sh -c {single(command)}"  # a simple command again, as prefixes want it
    assert judged(command) is Outcome.GATE, command


@pytest.mark.slow
@settings(QUICK, max_examples=400)
@given(st.sampled_from(REAL + SAMPLE), st.sampled_from(("; ", " && ", "\n", " & ", " || ", " | ")))
def test_nothing_in_front_disarms_what_follows(command, operator):
    """A comment, a here-document or an open quote would take what is appended as its own; a new line ends the first."""
    if "#" in command.splitlines()[-1] or "<<" in command or command.rstrip().endswith(("&", "|", ";", "\\")):
        operator = "\n"
    assert judged(f"{command}{operator}rm -rf /") is Outcome.GATE, command
