"""Shows cards: in the right topic, whole, one by one or as a list, and up to date."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.card import card_of
from askfirst.effects import Risk
from askfirst.errors import ChannelError, RequestNotFoundError
from askfirst.request import RequestState
from channels.telegram.address import Place, Sent, place_of, sent_as
from channels.telegram.api import Api, NotThereError
from channels.telegram.card_message import View, card_message
from channels.telegram.digest import ROWS_MAX, digest_message
from channels.telegram.keyboards import Keys

if TYPE_CHECKING:
    from askfirst.backing import Backing
    from askfirst.card import Card
    from channels.telegram.controls import Sealer
    from channels.telegram.settings import Settings

_TOPIC_MAX_CHARS = 128
_FILES_MAX = 1024


class Outbound:
    """Sends and edits messages about requests."""

    def __init__(self, api: Api, settings: Settings, backing: Backing, sealer: Sealer) -> None:
        self._api = api
        self._settings = settings
        self._backing = backing
        self._sealer = sealer
        self._files: dict[tuple[int, str], int] = {}
        """Files that went ahead of a message that could not be sent yet; a retry does not send them again."""
        self._added: dict[str, list[str]] = {}
        """List to the requests that went into it: the store knows them only once they are delivered."""
        self._one_by_one = asyncio.Lock()
        """Several deliveries are under way at once; a topic or a list is for all of them."""

    def keys(self, chat: int) -> Keys:
        """Makes buttons for a chat."""
        return Keys(self._sealer, chat)

    # -- what the dispatcher wants ------------------------------------------------------------------------------------

    async def send(self, card: Card, recipient: str) -> Sent:
        """Show a card, or have it in the list of those that can wait."""
        place = place_of(recipient)
        if card.state is RequestState.PENDING and card.risk < Risk.HIGH and await self._is_crowded(recipient):
            async with self._one_by_one:
                return await self._send_in_digest(card, recipient, place)
        return await self.show(card, place)

    async def update(self, card: Card, external_id: str, recipient: str) -> None:
        """Show how it stands now in the message that was sent. One that a person deleted stays deleted."""
        sent = sent_as(external_id)
        if sent.is_digest:
            await self._refresh_digest(sent, recipient)
            return
        view = await self._view(sent.chat)
        payload = card_message(card, view)
        if payload.attachment is not None and card.version > 1:  # the first version's went before the message
            place = place_of(recipient)
            await self._send_file(card, Place(chat=sent.chat, topic=place.topic or await self._topic(card, sent.chat)))
        try:
            await self._api.edit(sent.chat, sent.message, payload)
        except NotThereError:
            return

    # -- one by one ---------------------------------------------------------------------------------------------------

    async def show(self, card: Card, place: Place, *, note: str = "", reply_to: int = 0) -> Sent:
        """Send the card's own message, what does not fit into it first."""
        chat, topic = place.chat, place.topic or await self._topic(card, place.chat)
        payload = card_message(card, replace(await self._view(chat), note=note))
        if payload.attachment is not None:
            await self._send_file(card, Place(chat=chat, topic=topic))
        try:
            message = await self._api.send(chat, topic, payload, reply_to)
        except NotThereError:
            if not topic or place.topic:
                raise ChannelError(f"the topic telegram:{chat}/{topic} is gone", is_permanent=True) from None
            await self._forget_topic(card, chat)
            message = await self._api.send(chat, 0, payload, reply_to)
        return Sent(chat=chat, message=message)

    async def show_again(self, request_id: str, recipient: str, note: str) -> None:
        """Send one more message about a request that still waits, and keep that up to date, too."""
        card = await self.card(request_id)
        if card is None or card.state is not RequestState.PENDING:
            return
        sent = await self.show(card, place_of(recipient), note=note)
        await self._backing.messages.adopt(request_id, recipient, str(sent))
        now = await self.card(request_id)
        if now is not None and (now.state, now.version) != (card.state, card.version):  # it changed meanwhile
            await self.update(now, str(sent), recipient)

    async def edit(self, card: Card, sent: Sent, *, more: bool) -> None:
        """The same message with other buttons."""
        payload = card_message(card, replace(await self._view(sent.chat), more=more))
        await self._api.edit(sent.chat, sent.message, payload)

    async def card(self, request_id: str) -> Card | None:
        """A request's card as it stands, None where there is none."""
        try:
            case = await self._backing.requests.case(request_id)
        except RequestNotFoundError:
            return None
        return card_of(case, machine=self._backing.machine, seen=self._backing.log())

    async def _view(self, chat: int) -> View:
        now_ms = self._backing.clock.now_ms()
        muted_until = await self._backing.memory.recall(mute_key(chat))
        is_muted = bool(muted_until) and int(muted_until) > now_ms
        return View(now_ms=now_ms, keys=self.keys(chat), silent=is_muted)

    async def _send_file(self, card: Card, place: Place) -> None:
        """Each version's file goes to a chat once, as far as this process knows."""
        key = (place.chat, f"{card.code}/{card.version}")
        payload = card_message(card, View(now_ms=self._backing.clock.now_ms(), keys=None))
        if key in self._files or payload.attachment is None:
            return
        message = await self._api.send_file(place.chat, place.topic, payload.attachment)
        while len(self._files) >= _FILES_MAX:
            self._files.pop(next(iter(self._files)))
        self._files[key] = message

    # -- topics -------------------------------------------------------------------------------------------------------

    async def _topic(self, card: Card, chat: int) -> int:
        """The topic of this repository or session, made when it is not there; 0 in a chat without topics."""
        if self._settings.topics == "none" or chat > 0:
            return 0
        async with self._one_by_one:
            return await self._topic_in(card, chat)

    async def _topic_in(self, card: Card, chat: int) -> int:
        key, name = await self._topic_of(card, chat)
        known = await self._backing.memory.recall(key)
        if known:
            return int(known)
        try:
            topic = await self._api.new_topic(chat, name[:_TOPIC_MAX_CHARS])
        except ChannelError as error:
            if not error.is_permanent:
                raise
            topic = 0  # it has none, or the bot may not make any: better in the main conversation than nowhere
        await self._backing.memory.remember(key, str(topic))
        return topic

    async def _topic_of(self, card: Card, chat: int) -> tuple[str, str]:
        request = (await self._backing.requests.case(card.request_id)).request
        folder = request.action.cwd.rstrip("/").rpartition("/")[2] or request.action.host
        if self._settings.topics == "session":
            return f"topic:{chat}:session:{request.agent.session}", f"{folder} · {request.agent.session[:8]}"
        return f"topic:{chat}:folder:{request.action.cwd}", folder

    async def _forget_topic(self, card: Card, chat: int) -> None:
        key, _ = await self._topic_of(card, chat)
        await self._backing.memory.remember(key, "")

    # -- as a list ----------------------------------------------------------------------------------------------------

    async def _is_crowded(self, recipient: str) -> bool:
        open_here = [each for each in await self._backing.messages.open() if each.recipient == recipient]
        return len(open_here) >= self._settings.digest_from

    async def _send_in_digest(self, card: Card, recipient: str, place: Place) -> Sent:
        """Into the chat's newest list while that has room, else into a new one."""
        key = f"digest:{recipient}"
        known = await self._backing.memory.recall(key)
        if known:
            sent = sent_as(known)
            others = await self._listed(sent, recipient)
            if 0 < len(others) < ROWS_MAX:
                try:
                    await self._api.edit(sent.chat, sent.message, digest_message([*others, card], self.keys(sent.chat)))
                except NotThereError:
                    pass
                else:
                    self._added.setdefault(known, []).append(card.request_id)
                    return sent
        payload = digest_message([card], self.keys(place.chat))
        message = await self._api.send(place.chat, place.topic, payload)
        sent = Sent(chat=place.chat, message=message, is_digest=True)
        await self._backing.memory.remember(key, str(sent))
        self._added = {str(sent): [card.request_id]}
        return sent

    async def _refresh_digest(self, sent: Sent, recipient: str) -> None:
        payload = digest_message(await self._listed(sent, recipient), self.keys(sent.chat))
        try:
            await self._api.edit(sent.chat, sent.message, payload)
        except NotThereError:
            return

    async def _listed(self, sent: Sent, recipient: str) -> list[Card]:
        """What stands in a list and still waits."""
        name = str(sent)
        stored = [
            each.request_id
            for each in await self._backing.messages.open()
            if each.recipient == recipient and each.external_id == name
        ]
        cards = [await self.card(each) for each in dict.fromkeys((*stored, *self._added.get(name, ())))]
        return [each for each in cards if each is not None and each.state is RequestState.PENDING]


def mute_key(chat: int) -> str:
    """Where it is remembered until when a chat wants no sounds, in milliseconds since the epoch."""
    return f"mute:{chat}"
