"""What one update says; pure and total.

- People are their numeric id. Who speaks as a chat, anonymously, through a bot, by forwarding or by editing decides
  nothing: what reads like a decision then comes with a doubt.
- Free text is never a decision (I7): only a button, a command with the code, or a reply to a prompt that asks for it.
- A press is read as the request, version and verb that it names; whether we made that button is ``vet``'s to find out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import ValidationError

from askfirst.errors import ChannelError
from askfirst.inbound import Decision, Ignored, Inbound, Instruction, Linking, Origin, Reference, Undo
from askfirst.misfit import misfit
from askfirst.request import Verdict
from channels.telegram.controls import Control, Verb, control_of
from channels.telegram.keyboards import shown
from channels.telegram.prompts import CODE, Answered, Prompt, answered
from channels.telegram.wire import CallbackQuery, Message, Update, User

if TYPE_CHECKING:
    from collections.abc import Mapping

ASSURANCE = 1
SCHEME = "telegram"
PRESS = "press:"
"""Before the query's id in ``Origin.message``."""
NOBODY = {
    1087968824: "an anonymous admin",
    136817688: "a channel",
    777000: "the service",
}
"""Ids in whose name others speak. From: https://core.telegram.org/bots/api#message, tdlib/telegram-bot-api"""
INACCESSIBLE = "the message is no longer accessible, so what it showed cannot be checked"
_COMMAND = re.compile(r"/([A-Za-z_]{1,32})(?:@(\w{1,64}))?(?:\s+(.*))?", re.ASCII | re.DOTALL)
_CODED = re.compile(rf"({CODE})(?:\s+(.*))?", re.ASCII | re.IGNORECASE | re.DOTALL)
_PERSON_AND_CODE = re.compile(r"(\S+)(?:\s+(.*))?", re.DOTALL)
_LINK = re.compile(r"[A-Za-z0-9_-]{4,64}", re.ASCII)
_VERDICTS = {
    "approve": Verdict.APPROVE,
    "deny": Verdict.DENY,
    "answer": Verdict.ANSWER,
    "ask": Verdict.NEEDS_INFO,
    "hand": Verdict.DELEGATE,
}
_ANSWERED = frozenset({"pending", "status", "log", "mute", "help", "start", "show", "why", "here"})
_PROMPTED = {Prompt.REASON: Verdict.DENY, Prompt.QUESTION: Verdict.NEEDS_INFO, Prompt.ANSWER: Verdict.ANSWER}
_PRESSED: Mapping[Verb, Verdict] = {
    Verb.APPROVE: Verdict.APPROVE,
    Verb.SCOPE: Verdict.APPROVE,
    Verb.DENY: Verdict.DENY,
    Verb.DENY_AND_STOP: Verdict.DENY,
    Verb.DENY_WITH: Verdict.DENY,
    Verb.ASK_WITH: Verdict.NEEDS_INFO,
    Verb.ANSWER_WITH: Verdict.ANSWER,
    Verb.OPTION: Verdict.ANSWER,
}
_WITH_WORDS = frozenset({Verb.DENY_WITH, Verb.ASK_WITH, Verb.ANSWER_WITH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The bot that this is: ``id`` is the token's first part, ``username`` without ``@``, ``""`` while not known."""

    id: int
    username: str = ""


def parse_update(raw: bytes, me: Me) -> tuple[Inbound, ...]:
    """What this update says.

    Raises:
        ChannelError: it is no update of Telegram's.
    """
    try:
        update = Update.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ChannelError(f"no update of Telegram: {where or 'all of it'}: {misfit(first)}") from error
    delivery = str(update.update_id)
    if update.callback_query is not None:
        return (_press(delivery, update.callback_query),)
    if update.message is not None:
        return (_message(delivery, update.message, me),)
    if update.edited_message is not None:
        said = _message(delivery, update.edited_message, me)
        if isinstance(said, Decision):
            return (replace(said, doubt="an edited message decides nothing; send it anew"),)
        return (Ignored(delivery=delivery, reason="an edited message"),)
    return (Ignored(delivery=delivery, reason="a kind of update that nothing rests on"),)


# -- presses ----------------------------------------------------------------------------------------------------------


def _press(delivery: str, query: CallbackQuery) -> Inbound:
    message = query.message
    if message is None:
        return Ignored(delivery=delivery, reason="a press without its message")
    origin = _origin(query.sender, message, id_=f"{PRESS}{query.id}", replies_to=_external(message))
    control = control_of(query.data)
    if control is None:
        return Instruction(delivery=delivery, origin=origin, name="stale")
    reference = Reference(request_id=control.request_id, version=control.version, control=query.data)
    if control.verb is Verb.UNDO:
        return Undo(
            delivery=delivery,
            origin=origin,
            reference=reference,
            turn=control.place,
            assurance=ASSURANCE,
            doubt=_doubt(query, message),
        )
    verdict = _PRESSED.get(control.verb)
    if verdict is None:
        name = control.verb.name.lower()
        return Instruction(delivery=delivery, origin=origin, name=name, reference=reference)
    return Decision(
        delivery=delivery,
        origin=origin,
        reference=reference,
        verdict=verdict,
        text=_words(control, message),
        stop=control.verb is Verb.DENY_AND_STOP,
        assurance=ASSURANCE,
        shown=_shown(query.data, message),
        doubt=_doubt(query, message),
    )


def _doubt(query: CallbackQuery, message: Message) -> str:
    return _who_is_it(query.sender) or (INACCESSIBLE if message.date == 0 else "")


def _words(control: Control, message: Message) -> str:
    """What the person wrote themselves, to which our message with the button is the answer."""
    if control.verb not in _WITH_WORDS or message.reply_to_message is None:
        return ""
    return (message.reply_to_message.text or "").strip()


def _shown(data: str, message: Message) -> str | None:
    if message.text is None:
        return None
    rows = message.reply_markup.inline_keyboard if message.reply_markup else []
    label = next((each.text for row in rows for each in row if each.callback_data == data), "")
    return shown(message.text, label)


# -- words ------------------------------------------------------------------------------------------------------------


def _message(delivery: str, message: Message, me: Me) -> Inbound:
    if message.sender is None:
        return Ignored(delivery=delivery, reason="nobody in particular said it")
    if message.text is None:
        return Ignored(delivery=delivery, reason="it has no text")
    to = message.reply_to_message
    ours = answered(to.text or "") if to and to.sender and to.sender.id == me.id else None
    origin = _origin(
        message.sender, message, id_=str(message.message_id), replies_to=_external(to) if to and ours else ""
    )
    said = _said(delivery, origin, message, ours, me)
    if isinstance(said, Decision):
        return replace(said, doubt=_in_whose_name(message))
    if not isinstance(said, Ignored) and (doubt := _in_whose_name(message)):
        return Ignored(delivery=delivery, reason=doubt)
    return said


def _said(delivery: str, origin: Origin, message: Message, ours: Answered | None, me: Me) -> Inbound:
    text = (message.text or "").strip()
    if command := _COMMAND.fullmatch(text):
        name, addressed, rest = command[1].lower(), command[2], (command[3] or "").strip()
        if addressed and me.username and addressed.lower() != me.username.lower():
            return Ignored(delivery=delivery, reason="a command for another bot")
        is_meant = bool(addressed) or message.chat.type == "private"
        return _command(delivery, origin, name, rest, ours, is_meant=is_meant)
    if ours is not None and ours.prompt is not None:
        return _reply(delivery, origin, text, ours.code, ours.prompt)
    if ours is not None:
        reference = Reference(code=ours.code)
        return Instruction(delivery=delivery, origin=origin, name="comment", argument=text, reference=reference)
    if message.chat.type == "private":
        return Instruction(delivery=delivery, origin=origin, name="help")
    return Ignored(delivery=delivery, reason="chatter")


def _command(delivery: str, origin: Origin, name: str, rest: str, ours: Answered | None, *, is_meant: bool) -> Inbound:
    """A command of ours; another one is answered with help where it was meant for us, and only there."""
    if name in {"start", "link"} and _LINK.fullmatch(rest):
        return Linking(delivery=delivery, origin=origin, link_code=rest)
    if name in _VERDICTS:
        return _decision(delivery, origin, name, rest, ours)
    if name not in _ANSWERED and not is_meant:
        return Ignored(delivery=delivery, reason="a command that is not ours")
    reference = Reference(code=rest) if _CODED.fullmatch(rest) else None
    return Instruction(delivery=delivery, origin=origin, name=name, argument=rest, reference=reference)


def _decision(delivery: str, origin: Origin, name: str, rest: str, ours: Answered | None) -> Inbound:
    """``/approve CODE`` and nothing more; the others may take the code from the card that they answer."""
    verdict = _VERDICTS[name]
    coded = _CODED.fullmatch(rest)
    code, words = (coded[1], (coded[2] or "").strip()) if coded else ("", rest)
    if not code and ours is not None and verdict is not Verdict.APPROVE:
        code = ours.code
    is_whole = bool(words) or verdict in {Verdict.APPROVE, Verdict.DENY}
    if not code or not is_whole or (verdict is Verdict.APPROVE and words):
        return Instruction(delivery=delivery, origin=origin, name="usage", argument=name)
    to, words = _person(words) if verdict is Verdict.DELEGATE else ("", words)
    return Decision(
        delivery=delivery,
        origin=origin,
        reference=Reference(code=code),
        verdict=verdict,
        text=words,
        to=to,
        typed_code=code if verdict is Verdict.APPROVE else "",
        assurance=ASSURANCE,
    )


def _person(words: str) -> tuple[str, str]:
    found = _PERSON_AND_CODE.fullmatch(words)
    return (found[1], (found[2] or "").strip()) if found else ("", "")


def _reply(delivery: str, origin: Origin, text: str, code: str, prompt: Prompt) -> Inbound:
    decision = Decision(
        delivery=delivery,
        origin=origin,
        reference=Reference(code=code),
        verdict=_PROMPTED.get(prompt, Verdict.APPROVE),
        text=text,
        assurance=ASSURANCE,
    )
    if prompt is not Prompt.CODE:
        return decision
    if text.upper() not in {code.upper(), code.rpartition("-")[2].upper()}:
        return Instruction(delivery=delivery, origin=origin, name="usage", argument="approve")
    return replace(decision, text="", typed_code=code)


# -- who and where ----------------------------------------------------------------------------------------------------


def _origin(sender: User, message: Message, *, id_: str, replies_to: str) -> Origin:
    thread = f"/{message.message_thread_id}" if message.is_topic_message and message.message_thread_id else ""
    name = " ".join(each for each in (sender.first_name, sender.last_name) if each) or sender.username
    return Origin(
        identity=f"{SCHEME}:{sender.id}",
        name=name,
        recipient=f"{SCHEME}:{message.chat.id}{thread}",
        message=id_,
        replies_to=replies_to,
    )


def _external(message: Message) -> str:
    return f"{message.chat.id}/{message.message_id}"


def _who_is_it(sender: User) -> str:
    if sender.id in NOBODY:
        return f"{NOBODY[sender.id]} is nobody in particular"
    return "a bot decides nothing" if sender.is_bot else ""


def _in_whose_name(message: Message) -> str:
    """Why these words are not this person's own, ``""`` when they are."""
    assert message.sender is not None
    if message.sender_chat is not None:
        return "it was sent in the name of a chat; send it as yourself"
    if message.forward_origin is not None or message.is_automatic_forward:
        return "a forwarded message decides nothing; write it yourself"
    if message.via_bot is not None:
        return "a message by way of another bot decides nothing; write it yourself"
    return _who_is_it(message.sender)
