"""The tag of the address that a reply goes to: who was sent which version, sealed (HMAC-SHA-256).

A sender's name is easily forged, and the agent knows its request's code; the tag was only ever in the mail to that one
address. Base 32 in lower case, since mail servers may change the case of a local part.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Protocol

_DOMAIN = b"askfirst email reply v1\0"
_BYTES = 15
"""24 characters; a local part has at most 64 (RFC 5321 §4.5.3.1.1)."""


class Version(Protocol):
    """What is bound: a request's version, or its card."""

    @property
    def version(self) -> int:
        """Its number."""
        ...

    @property
    def action_digest(self) -> str:
        """Of the action, hex."""
        ...


class Sealer:
    """Makes and knows tags; ``key`` is this installation's for this channel."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def tag(self, address: str, request_id: str, version: Version) -> str:
        """The tag for who was sent this version."""
        covered = (address, request_id, str(version.version), version.action_digest)
        made = hmac.new(self._key, _DOMAIN + "\0".join(covered).encode(), hashlib.sha256).digest()
        return base64.b32encode(made[:_BYTES]).decode("ascii").lower()

    def is_ours(self, tag: str, address: str, request_id: str, version: Version) -> bool:
        """Whether we made this tag for this address and this version."""
        return hmac.compare_digest(tag, self.tag(address, request_id, version))
