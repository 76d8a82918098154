"""The few members of Telegram's updates that are read, and nothing else of them.

Lenient where the service may grow, strict where identity is at stake: an id is a whole number, never a text.
From: https://core.telegram.org/bots/api#available-types
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class User(_Wire):
    """Somebody; ``username`` changes hands, so nothing rests on it."""

    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""


class Chat(_Wire):
    """Where something happens."""

    id: int
    type: str = ""


class Button(_Wire):
    """A button as the server has it."""

    text: str = ""
    callback_data: str = ""


class Keyboard(_Wire):
    """The buttons under a message."""

    inline_keyboard: list[list[Button]] = []  # pydantic copies defaults


class Message(_Wire):
    """A message; one whose ``date`` is 0 is no longer accessible to the bot."""

    message_id: int
    date: int
    chat: Chat
    sender: User | None = Field(default=None, alias="from")
    text: str | None = None
    message_thread_id: int | None = None
    is_topic_message: bool = False
    sender_chat: Chat | None = None
    via_bot: User | None = None
    forward_origin: dict[str, Any] | None = None
    is_automatic_forward: bool = False
    reply_markup: Keyboard | None = None
    reply_to_message: Message | None = None


class CallbackQuery(_Wire):
    """A press."""

    id: str
    sender: User = Field(alias="from")
    message: Message | None = None
    data: str = ""


class Update(_Wire):
    """One delivery; the kinds that nobody asked for are not even read."""

    update_id: int
    message: Message | None = None
    edited_message: Message | None = None
    callback_query: CallbackQuery | None = None
