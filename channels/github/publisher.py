"""Writes cards into conversations: what is there already is found first, so a lost answer doubles nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from channels.github import wire
from channels.github.cards import Posted, made_at
from channels.github.conversations import comment_path, comments_of
from channels.github.marker import Marker, key_of, read_marker, signed
from channels.github.render import text_of

if TYPE_CHECKING:
    from askfirst.card import Card
    from channels.github.cards import Cards
    from channels.github.client import GitHub
    from channels.github.conversations import Place
    from channels.github.place import Conversation, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Posts and edits.

    Args:
        secret: signs markers.
    """

    github: GitHub
    cards: Cards
    secret: bytes

    async def post(self, card: Card, place: Place, key: str) -> int:
        """The id of the comment that shows this card for this delivery; parts come before it.

        Raises:
            ChannelError: it could not be posted; it may be there all the same, and is found next time.
        """
        return await self._write(card, place, key_of(key), None)

    async def edit(self, card: Card, place: Place, message: Message) -> None:
        """Show the card in the comment that was posted for it; a comment that was deleted is posted again.

        Raises:
            ChannelError: it could not be done now.
        """
        path = comment_path(message.conversation, message.comment_id)
        comment = await self.github.find(wire.Comment, path)
        marker = read_marker(comment.text) if comment else None
        if comment is None or marker is None:
            await self._write(card, place, key_of(str(message)), comment)
            return
        await self._write(card, place, marker.key, comment)

    async def mend(self, card: Card, place: Place, message: Message) -> None:
        """Write a message anew that somebody altered or deleted, unless that is done already."""
        path = comment_path(message.conversation, message.comment_id)
        if await self.github.find(wire.Comment, path) is None:
            again = key_of(str(message))
            ours = await self.cards.ours(place.conversation, made_at(card.request_id))
            if any(each.marker.key == again and self.cards.is_unaltered(each) for each in ours):
                return
        await self.edit(card, place, message)

    async def _write(self, card: Card, place: Place, key: str, existing: wire.Comment | None) -> int:
        text = text_of(card, head=place.head, note=place.note)
        bodies = [*text.parts, text.card]
        ours = await self.cards.ours(place.conversation, made_at(card.request_id))
        mine = [each for each in ours if each.marker.req == card.request_id and each.marker.key == key]
        if existing is None:
            existing = next((each.comment for each in mine if each.marker.is_card), None)
        for index, body in enumerate(bodies):
            marker = Marker(
                req=card.request_id,
                rev=card.version,
                digest=card.action_digest,
                key=key,
                head=place.head,
                part=index + 1,
                parts=len(bodies),
                whole=text.whole,
            )
            there = existing if marker.is_card else _part(mine, marker)
            comment_id = await self._put(place.conversation, signed(marker, body, self.secret), there)
        return comment_id

    async def _put(self, conversation: Conversation, body: str, existing: wire.Comment | None) -> int:
        if existing is None:
            made = await self.github.post(wire.Comment, comments_of(conversation), {"body": body})
            return made.id
        if existing.text.replace("\r\n", "\n") != body:
            await self.github.patch(wire.Comment, comment_path(conversation, existing.id), {"body": body})
        return existing.id


def _part(mine: list[Posted], wanted: Marker) -> wire.Comment | None:
    """The part of this version that is there already, whatever the head was then."""
    same = (
        each.comment
        for each in mine
        if (each.marker.rev, each.marker.part, each.marker.parts) == (wanted.rev, wanted.part, wanted.parts)
    )
    return next(same, None)
