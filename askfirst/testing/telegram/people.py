"""What people do in the fake: press, write, forward, edit."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from askfirst.testing.telegram.world import Query

if TYPE_CHECKING:
    from askfirst.testing.telegram.world import Chat, Message, User, World


def press(
    world: World,
    user: User,
    message: Message,
    button: str,
    *,
    forged: bool = False,
    inaccessible: bool = False,
    shown: str | None = None,
) -> str:
    """Press a button by its label or data, as the message is now; the query's id.

    Args:
        world: where.
        user: who.
        message: at least ``chat.id`` and ``message_id`` of it.
        button: callback data, or a part of a label: the first that has it.
        forged: send this data although no button has it, as a tampered client can.
        inaccessible: the server knows the message no more.
        shown: the server's text of the message, where it is to be another one.

    Raises:
        LookupError: the message, or such a button on it, is not there.
    """
    key = (message["chat"]["id"], message["message_id"])
    current = world.messages.get(key)
    if current is None:
        raise LookupError(f"no message {key}")
    data = button if forged else _data(current, button)
    content: Message = copy.deepcopy(current)
    if shown is not None:
        content["text"] = shown
    if inaccessible:
        content = {"chat": current["chat"], "message_id": current["message_id"], "date": 0}
    query_id = str(4_000_000_000 + next(world.numbers))
    world.queries[query_id] = Query(at=world.now())
    query = {"id": query_id, "from": user.json(), "message": content, "chat_instance": f"-{key[0]}", "data": data}
    world.tell("callback_query", query)
    return query_id


def _data(message: Message, button: str) -> str:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    buttons = [each for row in rows for each in row if "callback_data" in each]
    for each in buttons:
        if button == each["callback_data"] or button in each["text"]:
            return str(each["callback_data"])
    raise LookupError(f"no button {button!r}, only {[each['text'] for each in buttons]}")


def say(world: World, user: User, chat: Chat, text: str, *, reply_to: Message | None = None, **more: Any) -> Message:
    """Write into a chat; ``more`` are members of the message, e.g. ``sender_chat`` or ``forward_origin``."""
    message: Message = {"from": user.json(), "text": text, **more}
    if text.startswith("/"):
        length = len(text.split(maxsplit=1)[0])
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
    if reply_to is not None:
        kept = world.messages.get((reply_to["chat"]["id"], reply_to["message_id"]), reply_to)
        message["reply_to_message"] = {name: value for name, value in kept.items() if name != "reply_to_message"}
        if "message_thread_id" in kept:
            message |= {"message_thread_id": kept["message_thread_id"], "is_topic_message": True}
    kept = world.keep(chat, message)
    world.tell("message", copy.deepcopy(kept))
    return kept


def edit(world: World, message: Message, text: str) -> None:
    """Change the text of one's own message."""
    kept = world.messages[message["chat"]["id"], message["message_id"]]
    kept["text"] = text
    kept["edit_date"] = int(world.now())
    world.tell("edited_message", copy.deepcopy(kept))
