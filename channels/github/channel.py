"""The channel: cards as comments, decisions from the same conversation; the parts of it are in modules of their own."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from askfirst.errors import ChannelError, ConfigError
from askfirst.ports import Capabilities, Health, Rate
from askfirst.request import RequestState
from channels.github import wire
from channels.github.cards import Cards
from channels.github.client import GitHub
from channels.github.config import github_config_of
from channels.github.conversations import Conversations, Place, comment_path, comments_of
from channels.github.deliveries import says
from channels.github.deployments import Deployments
from channels.github.markdown import span
from channels.github.marker import REPLY, is_unaltered, read_marker
from channels.github.place import SCHEME, Message, conversation_of, deployment_of, message_of
from channels.github.poll import PAUSE_MAX_S, Poller
from channels.github.publisher import Publisher
from channels.github.render import BODY_MAX
from channels.github.requests import Requests
from channels.github.standing import Standing
from channels.github.states import States
from channels.github.vet import Vetting
from channels.github.webhook import webhook_app

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from askfirst.backing import Backing, Operations
    from askfirst.card import Card
    from askfirst.clock import Clock
    from askfirst.inbound import Inbound, Instruction, Outcome
    from askfirst.ports import Reception
    from askfirst.store.messages import OpenMessage
    from channels.github.config import GithubConfig

_PAUSE_FIRST_S = 5.0
_log = logging.getLogger(__name__)


class GithubChannel:
    """Implements ``askfirst.ports.Exposed``.

    Args:
        config: who we are, and what counts.
        secret: signs our comments; the broker's own, never told to anybody.
        requests: looks requests up.
        clock: paces and dates.
        github: the API; by default made from the configuration.
        operations: asks about deployments that wait; None: nobody is asked about them.
    """

    scheme = SCHEME

    def __init__(
        self,
        config: GithubConfig,
        *,
        secret: bytes,
        requests: Requests,
        clock: Clock,
        github: GitHub | None = None,
        operations: Operations | None = None,
    ) -> None:
        self.caps = Capabilities(
            buttons=config.app is not None,
            edits=True,
            threads=True,
            free_text=True,
            idempotent_send=True,
            text_max=BODY_MAX,
            rate=Rate(burst=10, per_s=1.0),
            assurance=2 if config.app is not None else 1,
        )
        self._config = config
        self._secret = secret
        self._requests = requests
        self._me: wire.User | None = None
        self._github = github or GitHub(config, clock)
        self._conversations = Conversations(self._github, config, requests)
        self._cards = Cards(self._github, secret, self._own_id)
        self._publisher = Publisher(github=self._github, cards=self._cards, secret=secret)
        self._states = States(self._github, config)
        self._deployments = Deployments(self._github, operations if config.app and config.app.deployments else None)
        self._vetting = Vetting(
            github=self._github,
            config=config,
            conversations=self._conversations,
            cards=self._cards,
            standing=Standing(github=self._github, config=config, conversations=self._conversations),
            requests=requests,
            own_id=self._own_id,
        )
        self._poller = Poller(
            github=self._github,
            config=config,
            requests=requests,
            clock=clock,
            own_id=self._own_id,
            mend=self._mend,
            is_unaltered=lambda body: is_unaltered(body, secret),
        )

    # -- telling --------------------------------------------------------------------------------------------------

    async def send(self, card: Card, recipient: str, key: str) -> str:
        """Post the card; the comment is found again where it was posted already and the answer was lost."""
        deployment = deployment_of(recipient)
        if deployment is not None:
            return await self._deployments.show(card, deployment)
        await self._introduced()
        place = await self._conversations.place_of(recipient, card)
        comment_id = await self._publisher.post(card, place, key)
        await self._states.show(card, place.conversation, place.head)
        self._poller.wake(place.conversation)
        return str(Message(conversation=place.conversation, comment_id=comment_id))

    async def update(self, card: Card, recipient: str, external_id: str) -> None:
        """Edit the comment."""
        deployment = deployment_of(recipient)
        if deployment is not None:
            await self._deployments.show(card, deployment)
            return
        await self._introduced()
        message = message_of(external_id)
        place = await self._place(card, message)
        await self._publisher.edit(card, place, message)
        await self._states.show(card, place.conversation, place.head)
        self._poller.wake(place.conversation)

    async def check(self) -> Health:
        """Whether GitHub knows us, and by which ways we hear."""
        try:
            self._me = None
            await self._introduced()
        except (ChannelError, ConfigError) as error:
            return Health(ok=False, text=f"GitHub: {error}")
        assert self._me is not None  # just asked
        hears = "polling and webhook" if self._config.webhook_secret else "polling"
        return Health(ok=True, text=f"writes as {self._me.login} at {self._config.api_url}, hears by {hears}")

    # -- hearing --------------------------------------------------------------------------------------------------

    def parse(self, raw: bytes) -> tuple[Inbound, ...]:
        """See ``channels.github.deliveries``."""
        return says(raw, reviews=self._config.reviews)

    async def vet(self, inbound: Inbound) -> Inbound:
        """See ``channels.github.vet``."""
        await self._introduced()
        return await self._vetting.vet(inbound)

    async def run(self, reception: Reception) -> None:
        """Poll until cancelled; until GitHub knows us, try that again and again."""
        pause_s = _PAUSE_FIRST_S
        while True:
            try:
                await self._introduced()
            except (ChannelError, ConfigError) as error:
                _log.warning("GitHub: %s; it is tried again in %d s", error, pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(PAUSE_MAX_S, pause_s * 2)
                continue
            await self._poller.run(reception)

    async def look(self, reception: Reception) -> None:
        """Poll once."""
        await self._introduced()
        await self._poller.look(reception)

    def app(self, reception: Reception) -> Starlette:
        """The webhook, see ``channels.github.webhook``."""
        return webhook_app(
            reception, secret=self._config.webhook_secret, parse=self.parse, deployments=self._deployments
        )

    async def acknowledge(self, inbound: Inbound, outcome: Outcome) -> None:
        """A thumb under what counted; a reply, once, to what did not."""
        origin = getattr(inbound, "origin", None)
        if origin is None:
            return
        await self._introduced()
        conversation = conversation_of(origin.recipient)
        kind, _, number = origin.message.partition(":")
        is_first = True
        if kind == "comment":
            sign = "+1" if outcome.counted else "confused"
            path = f"{comment_path(conversation, int(number))}/reactions"
            is_first = await self._github.tell(path, {"content": sign}) == 201
        if not outcome.counted and is_first:
            body = f"{REPLY}\n\n{span(origin.name)}: {span(outcome.text)}"
            await self._github.tell(comments_of(conversation), {"body": body})

    async def instruct(self, instruction: Instruction, person: str) -> None:
        """Nothing is offered here that the channel would answer by itself."""

    async def close(self) -> None:
        """Close the connections."""
        await self._github.close()

    # -- plumbing -------------------------------------------------------------------------------------------------

    async def _introduced(self) -> None:
        """Know the account that writes for us; without that nobody could be told from it."""
        if self._me is None:
            self._me = await self._github.whoami()

    def _own_id(self) -> int:
        assert self._me is not None  # every way in asks for it first
        return self._me.id

    async def _place(self, card: Card, message: Message) -> Place:
        """Where the message stands; a version stays bound to the head that it was first shown at."""
        path = comment_path(message.conversation, message.comment_id)
        comment = await self._github.find(wire.Comment, path)
        marker = read_marker(comment.text) if comment and is_unaltered(comment.text, self._secret) else None
        is_same = marker is not None and marker.rev == card.version
        if marker is not None and (is_same or card.state is not RequestState.PENDING):
            return Place(conversation=message.conversation, head=marker.head)
        return await self._conversations.place_of(message.conversation.recipient, card)

    async def _mend(self, shown: OpenMessage) -> None:
        card = await self._requests.card(shown.request_id)
        message = message_of(shown.external_id)
        await self._publisher.mend(card, await self._place(card, message), message)


def open_channel(backing: Backing, github: GitHub | None = None) -> GithubChannel:
    """The channel of the ``[github]`` table.

    Raises:
        ConfigError: it cannot be used.
    """
    config = github_config_of(backing.table, backing.folder)
    return GithubChannel(
        config,
        secret=backing.key,
        requests=Requests(backing),
        clock=backing.clock,
        github=github,
        operations=backing.operations,
    )
