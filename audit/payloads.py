"""Which payloads stand apart from an entry."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def payloads_of(body: bytes) -> list[bytes]:
    """The salted digests of the payloads that the entry with these bytes refers to, in order."""
    if b'"len":' not in body:
        return []
    try:
        return [bytes.fromhex(one) for one in _references(json.loads(body))]
    except (ValueError, RecursionError):
        return []


def _references(value: object) -> Iterator[str]:
    """What ``audit.entry`` writes in the place of a payload: an object of exactly ``len`` and ``sha256``."""
    if isinstance(value, dict):
        digest = value.get("sha256")
        if value.keys() == {"len", "sha256"} and isinstance(digest, str) and _DIGEST.match(digest):
            yield digest
            return
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
