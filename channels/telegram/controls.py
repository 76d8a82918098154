"""What a button carries: which request, version and verb, sealed so that only we can have made it for this chat.

Callback data is 36 bytes in base64url, 48 characters (the limit is 64 bytes)::

    layout 1 | request (ULID) 16 | version 2 | verb 1 | seal 16

A person with a tampered client may press any data on any message of the bot («the message originated the query can
contain no callback buttons with this data», https://core.telegram.org/bots/api#callbackquery), and whoever holds the
bot's token may change the text above a button. So the seal (HMAC-SHA-256, cut to 16 bytes) also covers what is not in
the data: the action's digest, the chat, who may decide, and, where a press decides, the text that was shown.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from ulid import ULID

if TYPE_CHECKING:
    from collections.abc import Sequence

LAYOUT = 1
VERSION_MAX = 0xFFFF
OPTIONS_MAX = 48
SCOPES_MAX = 32
TURNS_MAX = 32
_BODY_BYTES, _SEAL_BYTES = 20, 16
_DOMAIN = b"askfirst telegram button v1\0"
_DROPPED = dict.fromkeys(map(ord, "\u0333\u033f\u030a"))  # what the server takes out of texts, too


class Verb(IntEnum):
    """What a button does; ``OPTION``, ``SCOPE`` and ``UNDO`` are each the first of a row of numbers."""

    APPROVE = 1
    DENY = 2
    DENY_AND_STOP = 3
    WHY = 4
    MORE = 5
    LESS = 6
    SAY_WHY_NOT = 7
    """Asks for the reason of a deny."""
    ASK_BACK = 8
    """Asks for a question to the agent."""
    TYPE_CODE = 9
    """Asks for the code that an approval takes."""
    TYPE_ANSWER = 10
    SHOW = 11
    DENY_WITH = 12
    """Denies with the text of the person's own message that ours answers."""
    ASK_WITH = 13
    ANSWER_WITH = 14
    OPTION = 64
    SCOPE = 128
    UNDO = 192
    """With the number of undoings that were shown."""

    @property
    def decides(self) -> bool:
        """Whether a press on it is a decision on the text above it."""
        return self in _DECIDING


_DECIDING = frozenset(
    {
        Verb.APPROVE,
        Verb.DENY,
        Verb.DENY_AND_STOP,
        Verb.DENY_WITH,
        Verb.ASK_WITH,
        Verb.ANSWER_WITH,
        Verb.OPTION,
        Verb.SCOPE,
    }
)
_ROWS = {Verb.OPTION: OPTIONS_MAX, Verb.SCOPE: SCOPES_MAX, Verb.UNDO: TURNS_MAX}
_NUMBERS = frozenset(Verb) - _ROWS.keys()


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A button as pressed; nothing of it is proven before the seal is compared.

    Attributes:
        place: of an option or a scope: which one; of an undo: how many undoings were shown.
        seal: hex.
    """

    request_id: str
    version: int
    verb: Verb
    place: int = 0
    seal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What a seal covers beside the data itself.

    Attributes:
        action_digest: hex.
        chat: id of the chat.
        reviewers: who may decide, in the words of the rule.
        text: of the message that the button stands under, ``""`` where the press does not decide.
    """

    action_digest: str
    chat: int
    reviewers: Sequence[str]
    text: str = ""


class Sealer:
    """Makes and knows seals.

    Args:
        key: secret, the same for all brokers on one store.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def data(self, control: Control, binding: Binding) -> str:
        """The callback data of this button."""
        body = _body(control)
        return base64.urlsafe_b64encode(body + self._seal(body, control.verb, binding)).decode("ascii")

    def is_ours(self, control: Control, binding: Binding) -> bool:
        """Whether we made this button, for this."""
        seal = self._seal(_body(control), control.verb, binding)
        return hmac.compare_digest(seal.hex(), control.seal)

    def _seal(self, body: bytes, verb: Verb, binding: Binding) -> bytes:
        text = hashlib.sha256(canonical(binding.text).encode("utf-8", "backslashreplace")) if verb.decides else None
        parts = (
            body,
            bytes.fromhex(binding.action_digest),
            str(binding.chat).encode("ascii"),
            "\n".join(sorted(binding.reviewers)).encode("utf-8", "backslashreplace"),
            b"" if text is None else text.digest(),
        )
        framed = b"".join(len(part).to_bytes(4) + part for part in parts)
        return hmac.digest(self._key, _DOMAIN + framed, "sha256")[:_SEAL_BYTES]


def control_of(data: str) -> Control | None:
    """The control in this callback data, None where it is none of this layout."""
    try:
        raw = base64.b64decode(data.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    if len(raw) != _BODY_BYTES + _SEAL_BYTES or raw[0] != LAYOUT:
        return None
    verb = _verb_of(raw[19])
    if verb is None:
        return None
    return Control(
        request_id=str(ULID.from_bytes(raw[1:17])),
        version=int.from_bytes(raw[17:19]),
        verb=verb,
        place=raw[19] - verb,
        seal=raw[_BODY_BYTES:].hex(),
    )


def _verb_of(number: int) -> Verb | None:
    for first, count in _ROWS.items():
        if first <= number < first + count:
            return first
    return Verb(number) if number in _NUMBERS else None


def _body(control: Control) -> bytes:
    ulid = ULID.from_str(control.request_id).bytes
    return bytes([LAYOUT]) + ulid + control.version.to_bytes(2) + bytes([control.verb + control.place])


def canonical(text: str) -> str:
    """The text apart from what a server may do to it: outer and repeated blanks, empty lines."""
    lines = (" ".join(line.split()) for line in text.translate(_DROPPED).splitlines())
    return "\n".join(line for line in lines if line)
