"""The card: everything that people must see, made visible."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from askfirst.card import card_of, visible
from askfirst.engine import Case
from askfirst.policy.ruling import ScopeOffer
from askfirst.testing.bench import a_draft, a_request


@given(st.text())
def test_no_character_is_hidden_and_none_is_lost(command: str) -> None:
    r"""I9: what a screen would hide or reorder is shown as ``\u{…}``; the rest stays as it is."""
    shown = visible(command)
    assert all(each in "\n\t " or unicodedata.category(each)[0] not in "CZ" for each in shown)
    card = card_of(Case(request=a_request(a_draft(command=command or "x"))))
    assert card.command == visible(command or "x")


def test_a_version_shows_what_it_changed() -> None:
    first = a_request(a_draft(command="rm -rf a"))
    action = replace(first.action, arguments={"command": "rm -rf a\u202e"})
    claim = replace(first.claim, reason="it is old")
    second = replace(first, version=2, action=action, claim=claim, changed_by="agent")
    card = card_of(Case(request=second, earlier=(first,)))
    assert card.difference == (
        ("command", "rm -rf a", r"rm -rf a\u{202E}"),
        ("agent's reason", "", "it is old"),
    )
    assert card.changed_by == "agent"
    assert card_of(Case(request=first)).difference == ()


def test_the_offers_are_words_and_keys() -> None:
    request = a_request(a_draft(command="git push origin main"))
    offers = (
        ScopeOffer(kind="once"),
        ScopeOffer(kind="uses", amount=5),
        ScopeOffer(kind="duration", amount=1800),
        ScopeOffer(kind="session", pattern="git push *"),
        ScopeOffer(kind="session", pattern="npm *"),
        ScopeOffer(kind="rule"),
    )
    card = card_of(Case(request=replace(request, terms=replace(request.terms, scopes=offers))))
    assert card.scopes == (
        ("once", "once"),
        ("uses:5", "up to 5 times"),
        ("duration:1800", "for 30 min"),
        ("session git push *", "for this session, 8 h at most, for commands like git push *"),
        ("rule", "once, and write down a rule to copy"),
    )
