"""The Bot API by python-telegram-bot: its ``Bot`` and types, not its ``Updater`` (which forgets what it has confirmed).

The only module that imports it, which takes a quarter of a second; the broker does so when Telegram is configured.
Errors become ``ChannelError``; the token reaches no message and no log.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import telegram
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from askfirst.errors import ChannelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from channels.telegram.payload import Attachment, Keyboard, Payload
    from channels.telegram.rich import Entity

os.environ.setdefault("PTB_TIMEDELTA", "1")  # durations as what they are, which the library's next version gives anyway

API_URL = "https://api.telegram.org"
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
"""Said with every poll: the server remembers what was said last, perhaps by another program."""
_GET_UPDATES = "GetUpdates"
"""Names of methods are not case-sensitive. Spelled so it is not ``Bot.getUpdates``, whose parser a single odd update
breaks for all that come with it."""
_TIMEOUT_S = 15.0
_GRACE_S = 10.0


class NotThereError(ChannelError):
    """The message, topic or query is no longer there, or was answered already."""


class ConflictError(ChannelError):
    """Another program polls this bot, or it has a webhook."""


class TokenError(ChannelError):
    """The service does not know the token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookState:
    """Where the service delivers updates; ``url`` is ``""`` where they are fetched."""

    url: str
    last_error: str


class Api:
    """One bot.

    Args:
        token: of the bot.
        api_url: where the Bot API is; a server of one's own, or a fake.
    """

    def __init__(self, token: str, api_url: str = API_URL) -> None:
        for name in ("httpx", "httpcore", "telegram"):  # they write URLs, and with them the token
            logging.getLogger(name).setLevel(logging.WARNING)
        request = HTTPXRequest(
            connection_pool_size=16, read_timeout=_TIMEOUT_S, write_timeout=_TIMEOUT_S, connect_timeout=_TIMEOUT_S
        )
        self._bot = telegram.Bot(token, base_url=f"{api_url}/bot", request=request)

    async def me(self) -> tuple[int, str]:
        """The bot's id and user name."""
        with _translated():
            found = await self._bot.get_me()
            return found.id, found.username or ""

    async def close(self) -> None:
        """Close its connections."""
        for request in self._bot._request:  # noqa: SLF001  # Bot.shutdown() does this, but only after initialize()
            await request.shutdown()

    # -- receiving ----------------------------------------------------------------------------------------------------

    async def poll(self, offset: int, timeout_s: int) -> list[Any]:
        """Updates from this number on as they are, once there are any, or none after so long."""
        given = {"offset": offset, "timeout": timeout_s, "allowed_updates": list(ALLOWED_UPDATES)}
        with _translated():
            found = await self._bot.do_api_request(
                _GET_UPDATES, api_kwargs=given, read_timeout=timeout_s + _GRACE_S, pool_timeout=_GRACE_S
            )
        return found if isinstance(found, list) else []

    async def webhook(self) -> WebhookState:
        """Where updates go."""
        with _translated():
            found = await self._bot.get_webhook_info()
            return WebhookState(url=found.url or "", last_error=found.last_error_message or "")

    async def set_webhook(self, url: str, secret: str) -> None:
        """Have updates delivered there; ``""``: have them wait to be fetched. What waits is kept."""
        with _translated():
            if url:
                await self._bot.set_webhook(url, allowed_updates=list(ALLOWED_UPDATES), secret_token=secret)
            else:
                await self._bot.delete_webhook()

    # -- sending ------------------------------------------------------------------------------------------------------

    async def send(self, chat: int, thread: int, payload: Payload, reply_to: int = 0) -> int:
        """Send a message; its number in the chat."""
        with _translated():
            sent = await self._bot.send_message(
                chat,
                payload.rich.text,
                entities=_entities(payload.rich.entities),
                reply_markup=_markup(payload),
                disable_notification=payload.silent,
                protect_content=True,
                message_thread_id=thread or None,
                link_preview_options=telegram.LinkPreviewOptions(is_disabled=True),
                reply_parameters=_reply(reply_to),
            )
            return sent.message_id

    async def send_file(self, chat: int, thread: int, attachment: Attachment) -> int:
        """Send a file, without a sound: what it belongs to follows."""
        with _translated():
            sent = await self._bot.send_document(
                chat,
                attachment.content,
                filename=attachment.name,
                caption=attachment.caption,
                disable_notification=True,
                disable_content_type_detection=True,
                protect_content=True,
                message_thread_id=thread or None,
            )
            return sent.message_id

    async def edit(self, chat: int, message: int, payload: Payload) -> None:
        """Change a message; that it says so already is no error.

        Raises:
            NotThereError: it was deleted, or may no longer be changed.
        """
        with _translated():
            await self._bot.edit_message_text(
                payload.rich.text,
                chat,
                message,
                entities=_entities(payload.rich.entities),
                reply_markup=_inline(payload.keyboard),
                link_preview_options=telegram.LinkPreviewOptions(is_disabled=True),
            )

    async def answer(self, query: str, text: str, *, alert: bool) -> None:
        """Answer a press.

        Raises:
            NotThereError: it is too old.
        """
        with _translated():
            await self._bot.answer_callback_query(query, text, show_alert=alert)

    async def new_topic(self, chat: int, name: str) -> int:
        """A new topic in a group that has topics."""
        with _translated():
            return (await self._bot.create_forum_topic(chat, name)).message_thread_id

    async def name_commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """What the menu of the chat offers: (command, words)."""
        with _translated():
            await self._bot.set_my_commands(commands)


_UNCHANGED = "message is not modified"
_GONE = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "query is too old",
    "message thread not found",
    "topic_deleted",
    "topic_closed",
    "message to be replied not found",
)


@contextmanager
def _translated() -> Iterator[None]:
    """The library's errors as ours."""
    try:
        yield
    except RetryAfter as error:
        wait = error.retry_after
        wait_s = wait if isinstance(wait, int) else round(wait.total_seconds())
        raise ChannelError(f"Telegram takes nothing more for {wait_s} s", retry_after_s=wait_s) from None
    except (InvalidToken, EndPointNotFound):
        raise TokenError("Telegram does not know the bot's token; run `askfirst telegram setup`") from None
    except Conflict as error:
        raise ConflictError(f"Telegram: {error.message}") from None
    except ChatMigrated as error:
        raise ChannelError(
            f"the group was upgraded: its recipient is now telegram:{error.new_chat_id}", is_permanent=True
        ) from None
    except Forbidden as error:
        raise ChannelError(f"Telegram: {error.message}", is_permanent=True) from None
    except BadRequest as error:
        said = error.message.lower()
        if said.startswith(_UNCHANGED):
            return
        if said.startswith(_GONE):
            raise NotThereError(f"Telegram: {error.message}") from None
        raise ChannelError(f"Telegram: {error.message}", is_permanent=True) from None
    except TelegramError as error:
        raise ChannelError(f"Telegram cannot be reached: {type(error).__name__}: {error.message[:200]}") from None


def _entities(entities: Sequence[Entity]) -> list[telegram.MessageEntity]:
    return [
        telegram.MessageEntity(
            each.kind,
            each.offset,
            each.length,
            language=each.language or None,
            unix_time=datetime.fromtimestamp(each.unix_time_s, UTC) if each.unix_time_s else None,
            date_time_format=each.form or None,
        )
        for each in entities
    ]


def _markup(payload: Payload) -> telegram.InlineKeyboardMarkup | telegram.ForceReply | None:
    return telegram.ForceReply(input_field_placeholder=payload.asks) if payload.asks else _inline(payload.keyboard)


def _inline(keyboard: Keyboard) -> telegram.InlineKeyboardMarkup | None:
    if not keyboard:
        return None
    return telegram.InlineKeyboardMarkup(
        [
            [
                telegram.InlineKeyboardButton(each.label, callback_data=each.data, style=each.style or None)
                for each in row
            ]
            for row in keyboard
        ]
    )


def _reply(message: int) -> telegram.ReplyParameters | None:
    return telegram.ReplyParameters(message, allow_sending_without_reply=True) if message else None
