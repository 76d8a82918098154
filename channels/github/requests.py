"""What the channel looks up of requests, over its ``Backing``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.card import card_of
from askfirst.code import parts_of
from askfirst.errors import ChannelError
from askfirst.request import RequestState
from channels.github.place import message_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.backing import Backing
    from askfirst.card import Card
    from askfirst.request import Action
    from askfirst.store.messages import OpenMessage
    from channels.github.place import Conversation


class Requests:
    """Looks requests up."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing

    async def open(self) -> Sequence[OpenMessage]:
        """Messages of ours whose request waits for people, or whose approval may still be taken back."""
        return await self._backing.messages.open()

    async def card(self, request_id: str) -> Card:
        """The card of a request as it is now.

        Raises:
            RequestNotFoundError: there is none.
        """
        case = await self._backing.requests.case(request_id)
        return card_of(case, machine=self._backing.machine, seen=self._backing.log())

    async def action(self, request_id: str) -> Action:
        """What would be run."""
        return (await self._backing.requests.case(request_id)).request.action

    async def named(self, code: str) -> str:
        """Id of the only request that goes, or went, by this code; ``""`` where there is none."""
        parts = parts_of(code)
        found = [] if parts is None else await self._backing.requests.coded(*parts)
        return found[0].request.id if len(found) == 1 else ""

    async def waiting(self, conversation: Conversation) -> list[str]:
        """Codes of the requests that wait for people in this conversation."""
        ids = {each.request_id: None for each in await self.open() if is_in(each, conversation)}
        cases = [await self._backing.requests.case(each) for each in ids]
        return [each.request.code for each in cases if each.request.state is RequestState.PENDING]


def is_in(message: OpenMessage, conversation: Conversation) -> bool:
    """Whether this message stands there."""
    try:
        return message_of(message.external_id).conversation == conversation
    except ChannelError:
        return False  # a deployment
