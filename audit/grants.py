"""The grants key as the broker uses it: signs what an approval turned into, and knows its own signature again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature

if TYPE_CHECKING:
    from audit.note import Signer


class GrantKey:
    """Implements ``askfirst.grant_token.GrantSigner`` with a key of ``audit.keys``."""

    def __init__(self, signer: Signer) -> None:
        self._key = signer.key
        self._public = signer.key.public_key()

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature, 64 bytes."""
        return self._key.sign(message)

    def is_ours(self, message: bytes, signature: bytes) -> bool:
        """Whether this is our own signature over this message."""
        try:
            self._public.verify(signature, message)
        except InvalidSignature:
            return False
        return True
