"""Everything about a request as a text file, for what does not fit into a message; pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from channels.telegram.payload import Attachment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.card import Card


def card_file(card: Card) -> Attachment:
    """The file; the command stands first, exactly and whole, between two lines."""
    text = "\n".join(_lines(card)) + "\n"
    name = f"{card.code}{f'-v{card.version}' if card.version > 1 else ''}.txt"
    return Attachment(
        name=name,
        content=text.encode("utf-8", "backslashreplace"),
        caption=f"The whole of {card.code}, v{card.version}",
    )


def _lines(card: Card) -> Iterator[str]:
    digest = hashlib.sha256(card.command.encode("utf-8", "backslashreplace")).hexdigest()
    yield f"{card.headline}"
    yield f"{card.where} · {card.who}"
    yield f"{card.code} · version {card.version} · action {card.action_digest}"
    yield f"----- {card.tool}, {len(card.command):,} characters, SHA-256 {digest} -----"
    yield card.command
    yield "----- end -----"
    if card.expanded:
        yield from ("", "Runs as:", card.expanded)
    yield from _listed("Found:", [f"{each.mark} {each.text}" for each in card.signals])
    yield from _listed("Would be lost:", [f"{each.loss} ({each.rule}: {each.offending})" for each in card.findings])
    for section in card.sections:
        more = [f"… and {section.more} more"] if section.more else []
        yield from _listed(f"{section.title}:", [*section.rows, *more, *([section.text] if section.text else [])])
    yield from _listed("Facts:", [fact for each in card.findings for fact in each.facts])
    yield from _listed("Claim and evidence do not go together:", card.contradictions)
    yield from _listed("Notes:", card.notes)
    yield from _listed("Changed:", [f"{name}:\n  {before}\n  → {after}" for name, before, after in card.difference])
    yield from _listed("The agent says (its word, not checked):", [f"{name}: {text}" for name, text in card.claim])
    yield from _listed("Way back:", card.rollback)


def _listed(title: str, rows: list[str] | tuple[str, ...]) -> Iterator[str]:
    if rows:
        yield from ("", title, *rows)
