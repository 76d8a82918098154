"""JSON in which no object has two members of one name: of two, one reader takes the first and another one the last.

What people approve and what runs would be two things then. From: RFC 7493 §2.3 (I-JSON).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

_SHOWN_CHARS = 80


class TwiceNamedError(ValueError):
    """An object names a member twice; the text follows on what it was found in."""


def read_json(text: str | bytes, *, parse_constant: Callable[[str], NoReturn] | None = None) -> Any:  # any JSON
    """The value of a JSON text.

    Args:
        text: of somebody else's making.
        parse_constant: as ``json.loads`` has it: refuses ``NaN`` and its like.

    Raises:
        TwiceNamedError: an object in it has a name twice.
        ValueError: it is not JSON.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=_members, parse_constant=parse_constant)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise TwiceNamedError(f"names {_twice(pairs)} twice in one object, which readers take for different things")
    return members


def _twice(pairs: list[tuple[str, object]]) -> str:
    seen = set[str]()
    name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
    return repr(name if len(name) <= _SHOWN_CHARS else f"{name[:_SHOWN_CHARS]}…")
