"""The methods that the fake knows, with their parameters; the tests hold this table against aiogram's models.

``*`` marks what a call must have. From: https://core.telegram.org/bots/api#available-methods
"""

from __future__ import annotations

import json
from typing import Any

from askfirst.testing.telegram.api_error import ApiError, bad

_SEND = (
    "*chat_id message_thread_id disable_notification protect_content reply_parameters reply_markup "
    "business_connection_id message_effect_id allow_paid_broadcast direct_messages_topic_id suggested_post_parameters"
)
_MESSAGE = "chat_id message_id inline_message_id business_connection_id"
_TABLE = {
    "getMe": "",
    "getUpdates": "offset limit timeout allowed_updates",
    "setWebhook": "*url certificate ip_address max_connections allowed_updates drop_pending_updates secret_token",
    "deleteWebhook": "drop_pending_updates",
    "getWebhookInfo": "",
    "sendMessage": f"{_SEND} *text parse_mode entities link_preview_options",
    "sendDocument": f"{_SEND} *document thumbnail caption parse_mode caption_entities disable_content_type_detection",
    "editMessageText": f"{_MESSAGE} *text parse_mode entities link_preview_options reply_markup",
    "editMessageReplyMarkup": f"{_MESSAGE} reply_markup",
    "deleteMessage": "*chat_id *message_id",
    "answerCallbackQuery": "*callback_query_id text show_alert url cache_time",
    "getChat": "*chat_id",
    "getChatMember": "*chat_id *user_id",
    "createForumTopic": "*chat_id *name icon_color icon_custom_emoji_id",
    "sendChatAction": "*chat_id *action message_thread_id business_connection_id",
    "setMyCommands": "*commands scope language_code",
    "getMyCommands": "scope language_code",
    "getFile": "*file_id",
}
METHODS = {name: {word.lstrip("*"): word.startswith("*") for word in words.split()} for name, words in _TABLE.items()}
"""Method to its parameters to whether they are required."""
_BY_NAME = {name.lower(): name for name in METHODS}
_JSON = frozenset(
    "allowed_updates reply_parameters reply_markup entities caption_entities link_preview_options commands scope".split(
        " "
    )
)
_NUMBERS = frozenset(
    "chat_id message_id message_thread_id user_id offset limit timeout max_connections cache_time icon_color".split()
)
_FLAGS = frozenset("disable_notification protect_content show_alert drop_pending_updates".split())


def method_named(name: str) -> str:
    """The method's own spelling; names are not case-sensitive.

    Raises:
        ApiError: there is none.
    """
    found = _BY_NAME.get(name.lower())
    if found is None:
        raise ApiError(404, "Not Found")
    return found


def read_parameters(method: str, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a call as values, strings being what a form sends.

    Raises:
        ApiError: one is unknown, missing, or no such value.
    """
    known = METHODS[method]
    if unknown := sorted(set(given) - set(known)):
        raise bad(f"unknown parameter {unknown[0]} (the real server would ignore it)")
    found = {name: _value(name, value) for name, value in given.items() if value not in ("", None)}
    for name, is_required in known.items():
        if is_required and name not in found and name not in {"url", "text"}:
            raise bad(f'parameter "{name}" is required')
    if "parse_mode" in found and found["parse_mode"] not in {"HTML", "Markdown", "MarkdownV2"}:
        raise bad(f'unsupported parse_mode "{found["parse_mode"]}"')
    return found


def _value(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in _JSON:
        try:
            return json.loads(value)
        except ValueError:
            raise bad(f"can't parse {name} JSON object") from None
    if name in _NUMBERS:
        try:
            return int(value)
        except ValueError:
            raise bad(f'chat "{value}" not found' if name == "chat_id" else f"invalid {name} specified") from None
    if name in _FLAGS:
        return value.lower() in {"true", "1"}
    return value
