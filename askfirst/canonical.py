"""Canonical JSON (RFC 8785) and the digests made from it."""

from __future__ import annotations

import hashlib

import rfc8785

from askfirst.errors import InputError


def canonical(value: object) -> bytes:
    """The RFC 8785 form of a JSON value, UTF-8.

    Raises:
        InputError: the value is no JSON value, or holds a number outside the range that survives a round trip
            (RFC 8785 §3.2.2.3), or text that is not valid Unicode.
    """
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # its type alias cannot say "object, checked at run time"
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise InputError(f"not canonical JSON: {error}") from error


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest(value: object) -> str:
    """SHA-256 over the canonical form, as 64 lower-case hex digits."""
    return sha256_hex(canonical(value))
