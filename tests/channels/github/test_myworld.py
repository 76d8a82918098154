"""A smoke test against somebody else's GitHub: ``myworld`` keeps state, and knows nothing of our fake."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from myworld.api.http import handle, mint
from myworld.host import Host

from askfirst.card import card_of
from askfirst.engine import Case
from askfirst.inbound import Decision
from askfirst.testing.bench import FakeClock, a_draft, a_request
from channels.github import wire
from channels.github.cards import Cards
from channels.github.client import GitHub
from channels.github.config import GithubConfig
from channels.github.conversations import Place, comments_of, reviews_of
from channels.github.deliveries import comment_says, review_says
from channels.github.place import conversation_of
from channels.github.publisher import Publisher

pytestmark = pytest.mark.slow


class MyWorld(httpx.AsyncBaseTransport):
    """Carries calls to it in this process."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        query = request.url.query.decode()
        body = await request.aread()
        found: Any = handle(
            self._host, "api.github.com", request.method, request.url.path, query, dict(request.headers), body
        )
        return httpx.Response(found.status, content=found.body, headers=found.headers)


async def at_once(_seconds: float) -> None:
    return


def test_a_card_is_posted_once_and_what_people_answer_is_understood() -> None:
    host = Host()
    instance = host.create("github")
    token = mint(host.gateway_secret, instance=instance.id, kind="github")
    config = GithubConfig(api_url="https://api.github.com", hosts=frozenset({"github.com"}), token=token)
    card = card_of(Case(request=a_request(a_draft())))

    async def story() -> None:
        github = GitHub(config, FakeClock(), transport=MyWorld(host), pause=at_once)
        me = await github.whoami()
        repository = await github.get(wire.RepositoryAnswer, "repos/acme/api")
        [pull] = await github.pages(wire.Pull, f"repos/{repository.full_name}/pulls", {"state": "open"})
        conversation = conversation_of(f"acme/api#{pull.number}")
        cards = Cards(github, b"secret", lambda: me.id)
        publisher = Publisher(github=github, cards=cards, secret=b"secret")
        place = Place(conversation=conversation, head=pull.head.sha)
        posted = await publisher.post(card, place, "key")
        [comment] = await github.pages(wire.Comment, comments_of(conversation))
        assert (comment.id, comment.user.id if comment.user else 0) == (posted, me.id)
        made = await github.post(wire.Comment, comments_of(conversation), {"body": f"/deny {card.code} no"})
        says = comment_says(made, conversation)

        assert isinstance(says, Decision)
        assert says.reference.code == card.code
        review = {"event": "APPROVE", "body": f"/approve {card.code}", "commit_id": pull.head.sha}
        done = await github.post(wire.Review, reviews_of(conversation), review)
        assert done.commit_id == pull.head.sha
        assert review_says(done, conversation) is not None
        await github.close()

    asyncio.run(story())
