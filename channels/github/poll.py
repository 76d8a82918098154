"""Hears by looking: conversations with open requests, each at a pace of its own, from 5 s up to a minute apart.

- ``since`` filters by the time of the last change, so edits of old comments show up, and are edits.
- The cursor is JSON and holds all that the next look needs, also after a restart: since when, ETags, and the comments
  that were commands, whose disappearance takes back what they decided.
- Looks overlap, since GitHub's replicas lag behind each other; what was heard already has the same id.
- What says nothing is not kept: people's chatter is no business of ours.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from askfirst.errors import ChannelError
from askfirst.inbound import Ignored
from channels.github import wire
from channels.github.cards import made_at
from channels.github.conversations import comment_path, comments_of, reviews_of
from channels.github.deliveries import COMMENT, GONE, REACTION, REVIEW, comment_says, envelope, says
from channels.github.marker import is_ours
from channels.github.place import SCHEME, Conversation, conversation_of, message_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Sequence

    from askfirst.clock import Clock
    from askfirst.ports import Reception
    from askfirst.store.messages import OpenMessage
    from channels.github.client import GitHub
    from channels.github.config import GithubConfig
    from channels.github.requests import Requests

PAUSE_MAX_S = 60.0
LINGER_S = 3600
"""How long a conversation is looked into after its last request has ended: a late approval is worth something."""
_GROWTH = 1.5
_OVERLAP = timedelta(seconds=30)
_COMMANDS_MAX = 2_000
_log = logging.getLogger(__name__)


class _Watch(BaseModel):
    """What is remembered of one conversation."""

    model_config = ConfigDict(extra="ignore")

    since: datetime
    comments_etag: str = ""
    reviews_etag: str = ""
    all_etag: str = ""
    is_pull: bool | None = None
    oldest: datetime
    closed_ms: int | None = None
    commands: list[int] = Field(default_factory=list)


@dataclass(slots=True)
class _Pace:
    pause_s: float
    next_at_ms: int = 0


@dataclass(slots=True)
class _Heard:
    """Deliveries of one look."""

    deliveries: list[tuple[str, bytes]] = field(default_factory=list)

    def add(self, raw: bytes, name: str, *, reviews: Any) -> bool:
        """Keep it if it says anything."""
        if all(isinstance(each, Ignored) for each in says(raw, reviews=reviews)):
            return False
        self.deliveries.append((name, raw))
        return True


class Poller:
    """Looks.

    Args:
        github: the API.
        config: how.
        requests: what is open.
        clock: paces it.
        own_id: of the account that writes for us.
        mend: writes the message about a request anew, because somebody altered or deleted it.
        is_unaltered: whether a comment of ours is as we wrote it.
    """

    def __init__(
        self,
        *,
        github: GitHub,
        config: GithubConfig,
        requests: Requests,
        clock: Clock,
        own_id: Callable[[], int],
        mend: Callable[[OpenMessage], Awaitable[None]],
        is_unaltered: Callable[[str], bool],
    ) -> None:
        self._github = github
        self._config = config
        self._requests = requests
        self._clock = clock
        self._own_id = own_id
        self._mend = mend
        self._is_unaltered = is_unaltered
        self._watches: dict[Conversation, _Watch] = {}
        self._paces: dict[Conversation, _Pace] = {}
        self._woken = asyncio.Event()

    def wake(self, conversation: Conversation) -> None:
        """Something happened there: look again soon."""
        self._paces.pop(conversation, None)
        self._woken.set()

    async def run(self, reception: Reception) -> None:
        """Look until cancelled."""
        await self.begin(reception)
        while True:
            self._woken.clear()
            pause_s = await self._round(reception)
            try:
                await asyncio.wait_for(self._woken.wait(), pause_s)
            except TimeoutError:
                continue

    async def begin(self, reception: Reception) -> None:
        """Go on where an earlier process ended."""
        self._watches = _loaded(await reception.cursor(SCHEME))

    async def look(self, reception: Reception) -> None:
        """Look into every open conversation whose turn it is, once."""
        shown: dict[Conversation, list[OpenMessage]] = {}
        for each in await self._requests.open():
            try:
                shown.setdefault(message_of(each.external_id).conversation, []).append(each)
            except ChannelError:
                continue  # a deployment, where nothing is written
        for conversation in self._lingering(shown):
            shown[conversation] = []
        if self._config.issue is not None:
            shown.setdefault(self._config.issue, [])  # people link themselves there
        self._forget(set(shown))
        for conversation, messages in shown.items():
            pace = self._paces.setdefault(conversation, _Pace(self._config.poll_s))
            if pace.next_at_ms <= self._clock.now_ms():
                await self._turn(conversation, messages, pace, reception)

    async def _round(self, reception: Reception) -> float:
        """One look; how long to wait for the next, seconds."""
        try:
            await self.look(reception)
        except ChannelError as error:
            _log.warning("GitHub cannot be read now: %s", error)
            return max(self._config.poll_s, min(PAUSE_MAX_S, error.retry_after_s))
        now_ms = self._clock.now_ms()
        dues = [max(0.01, (each.next_at_ms - now_ms) / 1000) for each in self._paces.values()]
        return min([self._config.poll_s, *dues])

    async def _turn(
        self, conversation: Conversation, messages: Sequence[OpenMessage], pace: _Pace, reception: Reception
    ) -> None:
        try:
            news = await self._look_into(conversation, messages, reception)
        except ChannelError as error:
            if error.retry_after_s:
                raise
            _log.warning("%s cannot be read now: %s", conversation, error)
            news = False
        pace.pause_s = self._config.poll_s if news else min(PAUSE_MAX_S, pace.pause_s * _GROWTH)
        pace.next_at_ms = self._clock.now_ms() + round(pace.pause_s * 1000)

    async def _look_into(
        self, conversation: Conversation, messages: Sequence[OpenMessage], reception: Reception
    ) -> bool:
        """Whether there was news."""
        watch = self._watches.get(conversation) or _watch(messages, self._clock.now_ms())
        after, heard = watch.model_copy(deep=True), _Heard()
        after.closed_ms = None if messages else after.closed_ms or self._clock.now_ms()
        await self._comments(conversation, after, heard)
        await self._gone(conversation, after, heard)
        await self._reviews(conversation, after, heard)
        for each in messages:
            await self._own(conversation, each, heard)
        self._watches[conversation] = after
        if heard.deliveries or after != watch:
            await reception.take(SCHEME, heard.deliveries, cursor=_dumped(self._watches))
        return bool(heard.deliveries)

    async def _comments(self, conversation: Conversation, watch: _Watch, heard: _Heard) -> None:
        query = {"since": _stamp(watch.since)}
        seen = await self._github.look(comments_of(conversation), query, watch.comments_etag)
        watch.comments_etag = seen.etag
        newest = watch.since
        for item, comment in zip(seen.items, wire.read_all(wire.Comment, seen.items), strict=True):
            newest = max(newest, comment.updated_at - _OVERLAP)
            if comment.created_at < watch.oldest or self._is_own(comment):
                continue
            digest = hashlib.sha256(comment.text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
            name = f"comment:{comment.id}:{_stamp(comment.updated_at)}:{digest}"
            raw = envelope(COMMENT, name, item, conversation)
            is_kept = heard.add(raw, name, reviews=self._config.reviews)
            is_command = is_kept and comment_says(comment, conversation) is not None
            if is_command and comment.id not in watch.commands:
                watch.commands = [*watch.commands, comment.id][-_COMMANDS_MAX:]
        if _stamp(newest) != _stamp(watch.since):
            watch.since, watch.comments_etag = newest, ""

    async def _gone(self, conversation: Conversation, watch: _Watch, heard: _Heard) -> None:
        """Commands that are not in the list any more; the list says so by one conditional request."""
        if not watch.commands:
            return
        query = {"since": _stamp(watch.oldest)}
        seen = await self._github.look(comments_of(conversation), query, watch.all_etag)
        watch.all_etag = seen.etag
        if seen.is_same:
            return
        there = {each.id for each in wire.read_all(wire.Comment, seen.items)}
        for comment_id in [each for each in watch.commands if each not in there]:
            name = f"gone:{comment_id}"
            raw = envelope(GONE, name, {"comment": comment_id}, conversation)
            heard.add(raw, name, reviews=self._config.reviews)
            watch.commands.remove(comment_id)

    async def _reviews(self, conversation: Conversation, watch: _Watch, heard: _Heard) -> None:
        if self._config.reviews == "off":
            return
        if watch.is_pull is None:
            path = f"{conversation.repository.path}/issues/{conversation.number}"
            watch.is_pull = (await self._github.get(wire.Issue, path)).pull_request is not None
        if not watch.is_pull:
            return
        seen = await self._github.look(reviews_of(conversation), None, watch.reviews_etag)
        watch.reviews_etag = seen.etag
        for item, review in zip(seen.items, wire.read_all(wire.Review, seen.items), strict=True):
            if review.submitted_at is None or review.submitted_at < watch.oldest:
                continue
            digest = hashlib.sha256(f"{review.state}\n{review.text}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
            name = f"review:{review.id}:{digest}"
            heard.add(envelope(REVIEW, name, item, conversation), name, reviews=self._config.reviews)

    async def _own(self, conversation: Conversation, message: OpenMessage, heard: _Heard) -> None:
        """Our message is as we wrote it, or is mended; reactions below it are heard where that is switched on."""
        comment_id = message_of(message.external_id).comment_id
        comment = await self._github.find(wire.Comment, comment_path(conversation, comment_id))
        if comment is None or not self._is_unaltered(comment.text):
            _log.warning("our message %s was altered or deleted by somebody; it is written anew", message.external_id)
            await self._mend(message)
            return
        if not self._config.reactions:
            return
        path = f"{comment_path(conversation, comment_id)}/reactions"
        for item in (await self._github.look(path)).items:
            name = f"reaction:{item.get('id')}"
            payload = {"comment": comment_id, "body": comment.text, "reaction": item}
            heard.add(envelope(REACTION, name, payload, conversation), name, reviews=self._config.reviews)

    def _is_own(self, comment: wire.Comment) -> bool:
        return comment.user is not None and comment.user.id == self._own_id() and is_ours(comment.text)

    def _lingering(self, shown: Container[Conversation]) -> list[Conversation]:
        """Conversations without an open request, in which somebody may still decide too late."""
        since_ms = self._clock.now_ms() - LINGER_S * 1000
        closed = [(each, watch.closed_ms) for each, watch in self._watches.items() if each not in shown]
        return [each for each, closed_ms in closed if closed_ms is None or closed_ms > since_ms]

    def _forget(self, still: set[Conversation]) -> None:
        for conversation in set(self._watches) - still:
            del self._watches[conversation]
        for conversation in set(self._paces) - still:
            del self._paces[conversation]


def _watch(messages: Sequence[OpenMessage], now_ms: int) -> _Watch:
    now = datetime.fromtimestamp(now_ms / 1000, UTC) - _OVERLAP
    oldest = min((made_at(each.request_id) for each in messages), default=now)
    return _Watch(since=oldest, oldest=oldest)


def _loaded(cursor: str) -> dict[Conversation, _Watch]:
    """What an earlier process remembered; what cannot be read is looked at from the beginning."""
    try:
        value = json.loads(cursor or "{}")
        return {conversation_of(name): _Watch.model_validate(each) for name, each in value.items()}
    except (ValueError, AttributeError, ValidationError, ChannelError):
        _log.warning("the cursor of GitHub cannot be read; open conversations are read from the beginning")
        return {}


def _dumped(watches: dict[Conversation, _Watch]) -> str:
    return json.dumps({str(name): each.model_dump(mode="json") for name, each in watches.items()}, sort_keys=True)


def _stamp(moment: datetime) -> str:
    """As GitHub writes it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
