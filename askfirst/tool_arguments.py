"""The arguments of a tool call as flat pairs, bounded in number, depth and size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LEAVES = 5_000
MAX_DEPTH = 30
MAX_CHARS = 1_000_000


class Leaf(NamedTuple):
    """A value that holds no others, under the name of the nearest object key."""

    key: str
    value: str | float | bool | None

    @property
    def text(self) -> str:
        """The value when it is text, else ``""``."""
        return self.value if isinstance(self.value, str) else ""


def leaves(arguments: object) -> list[Leaf]:
    """Every leaf of a JSON value.

    Raises:
        InputError: there are too many, they lie too deep, or they are too long to be looked at.
    """
    found: list[Leaf] = []
    chars = 0
    for leaf in _walk("", arguments, 0):
        chars += len(leaf.text)
        found.append(leaf)
        if len(found) > MAX_LEAVES or chars > MAX_CHARS:
            raise InputError(f"more than {MAX_LEAVES} values or {MAX_CHARS} characters", field=leaf.key)
    return found


def _walk(key: str, value: object, depth: int) -> Iterator[Leaf]:
    if depth > MAX_DEPTH:
        raise InputError(f"nested deeper than {MAX_DEPTH}", field=key)
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(str(name), inner, depth + 1)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _walk(key, inner, depth + 1)
    elif value is None or isinstance(value, (str, bool, int, float)):
        yield Leaf(key, value)
