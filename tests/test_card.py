"""The card: nothing that a screen would hide, reorder or fake reaches a person unseen (I9)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.card import card_of, visible
from askfirst.engine import Case
from askfirst.testing.bench import a_draft, a_request


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("a\u202eb", "a\\u{202E}b"),
        ("a\u200bb", "a\\u{200B}b"),
        ("a\u00a0b", "a\\u{A0}b"),
        ("a\x1b[2Kb", "a\\u{1B}[2Kb"),
        ("a\rb", "a\\u{D}b"),
        ("a\u2028b", "a\\u{2028}b"),
        ("a\ufeffb", "a\\u{FEFF}b"),
        ("a\udc80b", "a\\u{DC80}b"),
        ("two\nlines\tand äöü 漢字 🔥", "two\nlines\tand äöü 漢字 🔥"),
    ],
)
def test_hidden_characters_are_shown(hidden: str, shown: str) -> None:
    assert visible(hidden) == shown


@given(st.text())
def test_what_is_shown_prints_as_it_is_and_tells_different_texts_apart(text: str) -> None:
    shown = visible(text)
    assert all(each.isprintable() or each in "\n\t" for each in shown)
    assert visible(shown) == shown


def test_the_command_is_never_cut() -> None:
    long = "echo " + "x" * 100_000
    assert card_of(Case(request=a_request(a_draft(command=long)))).command == long


def test_a_card_says_what_is_lost_first_and_whose_word_the_claim_is() -> None:
    draft = a_draft()
    card = card_of(
        Case(request=a_request(replace(draft, claim=replace(draft.claim, reason="clean\u202e up")))), machine="laptop"
    )
    assert card.headline == "HIGH · discards 1 changed file and 2 unpushed commits"
    assert card.where == "/srv/project on laptop"
    assert card.claim == (("reason", "clean\\u{202E} up"),)
    assert card.code.endswith(card.action_digest[:8])
