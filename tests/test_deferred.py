"""Headless runs that are taken up again: from arguments and output to the next step."""

from __future__ import annotations

import pytest

from askfirst.deferred import Deferred, deferred, headless, message_of
from askfirst.errors import InputError

STREAM = ["--output-format", "stream-json", "--verbose"]


@pytest.mark.parametrize(
    ("arguments", "first", "following", "output"),
    [
        (["claude", "-p", "go"], ["claude", "-p", "go"], ["claude", "-p", "", "--resume", "s"], "text"),
        (
            ["/opt/claude", "--model", "x", "--print", "go", "--output-format", "json", "--verbose"],
            ["/opt/claude", "-p", "go", "--model", "x"],
            ["/opt/claude", "-p", "", "--model", "x", "--resume", "s"],
            "json",
        ),
        (["claude", "-p"], ["claude", "-p"], ["claude", "-p", "", "--resume", "s"], "text"),
        (
            ["claude", "-p", "go", "--resume", "old", "-c", "--session-id=x", "--permission-mode", "auto"],
            ["claude", "-p", "go", "--resume", "old", "-c", "--session-id=x", "--permission-mode", "auto"],
            ["claude", "-p", "", "--permission-mode", "auto", "--resume", "s"],
            "text",
        ),
    ],
)
def test_the_first_run_and_the_ones_that_take_it_up(
    arguments: list[str], first: list[str], following: list[str], output: str
) -> None:
    wanted = headless(arguments)
    assert wanted.first() == [*first, *STREAM]
    assert wanted.next("s") == [*following, *STREAM]
    assert wanted.output == output


@pytest.mark.parametrize(
    "arguments", [[], ["claude"], ["-p", "go"], ["claude", "go"], ["claude", "-p", "--output-format"]]
)
def test_what_is_no_headless_run_is_refused(arguments: list[str]) -> None:
    with pytest.raises(InputError):
        headless(arguments)


CALL = {"id": "toolu_1", "name": "Bash", "input": {}}


@pytest.mark.parametrize(
    ("result", "found"),
    [
        (
            {"stop_reason": "tool_deferred", "session_id": "s", "deferred_tool_use": CALL},
            Deferred(session="s", tool_use_id="toolu_1"),
        ),
        ({"stop_reason": "end_turn", "session_id": "s", "deferred_tool_use": CALL}, None),
        ({"stop_reason": "tool_deferred", "session_id": "s"}, None),
        ({"stop_reason": "tool_deferred", "session_id": "", "deferred_tool_use": CALL}, None),
        ({"stop_reason": "tool_deferred", "session_id": 1, "deferred_tool_use": CALL}, None),
        (None, None),
    ],
)
def test_only_a_deferred_call_is_taken_up(result: dict[str, object] | None, found: Deferred | None) -> None:
    assert deferred(result) == found


@pytest.mark.parametrize("line", ["", "no", "[]", "[" * 100_000])
def test_what_is_no_message_is_none(line: str) -> None:
    assert message_of(line) is None
