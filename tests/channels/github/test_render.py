"""Cards as comments: whole files compared, and laws that GitHub's own Markdown engine has to confirm."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given
from hypothesis import strategies as st

from askfirst.card import Card, card_of
from askfirst.effects import Risk
from askfirst.engine import Case
from askfirst.engine.undo import WayBack
from askfirst.evidence.words import Mark, Section, Signal
from askfirst.request import RequestState
from askfirst.testing.bench import a_draft, a_request
from askfirst.visible import visible
from channels.github.markdown import fence, span
from channels.github.preview import preview_html
from channels.github.render import BODY_MAX, PARTS_MAX, offers, text_of

GOLDEN = Path(__file__).parent / "golden"
OURS = frozenset("p h3 strong code pre details summary ul li".split())
NASTY = st.text(
    alphabet=st.one_of(st.sampled_from("`~<>&@#*_[]()!|\\\n\t -:/$\u202e\u200b\r\x00"), st.characters(codec="utf-8")),
    max_size=200,
)


def a_card(command: str = "git reset --hard HEAD~2", **changes: object) -> Card:
    request = replace(a_request(a_draft(command=command)), id="01K000000000000000009F2C1A")
    return replace(card_of(Case(request=request), machine="laptop", seen="1024:9f3a52c0417be6d8"), **changes)  # type: ignore[arg-type]  # the caller names its fields


CARDS = {
    "pending": a_card(),
    "full": a_card(
        claim=(("reason", "the branch is stale, @octocat said so in #12"), ("confidence", "80%")),
        contradictions=("it says nothing is lost, and 2 commits are on no remote",),
        signals=(Signal(mark=Mark.WARN, text="2 commits are on no remote"), Signal(mark=Mark.GOOD, text="kept")),
        impact="2 commits are gone for good",
        certainty="everything was looked at",
        sections=(Section(title="Commits that are lost", rows=("abc Fix", "def Mend"), more=3),),
        rollback=("git reset --hard abc",),
        notes=("local:ann denied something equivalent 3 min ago",),
        approvals="1 of 2 approvals",
        asked_back="local:bob asks: on which branch?",
        scopes=(("once", "once"), ("session git push *", "for this session, for commands like git push *")),
        difference=(("command", "rm -rf a", "rm -rf b"),),
        changed_since=1,
        version=2,
    ),
    "question": a_card("Deploy to `production` now?", kind="question"),
    "approved": a_card(
        state=RequestState.APPROVED,
        ended="approved by local:ann via github",
        receipt="ran exactly what was approved · ok",
        undo=WayBack(words="2 files, 3 kB, can be undone", offer="undo", snapshot="snapshot-1"),
    ),
    "redo": a_card(
        state=RequestState.APPROVED,
        ended="approved by local:ann via github",
        undo=WayBack(words="put back 2 files", offer="redo", turn=1, snapshot="snapshot-2"),
    ),
}


@pytest.mark.parametrize("name", CARDS)
def test_a_card_looks_as_it_did(name: str) -> None:
    """Written anew with ASKFIRST_GOLDEN=write; read the difference before you commit it."""
    path = GOLDEN / f"{name}.md"
    text = text_of(CARDS[name], head="7236cc247cf837fb9b6723394bbda71f19cc548c")
    assert text.parts == ()
    if os.environ.get("ASKFIRST_GOLDEN") == "write":
        path.write_text(text.card + "\n", encoding="utf-8")
    assert text.card + "\n" == path.read_text(encoding="utf-8")


class Seen(HTMLParser):
    """Tags, and the text of every code element."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.code: list[str] = []
        self.comments: list[str] = []
        self._in_code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "code":
            self._in_code += 1
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_code -= tag == "code"

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.code[-1] += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def seen(markdown: str) -> Seen:
    found = Seen()
    found.feed(cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE))
    return found


@given(NASTY)
def test_whatever_is_in_a_fence_is_shown_as_it_is_and_does_nothing(text: str) -> None:
    text = visible(text)
    found = seen(fence(text))
    assert (found.tags, found.comments) == (["pre", "code"], [])
    assert found.code == [f"{text}\n" if text else "\n"]


@given(NASTY)
def test_whatever_is_in_a_span_does_nothing(text: str) -> None:
    found = seen(f"before {span(visible(text))} after")
    assert (found.tags, found.comments) == (["p", "code"], [])


TICKS = "`" * 255
RUNS = ["`" * 79, "`" * 80, "`" * 81, "`" * 300, f"x{TICKS}<b>x</b> @a", f"{TICKS}\n<b>x</b>\n{'~' * 255}"]


@pytest.mark.parametrize("text", RUNS)
def test_more_backticks_than_the_engine_counts_end_nothing(text: str) -> None:
    assert seen(fence(text)).tags == ["pre", "code"]
    assert seen(fence(text)).code == [f"{text}\n"]
    assert seen(f"a {span(f'{text} <b>@x</b>')} b").tags == ["p", "code"]


@given(NASTY, NASTY, NASTY, NASTY)
def test_no_text_of_anybody_adds_a_tag_a_link_or_a_mention(command: str, loss: str, who: str, claim: str) -> None:
    plain = seen(text_of(a_card("x", claim=(("reason", "x"),), headline="HIGH · x", who="x", where="x")).card)
    card = a_card(
        visible(command) or "x",
        claim=(("reason", visible(claim)),),
        headline=f"HIGH · {visible(loss)}",
        who=visible(who),
        where=visible(who),
    )
    card = replace(card, command=visible(command) or "x", expanded="")
    found = seen(text_of(card).card)
    assert set(found.tags) <= OURS
    assert found.tags.count("details") == plain.tags.count("details")
    assert found.code[1].rstrip("\n") == card.command.rstrip("\n")
    outside = re.sub(r"(`+).*?\1", "", text_of(card).card, flags=re.DOTALL)
    assert not re.search(r"(?<!\w)@\w|(?<!#)#\d|https?://", outside)


def test_a_command_that_hides_behind_the_right_edge_is_shown_wrapped() -> None:
    command = f"echo ok{' ' * 500}&& rm -rf /"
    shown = text_of(a_card(command)).card
    assert command in shown
    assert re.search(r"\n↪ +&& rm -rf /\n", shown)
    assert "wrapped" not in text_of(a_card("echo ok")).card
    assert "The longest line of the command has 30000 characters" in text_of(a_card("x" * 30_000)).card
    assert "The longest line" not in text_of(a_card("x\n" * 30_000)).card


@pytest.mark.parametrize("command", ["x" * 300_000, "`" * 120_000, "🔥" * 50_000, "a\n" * 60_000, "~~~\n```\n" * 9_000])
def test_what_is_too_long_is_whole_in_the_comments_before_the_card(command: str) -> None:
    """I9: each of them fits, and together they are the command."""
    text = text_of(a_card(command))
    assert text.whole
    for each in (*text.parts, text.card):
        assert len(each.encode()) < BODY_MAX - 1000
        assert set(seen(each).tags) <= OURS
    chunks = [seen(each).code[0].removesuffix("\n") for each in text.parts if "The command" in each]
    assert "".join(chunks) == command
    assert f"/approve {CARDS['pending'].code[:7]}" in text.card


def test_what_does_not_fit_into_so_many_comments_cannot_be_approved_here() -> None:
    """I9: but it can be denied."""
    text = text_of(a_card("x" * 60_000 * PARTS_MAX))
    assert (text.whole, text.parts) == (False, ())
    assert "/approve" not in text.card
    assert "/deny" in text.card


def test_lines_beside_the_command_are_bounded() -> None:
    """Nothing makes a comment longer than GitHub takes, whoever is how long-winded."""
    long = "x" * 30_000
    card = a_card(where=long, who=long, notes=(long,) * 50, history=(long,) * 50, asked_back=long, policy=long)
    card = replace(card, headline=f"HIGH · {long}", claim=(("reason", long * 2),), proposal=long, expanded=long)
    text = text_of(card)
    assert all(len(each) < BODY_MAX for each in (*text.parts, text.card))
    assert "(30000 characters)" in text.card


def test_offers_are_those_of_the_state() -> None:
    assert [words for words, _ in offers(CARDS["pending"])] == ["Approve", "Deny", "Ask back"]
    assert [words for words, _ in offers(CARDS["question"])] == ["Answer", "Refuse to answer"]
    assert [comment.split()[0] for _, comment in offers(CARDS["approved"])] == ["/undo"]
    assert offers(CARDS["redo"])[0][1].endswith(" 1")
    assert offers(a_card(state=RequestState.DENIED)) == []


def test_severities_look_different() -> None:
    signs = {text_of(a_card(risk=risk)).card.split()[1] for risk in Risk}
    assert len(signs) == len(Risk)


def test_the_preview_is_a_page_with_every_comment() -> None:
    page = preview_html(a_card("<script>alert(1)</script> && rm -rf /", headline="CRITICAL · <img src=x>"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert "<img" not in page
    assert preview_html(a_card("x" * 100_000)).count("<article>") == 1 + len(text_of(a_card("x" * 100_000)).parts)
