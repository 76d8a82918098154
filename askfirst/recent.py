"""A bounded memory: the newest items under their keys; older ones are forgotten."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Recent(OrderedDict[_Key, _Value]):
    """An ordered dict that holds ``most`` items; setting one makes it the newest."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: _Key, value: _Value) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self._most:
            self.popitem(last=False)

    def touch(self, key: _Key, new: Callable[[], _Value]) -> _Value:
        """What is under this key, made where there is nothing; it becomes the newest."""
        self[key] = found = self[key] if key in self else new()
        return found
