"""The web inbox as a channel: its pages are made from the store, so a delivery is done when the page can show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.ports import Capabilities, Health

if TYPE_CHECKING:
    from askfirst.card import Card


class WebChannel:
    """Delivers to ``web:inbox``: open pages follow ``Desk.changes``, and nothing needs to be pushed."""

    scheme = "web"
    caps = Capabilities(buttons=True, edits=True, free_text=True, idempotent_send=True, assurance=1)

    async def send(self, card: Card, recipient: str, key: str) -> str:
        """The request is listed from now on; its page is the message."""
        del recipient, key
        return f"/requests/{card.request_id}"

    async def update(self, card: Card, recipient: str, external_id: str) -> None:
        """The page shows the state of the store."""

    async def check(self) -> Health:
        """It is part of the broker that answers."""
        return Health(ok=True, text="the web inbox is served by this broker")
