"""Commands in pieces: nothing lost, nothing hidden, the right parts marked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.visible import visible
from channels.web.command_view import SEGMENT_MAX_CHARS, odd_characters, segments_of

SPANS = st.lists(st.tuples(st.integers(-3, 40), st.integers(-3, 40)), max_size=4)


@given(st.text(max_size=600), SPANS)
def test_the_pieces_are_the_whole_command_made_visible(command: str, spans: list[tuple[int, int]]) -> None:
    pieces = [piece for segment in segments_of(command, spans) for piece in segment]
    assert "".join(piece.text for piece in pieces) == visible(command)


@given(st.text(alphabet="ab \n", max_size=2000))
def test_no_segment_is_too_tall_for_a_screen(command: str) -> None:
    for segment in segments_of(command):
        text = "".join(piece.text for piece in segment)
        assert len(text) <= SEGMENT_MAX_CHARS
        assert text.count("\n") <= 1


@pytest.mark.parametrize(
    ("command", "spans", "offending"),
    [
        ("cd a && rm -rf b", [(8, 16)], ["rm -rf b"]),
        ("rm a; rm b", [(0, 4), (6, 10)], ["rm a", "rm b"]),
        ("rm a", [(0, 0)], []),
        ("rm a", [(2, 99)], []),
        ("rm a", [(-4, 2)], []),
        ("rm \u202ea", [(0, 5)], ["rm ", "\\u{202E}", "a"]),
    ],
)
def test_what_a_rule_objects_to_is_marked(command: str, spans: list[tuple[int, int]], offending: list[str]) -> None:
    pieces = [piece for segment in segments_of(command, spans) for piece in segment]
    assert [piece.text for piece in pieces if piece.offends] == offending


@pytest.mark.parametrize(
    ("command", "odd"),
    [
        ("rm -rf /tmp/x", []),
        ("echo '\\u{202E}'", []),  # the text of an escape is not the character
        ("r\u043c -rf", ["U+043C CYRILLIC SMALL LETTER EM"]),
        ("a\u200bb\u00a0c", ["U+00A0 NO-BREAK SPACE", "U+200B ZERO WIDTH SPACE"]),
        ("\x1b[2Jls", ["U+001B unnamed"]),
    ],
)
def test_characters_that_deceive_are_named(command: str, odd: list[str]) -> None:
    assert odd_characters(command) == odd
    assert any(piece.is_odd for segment in segments_of(command) for piece in segment) == bool(odd)


def test_of_very_many_odd_characters_eight_are_named() -> None:
    assert odd_characters("".join(map(chr, range(0x430, 0x440))))[8:] == ["and 8 more"]
