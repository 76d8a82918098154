"""Asks a witness what it cosigned last of a log: ``GET <prefix>/<SHA-256 of the origin>/checkpoint``.

It lies outside the store and so does not go back with it. From: https://c2sp.org/tlog-witness
"""

from __future__ import annotations

import hashlib
from typing import Final

import httpx

from askfirst.errors import LogError
from audit.note import MAX_NOTE_BYTES

TIMEOUT_S: Final = 10.0


def newest_checkpoint(url: str, origin: str) -> str:
    """The note, none of it believed yet.

    Args:
        url: the witness's prefix, as in a tlog-policy.
        origin: of the log.

    Raises:
        LogError: it cannot be asked, or has no such note.
    """
    address = f"{url.rstrip('/')}/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint"
    content = bytearray()
    try:
        with httpx.stream("GET", address, timeout=TIMEOUT_S, follow_redirects=False) as response:
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MAX_NOTE_BYTES:
                    raise LogError(f"{url} answers more than {MAX_NOTE_BYTES} bytes")
        text = content.decode()
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeDecodeError) as error:
        raise LogError(f"{url} cannot be asked: {str(error) or type(error).__name__}") from error
    if response.status_code == httpx.codes.NOT_FOUND:
        raise LogError(f"{url} has cosigned nothing of {origin!r}")
    if response.status_code != httpx.codes.OK:
        raise LogError(f"{url} answers {response.status_code}: {text[:200].strip()!r}")
    return text
