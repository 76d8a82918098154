"""Deliveries as a broken or hostile provider sends them: for tests of whatever reads them."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def mutilations(raw: bytes) -> Iterator[bytes]:
    """The delivery cut off, with flipped bits, and, where it is JSON, with members missing or of other types."""
    step = max(1, len(raw) // 24)
    for end in range(0, len(raw), step):
        yield raw[:end]
        yield raw[:end] + bytes([raw[end] ^ 0x01]) + raw[end + 1 :]
        yield raw[:end] + b"\xff" + raw[end + 1 :]
    try:
        value = json.loads(raw)
    except ValueError:
        return
    for changed in itertools.islice(_changed(value), 400):
        yield json.dumps(changed).encode()


def _changed(value: Any) -> Iterator[Any]:
    """The JSON value with one part of it missing, or replaced by something else."""
    yield from (None, [], {}, 0, "", True, -(2**70), "x" * 5000)
    if isinstance(value, dict):
        for name, member in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            yield from ({**value, name: changed} for changed in _changed(member))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from ([*value[:index], changed, *value[index + 1 :]] for changed in _changed(member))
