"""Why a request was asked: the rule, what it found where, and what would be safer; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.telegram.payload import TEXT_MAX_UNITS, Payload
from channels.telegram.rich import Rich, head, joined, styled

if TYPE_CHECKING:
    from askfirst.card import Card

_PART_MAX = 700


def why_message(card: Card) -> Payload:
    """The message. What does not fit is left to the card's file, and said to be."""
    parts = [
        styled("bold", f"Why {card.code} is asked"),
        Rich(f"Rule: {head(card.policy, 200)}"),
        *(_finding(card, place) for place in range(len(card.findings))),
        Rich("Runs as: ") + styled("code", head(card.expanded, _PART_MAX)) if card.expanded else Rich(),
        Rich(card.impact),
        *(Rich(f"{each.mark} {head(each.text, 300)}") for each in card.signals),
        Rich(card.certainty),
        *(Rich(f"Way back: {head(each, 300)}") for each in card.rollback),
        *(Rich(head(each, 300)) for each in card.history),
    ]
    kept: list[Rich] = []
    used = 0
    for part in parts:
        if used + part.units + 1 > TEXT_MAX_UNITS - 100:
            kept.append(styled("italic", "There is more; the web inbox shows all of it."))
            break
        kept.append(part)
        used += part.units + 1
    return Payload(rich=joined(kept, "\n"), silent=True)


def _finding(card: Card, place: int) -> Rich:
    found = card.findings[place]
    lines = [
        Rich(f"• {found.risk.label}: {head(found.loss, 300)} ({found.rule})"),
        Rich("  in ") + styled("code", head(found.offending, 300)) if found.offending else Rich(),
        Rich("  safer: ") + styled("code", head(found.suggestion, 300)) if found.suggestion else Rich(),
    ]
    return joined(lines, "\n")
