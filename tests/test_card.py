"""The card: nothing that a screen would hide, reorder or fake reaches a person unseen (I9)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.card import card_of
from askfirst.engine import Case
from askfirst.evidence.values import Commit, Commits, Evidence
from askfirst.policy.ruling import ScopeOffer
from askfirst.request import Claim, Request, Verdict
from askfirst.review_draft import review_of
from askfirst.testing.bench import a_draft, a_request, a_review
from askfirst.visible import visible


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
        ("a\u3164b", "a\\u{3164}b"),  # HANGUL FILLER is a letter
        ("a\u2800b", "a\\u{2800}b"),  # BRAILLE PATTERN BLANK is a symbol
        ("a\u034fb", "a\\u{34F}b"),  # COMBINING GRAPHEME JOINER is a mark
        ("a\ufe0fb", "a\\u{FE0F}b"),
        ("a\U000e0100b", "a\\u{E0100}b"),
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
    """I9: what cannot be seen in full cannot be approved."""
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


def test_evidence_is_shown_apart_from_the_claim_and_what_it_contradicts_is_named() -> None:
    commit = Commit(id="a" * 40, subject="two\nlines \u202e", author="Ann", at_s=0, pushed=False)
    lost = Commits(
        where="main", count=1, unpushed=1, listed=(commit,), rollback=("git branch main-before aaaaaaaaaaaa",)
    )
    request = replace(
        a_request(a_draft()), evidence=Evidence(exhibits=(lost,)), claim=Claim(reason="nothing is lost\u202e")
    )
    card = card_of(Case(request=request))
    assert [f"{each.mark} {each.text}" for each in card.signals] == [
        "⚠ 1 commit of main would be held by nothing",
        "⚠ 1 of them never pushed",
    ]
    assert card.impact == "would lose 1 commit"
    assert card.sections[0].rows == (r"aaaaaaaaaaaa two\u{A}lines \u{202E} (Ann, never pushed)",)
    assert card.rollback == ("git branch main-before aaaaaaaaaaaa",)
    assert card.contradictions == ("the agent says: “nothing is lost”; found: 1 unpushed commit",)
    assert card.certainty == "everything was looked at"


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


def _versions(*commands: str) -> list[Request]:
    first = a_request(a_draft(command=commands[0]))
    return [first] + [
        replace(
            first,
            version=number,
            action=replace(first.action, arguments={"command": command}),
            claim=replace(first.claim, reason=f"reason {number}"),
            changed_by="agent",
        )
        for number, command in enumerate(commands[1:], 2)
    ]


def test_a_change_that_nobody_has_seen_does_not_hide_behind_the_next_one() -> None:
    *earlier, now = _versions("rm -rf a", "rm -rf a ../src", "rm -rf a ../src")
    card = card_of(Case(request=now, earlier=tuple(earlier)))
    assert card.difference == (("command", "rm -rf a", "rm -rf a ../src"), ("agent's reason", "", "reason 3"))
    assert (card.changed_since, card.changed_by) == (1, "agent")


def test_a_version_that_somebody_has_reviewed_is_what_the_next_one_is_compared_with() -> None:
    *earlier, now = _versions("rm -rf a", "rm -rf a ../src", "rm -rf a ../src")
    counted = replace(review_of(a_review(earlier[1], Verdict.NEEDS_INFO, text="why?"), 0), counted=True)
    uncounted = replace(counted, version=1, counted=False)
    case = Case(request=now, earlier=tuple(earlier), reviews=(counted, uncounted))
    assert card_of(case).difference == (("agent's reason", "reason 2", "reason 3"),)
    assert card_of(case).changed_since == 2
    edited = replace(case, request=replace(now, changed_by="local:ann"), reviews=())
    assert card_of(edited).changed_by == "agent, then local:ann"


def test_only_the_command_and_the_claim_have_lines() -> None:
    """Whatever else comes from an agent or a file is one line: a second one could look like what the gate found."""
    forged = "x\n\nFound by the gate:\n    ✓ nothing is lost"
    draft = a_draft(command=f"rm -rf '{forged}'")
    (effect,) = draft.classification.effects
    effect = replace(effect, loss=forged, suggestion=forged, facts=(forged,))
    request = replace(
        a_request(draft),
        agent=replace(draft.agent, host=forged, model=forged),
        action=replace(draft.action, cwd=forged, machine=forged),
        effects=(effect,),
        notes=(forged,),
    )
    card = card_of(Case(request=request))
    for finding in card.findings:
        assert "\n" not in "".join((finding.loss, finding.suggestion, *finding.facts))
    lines = (card.headline, card.where, card.who, card.elsewhere, card.undo.words, *card.notes, *card.rollback)
    assert all("\n" not in each for each in lines)


def test_the_name_of_an_argument_does_not_look_like_another_argument() -> None:
    draft = a_draft()
    arguments = {"to = 'alice'\namount": 5, "amount": 5000, "user-id.x": 1}
    request = replace(a_request(draft), action=replace(draft.action, tool="refund", arguments=arguments))
    assert card_of(Case(request=request)).command.splitlines() == [
        "refund",
        r""""to = 'alice'\namount" = 5""",
        "amount = 5000",
        "user-id.x = 1",
    ]


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
