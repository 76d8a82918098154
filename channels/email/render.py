"""A card as a mail in plain text; pure.

Plain text has no markup, so whatever an agent or a file says stands there as it is. The first lines are what a phone
shows. A command that is too long to be read in place is shown by its head and tail, and attached whole (I9).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from askfirst.request import RequestState
from askfirst.visible import visible_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.card import Card

COMMAND_MAX = 10_000
"""Characters that stand in the text; a longer command is attached."""
ATTACHED = "whole-command.txt"
_HEAD, _TAIL = 2_000, 1_000
_SUBJECT_MAX = 180
_AT_DEADLINE = {"reject": "it expires and does not run", "approve": "it runs"}
_ESCALATES = "the next people are asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a mail says.

    Attributes:
        subject: one line.
        text: the whole of it, lines of any length.
        attachment: the command, where it is not whole in the text, else ``""``.
    """

    subject: str
    text: str
    attachment: str = ""


def letter_of(card: Card) -> Letter:
    """The mail that shows this card as it stands."""
    return Letter(
        subject=f"[Askfirst] {_one_line(card.headline)[:_SUBJECT_MAX]} · {card.code}",
        text="\n\n".join(each for each in _blocks(card) if each) + "\n",
        attachment=card.command if len(card.command) > COMMAND_MAX else "",
    )


def standing(card: Card) -> str:
    """What a mail about this card would be sent for: while it stays the same nobody is written to again."""
    told = (card.state.value, str(card.version), card.ended, card.receipt, card.undo.offer, str(card.undo.turn))
    return hashlib.sha256("\0".join((*told, card.asked_back)).encode("utf-8", "backslashreplace")).hexdigest()


def offers(card: Card) -> list[str]:
    """The first lines that a reply may have."""
    code = card.code
    if card.undo.offer:
        return [f"undo {code}{f' {card.undo.turn}' if card.undo.turn else ''}"]
    if card.state is not RequestState.PENDING:
        return []
    if card.kind == "question":
        answers = [f"answer {code} {visible_line(each)}" for each in card.options] or [f"answer {code} your answer"]
        return [*answers, f"deny {code} the reason"]
    wider = [f"approve {code} {key}" for key, _ in card.scopes if key != "once"]
    return [f"approve {code}", f"deny {code} the reason", f"ask {code} your question", *wider]


def _blocks(card: Card) -> Iterable[str]:
    is_over = card.state is not RequestState.PENDING
    yield f"{card.state.value.upper()}: {card.ended or card.state.value}" if is_over else ""
    yield f"{card.headline}"
    yield _indented(_command(card))
    yield "\n".join((card.where, card.who, *([] if is_over else [_deadline(card)])))
    yield card.receipt
    yield _reply(card)
    yield _titled(f"Changed since version {card.changed_since}", _changes(card)) if card.difference else ""
    yield "\n".join(
        (*card.notes, *([f"{card.asked_back} (the agent has to say more first)"] if card.asked_back else []))
    )
    yield _titled("Found by the gate", _found(card))
    for section in card.sections:
        more = [f"… and {section.more} more"] if section.more else []
        yield _titled(section.title, [*section.rows, *more, *section.text.splitlines()])
    claim = [f"{name}: {text}" for name, text in card.claim]
    yield _titled("The agent says (unchecked)", [*claim, *(f"⚠ but: {each}" for each in card.contradictions)])
    yield _titled("A language model's opinion, which never counts", [f"{name}: {text}" for name, text in card.opinion])
    yield _titled("Way back", [*card.rollback, *([card.undo.words] if card.undo.words else [])])
    yield _titled("The answer's JSON Schema", card.answer_schema.splitlines())
    yield _titled("As the shell would run it", card.expanded.splitlines() if card.expanded != card.command else [])
    yield _titled("A rule to copy into your policy", card.proposal.splitlines())
    yield _titled("So far", [*card.history, *([card.approvals] if card.approvals else [])])
    yield "\n".join(each for each in (f"policy {card.policy}", f"action {card.action_digest}", card.seen) if each)


def _command(card: Card) -> str:
    text = card.command
    if len(text) <= COMMAND_MAX:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    gap = f"\n… {len(text):,} characters, SHA-256 {digest}…, whole in {ATTACHED} …\n"
    return f"{text[:_HEAD]}{gap}{text[-_TAIL:]}"


def _deadline(card: Card) -> str:
    until = datetime.fromtimestamp(card.deadline_ms / 1000, UTC)
    return f"At {until:%Y-%m-%d %H:%M} UTC {_AT_DEADLINE.get(card.on_timeout, _ESCALATES)}."


def _reply(card: Card) -> str:
    offered = offers(card)
    if not offered:
        return "There is nothing more to decide."
    return _titled(
        "Answer this mail to decide. Its first line is one of these, and what stands below an empty line is not read",
        offered,
    )


def _found(card: Card) -> list[str]:
    rows = [card.impact] if card.impact else []
    rows += [f"{each.mark.value} {each.text}" for each in card.signals]
    rows += [f"({card.certainty})"] if card.certainty and card.signals else []
    for each in card.findings:
        rows.append(f"{each.risk.label.upper()}: {each.loss} [{each.rule}]")
        rows += [f"    {fact}" for fact in each.facts]
        rows += [f"    safer: {each.suggestion}"] if each.suggestion else []
    return rows


def _changes(card: Card) -> Iterable[str]:
    for name, before, after in card.difference:
        yield name
        yield from (f"- {line}" for line in before.splitlines())
        yield from (f"+ {line}" for line in after.splitlines())


def _titled(title: str, rows: Iterable[str]) -> str:
    text = "\n".join(rows)
    return f"{title}:\n{_indented(text)}" if text else ""


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _one_line(text: str) -> str:
    return " ".join(text.split())
