"""Whether a call's arguments are what its tool takes: the few words of JSON Schema that ``tools`` uses.

A wrong argument is a result that the model reads and can mend, not a protocol error.
"""

from __future__ import annotations

import math
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_BOUNDS = (("minLength", "maxLength", "characters"), ("minItems", "maxItems", "items"))


def problem(schema: Any, value: Any, name: str = "") -> str:
    """Why ``value`` does not fit, a sentence; ``""`` when it does."""
    kind = schema.get("type")
    if kind is not None and not _is(kind, value):
        return f"{name or 'the arguments'} is {_short(value)}, expected {_article(kind)}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{name} is {_short(value)}, expected one of {', '.join(schema['enum'])}"
    if kind == "number":
        return _out_of_range(schema, value, name)
    if kind in {"string", "array"}:
        wrong = _wrong_length(schema, value, name)
        inner = (problem(schema["items"], each, f"{name}[{at}]") for at, each in enumerate(value) if "items" in schema)
        return wrong or next((each for each in inner if each), "") if kind == "array" else wrong
    return _wrong_members(schema, value) if "properties" in schema else ""


def _is(kind: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])


def _out_of_range(schema: Any, value: float, name: str) -> str:
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    return "" if low <= value <= high else f"{name} is {_short(value)}, expected {low} to {high}"


def _wrong_length(schema: Any, value: Any, name: str) -> str:
    for least, most, unit in _BOUNDS:
        if len(value) < schema.get(least, 0) or len(value) > schema.get(most, math.inf):
            return f"{name} has {len(value)} {unit}, expected {schema.get(least, 0)} to {schema.get(most, 'any')}"
    return ""


def _wrong_members(schema: Any, value: dict[str, Any]) -> str:
    known = schema["properties"]
    unknown = sorted(set(value) - set(known))
    if unknown:
        return f"there is no argument {_short(unknown[0])}; known: {', '.join(known)}"
    missing = [each for each in schema["required"] if each not in value]
    if missing:
        return f"{missing[0]} is missing"
    found = (problem(known[name], each, name) for name, each in value.items())
    return next((each for each in found if each), "")


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "ao" else f"a {kind}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
