"""A letter as the mail that is sent: headers, threads, the tagged address that replies go to; pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING

from channels.email.render import ATTACHED

if TYPE_CHECKING:
    from channels.email.render import Letter

NAME = "Askfirst"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Whom a mail is for and what it belongs to.

    Attributes:
        sender: our address.
        to: one address.
        reply_to: the tagged address, ``""``: the sender.
        message_id: without angle brackets.
        answers: the id of the mail that it answers, or whose thread it belongs to, ``""`` for none.
        at_ms: now.
    """

    sender: str
    to: str
    message_id: str
    at_ms: int
    reply_to: str = ""
    answers: str = ""


def message_id_of(address: str, *parts: str) -> str:
    """The id of a mail about the same thing: the same whenever it is made, so that readers can tell a repetition."""
    made = hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
    return f"askfirst-{made}@{address.rpartition('@')[2]}"


def composed(letter: Letter, envelope: Envelope) -> EmailMessage:
    """The mail."""
    message = EmailMessage(policy=SMTP)
    message["From"] = f"{NAME} <{envelope.sender}>"
    message["To"] = envelope.to
    if envelope.reply_to:
        message["Reply-To"] = envelope.reply_to
    message["Subject"] = f"{'Re: ' if envelope.answers else ''}{letter.subject}"
    message["Date"] = format_datetime(datetime.fromtimestamp(envelope.at_ms / 1000, UTC))
    message["Message-ID"] = f"<{envelope.message_id}>"
    if envelope.answers:
        message["In-Reply-To"] = f"<{envelope.answers}>"
        message["References"] = f"<{envelope.answers}>"
    # RFC 3834 §5: nobody's vacation answers this; the second is Exchange's word for the same.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(_unicode(letter.text), cte="base64" if _is_long_lined(letter.text) else None)
    if letter.attachment:
        message.add_attachment(_unicode(letter.attachment), filename=ATTACHED)
    return message


def _is_long_lined(text: str) -> bool:
    return any(len(line) > 500 for line in text.splitlines())


def _unicode(text: str) -> str:
    """The text, with what is no character (a lone surrogate) written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
