"""Sending mails by SMTP submission (RFC 6409), one connection a mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiosmtplib

from askfirst.errors import ChannelError

if TYPE_CHECKING:
    from email.message import EmailMessage

    from channels.email.settings import Settings

_TIMEOUT_S = 20.0
_SLOW_DOWN_S = 60.0


class Outgoing:
    """One account at one server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, message: EmailMessage, to: str) -> None:
        """Hand one mail to the server.

        Raises:
            ChannelError: it did not take it; permanent where it says that the recipient or the mail never will do.
        """
        try:
            async with self._client() as client:
                await client.send_message(message, sender=self._settings.address, recipients=[to])
        except aiosmtplib.SMTPRecipientsRefused as error:
            first = error.recipients[0]
            raise _refused(first.code, first.message) from error
        except aiosmtplib.SMTPAuthenticationError as error:  # to be mended here; the mail is not at fault
            raise ChannelError(f"the mail server takes no login of ours: {error.code} {error.message}") from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(error.code, error.message) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise ChannelError(f"the mail server cannot be reached: {error}") from error

    async def check(self) -> None:
        """Log in, and nothing more.

        Raises:
            ChannelError: it is not possible.
        """
        try:
            async with self._client() as client:
                await client.noop()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise ChannelError(f"{self._settings.smtp.host} takes no mail: {error}") from error

    def _client(self) -> aiosmtplib.SMTP:
        server = self._settings.smtp
        has_login = server.tls != "none"
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == "implicit",
            start_tls=server.tls == "starttls",
            tls_context=self._settings.tls if has_login else None,
            username=self._settings.user if has_login else None,
            password=self._settings.password if has_login else None,
            timeout=_TIMEOUT_S,
        )


def _refused(code: int, message: str) -> ChannelError:
    """What a reply code says. From: RFC 5321 §4.2.1."""
    text = f"the mail server says {code} {message[:200]}"
    return ChannelError(text, is_permanent=True) if code >= 500 else ChannelError(text, retry_after_s=_SLOW_DOWN_S)
