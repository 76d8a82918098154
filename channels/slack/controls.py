"""What a button carries: which request, version and act, sealed under the text that stands above it.

Whoever holds the bot's token can change a message after it was sent, and a value can be replayed. So the seal
(HMAC-SHA-256) also covers the action's digest, who may decide, and the text that was shown.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from askfirst.card import Card

ACTS = frozenset({"approve", "deny", "stop", "option", "scope", "undo"})
_VALUE = re.compile(
    r"v1\.([0-9A-HJKMNP-TV-Z]{26})\.([1-9][0-9]{0,5})\.([a-z]{2,8})\.([0-9]{1,3})\.([0-9a-f]{64})", re.ASCII
)
_DOMAIN = b"askfirst slack button v1\0"
_NOT_KEPT = re.compile(r":[a-z0-9_+'-]+:|[^\x21-\x7e]", re.ASCII)
"""What the service may write otherwise than it was sent: emoji, as short names or characters, and white space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A button as pressed; nothing of it is proven before the seal is compared.

    Attributes:
        act: one of ``ACTS``.
        place: of an option or a scope: which one; of an undo: how many undoings were shown.
    """

    request_id: str
    version: int
    act: str
    place: int
    seal: str = ""


def control_of(value: str) -> Control | None:
    """The control in a button's value, None where it is none of ours."""
    found = _VALUE.fullmatch(value)
    if found is None or found[3] not in ACTS:
        return None
    return Control(request_id=found[1], version=int(found[2]), act=found[3], place=int(found[4]), seal=found[5])


class Sealer:
    """Makes and knows seals; ``key`` is this installation's for this channel."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def value(self, card: Card, act: str, shown: str, place: int = 0) -> str:
        """The value of a button under this text."""
        control = Control(request_id=card.request_id, version=card.version, act=act, place=place)
        return f"v1.{control.request_id}.{control.version}.{act}.{place}.{self._seal(control, card, shown)}"

    def is_ours(self, control: Control, card: Card, shown: str) -> bool:
        """Whether we made this control, for this version, under this text."""
        return hmac.compare_digest(control.seal, self._seal(control, card, shown))

    def _seal(self, control: Control, card: Card, shown: str) -> str:
        text = hashlib.sha256(_NOT_KEPT.sub("", shown).encode()).hexdigest()
        covered = (control.request_id, str(control.version), control.act, str(control.place), card.action_digest, text)
        message = _DOMAIN + "\0".join((*covered, *card.reviewers)).encode("utf-8", "backslashreplace")
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()
