"""A card as a Telegram message; pure.

- The first three lines are what a phone shows: what is lost; the command; where, who, what happens when, the code.
- What the gate found and what the agent says stand apart, and the agent's words are marked as such.
- Nothing is cut silently (I9): where the whole does not fit, it is attached as a file, and the message says so. A
  command that does not fit is shown by its beginning and end, and approving it then takes the code.
- The last line is the code, alone with the head of the log: what a reply to the card refers to is read there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.request import RequestState
from channels.telegram.card_file import card_file
from channels.telegram.keyboards import Keys, final_keyboard, main_keyboard, more_keyboard, numbered
from channels.telegram.payload import TEXT_MAX_UNITS, Payload
from channels.telegram.rich import Rich, head, joined, moment, styled, tail, units

if TYPE_CHECKING:
    from askfirst.card import Card
    from channels.telegram.payload import Attachment, Keyboard

_ICONS = {Risk.LOW: "🟢", Risk.MEDIUM: "🟡", Risk.HIGH: "🟠", Risk.CRITICAL: "🔴"}
_ENDS = {
    RequestState.APPROVED: "✅",
    RequestState.DENIED: "⛔",
    RequestState.ANSWERED: "💬",
    RequestState.EXPIRED: "⌛",
    RequestState.CANCELLED: "🚫",
    RequestState.SUPERSEDED: "♻️",
}
_DEADLINE = {"reject": "EXPIRES", "escalate": "OTHERS ARE ASKED", "approve": "APPROVED BY THE RULE"}
_COMMAND_LINE_MAX = 280
"""Units of a command that still stands in the second line."""
_COMMAND_MAX = 2_000
"""Units of a command that is shown whole."""
_OVER_MAX = 900
"""The same once it is over, when there is nothing left to decide."""
_HEAD, _TAIL = 500, 250
_PLACE_MAX = 160
_HEADLINE_MAX = 300
_ROOM = 160
"""Kept free for what is said about the attachment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a card is to be shown.

    Attributes:
        now_ms: for what is left of its time.
        keys: makes its buttons; None: without buttons.
        more: with the second row of choices.
        note: a line of ours above everything, e.g. why it is shown again.
        silent: no sound, unless it is critical.
    """

    now_ms: int
    keys: Keys | None
    more: bool = False
    note: str = ""
    silent: bool = False


def takes_code(card: Card) -> bool:
    """Whether approving takes the typed code: the grave ones, and what cannot be seen whole in the message."""
    return card.risk is Risk.CRITICAL or not _is_whole(card)


def card_message(card: Card, view: View) -> Payload:
    """The message of this card as it stands."""
    parts = _essential(card, view)
    optional = [] if _is_over(card) else _optional(card)
    kept, is_cut = _fitting(parts, optional, TEXT_MAX_UNITS - _ROOM - _foot(card).units)
    attachment: Attachment | None = None
    if (is_cut or not _is_whole(card)) and not _is_over(card):
        attachment = card_file(card)
        kept.append(_about_file(card, attachment))
    rich = joined([*kept, _foot(card)], "\n")
    return Payload(
        rich=rich,
        keyboard=_keyboard(card, view, rich.text),
        attachment=attachment,
        silent=card.risk is not Risk.CRITICAL and (view.silent or card.risk < Risk.HIGH),
    )


def _is_over(card: Card) -> bool:
    return card.state is not RequestState.PENDING


def _is_whole(card: Card) -> bool:
    return units(card.command) <= _COMMAND_MAX


def _is_line(card: Card) -> bool:
    return "\n" not in card.command and units(card.command) <= _COMMAND_LINE_MAX


# -- what is always there ---------------------------------------------------------------------------------------------


def _essential(card: Card, view: View) -> list[Rich]:
    parts = [Rich(view.note), *_ended(card), _headline(card), _command_line(card), _place_line(card, view)]
    if not _is_line(card):
        parts.append(_command_block(card))
    if card.kind == "question" and not _is_over(card):
        parts += _answers(card)
    if not _is_over(card) and takes_code(card) and card.kind != "question":
        parts.append(Rich("✍️ To approve, send ") + styled("code", f"/approve {card.code}"))
    return parts


def _answers(card: Card) -> list[Rich]:
    """What may be answered: options that are too long for a button are numbered."""
    rows = [Rich(row) for row in numbered(card)]
    if card.answer_schema:
        rows.append(Rich("Answer as JSON that fits ") + styled("code", head(card.answer_schema, 300)))
    return rows


def _ended(card: Card) -> list[Rich]:
    if not _is_over(card):
        return []
    lines = [styled("bold", f"{_ENDS[card.state]} {_first_upper(_line(card.ended, 900))}")]
    lines.append(Rich(_line(card.receipt)))
    lines.append(Rich(_line(card.undo.words)))
    lines.append(Rich("Rule to copy: ") + styled("code", _line(card.proposal)) if card.proposal else Rich())
    return lines


def _headline(card: Card) -> Rich:
    if card.kind == "question":
        return styled("bold", "📣 Askfirst tells you" if card.is_from_gate else "❓ The agent asks")
    mark = "‼️ " if card.risk is Risk.CRITICAL and not _is_over(card) else ""
    return styled("bold", f"{mark}{_ICONS[card.risk]} {_line(card.headline, _HEADLINE_MAX)}")


def _command_line(card: Card) -> Rich:
    if _is_line(card):
        return _code(card, card.command)
    first, _, rest = card.command.partition("\n")
    lines = rest.count("\n") + 1 if rest else 0
    size = f" … {lines} more lines" if lines else f" … {units(card.command):,} characters"
    return _code(card, head(first, 120)) + styled("italic", size)


def _code(card: Card, text: str) -> Rich:
    """A command with the sign of a shell before it; a question as plain words."""
    if card.kind == "question":
        return Rich(text)
    prompt = "$ " if card.tool == "Bash" else ""
    return styled("code", f"{prompt}{text}")


def _command_block(card: Card) -> Rich:
    language = "bash" if card.tool == "Bash" else ""
    if units(card.command) <= (_OVER_MAX if _is_over(card) else _COMMAND_MAX):
        return Rich(card.command) if card.kind == "question" else styled("pre", card.command, language=language)
    digest = hashlib.sha256(card.command.encode("utf-8", "backslashreplace")).hexdigest()
    left_out = units(card.command) - _HEAD - _TAIL
    between = f"\n… {left_out:,} of {units(card.command):,} characters left out, SHA-256 {digest[:16]}… of the whole\n"
    return (
        styled("pre", head(card.command, _HEAD), language=language)
        + styled("italic", between)
        + styled("pre", tail(card.command, _TAIL), language=language)
    )


def _place_line(card: Card, view: View) -> Rich:
    parts = [Rich(_middle(card.where, _PLACE_MAX)), Rich(_middle(card.who, _PLACE_MAX))]
    if not _is_over(card):
        words = _DEADLINE.get(card.on_timeout, card.on_timeout)
        parts.append(Rich(f"{words} ") + moment(_in(card.deadline_ms - view.now_ms), card.deadline_ms, "r"))
    return joined([*parts, Rich(card.code)], " · ")


def _foot(card: Card) -> Rich:
    """The code first: ``parse`` reads it here, and nothing of an agent's ever stands in the last line."""
    version = f" · v{card.version}" if card.version > 1 else ""
    return styled("code", card.code) + f"{version} · {card.seen or 'no log'}"


# -- what is there as far as it fits ----------------------------------------------------------------------------------


def _optional(card: Card) -> list[Rich]:
    """Most important first."""
    return [
        *(Rich(f"⚠️ {_one(each)}") for each in card.contradictions),
        Rich(_one(card.impact)),
        *(Rich(f"{each.mark} {_one(each.text)}") for each in card.signals),
        *(Rich(f"• {_one(each.loss)}") for each in card.findings[1:]),
        *(Rich(f"⚠️ {_one(each)}") for each in card.notes),
        Rich(f"↩️ {_one(card.asked_back)}" if card.asked_back else ""),
        _difference(card),
        _claim(card),
        *_quotes(card),
        Rich(f"Way back: {'; '.join(card.rollback)}" if card.rollback else ""),
        Rich(f"↩️ {card.undo.words}" if card.undo.words else ""),
        _safer(card),
        Rich("Runs as: ") + styled("code", card.expanded) if card.expanded else Rich(),
        Rich(card.approvals),
        Rich(card.certainty),
    ]


def _claim(card: Card) -> Rich:
    if not card.claim:
        return Rich()
    said = "\n".join(f"{name}: {text}" for name, text in card.claim)
    return styled("italic", "The agent says (its word, not checked):") + "\n" + styled("blockquote", said)


def _quotes(card: Card) -> list[Rich]:
    """Evidence to unfold."""
    quotes = []
    for section in card.sections:
        rows = [*section.rows, *([f"… and {section.more} more"] if section.more else []), section.text]
        inner = styled("bold", section.title) + "\n" + "\n".join(each for each in rows if each)
        quotes.append(styled("expandable_blockquote", inner))
    facts = [fact for each in card.findings for fact in each.facts]
    if facts and not card.sections:
        quotes.append(styled("expandable_blockquote", styled("bold", "Found") + "\n" + "\n".join(facts)))
    return quotes


def _difference(card: Card) -> Rich:
    if not card.difference:
        return Rich()
    rows = "\n".join(f"{name}: {_one(before) or '—'} → {_one(after) or '—'}" for name, before, after in card.difference)
    by = f" by {card.changed_by}" if card.changed_by else ""
    return styled("bold", f"Changed{by} since v{card.changed_since}:") + "\n" + styled("expandable_blockquote", rows)


def _safer(card: Card) -> Rich:
    found = next((each.suggestion for each in card.findings if each.suggestion), "")
    return Rich("Safer: ") + styled("code", found) if found else Rich()


def _fitting(essential: list[Rich], optional: list[Rich], limit: int) -> tuple[list[Rich], bool]:
    """Parts as long as they fit, and whether something was left out."""
    kept = [each for each in essential if each.text]
    used = sum(each.units + 1 for each in kept)
    is_cut = False
    for part in optional:
        if not part.text:
            continue
        if used + part.units + 1 > limit:
            is_cut = True
            continue
        kept.append(part)
        used += part.units + 1
    return kept, is_cut


def _about_file(card: Card, attachment: Attachment) -> Rich:
    what = "more about this" if _is_whole(card) else "the whole command"
    return Rich(f"📎 {_first_upper(what)} is in the file above, ") + styled("code", attachment.name)


def _keyboard(card: Card, view: View, text: str) -> Keyboard:
    if view.keys is None:
        return ()
    if _is_over(card):
        return final_keyboard(card, view.keys, text)
    if view.more:
        return more_keyboard(card, view.keys, text, takes_code=takes_code(card))
    return main_keyboard(card, view.keys, text, takes_code=takes_code(card))


def _one(text: str) -> str:
    """The text as one line: a name with a line break in it must not look like a line of ours."""
    return " ⏎ ".join(text.splitlines())


def _line(text: str, limit: int = 500) -> str:
    """The same as far as it fits, and that it was cut."""
    line = _one(text)
    return line if units(line) <= limit else f"{head(line, limit)} …"


def _middle(text: str, limit: int) -> str:
    """A long place by its beginning and end."""
    line = " ".join(text.split())
    return line if units(line) <= limit else f"{head(line, limit // 2)}…{tail(line, limit // 2)}"


def _in(left_ms: int) -> str:
    seconds = max(0, left_ms // 1000)
    if seconds < 120:
        return f"in {seconds} s"
    return f"in {seconds // 60} min" if seconds < 7200 else f"in {seconds // 3600} h"


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
