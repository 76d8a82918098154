"""Canonical JSON (RFC 8785) and the digests made from it."""

from __future__ import annotations

import hashlib
import json
from typing import Final

import rfc8785

from askfirst.errors import InputError

_MAX_INT: Final = 2**53 - 1
_MAX_DEPTH: Final = 64
# Writes what RFC 8785 asks for as long as a value is plain; a property test holds that.
_to_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode


def canonical(value: object) -> bytes:
    """The RFC 8785 form of a JSON value, UTF-8.

    Raises:
        InputError: the value is no JSON value, or holds a number outside the range that survives a round trip
            (RFC 8785 §3.2.2.3), or text that is not valid Unicode.
    """
    if _is_plain(value, 0):
        return _to_json(value).encode()
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # its type alias cannot say "object, checked at run time"
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise InputError(f"not canonical JSON: {error}") from error


def _is_plain(value: object, depth: int) -> bool:
    """Whether the JSON encoder, which is ten times as fast, writes this as RFC 8785 does: no floats, ASCII names."""
    if type(value) is str:
        return value.isascii()  # others may hold what is no Unicode
    if type(value) is int:
        return -_MAX_INT <= value <= _MAX_INT
    if type(value) is bool or value is None:
        return True
    if depth == _MAX_DEPTH:
        return False
    if type(value) is dict:
        return all(type(name) is str and name.isascii() and _is_plain(item, depth + 1) for name, item in value.items())
    if type(value) is list or type(value) is tuple:
        return all(_is_plain(item, depth + 1) for item in value)
    return False


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest(value: object) -> str:
    """SHA-256 over the canonical form, as 64 lower-case hex digits."""
    return sha256_hex(canonical(value))
