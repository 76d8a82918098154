"""What the core needs of a channel: the port that ``channels/`` implements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from askfirst.card import Card


class Channel(Protocol):
    """A way to reach people. It only delivers; who is asked and what counts is the core's.

    Attributes:
        scheme: the part of a recipient before the colon, e.g. ``web``.
    """

    scheme: str

    async def send(self, card: Card, recipient: str, key: str) -> str:
        """Show a card to a recipient, e.g. ``web:inbox``.

        Args:
            card: what to show.
            recipient: with its scheme.
            key: the same key is the same delivery: a channel that can tell sends it once.

        Returns:
            the channel's own id of the message, for ``update``.

        Raises:
            ChannelError: it could not be delivered now; it is tried again.
        """
        ...

    async def update(self, card: Card, recipient: str, external_id: str) -> None:
        """Show what became of the request in the message that was sent.

        Raises:
            ChannelError: it could not be delivered now; it is tried again.
        """
        ...
