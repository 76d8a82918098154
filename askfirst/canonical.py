"""Canonical JSON (RFC 8785) and the digests made from it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import orjson
import rfc8785

from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_INT: Final = 2**53 - 1
_MAX_DEPTH: Final = 64


def canonical(value: object) -> bytes:
    """The RFC 8785 form of a JSON value, UTF-8.

    Raises:
        InputError: the value is no JSON value, or holds a number outside the range that survives a round trip
            (RFC 8785 §3.2.2.3), or text that is not valid Unicode.
    """
    plain = plain_canonical(value, _MAX_DEPTH)
    if plain is not None:
        return plain
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # its type alias cannot say "object, checked at run time"
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise InputError(f"not canonical JSON: {error}") from error


def plain_canonical(value: object, max_depth: int) -> bytes | None:
    """The same for the usual case, a hundred times as fast; None where it is another, or no canonical JSON at all.

    A property test holds that both write the same.

    Args:
        value: dicts, lists and tuples of texts, integers, booleans and None, without floats, with ASCII names.
        max_depth: how many of them may lie in each other.
    """
    if not _is_plain(value, max_depth):
        return None
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # a text that is not valid Unicode
        return None


def _is_plain(value: object, depth: int) -> bool:
    """Whether orjson writes this as RFC 8785 does: it spells floats otherwise, and sorts by bytes, not by UTF-16."""
    items: Iterable[object]
    if type(value) is dict:
        if depth == 0:
            return False
        for name in value:
            if type(name) is not str or not name.isascii():
                return False
        items = value.values()
    elif type(value) is list or type(value) is tuple:
        if depth == 0:
            return False
        items = value
    else:
        return _is_plain_scalar(value)
    for item in items:  # noqa: SIM110  # a generator costs half as much again
        if type(item) is not str and not _is_plain(item, depth - 1):
            return False
    return True


def _is_plain_scalar(value: object) -> bool:
    if type(value) is int:
        return -_MAX_INT <= value <= _MAX_INT
    return type(value) is str or type(value) is bool or value is None


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest(value: object) -> str:
    """SHA-256 over the canonical form, as 64 lower-case hex digits."""
    return sha256_hex(canonical(value))
