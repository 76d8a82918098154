"""Whether two effects come to the same: what one denial was about, reached another way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from askfirst.effects import EffectKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.effects import Effect

_LOSES_FILES = frozenset({EffectKind.DELETES_FILES, EffectKind.DISCARDS_CHANGES})
_WORK_TREE = "the work tree"


def alike(ones: Iterable[Effect], others: Iterable[Effect]) -> bool:
    """Whether any effect of the ones comes to the same as any of the others."""
    kept = tuple(others)
    return any(_is_alike(one, other) for one in ones for other in kept)


def _is_alike(one: Effect, other: Effect) -> bool:
    """By what is hit and what becomes of it, not by the command: files are lost by deleting as by checking out."""
    if one.kind in _LOSES_FILES and other.kind in _LOSES_FILES:
        return _overlap(_path(one), _path(other))
    return one.kind is other.kind and one.target == other.target


def _path(effect: Effect) -> str:
    target = "." if effect.target == _WORK_TREE else effect.target
    return os.path.normpath(os.path.join(effect.cwd, os.path.expanduser(target)))  # noqa: PTH111, PTH118  # pure text


def _overlap(one: str, other: str) -> bool:
    """Whether these paths are the same, or one lies in the other."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    return short == "." or long.startswith(short.rstrip("/") + "/")
