"""People, chats and messages of the fake, and the queue of updates that waits for the bot."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

PRESS_RETENTION_S = 150
"""So long the real server keeps a press that nobody fetches (tdlib/telegram-bot-api, Client.cpp)."""
RETENTION_S = 86_400
QUIET_S = 7 * 86_400
"""From: https://core.telegram.org/bots/api#update, ``update_id``."""
ANSWER_S = 150
"""So long a query can be answered, seconds."""
GROUP_LIMIT, GROUP_SPAN_S = 20, 60.0
TOTAL_LIMIT, TOTAL_SPAN_S = 30, 1.0
OPT_IN = frozenset({"message_reaction", "message_reaction_count", "chat_member"})
"""Updates that come only to bots that ask for them by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody with an account."""

    id: int
    first_name: str
    username: str = ""
    is_bot: bool = False

    def json(self) -> dict[str, Any]:
        """As the API tells of them."""
        named = {"username": self.username} if self.username else {}
        return {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name, **named}


ANONYMOUS_ADMIN = User(id=1087968824, first_name="Group", username="GroupAnonymousBot", is_bot=True)
"""In whose name admins speak who hide themselves."""


@dataclass(slots=True, kw_only=True)
class Chat:
    """A conversation; ``topics`` is id to name, None where it has none."""

    id: int
    type: str
    name: str
    topics: dict[int, str] | None = None
    is_blocked: bool = False
    migrated_to: int = 0
    next_message_id: int = 1

    def json(self) -> dict[str, Any]:
        """As the API tells of it."""
        title = {"first_name": self.name} if self.type == "private" else {"title": self.name}
        return {"id": self.id, "type": self.type, **title, **({"is_forum": True} if self.topics is not None else {})}


Message = dict[str, Any]
"""A message as the API shows it."""


@dataclass(slots=True)
class Queued:
    """An update that waits."""

    id: int
    kind: str
    expires_at: float
    update: dict[str, Any]


@dataclass(slots=True)
class Webhook:
    """Where updates are delivered, instead of being fetched."""

    url: str = ""
    secret: str = ""
    error_date: int = 0
    error: str = ""


@dataclass(slots=True)
class Query:
    """A press that can be answered."""

    at: float
    answers: list[dict[str, Any]] = field(default_factory=list)


class World:
    """Everything that the server knows. Touched on its event loop only.

    Args:
        press_retention_s: 150 in the real world.
    """

    def __init__(self, *, token: str, username: str, press_retention_s: float = PRESS_RETENTION_S) -> None:
        self.token = token
        self.bot = User(id=int(token.partition(":")[0]), first_name="Askfirst", username=username, is_bot=True)
        self.press_retention_s = press_retention_s
        self.limits = True
        self.chats: dict[int, Chat] = {}
        self.messages: dict[tuple[int, int], Message] = {}
        self.queries: dict[str, Query] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.faults: list[tuple[str, str]] = []
        self.queue: list[Queued] = []
        self.allowed: tuple[str, ...] = ()
        self.webhook = Webhook()
        self.commands: list[dict[str, Any]] = []
        self.changed = asyncio.Event()
        self.numbers = itertools.count(1)
        self._next_update = 900_000_000
        self._offset_s = 0.0
        self._last_update_at = self.now()
        self._sent: list[tuple[float, int]] = []

    # -- time ---------------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since the epoch, plus what was advanced."""
        return time.time() + self._offset_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._offset_s += seconds

    # -- people and chats ---------------------------------------------------------------------------------------------

    def add_user(self, name: str, *, username: str = "", user_id: int = 0, started: bool = True) -> User:
        """A person; ``started``: they have opened a chat with the bot, so that it may write to them."""
        user = User(id=user_id or 1000 + next(self.numbers), first_name=name, username=username)
        if started:
            self.chats[user.id] = Chat(id=user.id, type="private", name=name)
        return user

    def add_group(self, title: str, *, forum: bool = False) -> Chat:
        """A group that the bot is in."""
        chat = Chat(id=-1_001_000_000_000 - next(self.numbers), type="supergroup", name=title)
        chat.topics = {} if forum else None
        self.chats[chat.id] = chat
        return chat

    # -- messages -----------------------------------------------------------------------------------------------------

    def keep(self, chat: Chat, message: Message) -> Message:
        """Give the message its number and keep it."""
        message["message_id"] = chat.next_message_id
        chat.next_message_id += 1
        message["date"] = int(self.now())
        message["chat"] = chat.json()
        self.messages[chat.id, message["message_id"]] = message
        return message

    def wait_s(self, chat: Chat) -> int:
        """Seconds until this chat takes another message; 0, and the message counts."""
        if not self.limits:
            return 0
        now = self.now()
        self._sent = [each for each in self._sent if each[0] > now - GROUP_SPAN_S]
        recent = [at for at, _ in self._sent if at > now - TOTAL_SPAN_S]
        here = [at for at, where in self._sent if where == chat.id] if chat.id < 0 else []
        if len(recent) >= TOTAL_LIMIT:
            return 1
        if len(here) >= GROUP_LIMIT:
            return max(1, int(here[-GROUP_LIMIT] + GROUP_SPAN_S - now) + 1)
        self._sent.append((now, chat.id))
        return 0

    # -- updates ------------------------------------------------------------------------------------------------------

    def tell(self, kind: str, content: Any) -> int:
        """Queue an update for the bot, unless it does not want this kind; its id."""
        number = self._number()
        wanted = kind in self.allowed if self.allowed else kind not in OPT_IN
        if wanted:
            keep_s = self.press_retention_s if kind == "callback_query" else RETENTION_S
            self.queue.append(Queued(number, kind, self.now() + keep_s, {"update_id": number, kind: content}))
            self.changed.set()
        return number

    def tell_raw(self, update: Any) -> int:
        """Queue whatever this is, as an update that no bot expects."""
        number = self._number()
        if isinstance(update, dict):
            update = {"update_id": number, **update}
        self.queue.append(Queued(number, "raw", self.now() + RETENTION_S, update))
        self.changed.set()
        return number

    def _number(self) -> int:
        """The next update's; after a week without any they begin anew, here always below what was before."""
        if self.now() - self._last_update_at > QUIET_S:
            self._next_update //= 2
        self._last_update_at = self.now()
        self._next_update += 1
        return self._next_update - 1

    def waiting(self, offset: int, limit: int) -> list[dict[str, Any]]:
        """The next updates; everything below ``offset`` is confirmed, so it is dropped."""
        now = self.now()
        self.queue = [each for each in self.queue if each.expires_at > now and each.id >= offset]
        if offset < 0:
            self.queue = self.queue[offset:]
        return [each.update for each in self.queue[:limit]]
