"""Lists of requests as one message; pure. Nothing is decided in a list: each is shown before it can be approved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.effects import Risk
from channels.telegram.controls import Verb
from channels.telegram.payload import Payload
from channels.telegram.rich import Rich, head, joined, styled, units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.card import Card
    from channels.telegram.keyboards import Keys
    from channels.telegram.payload import Button

ROWS_MAX = 15
_ROW_MAX = 160
_COLUMNS = 2


def digest_message(cards: Sequence[Card], keys: Keys, *, title: str = "", more: int = 0) -> Payload:
    """What waits, one line each with a button that shows it.

    Args:
        cards: what is listed, at most ``ROWS_MAX``.
        keys: makes the buttons.
        title: a line of its own above.
        more: how many others wait that are not listed.
    """
    if not cards:
        return Payload(rich=Rich(title or "Nothing of this list waits any more."), silent=True)
    heading = title or f"{len(cards)} waiting that are less grave, to be looked at one by one:"
    rows = [styled("bold", heading), *(_row(each) for each in cards)]
    if more:
        rows.append(styled("italic", f"and {more} more"))
    buttons = [keys.button(each, Verb.SHOW, f"Show {each.code.partition('-')[0]}", "") for each in cards]
    return Payload(
        rich=joined(rows, "\n"), keyboard=_in_columns(buttons), silent=all(each.risk < Risk.HIGH for each in cards)
    )


def _row(card: Card) -> Rich:
    said = card.command.partition("\n")[0]
    short = said if units(said) <= _ROW_MAX else f"{head(said, _ROW_MAX)}…"
    return Rich(f"• {card.code} {head(card.headline, _ROW_MAX)}\n  ") + styled("code", short)


def _in_columns(buttons: list[Button]) -> tuple[tuple[Button, ...], ...]:
    return tuple(tuple(buttons[place : place + _COLUMNS]) for place in range(0, len(buttons), _COLUMNS))
