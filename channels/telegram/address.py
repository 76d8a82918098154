"""Recipients, ``telegram:CHAT`` or ``telegram:CHAT/TOPIC``, and our messages, ``CHAT/NUMBER`` (``/d``: a digest)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from askfirst.errors import ChannelError

_RECIPIENT = re.compile(r"telegram:(-?[0-9]{1,20})(?:/([0-9]{1,15}))?", re.ASCII)
_SENT = re.compile(r"(-?[0-9]{1,20})/([0-9]{1,15})(/d)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A chat, and a topic in it (0: none)."""

    chat: int
    topic: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message of ours; a digest stands for several requests."""

    chat: int
    message: int
    is_digest: bool = False

    def __str__(self) -> str:
        return f"{self.chat}/{self.message}{'/d' if self.is_digest else ''}"


def place_of(recipient: str) -> Place:
    """Where a recipient is.

    Raises:
        ChannelError: it is none of Telegram's.
    """
    found = _RECIPIENT.fullmatch(recipient)
    if found is None:
        raise ChannelError(
            f"{recipient[:80]!r} is no recipient: telegram:CHAT or telegram:CHAT/TOPIC, in numbers; /here tells",
            is_permanent=True,
        )
    return Place(chat=int(found[1]), topic=int(found[2] or 0))


def sent_as(external_id: str) -> Sent:
    """The message that goes by this name.

    Raises:
        ChannelError: none of ours does.
    """
    found = _SENT.fullmatch(external_id)
    if found is None:
        raise ChannelError(f"no message goes by {external_id[:80]!r}", is_permanent=True)
    return Sent(chat=int(found[1]), message=int(found[2]), is_digest=bool(found[3]))
