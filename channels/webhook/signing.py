"""Signatures of Standard Webhooks; the one module that uses the library."""

from __future__ import annotations

import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError

from askfirst.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET_MIN_BYTES = 24
"""From the specification, «Symmetric»: between 24 and 64 bytes."""
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


class Seal:
    """The secret that one program at the other end shares with us.

    Args:
        secret: ``whsec_`` and base64.
        name: of the program, for the sentence.
    """

    def __init__(self, secret: str, name: str) -> None:
        try:
            self._webhook = Webhook(secret)
            size = len(self._webhook._whsecret)  # noqa: SLF001  # it decodes leniently and says nothing of the length
        except (binascii.Error, EmptyWebhookSecretError):
            size = 0
        if size < SECRET_MIN_BYTES:
            raise ConfigError(f"the secret of webhook.{name} is no whsec_… of at least {SECRET_MIN_BYTES} bytes")

    def headers(self, id_: str, body: str, now_ms: int) -> dict[str, str]:
        """The headers of a message that is sent now."""
        now = datetime.fromtimestamp(now_ms // 1000, UTC)
        return {ID: id_, TIMESTAMP: str(now_ms // 1000), SIGNATURE: self._webhook.sign(id_, now, body)}

    def require(self, headers: Mapping[str, str], body: bytes) -> str:
        """The id of a message that was signed with this secret at most five minutes ago.

        Raises:
            InputError: it was not.
        """
        shown = {name: headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE)}
        try:
            self._webhook.verify(body, shown, json_parse=False)
        except (WebhookVerificationError, ValueError, OverflowError) as error:
            # A signature without a comma, or that is no base64, is a ValueError of the library's own making.
            raise InputError("the signature does not verify, or is older than five minutes") from error
        return shown[ID]
