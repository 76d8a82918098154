"""Options as getopt_long and git read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.shell.command import HOLE, Word
from askfirst.shell.options import read_options, some, syntax

TABLE = syntax("f/force force-with-lease? d/delete n/dry-run m/message: S/sign? all alias: D/")


def read(text: str):
    return read_options([Word(text=word) for word in text.split(" ") if word], TABLE)


@pytest.mark.parametrize(
    ("text", "given_options"),
    [
        ("--force", {"force"}),
        ("-f", {"force"}),
        ("-fd", {"force", "delete"}),
        ("--del", {"delete"}),
        ("--forc", {"force", "force-with-lease"}),
        ("--force-w", {"force-with-lease"}),
        ("--al", {"all", "alias"}),
        ("--force --no-force", {"no-force"}),
        ("--no-force --force", {"force"}),
        ("-D", {"-D"}),
        ("-x", {"-x"}),
        ("--unknown", {"unknown"}),
        ("-mf", {"message"}),
        ("-m -f", {"message"}),
        ("-Sf", {"sign"}),
        ("-S -f", {"sign", "force"}),
        ("--message -f", {"message"}),
        ("--message=x -f", {"message", "force"}),
        ("-- -f", set()),
        ("a -f b", {"force"}),
        ("-", set()),
    ],
)
def test_options_are_found(text, given_options):
    assert read(text).given == given_options


def test_values_operands_and_the_rest_are_told_apart():
    found = read("a -m one --message=two b -- -f c")
    assert [word.text for word in found.values["message"]] == ["one", "two"]
    assert [word.text for word in found.operands] == ["a", "b"]
    assert [word.text for word in found.rest] == ["-f", "c"]
    assert found.value("message").text == "two"
    assert found.value("alias") is None


def test_options_may_end_at_the_first_operand():
    found = read_options([Word(text=word) for word in ("-f", "x", "-d")], TABLE, stop_at_operand=True)
    assert found.given == {"force"}
    assert [word.text for word in found.words] == ["x", "-d"]


@pytest.mark.parametrize(
    ("text", "unsure"), [(HOLE, True), (f"-{HOLE}", True), (f"--{HOLE}", True), (f"x{HOLE}", False), ("x", False)]
)
def test_a_word_that_may_be_an_option_makes_the_reading_unsure(text, unsure):
    assert read(text).unsure is unsure


def test_names_are_shortened_for_people():
    assert some(["a", "b"]) == "a, b"
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


WORDS = st.lists(st.text(alphabet=f"-=fmSDnax{HOLE}", max_size=6).map(lambda text: Word(text=text)), max_size=8)


@given(WORDS)
def test_no_word_is_lost(words):
    found = read_options(words, TABLE)
    values = sum(len(each) for each in found.values.values())
    options = sum(word.text.startswith("-") and word.text != "-" for word in words)
    assert len(found.words) + options + values >= len(words)


@given(WORDS)
def test_an_option_in_front_is_always_seen(words):
    assert "delete" in read_options([Word(text="-d"), *words], TABLE).given | {
        "delete" for _ in [0] if "no-delete" in read_options(words, TABLE).given
    }
