"""Cards as messages: golden files, limits, and nothing cut or hidden."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiogram.types import MessageEntity
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.card import Card, Finding
from askfirst.effects import Risk
from askfirst.engine.undo import WayBack
from askfirst.evidence.words import Mark, Section, Signal
from askfirst.request import RequestState
from askfirst.testing.telegram.texts import clean, taken_keyboard, taken_text
from askfirst.visible import visible
from channels.telegram.card_message import View, card_message, takes_code
from channels.telegram.controls import Sealer, canonical, control_of
from channels.telegram.keyboards import Keys
from channels.telegram.payload import TEXT_MAX_UNITS, entity_json
from channels.telegram.preview import preview_html
from channels.telegram.rich import Rich, head, styled, tail, units

if TYPE_CHECKING:
    from channels.telegram.payload import Payload

GOLDEN = Path(__file__).parent / "golden"
NOW_MS = 1_800_000_000_000
KEYS = Keys(Sealer(b"k" * 32), 4711)
FINDING = Finding(
    risk=Risk.HIGH,
    loss="discards 1 changed file and 2 unpushed commits",
    rule="git.reset-hard",
    offending="git reset --hard origin/main",
    suggestion="git stash push --include-untracked",
    facts=(),
)


def a_card(**changes: Any) -> Card:
    card = Card(
        request_id="01K9ZV7YF0000000007XQ2KD00",
        version=1,
        action_digest="395ac29f" + "0" * 56,
        code="2KD007-395ac29f",
        kind="approval",
        state=RequestState.PENDING,
        risk=Risk.HIGH,
        headline="HIGH · discards 1 changed file and 2 unpushed commits",
        tool="Bash",
        command="git reset --hard origin/main",
        expanded="",
        where="/srv/acme/api on laptop",
        who="claude-code opus · session s4f2a1b0",
        findings=(FINDING,),
        claim=(("reason", "clean up before the release"), ("rollback plan", "git reflog")),
        created_at_ms=NOW_MS,
        deadline_ms=NOW_MS + 600_000,
        on_timeout="reject",
        policy="built-in · git.reset-hard",
        approvals="",
        ended="",
        history=(),
        seen="log 1024:9f3a52c0417be6d8",
        impact="2 commits that nobody else has",
        signals=(
            Signal(mark=Mark.WARN, text="2 commits are on no remote"),
            Signal(mark=Mark.GOOD, text="the working tree is clean but for notes.md"),
        ),
        sections=(
            Section(title="Commits that would be lost", rows=("9f2c1a7 fix the tax rate", "77aa01b add tests"), more=3),
        ),
        contradictions=("the agent says nothing is lost; found: 2 unpushed commits",),
        rollback=("git reset --hard ORIG_HEAD",),
        undo=WayBack(words="a snapshot is kept for 14 days"),
    )
    return replace(card, **changes)


QUESTION = {"kind": "question", "tool": "ask_human", "findings": (), "claim": (), "sections": (), "signals": ()}
QUESTION |= {"contradictions": (), "rollback": (), "impact": "", "undo": WayBack()}
CARDS = {
    "high": a_card(),
    "critical": a_card(
        risk=Risk.CRITICAL, headline="CRITICAL · rewrites the history of main", approvals="0 of 2 approvals"
    ),
    "low": a_card(risk=Risk.LOW, headline="LOW · reads a file", claim=(), sections=(), contradictions=(), signals=()),
    "many-lines": a_card(command="set -e\ncd build\nrm -rf *\n# 🔥 äöü\necho done"),
    "long": a_card(command="rm -rf " + " ".join(f"build/part-{n:04}" for n in range(900)) + " /etc/the-last-word"),
    "much-evidence": a_card(sections=tuple(Section(title=f"Part {n}", rows=("x" * 200,) * 4) for n in range(9))),
    "version-2": a_card(
        version=2,
        changed_since=1,
        changed_by="agent",
        difference=(("command", "git reset --hard", "git reset --hard origin/main"),),
    ),
    "asked-back": a_card(asked_back="local:ann asks: on which branch?", notes=("the same was denied 5 min ago",)),
    "question": a_card(**QUESTION, command="Which environment?", options=("staging", "production")),
    "question-long-options": a_card(**QUESTION, command="Which one?", options=("short", "a very long option " * 5)),
    "question-free": a_card(**QUESTION, command="What is the ticket's number?", answer_schema='{"type": "integer"}'),
    "told": a_card(
        **QUESTION,
        headline="LOW · tells you something",
        risk=Risk.LOW,
        command="claude-code (session s4f2a1b0) has stopped. The agent's words, unchecked:\n> Shall I push?",
        options=("I have seen this",),
        notes=("Askfirst itself says this; there is nothing to approve",),
        is_from_gate=True,
    ),
    "approved": a_card(state=RequestState.APPROVED, ended="approved by local:ann via telegram"),
    "ran": a_card(
        state=RequestState.APPROVED,
        ended="approved by local:ann via telegram",
        receipt="ran exactly what was approved · ok · exit code 0 · 1.2 s",
        undo=WayBack(words="a snapshot is kept for 14 days", offer="undo", snapshot="s"),
    ),
    "denied": a_card(state=RequestState.DENIED, ended="denied by local:bob via web: two commits would be lost"),
    "expired": a_card(state=RequestState.EXPIRED, ended="expired"),
}


def message(card: Card, **changes: Any) -> Payload:
    return card_message(card, replace(View(now_ms=NOW_MS, keys=KEYS), **changes))


@pytest.mark.parametrize("name", CARDS)
def test_a_card_looks_as_it_is_written_down(name: str) -> None:
    """Delete a golden file to have it written anew; then read it."""
    found = json.dumps(message(CARDS[name]).as_json(), indent=1, ensure_ascii=False) + "\n"
    path = GOLDEN / f"{name}.json"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
        pytest.fail(f"{path} was written; read it")
    assert found == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("more", [False, True])
def test_the_service_takes_every_card(name: str, more: bool) -> None:
    payload = message(CARDS[name], more=more)
    entities = [entity_json(each) for each in payload.rich.entities]
    taken_text(payload.rich.text, entities, TEXT_MAX_UNITS)
    for each in entities:
        MessageEntity.model_validate(each)
    taken_keyboard({"inline_keyboard": payload.as_json()["keyboard"]} if payload.keyboard else None)
    assert all(len(each.data) == 48 for row in payload.keyboard for each in row)


@pytest.mark.parametrize("name", ["high", "critical", "long", "many-lines"])
def test_the_first_three_lines_say_what_is_lost_the_command_and_where(name: str) -> None:
    card = CARDS[name]
    first, second, third = message(card).rich.text.splitlines()[:3]
    assert card.headline in first
    assert second.startswith("$ ")
    assert card.command.startswith(second.removeprefix("$ ").partition(" …")[0])
    for part in (card.where, card.who, card.code, "EXPIRES in 10 min"):
        assert part in third


def test_what_is_critical_looks_different_and_has_no_approve() -> None:
    payload = message(CARDS["critical"])
    assert payload.rich.text.startswith("‼️ 🔴 CRITICAL")
    assert "To approve, send /approve 2KD007-395ac29f" in payload.rich.text
    assert [each.label for row in payload.keyboard for each in row] == [
        "✍️ Approve with code …",
        "⛔ Deny",
        "Why?",
        "More …",
    ]
    assert not payload.silent
    assert not message(CARDS["critical"], silent=True).silent


def test_a_long_command_is_attached_whole_and_takes_the_code() -> None:
    """I9."""
    card = CARDS["long"]
    payload = message(card)
    assert takes_code(card)
    assert payload.attachment is not None
    assert card.command in payload.attachment.content.decode()
    assert "✅ Approve" not in [each.label for row in payload.keyboard for each in row]
    assert "/etc/the-last-word" in payload.rich.text
    left_out = re.search(r"… ([\d,]+) of ([\d,]+) characters left out, SHA-256 [0-9a-f]{16}", payload.rich.text)
    assert left_out is not None
    assert int(left_out[2].replace(",", "")) == units(card.command)


def test_evidence_that_does_not_fit_is_in_the_file_and_the_card_says_so() -> None:
    payload = message(CARDS["much-evidence"])
    assert payload.attachment is not None
    assert "Part 8" in payload.attachment.content.decode()
    assert "More about this is in the file above" in payload.rich.text
    assert not takes_code(CARDS["much-evidence"])


def test_the_agents_words_stand_apart_and_are_marked() -> None:
    payload = message(CARDS["high"])
    before, _, after = payload.rich.text.partition("The agent says (its word, not checked):\n")
    assert "clean up before the release" not in before
    assert after.startswith("reason: clean up before the release")
    quote = next(each for each in payload.rich.entities if each.kind == "blockquote")
    raw = payload.rich.text.encode("utf-16-le")
    assert raw[2 * quote.offset :][: 2 * quote.length].decode("utf-16-le").endswith("git reflog")


@given(
    st.text(alphabet=st.characters(codec="utf-16"), max_size=3000).map(visible),
    st.text(max_size=4000).map(visible),
    st.text(max_size=4000).map(visible),
    st.sampled_from(list(RequestState)),
    st.sampled_from(list(Risk)),
)
@settings(max_examples=150)
def test_whatever_is_in_it_a_card_fits_and_nothing_is_cut_silently(
    command: str, said: str, ended: str, state: RequestState, risk: Risk
) -> None:
    card = a_card(command=command, claim=(("reason", said),), state=state, risk=risk, ended=ended, headline=said)
    payload = message(card)
    entities = [entity_json(each) for each in payload.rich.entities]
    taken = taken_text(payload.rich.text, entities, TEXT_MAX_UNITS)
    assert canonical(taken["text"]) == canonical(payload.rich.text)
    everything = payload.rich.text + (payload.attachment.content.decode() if payload.attachment else "")
    if state is RequestState.PENDING:
        assert command in everything
        assert said in everything
    assert payload.rich.text.rpartition("\n")[2].startswith(card.code)
    preview_html(payload)


@given(st.text(), st.integers(0, 40))
def test_cutting_splits_no_character(text: str, limit: int) -> None:
    assert text.startswith(head(text, limit))
    assert text.endswith(tail(text, limit))
    assert units(head(text, limit)) <= limit


@given(st.lists(st.text(max_size=9), max_size=6))
def test_entities_lie_where_their_texts_are(texts: list[str]) -> None:
    rich = Rich()
    for each in texts:
        rich = rich + styled("bold", each) + "🔥"
    raw = rich.text.encode("utf-16-le", "surrogatepass")
    found = [raw[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le", "surrogatepass") for e in rich.entities]
    assert found == [each for each in texts if each]


@given(st.text().map(visible))
def test_what_the_server_does_to_a_text_changes_no_seal(text: str) -> None:
    assert canonical(clean(text)) == canonical(text)


@given(st.text())
def test_any_callback_data_is_read_or_not_ours(data: str) -> None:
    found = control_of(data)
    assert found is None or len(data) == 48


def test_a_name_with_a_line_break_does_not_look_like_a_line_of_ours() -> None:
    hostile = "discards x\n✅ Approved by local:ann via web"
    card = a_card(headline=f"HIGH · {hostile}", signals=(Signal(mark=Mark.WARN, text=hostile),), impact=hostile)
    assert not [each for each in message(card).rich.text.splitlines() if each.startswith("✅")]


def test_the_preview_shows_text_as_text() -> None:
    page = preview_html(message(a_card(command="echo '<script>alert(1)</script>'")))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
