"""A frozen value made anew with some members changed, as every decision does a dozen times.

``dataclasses.replace`` reads each field by its name, hands all of them to ``__init__``, and that sets each past the
guard of a frozen class. To copy the slots takes less than half of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar

_T = TypeVar("_T")
_Get: TypeAlias = Callable[[object], object]
_Put: TypeAlias = Callable[[object, object], None]


def _replaced(value: _T, /, **changes: object) -> _T:
    """The value with these members changed; its class is a frozen dataclass with slots that checks nothing.

    Raises:
        KeyError: it has no member of that name.
    """
    kind: type = type(value)
    copies, puts = _slots(kind)
    made: _T = object.__new__(kind)
    for get, put in copies:
        put(made, get(value))
    for name, member in changes.items():
        puts[name](made, member)
    return made


@cache
def _slots(kind: type) -> tuple[list[tuple[_Get, _Put]], dict[str, _Put]]:
    """How each field of this class is read and set, and how it is set by its name."""
    assert "__slots__" in vars(kind), f"{kind.__name__} has no slots"
    assert not hasattr(kind, "__post_init__"), f"{kind.__name__} checks its members, which would be passed over"
    slots = {each.name: vars(kind)[each.name] for each in fields(kind)}
    return [(slot.__get__, slot.__set__) for slot in slots.values()], {name: slots[name].__set__ for name in slots}


if TYPE_CHECKING:
    from dataclasses import replace  # what it takes is checked as for that one
else:
    replace = _replaced

__all__ = ["replace"]
