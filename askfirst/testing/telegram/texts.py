"""What the server does to texts, entities and keyboards before it takes them.

From: https://core.telegram.org/bots/api#messageentity and #inlinekeyboardbutton; ``clean`` from tdlib's
``clean_input_string`` (td/telegram/misc.cpp).
"""

from __future__ import annotations

import re
from typing import Any

from askfirst.testing.telegram.api_error import bad

TEXT_MAX = 4096
CAPTION_MAX = 1024
_CLEANED = {**dict.fromkeys((*range(9), 9, 11, 12, *range(14, 33)), " "), 13: None}
_CLEANED |= {0x333: None, 0x33F: None, 0x30A: None, **dict.fromkeys(range(0x2028, 0x202F), None)}
_TYPES = frozenset(
    "mention hashtag cashtag bot_command url email phone_number bold italic underline strikethrough spoiler blockquote "
    "expandable_blockquote code pre text_link text_mention custom_emoji date_time".split()
)
_ACTIONS = (
    "url callback_data web_app login_url switch_inline_query switch_inline_query_current_chat "
    "switch_inline_query_chosen_chat copy_text callback_game pay"
).split()


def units(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def clean(text: str) -> str:
    """The text as clients will show it: no control characters, nothing around it."""
    return text.translate(_CLEANED).strip()


def taken_text(text: str, entities: list[dict[str, Any]], limit: int, *, what: str = "message") -> dict[str, Any]:
    """Text and entities as the server keeps them.

    Raises:
        ApiError: it is empty or too long, or an entity does not fit.
    """
    shown = clean(text)
    if not shown and what == "message":
        raise bad("message text is empty")
    if units(shown) > limit:
        raise bad("message is too long" if what == "message" else "message caption is too long")
    leading = units(text.translate(_CLEANED)) - units(text.translate(_CLEANED).lstrip())
    kept = [_entity(each, shown, leading) for each in entities]
    return {"text": shown, "entities": sorted(kept, key=lambda each: (each["offset"], -each["length"]))}


def _entity(entity: dict[str, Any], text: str, leading: int) -> dict[str, Any]:
    if entity.get("type") not in _TYPES:
        raise bad(f"unsupported entity type {entity.get('type')!r}")
    start, length = entity["offset"] - leading, entity["length"]
    raw = text.encode("utf-16-le")
    if start < 0 or length <= 0 or start + length > len(raw) // 2:
        raise bad(f"entity {entity['type']} at {start}+{length} is beyond the text")
    try:
        raw[2 * start : 2 * (start + length)].decode("utf-16-le")
    except UnicodeDecodeError:
        raise bad(f"entity {entity['type']} at {start}+{length} splits a character") from None
    return {**entity, "offset": start}


def taken_keyboard(markup: dict[str, Any] | None) -> dict[str, Any] | None:
    """The reply markup when it is a good one; only inline keyboards become part of the message.

    Raises:
        ApiError: it is none.
    """
    if markup is None:
        return None
    if "inline_keyboard" in markup:
        rows = markup["inline_keyboard"]
        if sum(map(len, rows)) > 100 or any(len(row) > 8 for row in rows):
            raise bad("REPLY_MARKUP_TOO_LONG")
        for button in (each for row in rows for each in row):
            _check_button(button)
        return markup if rows else None
    if not {"force_reply", "keyboard", "remove_keyboard"} & set(markup):
        raise bad("object expected as reply markup")
    if "input_field_placeholder" in markup and not 1 <= len(markup["input_field_placeholder"]) <= 64:
        raise bad("placeholder must be 1-64 characters long")
    return markup


def _check_button(button: dict[str, Any]) -> None:
    if not button.get("text", "").strip():
        raise bad("can't parse inline keyboard button: text is empty")
    if sum(name in button for name in _ACTIONS) != 1:
        raise bad("can't parse inline keyboard button: text buttons are unallowed in the inline keyboard")
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
        raise bad("BUTTON_DATA_INVALID")
    if "copy_text" in button and not 1 <= len(button["copy_text"]["text"]) <= 256:
        raise bad("BUTTON_COPY_TEXT_INVALID")
    if button.get("style", "primary") not in {"primary", "success", "danger"}:
        raise bad("unknown button style")
    if "web_app" in button and not button["web_app"]["url"].startswith("https://"):
        raise bad("inline keyboard button Web App URL is invalid: only HTTPS links are allowed")


def taken_secret(secret: str) -> str:
    """A secret token of a webhook.

    Raises:
        ApiError: it holds a character that none may hold.
    """
    if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
        raise bad("secret token contains unallowed characters")
    return secret
