"""RFC 3161 timestamps over heads of the log: a third party's word that a head existed at a time.

Needs the extra ``askfirst[timestamp]``. The token is over the checkpoint's bytes as they lie in the file beside it.
"""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING, Final

from cryptography import x509

from askfirst.errors import ConfigError, LogError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_TIMEOUT_S: Final = 30.0
_MAX_BYTES: Final = 65_536
_GRANTED: Final = 0
"""RFC 3161 §2.4.2. What is granted with modifications (1) is not what was asked for, and nothing would verify it."""


class TimestampError(LogError):
    """An authority gave no timestamp, or one that does not hold."""


def request_timestamp(url: str, content: bytes) -> bytes:
    """A timestamp response (DER) for these bytes from the authority at this URL (RFC 3161 §3.4).

    Raises:
        ConfigError: the extra is not installed.
        TimestampError: it gives none.
    """
    _require_extra()
    import httpx  # noqa: PLC0415  # verifying needs none
    import rfc3161_client as rfc3161  # noqa: PLC0415  # an extra

    request = rfc3161.TimestampRequestBuilder().data(content).nonce().cert_request(cert_request=True).build()
    try:
        answer = httpx.post(
            url,
            content=request.as_bytes(),
            headers={"content-type": "application/timestamp-query"},
            timeout=_TIMEOUT_S,
        )
        answer.raise_for_status()
        response = rfc3161.decode_timestamp_response(answer.content)
        if response.status != _GRANTED:
            raise TimestampError(f"{url} refuses: status {response.status} {'; '.join(response.status_string)}")
        given = response.tst_info
    except httpx.HTTPStatusError as error:
        raise TimestampError(f"{url} gives no timestamp: it answers {error.response.status_code}") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TimestampError(f"{url} gives no timestamp: {error}") from error
    except ValueError as error:
        raise TimestampError(f"{url} answers with no timestamp: {error}") from error
    if given.nonce != request.nonce or given.message_imprint.message != request.message_imprint.message:
        raise TimestampError(f"{url} answers with a timestamp for another request: nonce or digest are not ours")
    return answer.content


def verify_timestamp(token: Path, content: bytes, certificates: Path) -> datetime:
    """When the authority saw these bytes.

    Args:
        token: file with the response.
        content: what it is over.
        certificates: PEM file with the certificates that are trusted: the authority's, or those above it.

    Raises:
        ConfigError: the extra is not installed, or the certificates cannot be read.
        TimestampError: the token is no timestamp, or does not hold.
    """
    _require_extra()
    import rfc3161_client as rfc3161  # noqa: PLC0415  # an extra

    try:
        roots = x509.load_pem_x509_certificates(certificates.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{certificates} holds no certificates: {error}") from error
    try:
        with token.open("rb") as file:
            response = rfc3161.decode_timestamp_response(file.read(_MAX_BYTES))
        rfc3161.VerifierBuilder(roots=roots).build().verify_message(response, content)
    except (OSError, ValueError, rfc3161.VerificationError) as error:
        raise TimestampError(f"the timestamp in {token} does not hold: {_reason(error)}") from error
    at: datetime = response.tst_info.gen_time
    return at


def _reason(error: Exception) -> str:
    """What is wrong, of OpenSSL's whole stack of errors what it says of a certificate."""
    found = re.search(r"Verify error: ([^\"]+)", str(error))
    return found[1] if found else str(error).partition(": ErrorStack(")[0]


def _require_extra() -> None:
    if importlib.util.find_spec("rfc3161_client") is None:
        raise ConfigError("timestamps need `pip install askfirst[timestamp]`")
