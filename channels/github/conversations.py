"""From a recipient to the conversation it means, and what a decision there is bound to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from askfirst.errors import ChannelError
from channels.github import wire
from channels.github.checkout import checkout_of
from channels.github.place import CURRENT_PULL, Conversation, conversation_of, repository_of

if TYPE_CHECKING:
    from askfirst.card import Card
    from channels.github.client import GitHub
    from channels.github.config import GithubConfig
    from channels.github.requests import Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a card goes.

    Attributes:
        head: commit id that the pull request's branch stands at, ``""`` in an issue.
        note: what people should know about the place, ``""`` for nothing.
    """

    conversation: Conversation
    head: str = ""
    note: str = ""


class Conversations:
    """Finds places, asking GitHub."""

    def __init__(self, github: GitHub, config: GithubConfig, requests: Requests) -> None:
        self._github = github
        self._config = config
        self._requests = requests

    async def place_of(self, recipient: str, card: Card) -> Place:
        """Where this card goes for this recipient.

        Raises:
            ChannelError: there is no such place, or it cannot be found out now.
        """
        conversation = await self._current(card) if recipient == CURRENT_PULL else conversation_of(recipient)
        if not self._config.may_ask_in(conversation.repository):
            allowed = ", ".join(self._config.repositories)
            raise ChannelError(
                f"{conversation.repository} is not among github.repositories ({allowed})", is_permanent=True
            )
        issue = await self._github.find(wire.Issue, f"{conversation.repository.path}/issues/{conversation.number}")
        if issue is None:
            raise ChannelError(f"there is no {conversation}, or the credential cannot see it", is_permanent=True)
        if issue.pull_request is None:
            return Place(conversation=conversation)
        head = (await self.pull(conversation)).head.sha
        local = (await self._requests.action(card.request_id)).head
        return Place(conversation=conversation, head=head, note=_note(local, head))

    async def pull(self, conversation: Conversation) -> wire.Pull:
        """The pull request as it stands now."""
        return await self._github.get(wire.Pull, f"{conversation.repository.path}/pulls/{conversation.number}")

    async def _current(self, card: Card) -> Conversation:
        """The open pull request of the branch that is checked out; else the configured issue."""
        try:
            return await self._pull_of_branch(card)
        except ChannelError as error:
            if self._config.issue is None or not error.is_permanent:
                raise
            return self._config.issue

    async def _pull_of_branch(self, card: Card) -> Conversation:
        folder = (await self._requests.action(card.request_id)).cwd
        checkout = await asyncio.to_thread(checkout_of, folder, self._config.hosts)
        if not checkout.branch:
            raise ChannelError("no branch is checked out there, so there is no pull request", is_permanent=True)
        answer = await self._github.find(wire.RepositoryAnswer, checkout.repository.path)
        repository = repository_of(answer.full_name) if answer else None
        if repository is None:
            raise ChannelError(f"there is no {checkout.repository}, or the credential cannot see it", is_permanent=True)
        query = {"state": "open", "head": f"{repository.owner}:{checkout.pushed_to}"}
        found = await self._github.pages(wire.Pull, f"{repository.path}/pulls", query)
        pulls = [each for each in found if each.head.ref == checkout.pushed_to]
        if not pulls:
            raise ChannelError(
                f"no pull request of {repository}:{checkout.pushed_to} is open; open one, or set github.issue",
                is_permanent=True,
            )
        return Conversation(repository=repository, number=max(each.number for each in pulls))


def comments_of(conversation: Conversation) -> str:
    """The API's path of a conversation's comments."""
    return f"{conversation.repository.path}/issues/{conversation.number}/comments"


def comment_path(conversation: Conversation, comment_id: int) -> str:
    """The API's path of one comment."""
    return f"{conversation.repository.path}/issues/comments/{comment_id}"


def reviews_of(conversation: Conversation) -> str:
    """The API's path of a pull request's reviews."""
    return f"{conversation.repository.path}/pulls/{conversation.number}/reviews"


def in_path(text: str) -> str:
    """A name as one segment of a path."""
    return quote(text, safe="")


def _note(local: str, remote: str) -> str:
    if not local or local == remote:
        return ""
    return (
        f"The agent works on the commit `{local[:12]}`, which is not the head of this pull request: "
        "what you see here is not all that it has."
    )
