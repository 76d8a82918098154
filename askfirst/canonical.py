"""Canonical JSON (RFC 8785) and the digests made from it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import orjson
import rfc8785

from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_DEPTH: Final = 64
MAX_DEPTH: Final = 128
"""How many objects and lists may lie in each other; the store's serialiser takes some 250."""
_SCALARS: Final = frozenset({str, int, bool, type(None)})
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
"""Members in order; a number beyond 2**53 - 1 is refused."""


def canonical(value: object) -> bytes:
    """The RFC 8785 form of a JSON value, UTF-8.

    Raises:
        InputError: the value is no JSON value, or holds a number outside the range that survives a round trip
            (RFC 8785 §3.2.2.3), or text that is not valid Unicode, or is nested deeper than ``MAX_DEPTH``.
    """
    plain = plain_canonical(value, _MAX_DEPTH)
    if plain is not None:
        return plain
    if _is_deeper(value, MAX_DEPTH):
        raise InputError(f"nested deeper than {MAX_DEPTH}")
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
        written = orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError:  # a number that is too large, a name that is no text, a text that is no Unicode
        return None
    return written if written.isascii() or _has_ascii_names(value) else None


def _is_plain(value: object, depth: int) -> bool:
    """Whether orjson writes this as RFC 8785 does, but for names; it spells floats otherwise."""
    items: Iterable[object]
    if type(value) is dict:
        items = value.values()
    elif type(value) is list or type(value) is tuple:
        items = value
    else:
        return type(value) in _SCALARS
    if depth == 0:
        return False
    for item in items:  # noqa: SIM110  # a generator costs half as much again
        if type(item) not in _SCALARS and not _is_plain(item, depth - 1):
            return False
    return True


def _is_deeper(value: object, depth: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list | tuple):
        return False
    return depth == 0 or any(_is_deeper(item, depth - 1) for item in value)


def _has_ascii_names(value: object) -> bool:
    """Whether orjson sorts the names in this as RFC 8785 does: it goes by bytes, not by UTF-16."""
    if isinstance(value, dict):
        return all(name.isascii() and _has_ascii_names(item) for name, item in value.items())
    return not isinstance(value, list | tuple) or all(map(_has_ascii_names, value))


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest(value: object) -> str:
    """SHA-256 over the canonical form, as 64 lower-case hex digits."""
    return sha256_hex(canonical(value))
