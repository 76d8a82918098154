"""A function call turned into values that no longer change, and how they are shown to a person.

Rules:

- Every argument is bound to its parameter: positional ones, ``*args`` and ``**kwargs`` too, defaults included.
- The values are copied first; what is shown is made from the copy, and the copy is what runs. Whoever changes the
  originals while a person decides changes nothing.
- JSON values show as themselves. Others show their type under a key that begins with ``$``, a bounded repr, and the
  whole state that a copy of them is made from; what is too long to read is bound by its SHA-256. What cannot be copied,
  or does not say its state, is refused.

Shown, e.g.: ``{"user": "u1", "day": {"$date": "2026-11-25"}, "raw": {"$bytes": 3, "sha256": "…"}}``.
"""

from __future__ import annotations

import copy
import copyreg
import dataclasses
import enum
import hashlib
import inspect
import json
import math
import re
import reprlib
from typing import TYPE_CHECKING, Any, cast

from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEPTH_MAX = 32
SHOWN_MAX_BYTES = 262_144
"""Bound of what is shown of one call, bytes: what a person cannot see whole cannot be approved."""
_EXACT = 2**53
"""Integers from here on do not survive a JSON number. From: RFC 8785 §3.2.2.3."""
_ISO = frozenset({"date", "datetime", "time"})
_TEXTUAL = frozenset({"Decimal", "Fraction", "UUID", "PosixPath", "PurePosixPath", "timedelta", "IPv4Address"})
_NEW = cast("Any", copyreg).__newobj__
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 200


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """One call, frozen.

    Attributes:
        arguments: how it is shown, a JSON object: parameter -> value.
    """

    arguments: Mapping[str, object]
    _args: tuple[Any, ...]
    _kwargs: Mapping[str, Any]

    def run(self, function: Callable[..., Any]) -> Any:
        """Call ``function`` with the frozen values; once, for it may change them."""
        return function(*self._args, **self._kwargs)


def freeze(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Frozen:
    """The call ``function(*args, **kwargs)``, frozen.

    Raises:
        TypeError: the arguments do not fit the function.
        InputError: a value can neither be shown nor digested, or there is too much to show.
    """
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    receiver = _receiver(function)
    shown: dict[str, object] = {}
    for name, value in bound.arguments.items():
        if name == receiver:
            shown[name] = {"$object": _type_name(value)}  # a copy of it would receive what the object should
            continue
        bound.arguments[name], shown[name] = _frozen(value, f"argument {name!r} of {function.__qualname__}")
    size = len(json.dumps(shown, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if size > SHOWN_MAX_BYTES:
        raise InputError(
            f"the arguments of {function.__qualname__} take {size} bytes to show, {SHOWN_MAX_BYTES} are the most that "
            "a person is asked about; pass a file's name or a digest instead"
        )
    return Frozen(arguments=shown, _args=bound.args, _kwargs=bound.kwargs)


def _receiver(function: Callable[..., Any]) -> str | None:
    """The name of the parameter that a method is called on: the first of a class's function, if called as usual."""
    if "." not in function.__qualname__.rpartition("<locals>.")[2]:
        return None
    first = next(iter(inspect.signature(function).parameters), None)
    return first if first in {"self", "cls"} else None


def _frozen(value: object, where: str) -> tuple[object, object]:
    """A copy of the value, and how it is shown."""
    try:
        own = copy.deepcopy(value)
        if own is value and not _is_immutable(value):
            raise TypeError("copying it gives the same object again")  # noqa: TRY301  # one place says what to do
        return own, show(own)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{where} is a {_type_name(value)}, which cannot be frozen while a person decides "
            f"({type(error).__name__}: {str(error)[:200]}); pass what names it (an id, a path) and look it up inside "
            "the function",
            field=where,
        ) from error


def _require_copied(value: object) -> None:
    """Refuse what says by its own ``__deepcopy__`` that it needs no copy, and can change."""
    if hasattr(type(value), "__deepcopy__") and copy.deepcopy(value) is value and not _is_immutable(value):
        raise TypeError(f"copying a {_type_name(value)} gives the same object again")


def _is_immutable(value: object, depth: int = 0) -> bool:
    if type(value) in {tuple, frozenset}:
        return depth < DEPTH_MAX and all(_is_immutable(each, depth + 1) for each in value)  # type: ignore[attr-defined]  # one of the two
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return False
    if isinstance(value, type | enum.Enum):
        return True
    is_plain = isinstance(value, str | int | float | complex | bytes | bool | None | range)
    return (is_plain and not hasattr(value, "__dict__")) or _name(value) in (_ISO | _TEXTUAL)


def show(value: object, depth: int = 0) -> object:
    """The JSON value that stands for ``value``; equal for equal values.

    Raises:
        InputError: it is nested too deeply.
    """
    if depth > DEPTH_MAX:
        raise InputError(f"a value is nested deeper than {DEPTH_MAX}")
    kind = type(value)
    if kind is str:
        return _show_text(value)  # type: ignore[arg-type]  # `kind` says so
    if value is None or kind is bool:
        return value
    if kind in {int, float}:
        return _show_number(value)  # type: ignore[arg-type]  # `kind` says so
    if kind in {list, tuple}:
        return [show(each, depth + 1) for each in value]  # type: ignore[attr-defined]  # `kind` says so
    if kind is dict:
        return _show_dict(value, depth)  # type: ignore[arg-type]  # `kind` says so
    return _show_other(value, depth)


def _show_text(value: str) -> object:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return {"$text": ascii(value)}
    return value


def _show_number(value: float) -> object:
    if isinstance(value, int):
        return value if -_EXACT < value < _EXACT else {"$int": _repr.repr(value), **_sha256(hex(value).encode())}
    return value if math.isfinite(value) else {"$float": repr(value)}


def _show_dict(value: dict[object, object], depth: int) -> object:
    if all(type(key) is str and not key.startswith("$") and _show_text(key) is key for key in value):
        return {str(key): show(each, depth + 1) for key, each in value.items()}
    return {"$dict": [[show(key, depth + 1), show(each, depth + 1)] for key, each in value.items()]}


def _show_other(value: object, depth: int) -> object:
    if isinstance(value, enum.Enum):
        return {"$enum": f"{_type_name(value)}.{value.name}"}
    if type(value) in {bytes, bytearray}:
        data = bytes(cast("bytes | bytearray", value))
        return {"$bytes": len(data), **_sha256(data), "begins": repr(data[:40])}
    if type(value) in {set, frozenset}:
        shown = [show(each, depth + 1) for each in value]  # type: ignore[attr-defined]  # of these two types
        return {"$set": sorted(shown, key=lambda each: json.dumps(each, sort_keys=True))}
    if _name(value) in _ISO:
        return {f"${_name(value)}": value.isoformat()}  # type: ignore[attr-defined]  # the standard library's
    if _name(value) in _TEXTUAL:
        return {f"${_name(value)}": str(value)}
    _require_copied(value)
    members = _members(value)
    if members is not None:
        return {"$object": _type_name(value), **{name: show(each, depth + 1) for name, each in members.items()}}
    if isinstance(value, type):
        return {"$type": f"{value.__module__}.{value.__qualname__}"}
    return {"$object": _type_name(value), **_safe_repr(value), **_show_state(value, depth)}


def _show_state(value: object, depth: int) -> dict[str, object]:
    """What a copy of the object is made from: the members of its ``__reduce_ex__`` (pickle protocol 4)."""
    reduced = value.__reduce_ex__(4)
    if not isinstance(reduced, tuple):
        return {"is": str(reduced)}
    maker, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):  # with slots: (__dict__, slots)
        state = {**(state[0] or {}), **state[1]}
    given = [each for each in arguments if each is not type(value)]
    parts = {
        "by": None if maker in {_NEW, type(value)} else _name_of(maker),
        "from": given or None,
        "state": state,
        "items": None if items is None else list(items),
        "pairs": None if pairs is None else [list(pair) for pair in pairs],
    }
    return {name: show(part, depth + 1) for name, part in parts.items() if part is not None}


def _members(value: object) -> Mapping[str, object] | None:
    """The members of a dataclass or a pydantic model, where these are all that it is."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return named if _is_made_of(named, value) else None
    fields = getattr(type(value), "model_fields", None)
    if isinstance(fields, dict) and set(getattr(value, "__dict__", {})) <= set(fields) and not _extra(value):
        return {name: getattr(value, name) for name in fields}
    return None


def _is_made_of(named: Mapping[str, object], value: object) -> bool:
    """Whether a dataclass holds nothing beside its fields: no further members or slots, and no content of its own.

    One that extends ``dict``, ``list``, ``str`` or an exception has such content.
    """
    slots = cast("Any", copyreg)._slotnames(type(value))  # noqa: SLF001  # what pickling itself asks
    held = {*getattr(value, "__dict__", {}), *slots}
    maker, arguments, _state, *content = (*value.__reduce_ex__(4), None, None, None)[:5]
    return held <= set(named) and maker is _NEW and len(arguments) == 1 and content == [None, None]


def _extra(value: object) -> object:
    return getattr(value, "__pydantic_extra__", None) or getattr(value, "__pydantic_private__", None)


def _safe_repr(value: object) -> dict[str, object]:
    """A short text about the value where its type has one, whatever its ``__repr__`` does; addresses left out."""
    if type(value).__repr__ is object.__repr__:
        return {}
    try:
        return {"repr": _ADDRESS.sub("", _repr.repr(value))}
    except Exception:  # noqa: BLE001  # a broken __repr__ must not keep a person from deciding; the state binds
        return {}


def _sha256(data: bytes) -> dict[str, object]:
    return {"sha256": hashlib.sha256(data).hexdigest()}


def _name(value: object) -> str:
    kind = type(value)
    known = {"datetime", "decimal", "fractions", "uuid", "pathlib", "ipaddress", "pathlib._local"}
    return kind.__name__ if kind.__module__ in known else ""


def _name_of(maker: object) -> str:
    return f"{getattr(maker, '__module__', '')}.{getattr(maker, '__qualname__', '')}"


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
