"""GitHub passes the conformance suite of channels, by polling and by webhook."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from askfirst.backing import Backing
from askfirst.request import Verdict
from askfirst.testing.bench import FakeClock
from askfirst.testing.channel_suite import Act, Failure, Harness, ListenerSuite
from askfirst.testing.github import FakeGitHub
from askfirst.testing.github.world import Comment, Repository
from channels.github.channel import GithubChannel
from channels.github.deliveries import envelope
from channels.github.marker import REPLY, read_marker
from channels.github.place import message_of

VERBS = {Verdict.APPROVE: "approve", Verdict.DENY: "deny", Verdict.ANSWER: "answer", Verdict.NEEDS_INFO: "ask"}


@dataclass
class GithubHarness:
    """People write comments; the channel hears of them by looking, or is told."""

    channel: GithubChannel
    github: FakeGitHub
    clock: FakeClock
    by_webhook: bool
    caught: Callable[[], Any]
    hidden: Repository | None = None

    @property
    def repo(self) -> Repository:
        return self.github.world.find("acme/api")

    def shown(self, message: str) -> str:
        """As a page shows it, the parts before it included."""
        card = self._comment(message)
        marker = read_marker(card.body)
        assert marker is not None
        ours = [(each, read_marker(each.body)) for each in self.repo.comments.values()]
        mine = [
            each
            for each, its in ours
            if its and (its.req, its.rev, its.parts) == (marker.req, marker.rev, marker.parts)
        ]
        return "\n".join(_seen(each.body) for each in mine)

    def offers(self, message: str) -> bool:
        return "/deny" in self._comment(message).body

    async def act(self, act: Act) -> Sequence[tuple[str, bytes]]:
        login = next(each.login for each in self.github.world.accounts.values() if f"github:{each.id}" == act.by)
        number = message_of(act.message).conversation.number
        made = self.github.world.comment("acme/api", number, login, self._words(act))
        if not self.by_webhook:
            caught = self.caught()
            self.clock.advance(61)  # the longest pause between two looks
            self.github.world.away, was = False, self.github.world.away
            await self.channel.look(caught)
            self.github.world.away = was
            return caught.deliveries
        headers, body = self.github.world.events[-1]
        assert str(made.id).encode() in body
        return [(headers["x-github-delivery"], _told(headers, body))]

    def fail(self, failure: Failure) -> None:
        world = self.github.world
        if world.limit is not None:
            self.clock.advance(10)  # we keep away for as long as we were told to
        world.away = failure == "away"
        world.limit = (
            (403, {"retry-after": "7"}, "You have exceeded a secondary rate limit.") if failure == "slow_down" else None
        )
        if failure == "gone":
            self.hidden = world.repositories.pop("acme/api")
        elif self.hidden is not None:
            world.repositories["acme/api"] = self.hidden

    def told(self) -> Sequence[str]:
        said = []
        for each in self.repo.comments.values():
            said += [f"{content} by {by.login}" for _, by, content, _ in each.reactions if content == "+1"]
            if each.body.startswith(REPLY):
                said.append(each.body)
        return said

    def _words(self, act: Act) -> str:
        if act.verdict is None:
            return act.text
        is_critical = act.card.risk.label == "critical"
        digits = act.typed_code if is_critical else act.card.code[-8:]
        return f"/{VERBS[act.verdict]} {act.card.code[:7]}{digits or '00000000'} {act.text}".strip()

    def _comment(self, message: str) -> Comment:
        return self.repo.comments[message_of(message).comment_id]


def _told(headers: dict[str, str], body: bytes) -> bytes:
    return envelope(headers["x-github-event"], headers["x-github-delivery"], json.loads(body))


def _seen(body: str) -> str:
    """The text of the page that GitHub's own renderer makes."""
    html = cmarkgfm.github_flavored_markdown_to_html(body, options=Options.CMARK_OPT_UNSAFE)
    return unescape(re.sub(r"<[^>]*>", "", re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL)))


class TestByLooking(ListenerSuite):
    scheme, recipient = "github", "github:acme/api#1"
    person, stranger = "github:583231", "github:583232"
    by_webhook = False

    @pytest.fixture(autouse=True)
    def _parts(self, kit: Any) -> None:
        self.kit = kit

    @asynccontextmanager
    async def open(self, backing: Backing) -> AsyncIterator[Harness]:
        github = self.kit.github(backing.clock)
        channel = self.kit.channel(backing, github)
        assert isinstance(backing.clock, FakeClock)
        try:
            yield GithubHarness(channel, github, backing.clock, self.by_webhook, self.kit.caught)
        finally:
            await channel.close()
            github.close()


class TestByWebhook(TestByLooking):
    by_webhook = True
