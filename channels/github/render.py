"""A card as Markdown for GitHub; pure.

The first three lines are what a notification shows: severity and loss; the command; where, who, deadline and code.
Everything that is not ours stands in code (``markdown``), so nothing in it can act. Nothing is cut: a text that is too
long for one comment is shown by its head and tail with length and SHA-256, and whole in comments before the card (I9).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.request import RequestState
from askfirst.visible import visible_line
from channels.github.markdown import fence, span
from channels.grammar import SCOPE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.card import Card

BODY_MAX = 65_536
"""Characters of a comment (``body is too long (maximum is 65536 characters)``); we count bytes, which are more."""
PARTS_MAX = 20
_TEXT_MAX_BYTES = 60_000
_CHUNKS_BYTES = (56_000, 11_000)
"""The smaller one for text that needs four blanks before each of its lines (``markdown.fence``)."""
_HEAD_CHARS, _TAIL_CHARS = 1200, 600
_LINE_CHARS = 500
"""Of what stands beside the sections: a longer one is shortened and says so; the loss is whole among the findings."""
_ROWS_MAX = 20
_WIDTH_CHARS = 90
"""What fits into a comment on a laptop's screen."""
_CONTINUED = "↪ "
_WRAPPED_MAX_CHARS = 25_000
"""What is longer is shown once, with a warning where lines go on behind the right edge."""
_SIGNS = {Risk.LOW: "🟢", Risk.MEDIUM: "🟡", Risk.HIGH: "🟠", Risk.CRITICAL: "🔴"}
_ENDS = {
    RequestState.APPROVED: "✅",
    RequestState.ANSWERED: "✅",
    RequestState.DENIED: "⛔",
    RequestState.EXPIRED: "⌛",
    RequestState.CANCELLED: "↩️",
    RequestState.SUPERSEDED: "↩️",
}
_AT_DEADLINE = {"reject": "then it expires and does not run", "approve": "then it runs"}
_ESCALATES = "meanwhile the next people are asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A card's comments, without markers.

    Attributes:
        card: what people decide by.
        parts: comments to be posted before it.
        whole: everything that would run is shown in these; else nobody may approve here.
    """

    card: str
    parts: tuple[str, ...] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """One foreign text under our title."""

    title: str
    text: str
    language: str = "text"

    @property
    def markdown(self) -> str:
        return f"{self.title}\n\n{fence(self.text, self.language)}" if self.title else fence(self.text, self.language)


def text_of(card: Card, *, head: str = "", note: str = "") -> Text:
    """The comments for this card.

    Args:
        card: what to show.
        head: of the pull request, to which a decision here is bound, ``""`` in an issue.
        note: a warning of the channel.
    """
    sections = _sections(card)
    moved: list[_Section] = []
    while True:
        whole = _parts_needed(moved) <= PARTS_MAX
        text = _assembled(card, sections, moved, whole=whole, head=head, note=note)
        longest = max((each for each in sections if each not in moved), key=lambda each: _size(each.text), default=None)
        if _size(text) <= _TEXT_MAX_BYTES or longest is None:
            break
        moved.append(longest)
    is_open = card.state is RequestState.PENDING
    return Text(card=text, parts=tuple(_parts(moved)) if whole and is_open else (), whole=whole)


def offers(card: Card, *, whole: bool = True) -> list[tuple[str, str]]:
    """What people may type: (what it does, the comment)."""
    code = card.code
    if card.undo.offer:
        turn = f" {card.undo.turn}" if card.undo.turn else ""
        return [("Undo" if card.undo.offer == "undo" else "Undo the undo", f"/undo {code}{turn}")]
    if card.state is not RequestState.PENDING:
        return []
    if card.kind == "question":
        answers = [f"/answer {code} {visible_line(each)}" for each in card.options] or [f"/answer {code} your answer"]
        return [*(("Answer", each) for each in answers), ("Refuse to answer", f"/deny {code} reason")]
    found = [("Approve", f"/approve {code}")] if whole else []
    if whole:
        further = [(key, words) for key, words in card.scopes if key != "once" and SCOPE.fullmatch(key)]
        found += [(f"Approve {words}", f"/approve {code} {key}") for key, words in further]
    return [*found, ("Deny", f"/deny {code} reason"), ("Ask back", f"/ask {code} question")]


def when(at_ms: int) -> str:
    """A moment for people of all time zones, e.g. ``2026-11-25 22:05 UTC``."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _assembled(
    card: Card, sections: list[_Section], moved: list[_Section], *, whole: bool, head: str, note: str
) -> str:
    command, *others = (_told(each, moved, whole=whole) for each in sections)
    blocks = [_headline(card), command, _where(card), *_status(card, note, whole=whole), *others]
    blocks += _commands(card, whole=whole, head=head)
    blocks.append(_more(card))
    return "\n\n".join(each for each in blocks if each)


def _headline(card: Card) -> str:
    severity, _, loss = card.headline.partition(" · ")
    sign = _SIGNS.get(card.risk, "🟠")
    return f"### {sign} **{severity}** · {_line(loss or card.tool)}"


def _where(card: Card) -> str:
    at_deadline = _AT_DEADLINE.get(card.on_timeout, _ESCALATES)
    until = f"until **{when(card.deadline_ms)}**, {at_deadline}" if card.state is RequestState.PENDING else ""
    return " · ".join(each for each in (_line(card.where), _line(card.who), until, span(card.code)) if each)


def _status(card: Card, note: str, *, whole: bool) -> list[str]:
    """What has happened, and what to beware of."""
    found = []
    if card.ended:
        found.append(f"{_ENDS.get(card.state, '⛔')} **{card.state.value.upper()}** · {_line(card.ended)}")
    if card.receipt:
        found.append(f"▶️ {_line(card.receipt)}")
    if card.undo.words:
        found.append(f"⏪ {_line(card.undo.words)}")
    if card.approvals:
        found.append(f"**{card.approvals}**")
    if card.asked_back and not card.ended:
        found.append(f"❓ {_line(card.asked_back)} The agent has to say more first.")
    if not whole:
        found.append(
            "⚠️ **Too long to be shown here in full, so nobody can approve it here.** Decide in the web inbox, or deny."
        )
    widest = max(len(line) for line in card.command.split("\n"))
    if widest > _WIDTH_CHARS and len(card.command) > _WRAPPED_MAX_CHARS:
        found.append(f"⚠️ The longest line of the command has {widest} characters: scroll to the right, to its end.")
    if note:
        found.append(f"⚠️ {note}")
    return [*found, *(f"⚠️ {_line(each)}" for each in card.notes[:_ROWS_MAX])]


def _sections(card: Card) -> list[_Section]:
    """Foreign texts: the command first, then what the gate found, then what the agent says."""
    is_shell = card.tool in {"Bash", "Monitor", "PowerShell"} and card.kind != "question"
    found = [_Section(title="", text=card.command, language="bash" if is_shell else "text")]
    wrapped = _wrapped(card.command)
    if wrapped != card.command and len(card.command) <= _WRAPPED_MAX_CHARS:
        title = f"**The same, wrapped** ({_CONTINUED.strip()} goes on with the line above)"
        found.append(_Section(title=title, text=wrapped))
    if card.expanded and card.expanded != card.command:
        found.append(_Section(title="**As the shell would run it**", text=card.expanded, language="bash"))
    if card.findings or card.signals or card.impact:
        found.append(_Section(title="**What the gate found**", text="\n".join(_findings(card))))
    found += _evidence(card)
    if card.difference:
        by = f" by {span(card.changed_by)}" if card.changed_by else ""
        changes = "\n".join(_changes(card.difference))
        title = f"**Changed{by} since version {card.changed_since}**"
        found.append(_Section(title=title, text=changes, language="diff"))
    if card.claim:
        rows = [f"{name}: {text}" for name, text in card.claim]
        claim = "\n".join([*rows, *(f"⚠ but: {each}" for each in card.contradictions)])
        found.append(_Section(title="**The agent says** (its own word, verified by nobody)", text=claim))
    if card.proposal:
        found.append(_Section(title="**A rule to copy into your policy**", text=card.proposal))
    return found


def _wrapped(text: str) -> str:
    """The text with long lines broken, so that nothing hides behind the right edge."""
    lines = []
    for line in text.split("\n"):
        pieces = [line[at : at + _WIDTH_CHARS] for at in range(0, len(line), _WIDTH_CHARS)] or [""]
        lines.append(f"\n{_CONTINUED}".join(pieces))
    return "\n".join(lines)


def _evidence(card: Card) -> Iterable[_Section]:
    for each in card.sections:
        more = [f"… and {each.more} more"] if each.more else []
        text = "\n".join([*each.rows, *more, *([each.text] if each.text else [])])
        if text:
            yield _Section(title=span(each.title), text=text)
    if card.rollback:
        yield _Section(title="**How to go back**", text="\n".join(card.rollback))


def _findings(card: Card) -> Iterable[str]:
    if card.impact:
        yield card.impact
    yield from (f"{each.mark.value} {each.text}" for each in card.signals)
    if card.certainty and card.signals:
        yield f"({card.certainty})"
    for each in card.findings:
        yield f"{each.risk.label.upper()}: {each.loss}  [{each.rule}]"
        yield from (f"    {fact}" for fact in each.facts)
        if each.offending and each.offending != card.command:
            yield f"    in: {each.offending}"
        if each.suggestion:
            yield f"    safer: {each.suggestion}"


def _changes(difference: tuple[tuple[str, str, str], ...]) -> Iterable[str]:
    for name, before, after in difference:
        yield f"  {name}"
        yield from (f"- {line}" for line in before.splitlines())
        yield from (f"+ {line}" for line in after.splitlines())


def _commands(card: Card, *, whole: bool, head: str) -> list[str]:
    offered = offers(card, whole=whole)
    if not offered:
        return []
    bound = f" They hold for the head {span(head[:12])} of this pull request only." if head else ""
    (_, first), *others = offered
    rows = [f"- {span(comment)} — {_words(words)}" for words, comment in others]
    return [
        f"**{offered[0][0]} by a comment that is exactly this line.**{bound}",
        fence(first),
        "\n".join(["Or one of these:", "", *rows]) if rows else "",
    ]


def _words(words: str) -> str:
    """Our own words, but for the pattern that a scope may name."""
    head, mark, pattern = words.partition(" for commands like ")
    return f"{head}{mark}{span(pattern)}" if mark else head


def _more(card: Card) -> str:
    rows = [f"- {_line(each)}" for each in card.history[-_ROWS_MAX:]]
    if older := len(card.history) - _ROWS_MAX:
        rows[:0] = [f"- {older} older lines are in the log"] * (older > 0)
    rows.append(f"- policy {_line(card.policy)} · version {card.version} · action {span(card.action_digest)}")
    if card.seen:
        rows.append(f"- {span(card.seen)}")
    return "<details><summary>Record</summary>\n\n" + "\n".join(rows) + "\n\n</details>"


def _line(text: str) -> str:
    if len(text) <= _LINE_CHARS:
        return span(text)
    return f"{span(text[:_LINE_CHARS])} … ({len(text)} characters)"


def _told(section: _Section, moved: list[_Section], *, whole: bool) -> str:
    if section not in moved:
        return section.markdown
    text = section.text
    where = "in full in the comments before this one" if whole else "not in full"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    title = section.title or "**The command**"
    length = f"{title} · {len(text)} characters, shown {where} · SHA-256 {span(digest)}"
    return f"{length}\n\n{fence(text[:_HEAD_CHARS])}\n\n… and its end:\n\n{fence(text[-_TAIL_CHARS:])}"


def _parts_needed(moved: list[_Section]) -> int:
    return sum(len(_chunks(each.text)) for each in moved)


def _parts(moved: list[_Section]) -> Iterable[str]:
    for section in moved:
        chunks = _chunks(section.text)
        title = section.title or "**The command**"
        for index, chunk in enumerate(chunks):
            yield f"{title} in full, {index + 1} of {len(chunks)}\n\n{fence(chunk, section.language)}"


def _chunks(text: str) -> list[str]:
    """The text in pieces that fit into one comment each, cut between characters."""
    pieces, rest = [], text
    while rest:
        piece = next(each for each in (_beginning(rest, limit) for limit in _CHUNKS_BYTES) if _fits(each))
        pieces.append(piece)
        rest = rest[len(piece) :]
    return pieces


def _beginning(text: str, limit_bytes: int) -> str:
    return text[:limit_bytes].encode("utf-8", "surrogatepass")[:limit_bytes].decode("utf-8", "ignore")


def _fits(piece: str) -> bool:
    return _size(fence(piece)) <= _TEXT_MAX_BYTES


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
