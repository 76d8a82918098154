"""The buttons under a card; pure. A critical request, and one that is not whole in its message, has no Approve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.visible import visible_line
from channels.telegram.controls import OPTIONS_MAX, SCOPES_MAX, TURNS_MAX, Binding, Control, Verb
from channels.telegram.payload import Button, Keyboard, Style
from channels.telegram.rich import units

if TYPE_CHECKING:
    from askfirst.card import Card
    from channels.telegram.controls import Sealer

_LABEL_MAX = 40


@dataclass(frozen=True, slots=True)
class Keys:
    """Makes buttons for one chat."""

    sealer: Sealer
    chat: int

    def button(self, card: Card, verb: Verb, label: str, text: str, style: Style = "", *, place: int = 0) -> Button:
        """A button under a message with this text."""
        control = Control(request_id=card.request_id, version=card.version, verb=verb, place=place)
        binding = Binding(
            action_digest=card.action_digest, chat=self.chat, reviewers=card.reviewers, text=shown(text, label)
        )
        return Button(label=label, data=self.sealer.data(control, binding), style=style)


def shown(text: str, label: str) -> str:
    """What a person had in front of them: the message, and what the button said."""
    return f"{text}\n[{label}]"


def main_keyboard(card: Card, keys: Keys, text: str, *, takes_code: bool) -> Keyboard:
    """Decide, or ask for more."""
    if card.kind == "question":
        return _question_keyboard(card, keys, text)
    approve = (
        keys.button(card, Verb.TYPE_CODE, "✍️ Approve with code …", text)
        if takes_code
        else keys.button(card, Verb.APPROVE, "✅ Approve", text, "success")
    )
    return (
        (approve, keys.button(card, Verb.DENY, "⛔ Deny", text, "danger")),
        (keys.button(card, Verb.WHY, "Why?", text), keys.button(card, Verb.MORE, "More …", text)),
    )


def more_keyboard(card: Card, keys: Keys, text: str, *, takes_code: bool) -> Keyboard:
    """The choices that are rarer."""
    offers = () if takes_code or card.kind == "question" else card.scopes[:SCOPES_MAX]
    scopes = tuple(
        (keys.button(card, Verb.SCOPE, f"✅ {words}", text, "success", place=place),)
        for place, (key, words) in enumerate(offers)
        if key != "once"
    )
    return (
        *scopes,
        (keys.button(card, Verb.SAY_WHY_NOT, "⛔ Deny, and say why …", text),),
        (keys.button(card, Verb.ASK_BACK, "❓ Ask the agent …", text),),
        (keys.button(card, Verb.DENY_AND_STOP, "🛑 Deny and stop the session", text, "danger"),),
        (keys.button(card, Verb.LESS, "‹ Back", text),),
    )


def final_keyboard(card: Card, keys: Keys, text: str) -> Keyboard:
    """What is left to do once it is decided: take back what ran, or that."""
    if not card.undo.offer or card.undo.turn >= TURNS_MAX:
        return ()
    label = "↩️ Undo" if card.undo.offer == "undo" else "↪️ Undo the undo"
    return ((keys.button(card, Verb.UNDO, label, text, place=card.undo.turn),),)


def chooser_keyboard(card: Card, keys: Keys, text: str) -> Keyboard:
    """What to do with words that somebody wrote in answer to a card."""
    if card.kind == "question":
        return ((keys.button(card, Verb.ANSWER_WITH, "💬 That is the answer", text, "success"),),)
    return (
        (keys.button(card, Verb.DENY_WITH, "⛔ Deny with these words", text, "danger"),),
        (keys.button(card, Verb.ASK_WITH, "❓ Ask the agent this", text),),
    )


def numbered(card: Card) -> list[str]:
    """Options as rows of text, where one of them is too long for a button."""
    if _fit_on_buttons(card):
        return []
    return [f"{place + 1}. {visible_line(option)}" for place, option in enumerate(card.options)]


def _question_keyboard(card: Card, keys: Keys, text: str) -> Keyboard:
    options = card.options[:OPTIONS_MAX] if len(card.options) <= OPTIONS_MAX else ()
    labels = options if _fit_on_buttons(card) else tuple(str(place + 1) for place in range(len(options)))
    rows = tuple(
        (keys.button(card, Verb.OPTION, label, text, "primary", place=place),) for place, label in enumerate(labels)
    )
    if card.is_from_gate:
        return rows
    answer = (keys.button(card, Verb.TYPE_ANSWER, "✍️ Answer …", text),) if not options else ()
    return (*rows, (*answer, keys.button(card, Verb.SAY_WHY_NOT, "⛔ Decline …", text)))


def _fit_on_buttons(card: Card) -> bool:
    return all(units(each) <= _LABEL_MAX and each.strip() and visible_line(each) == each for each in card.options)
