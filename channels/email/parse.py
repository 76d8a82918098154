"""What one mail says; pure and total.

- Its words are the first paragraph of its plain text; they decide when they are a verb and the code (I7). What stands
  below an empty line, or is quoted, is not read, and neither is a mail inside the mail.
- Mail of machines (vacation answers, lists, reports) says nothing, so that no two machines talk to each other.
- The sender is the one address of ``From``. How far that can be believed is the assurance; the tag of the address that
  it was sent to shows that they have our mail (``vetting``).
"""

from __future__ import annotations

import email
import hashlib
import re
from dataclasses import replace
from datetime import UTC
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from askfirst.errors import ChannelError
from askfirst.inbound import Decision, Ignored, Inbound, Instruction, Linking, Origin, Undo
from channels.email.address import SCHEME, sender_of, tags_in
from channels.email.authenticity import is_genuine
from channels.grammar import act_of, command_of

if TYPE_CHECKING:
    from email.message import Message

ASSURANCE = 1
NO_REPLY = "only a reply to the mail that shows the request decides; answer that mail, with the words in its first line"
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,250}>")
_ADDRESSED = ("To", "Cc", "Delivered-To", "X-Original-To")
_PRECEDENCE = frozenset({"bulk", "list", "junk", "auto_reply"})
_MACHINES = ("List-Id", "List-Unsubscribe", "X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress")
_DEPTH_MAX = 8
_WORDS_MAX = 20_000


def delivery_id(raw: bytes) -> str:
    """The id under which a mail is kept: its own, else made of its bytes."""
    try:
        return _id_of(BytesHeaderParser(policy=compat32).parsebytes(raw), raw)
    except (ValueError, RecursionError, LookupError):
        return _digest(raw)


def _id_of(head: Message, raw: bytes) -> str:
    return _id(head, "Message-ID")[:200] or _digest(raw)


def _digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def parse_mail(raw: bytes, *, address: str, authserv_id: str) -> tuple[Inbound, ...]:
    """What this mail says.

    Args:
        raw: RFC 5322, possibly cut off.
        address: ours.
        authserv_id: see ``authenticity``.

    Raises:
        ChannelError: it is no mail.
    """
    try:
        message = email.message_from_bytes(raw, policy=compat32)
        return (_read(_id_of(message, raw), message, address, authserv_id),)
    except (ValueError, RecursionError, LookupError) as error:  # the standard library's parser, at its end
        raise ChannelError(f"no mail: {type(error).__name__}") from error


def _read(delivery: str, message: Message, address: str, authserv_id: str) -> Inbound:
    if not message.keys():
        raise ChannelError("no mail: it has no headers")
    sender = sender_of(_header(message, "From"))
    if sender is None or len(_all(message, "From")) != 1:
        return Ignored(delivery=delivery, reason="nobody in particular sent it")
    if sender == address or tags_in([sender], address):
        return Ignored(delivery=delivery, reason="our own mail")
    if reason := _machine(message):
        return Ignored(delivery=delivery, reason=reason)
    tags = tags_in([value for name in _ADDRESSED for value in _all(message, name)], address)
    tag = tags.pop() if len(tags) == 1 else ""
    genuine = is_genuine(_all(message, "Authentication-Results"), authserv_id, sender.rpartition("@")[2])
    origin = Origin(
        identity=f"{SCHEME}:{sender}",
        name=sender,
        recipient=f"{SCHEME}:{sender}",
        message=_id(message, "Message-ID"),
        replies_to=_id(message, "In-Reply-To"),
        at_ms=_dated_ms(message),
    )
    return _said(delivery, origin, _words(message), tag, ASSURANCE if genuine else 0)


def _said(delivery: str, origin: Origin, words: str, tag: str, assurance: int) -> Inbound:
    command = command_of(words, slash_required=False)
    if command is None:
        if tag:
            return Instruction(delivery=delivery, origin=origin, name="usage")
        return Ignored(delivery=delivery, reason="chatter")
    act = act_of(command, delivery, origin, assurance)
    if isinstance(act, Linking):
        return act if assurance else Ignored(delivery=delivery, reason="a link code from a sender who is not proven")
    return _sealed(act, tag)


def _sealed(act: Decision | Undo, tag: str) -> Decision | Undo:
    """With the tag as its control, which ``vetting`` compares, and a doubt where there is none."""
    return replace(act, reference=replace(act.reference, control=tag), doubt=act.doubt or ("" if tag else NO_REPLY))


def _dated_ms(message: Message) -> int:
    """When it was written, as its writer's program says; 0 where it does not."""
    try:
        dated = parsedate_to_datetime(_header(message, "Date"))
        return round((dated if dated.tzinfo else dated.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0


def _machine(message: Message) -> str:
    """Why this is no person's mail, ``""`` when it may be one. From: RFC 3834 §2, RFC 3464, RFC 2919."""
    if _header(message, "Auto-Submitted").partition(";")[0].strip().lower() not in {"", "no"}:
        return "an automatic answer"
    if _header(message, "Precedence").lower() in _PRECEDENCE or any(_all(message, name) for name in _MACHINES):
        return "mail of a list or a machine"
    if message.get_content_type() == "multipart/report" or _header(message, "Return-Path") == "<>":
        return "a report of a mail server"
    return ""


def _words(message: Message) -> str:
    """The first paragraph of the plain text, ``""`` for none."""
    part = _plain_part(message)
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    try:
        text = payload.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        text = payload.decode("utf-8", "replace")
    lines: list[str] = []
    for line in text[:_WORDS_MAX].lstrip("\ufeff\r\n\t ").splitlines():
        if not line.strip() or line.startswith((">", "-- ")):
            break
        lines.append(line.rstrip())
    return "\n".join(lines)


def _plain_part(message: Message, depth: int = 0) -> Message | None:
    """The first plain text that is no attachment and in no attached mail."""
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        parts = message.get_payload()
        if depth >= _DEPTH_MAX or not isinstance(parts, list):
            return None
        found = (_plain_part(each, depth + 1) for each in parts if not isinstance(each, str))
        return next((each for each in found if each is not None), None)
    is_text = message.get_content_type() == "text/plain" and not message.is_multipart()
    return message if is_text and message.get_content_disposition() in {None, "inline"} else None


def _id(message: Message, name: str) -> str:
    found = _MESSAGE_ID.fullmatch(_header(message, name))
    return found[0][1:-1] if found else ""


def _header(message: Message, name: str) -> str:
    return next(iter(_all(message, name)), "")


def _all(message: Message, name: str) -> list[str]:
    return [str(each).strip() for each in message.get_all(name, [])]
