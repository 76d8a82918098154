"""A card as a Slack message; pure.

The first block and the notification say what would be lost; the command follows, then where, who, when and the code.
What the gate found and what the agent says stand apart. A command that is too long is shown by its beginning and end;
the whole stands in the thread, and approving it takes the code in words (I9).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from askfirst.effects import Risk
from askfirst.moment import moment_words
from askfirst.request import RequestState
from askfirst.visible import visible_line
from channels.slack import blocks

if TYPE_CHECKING:
    from askfirst.card import Card
    from channels.slack.blocks import Block
    from channels.slack.controls import Sealer

COMMAND_MAX = 2_500
PART_MAX = 9_000
"""Characters of one message of the thread."""
_ICONS = {Risk.LOW: "🟢", Risk.MEDIUM: "🟡", Risk.HIGH: "🟠", Risk.CRITICAL: "🔴"}
_HEAD, _TAIL = 1_200, 600
_ROWS_MAX = 8
_OPTIONS_MAX = 20
_TEXT_MAX = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to send.

    Attributes:
        text: of the notification; control characters of the markup are escaped.
        blocks: what is shown.
        parts: the whole of what does not fit, for the thread, in order.
    """

    text: str
    blocks: tuple[Block, ...]
    parts: tuple[tuple[Block, ...], ...] = ()


def takes_code(card: Card) -> bool:
    """Whether approving takes words with the code: the grave ones, and what is not seen whole in the message."""
    return card.risk is Risk.CRITICAL or len(card.command) > COMMAND_MAX


def message_of(card: Card, sealer: Sealer) -> Message:
    """The message of this card as it stands."""
    body = (*_essential(card), *(() if _is_over(card) else (*_options(card), *_details(card))), *_foot(card))
    text = blocks.shown(list(body))
    buttons = _buttons(card, sealer, text)
    actions: tuple[Block, ...] = ({"type": "actions", "elements": buttons[: blocks.ACTIONS_MAX]},) if buttons else ()
    return Message(
        text=escaped(blocks.clipped(f"{_icon(card)} {card.ended or card.headline} · {card.code}", _TEXT_MAX)),
        blocks=(*body, *actions),
        parts=_parts(card) if not _is_over(card) else (),
    )


def escaped(text: str) -> str:
    """The text without meaning for the markup of ``text`` members.

    From: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _is_over(card: Card) -> bool:
    return card.state is not RequestState.PENDING


def _icon(card: Card) -> str:
    return "☑️" if _is_over(card) else _ICONS[card.risk]


def _essential(card: Card) -> tuple[Block, ...]:
    until = moment_words(card.deadline_ms, card.created_at_ms)
    ends = "" if _is_over(card) else f" · {card.on_timeout}s at {until}"
    return (
        blocks.header(f"{_icon(card)} {card.headline}"),
        blocks.preformatted(_command(card)),
        blocks.paragraph(f"{card.where}\n{card.who}{ends}\n{card.code}"),
        *((blocks.paragraph(card.headline),) if len(card.headline) > blocks.HEADER_MAX - 4 else ()),
        *((blocks.paragraph(card.ended, bold="Ended: "),) if card.ended else ()),
        *((blocks.paragraph(card.receipt),) if card.receipt else ()),
    )


def _command(card: Card) -> str:
    text = card.command
    if len(text) <= COMMAND_MAX:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    gap = f"\n… {len(text):,} characters, SHA-256 {digest}…, the whole in the thread …\n"
    return f"{text[:_HEAD]}{gap}{text[-_TAIL:]}"


def _parts(card: Card) -> tuple[tuple[Block, ...], ...]:
    text = card.command
    if len(text) <= COMMAND_MAX:
        return ()
    return tuple((blocks.preformatted(text[start : start + PART_MAX]),) for start in range(0, len(text), PART_MAX))


def _options(card: Card) -> tuple[Block, ...]:
    """Options as numbered rows, where buttons cannot show all of them whole."""
    if _fit_on_buttons(card):
        return ()
    rows = [f"{number}. {visible_line(each)}" for number, each in enumerate(card.options, 1)]
    return (blocks.paragraph(blocks.clipped("\n".join(rows), PART_MAX), bold="Options\n"),)


def _fit_on_buttons(card: Card) -> bool:
    return len(card.options) <= _OPTIONS_MAX and all(
        len(each) <= blocks.BUTTON_MAX and each.strip() and visible_line(each) == each for each in card.options
    )


def _details(card: Card) -> tuple[Block, ...]:
    found = [f"{each.mark.value} {each.text}" for each in card.signals] or [
        f"⚠ {each.loss} ({each.rule})" for each in card.findings
    ]
    said = [f"{name}: {text}" for name, text in card.claim]
    changed = [f"{name}: {_one_line(before)} → {_one_line(after)}" for name, before, after in card.difference]
    return tuple(
        block
        for block in (
            _list("Found by the gate", [*([card.impact] if card.impact else []), *found]),
            _list(f"Changed since version {card.changed_since}", changed),
            _list("Contradictions", list(card.contradictions)),
            _list("Notes", [*card.notes, *([card.asked_back] if card.asked_back else [])]),
            blocks.quote(blocks.clipped("The agent says (unchecked):\n" + "\n".join(said), _TEXT_MAX))
            if said
            else None,
            _list("Way back", [*card.rollback, *([card.undo.words] if card.undo.words else [])]),
            _list("Approvals", [card.approvals] if card.approvals else []),
        )
        if block is not None
    )


def _one_line(text: str) -> str:
    """A text of others as one row, so that none of it looks like a row of ours."""
    return " ⏎ ".join(text.splitlines())


def _list(title: str, rows: list[str]) -> Block | None:
    if not rows:
        return None
    kept = rows[:_ROWS_MAX]
    more = [f"… and {len(rows) - _ROWS_MAX} more"] if len(rows) > _ROWS_MAX else []
    return blocks.paragraph(blocks.clipped("\n".join((*kept, *more)), _TEXT_MAX), bold=f"{title}\n")


def _foot(card: Card) -> tuple[Block, ...]:
    words = []
    if not _is_over(card):
        verbs = "answer CODE text" if card.kind == "question" else "approve CODE, deny CODE reason"
        words.append(f"In words: {verbs}, ask CODE question".replace("CODE", card.code))
        if card.kind != "question" and takes_code(card):
            words.append("Approving this takes the words.")
    return (blocks.paragraph(" · ".join((*words, *((card.seen,) if card.seen else ())))),) if words or card.seen else ()


def _buttons(card: Card, sealer: Sealer, shown: str) -> list[Block]:
    def made(label: str, act: str, style: str = "", place: int = 0) -> dict[str, Any]:
        return blocks.button(label, f"{act}-{place}", sealer.value(card, act, shown, place), style)

    if _is_over(card):
        label = {"undo": "Undo", "redo": "Undo the undo"}.get(card.undo.offer, "")
        return [made(label, "undo", place=card.undo.turn)] if label and card.undo.turn <= 999 else []
    if card.kind == "question":
        offered = card.options[:_OPTIONS_MAX]
        labels = offered if _fit_on_buttons(card) else tuple(str(number) for number in range(1, len(offered) + 1))
        return [made(each, "option", place=number) for number, each in enumerate(labels)]
    denials = [made("Deny", "deny", "danger"), made("Deny and stop", "stop")]
    if takes_code(card):
        return denials
    scopes = [(number, words) for number, (key, words) in enumerate(card.scopes) if key != "once"]
    wider = [made(f"Approve: {words}", "scope", place=number) for number, words in scopes]
    return [made("Approve", "approve", "primary"), *denials, *wider]
