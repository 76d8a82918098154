"""The methods of the Bot API over a world."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any

from askfirst.testing.telegram.api_error import ApiError, bad, too_many
from askfirst.testing.telegram.texts import CAPTION_MAX, TEXT_MAX, taken_keyboard, taken_secret, taken_text, units
from askfirst.testing.telegram.world import ANSWER_S

if TYPE_CHECKING:
    from askfirst.testing.telegram.world import Chat, Message, World

POLL_MAX_S = 50
FILE_MAX_BYTES = 50 * 1024 * 1024
Parameters = dict[str, Any]


class Methods:
    """Each public coroutine is a method of the API, named in snake case."""

    def __init__(self, world: World, *, allow_http: bool) -> None:
        self._world = world
        self._allow_http = allow_http
        self._poll: asyncio.Future[None] | None = None

    def end_poll(self) -> None:
        """End the poll that waits, with 409."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    # -- the bot and its updates --------------------------------------------------------------------------------------

    async def get_me(self, _given: Parameters) -> Any:
        """The bot itself."""
        more = {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}
        return {**self._world.bot.json(), **more, "can_connect_to_business": False, "has_main_web_app": False}

    async def get_updates(self, given: Parameters) -> Any:
        """One poll at a time: a newer one ends the older."""
        world = self._world
        if world.webhook.url:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
                "webhook first",
            )
        self.end_poll()
        if "allowed_updates" in given:
            world.allowed = tuple(given["allowed_updates"])
        self._poll = mine = asyncio.get_running_loop().create_future()
        offset, limit = given.get("offset", 0), min(max(given.get("limit", 100), 1), 100)
        until = asyncio.get_running_loop().time() + min(max(given.get("timeout", 0), 0), POLL_MAX_S)
        while not (found := world.waiting(offset, limit)):
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                break
            await _either(mine, world.changed, left)
            if mine.done():
                raise ApiError(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                )
        return found

    async def set_webhook(self, given: Parameters) -> Any:
        """Deliver updates there from now on."""
        url = given.get("url", "")
        if url and not (url.startswith("https://") or self._allow_http):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        secret = taken_secret(given.get("secret_token", ""))
        if "allowed_updates" in given:
            self._world.allowed = tuple(given["allowed_updates"])
        if given.get("drop_pending_updates"):
            self._world.queue.clear()
        hook = self._world.webhook
        hook.url, hook.secret, hook.error, hook.error_date = url, secret, "", 0
        if url:
            self.end_poll()
        self._world.changed.set()
        return True

    async def delete_webhook(self, given: Parameters) -> Any:
        """Have updates wait again."""
        return await self.set_webhook({**given, "url": ""})

    async def get_webhook_info(self, _given: Parameters) -> Any:
        """Where updates go."""
        hook = self._world.webhook
        pending = len(self._world.waiting(0, 100))
        found: dict[str, Any] = {"url": hook.url, "has_custom_certificate": False, "pending_update_count": pending}
        if self._world.allowed:
            found["allowed_updates"] = list(self._world.allowed)
        if hook.error:
            found |= {"last_error_date": hook.error_date, "last_error_message": hook.error}
        return found

    async def set_my_commands(self, given: Parameters) -> Any:
        """Keep the menu."""
        self._world.commands = given["commands"]
        return True

    async def get_my_commands(self, _given: Parameters) -> Any:
        """The menu."""
        return self._world.commands

    # -- messages -----------------------------------------------------------------------------------------------------

    async def send_message(self, given: Parameters) -> Any:
        """A text into a chat."""
        chat = self._chat(given)
        content = taken_text(given.get("text", ""), given.get("entities", []), TEXT_MAX)
        if given.get("link_preview_options"):
            content["link_preview_options"] = given["link_preview_options"]
        return self._send(chat, given, content)

    async def send_document(self, given: Parameters) -> Any:
        """A file into a chat."""
        chat = self._chat(given)
        document = given["document"]
        if not isinstance(document, tuple):
            raise bad("wrong file identifier/HTTP URL specified")
        name, content = document
        if not content:
            raise bad("file must be non-empty")
        if len(content) > FILE_MAX_BYTES:
            raise ApiError(413, "Request Entity Too Large")
        caption = taken_text(
            given.get("caption", ""), given.get("caption_entities", []), CAPTION_MAX, what="message caption"
        )
        number = next(self._world.numbers)
        file_id = f"BQAC{number:08d}"
        self._world.files[file_id] = (name, content)
        described = {
            "file_id": file_id,
            "file_unique_id": f"AQAD{number}",
            "file_name": name,
            "mime_type": "text/plain",
            "file_size": len(content),
        }
        more = {"caption": caption["text"], "caption_entities": caption["entities"]} if caption["text"] else {}
        return self._send(chat, given, {"document": described, **more})

    async def edit_message_text(self, given: Parameters) -> Any:
        """Another text, and the buttons that are given with it."""
        message = self._mine(given)
        if "text" not in message:
            raise bad("there is no text in the message to edit")
        content = taken_text(given.get("text", ""), given.get("entities", []), TEXT_MAX)
        return self._edit(message, content, given)

    async def edit_message_reply_markup(self, given: Parameters) -> Any:
        """Other buttons."""
        return self._edit(self._mine(given), {}, given)

    async def delete_message(self, given: Parameters) -> Any:
        """Take a message away."""
        key = (given["chat_id"], given["message_id"])
        if key not in self._world.messages:
            raise bad("message to delete not found")
        del self._world.messages[key]
        return True

    async def answer_callback_query(self, given: Parameters) -> Any:
        """Answer a press, once and in time."""
        if units(given.get("text", "")) > 200:
            raise bad("MESSAGE_TOO_LONG")
        query = self._world.queries.get(given["callback_query_id"])
        if query is None or query.answers or query.at + ANSWER_S < self._world.now():
            raise bad("query is too old and response timeout expired or query ID is invalid")
        query.answers.append({"text": given.get("text", ""), "show_alert": given.get("show_alert", False)})
        return True

    # -- chats and files ----------------------------------------------------------------------------------------------

    async def get_chat(self, given: Parameters) -> Any:
        """A chat."""
        chat = self._chat(given)
        more = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _GIFTS}
        return {**chat.json(), **more}

    async def get_chat_member(self, given: Parameters) -> Any:
        """The bot as a member."""
        self._chat(given)
        user = self._world.bot if given["user_id"] == self._world.bot.id else None
        if user is None:
            raise bad("PARTICIPANT_ID_INVALID")
        return {"status": "member", "user": user.json()}

    async def create_forum_topic(self, given: Parameters) -> Any:
        """A new topic."""
        chat = self._chat(given)
        if chat.topics is None:
            raise bad("the chat is not a forum")
        if not 1 <= len(given["name"]) <= 128:
            raise bad("topic name must be 1-128 characters long")
        message = self._world.keep(chat, {"from": self._world.bot.json()})
        number: int = message["message_id"]
        chat.topics[number] = given["name"]
        message["forum_topic_created"] = {"name": given["name"], "icon_color": 7322096}
        return {"message_thread_id": number, "name": given["name"], "icon_color": 7322096}

    async def send_chat_action(self, given: Parameters) -> Any:
        """Seen by nobody."""
        self._chat(given)
        return True

    async def get_file(self, given: Parameters) -> Any:
        """Where a file can be fetched."""
        if given["file_id"] not in self._world.files:
            raise bad("wrong file_id or the file is temporarily unavailable")
        name, content = self._world.files[given["file_id"]]
        path = f"documents/{given['file_id']}/{name}"
        unique = f"AQAD{given['file_id']}"
        return {"file_id": given["file_id"], "file_unique_id": unique, "file_size": len(content), "file_path": path}

    # -- within -------------------------------------------------------------------------------------------------------

    def _chat(self, given: Parameters) -> Chat:
        chat = self._world.chats.get(given["chat_id"])
        if chat is None:
            raise bad("chat not found")
        if chat.migrated_to:
            raise bad("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to)
        if chat.is_blocked:
            private = chat.type == "private"
            raise ApiError(
                403, f"Forbidden: bot was {'blocked by the user' if private else 'kicked from the group chat'}"
            )
        return chat

    def _send(self, chat: Chat, given: Parameters, content: Message) -> Message:
        markup = taken_keyboard(given.get("reply_markup"))
        message: Message = {"from": self._world.bot.json(), **content}
        thread = given.get("message_thread_id")
        if thread is not None:
            if chat.topics is None or thread not in chat.topics:
                raise bad("message thread not found")
            message |= {"message_thread_id": thread, "is_topic_message": True}
        if (reply := given.get("reply_parameters")) is not None:
            target = self._world.messages.get((chat.id, reply["message_id"]))
            if target is not None:
                message["reply_to_message"] = _without_reply(target)
            elif not reply.get("allow_sending_without_reply"):
                raise bad("message to be replied not found")
        if markup is not None and "inline_keyboard" in markup:
            message["reply_markup"] = markup
        if given.get("protect_content"):
            message["has_protected_content"] = True
        if wait_s := self._world.wait_s(chat):
            raise too_many(wait_s)
        kept = self._world.keep(chat, message)
        self._world.calls[-1][1]["message_id"] = kept["message_id"]
        return copy.deepcopy(kept)

    def _mine(self, given: Parameters) -> Message:
        self._chat(given)
        message = self._world.messages.get((given["chat_id"], given.get("message_id", 0)))
        if message is None:
            raise bad("message to edit not found")
        if message.get("from", {}).get("id") != self._world.bot.id:
            raise bad("message can't be edited")
        return message

    def _edit(self, message: Message, content: Message, given: Parameters) -> Message:
        markup = taken_keyboard(given.get("reply_markup"))
        if markup is not None and "inline_keyboard" not in markup:
            raise bad("inline keyboard expected")
        before = {name: message.get(name) for name in (*content, "reply_markup")}
        if before == {**content, "reply_markup": markup}:
            raise bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a "
                "current content and reply markup of the message"
            )
        message.update(content)
        message.pop("reply_markup", None)
        if markup is not None:
            message["reply_markup"] = markup
        message["edit_date"] = int(self._world.now())
        return copy.deepcopy(message)


_GIFTS = dict.fromkeys(
    ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
)


def _without_reply(message: Message) -> Message:
    """A replied message is shown without the one that it replies to."""
    return {name: value for name, value in message.items() if name != "reply_to_message"}


async def _either(ended: asyncio.Future[Any], changed: asyncio.Event, timeout_s: float) -> None:
    changed.clear()
    waiting: asyncio.Future[Any] = asyncio.ensure_future(changed.wait())
    try:
        await asyncio.wait({ended, waiting}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
