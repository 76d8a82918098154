"""What is sent to Telegram: a value that says everything about a message, made by pure functions.

``as_json`` is its form in golden files, close to what the Bot API takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from channels.telegram.rich import Entity, Rich

TEXT_MAX_UNITS = 4096
ALERT_MAX_UNITS = 200
"""Of the answer to a press. From: https://core.telegram.org/bots/api#answercallbackquery"""
PLACEHOLDER_MAX_CHARS = 64
ROW_MAX = 8

Style = Literal["", "primary", "success", "danger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One button under a message."""

    label: str
    data: str
    style: Style = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes before the message."""

    name: str
    content: bytes
    caption: str


Keyboard = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One message.

    Attributes:
        rich: what it says.
        keyboard: rows of buttons.
        attachment: what is too long for the message, sent before it.
        silent: phones make no sound.
        asks: the field of the person's reply opens, with these words in it; ``""``: it does not.
    """

    rich: Rich
    keyboard: Keyboard = ()
    attachment: Attachment | None = None
    silent: bool = False
    asks: str = ""

    def as_json(self) -> dict[str, Any]:
        """For golden files and the preview."""
        found: dict[str, Any] = {
            "text": self.rich.text,
            "entities": [entity_json(each) for each in self.rich.entities],
            "keyboard": [
                [
                    {"text": each.label, "callback_data": each.data, **({"style": each.style} if each.style else {})}
                    for each in row
                ]
                for row in self.keyboard
            ],
            "disable_notification": self.silent,
        }
        if self.attachment is not None:
            content = self.attachment.content.decode("utf-8", "replace")
            found["document"] = {"name": self.attachment.name, "caption": self.attachment.caption, "content": content}
        return {**found, **({"force_reply": self.asks} if self.asks else {})}


def entity_json(entity: Entity) -> dict[str, Any]:
    """As the Bot API names it (https://core.telegram.org/bots/api#messageentity)."""
    found: dict[str, Any] = {"type": entity.kind, "offset": entity.offset, "length": entity.length}
    if entity.language:
        found["language"] = entity.language
    if entity.unix_time_s:
        found |= {"unix_time": entity.unix_time_s, "date_time_format": entity.form}
    return found
