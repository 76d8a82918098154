"""What a human may answer to a tool, from the tool's return annotation, and the answer as that type.

``str`` is free text, ``bool`` yes or no, ``Literal`` and ``Enum`` a choice; ``int``, ``float``, a pydantic model and
whatever else a JSON Schema is given for are JSON.
"""

from __future__ import annotations

import enum
import inspect
import json
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How an answer is asked for and read.

    Attributes:
        options: what may be chosen, empty for free text.
        schema: JSON Schema of the answer, None for none.
        read: the answer's text -> the value.
    """

    options: tuple[str, ...]
    schema: Mapping[str, object] | None
    read: Callable[[str], Any]


def form_of(function: Callable[..., object], options: Sequence[str], schema: Mapping[str, object] | None) -> Form:
    """The form for what this function returns.

    Raises:
        TypeError: its annotation says something that a person cannot be asked for.
    """
    if options and schema is not None:
        raise TypeError("give either options or a schema, not both")
    if schema is not None:
        return Form(options=(), schema=schema, read=json.loads)
    wanted = _returned(function)
    if options:
        return Form(options=tuple(options), schema=None, read=_chosen(wanted))
    return _form(wanted, function)


def _returned(function: Callable[..., object]) -> Any:
    try:
        wanted = typing.get_type_hints(function).get("return", str)
    except Exception:  # noqa: BLE001  # an annotation that is not importable here; the raw one says enough
        wanted = inspect.signature(function).return_annotation
        wanted = {"str": str, "bool": bool, "int": int, "float": float}.get(wanted, wanted)
    return str if wanted in {inspect.Parameter.empty, Any, object} else wanted


def _form(wanted: Any, function: Callable[..., object]) -> Form:
    if wanted is str:
        return Form(options=(), schema=None, read=str)
    if wanted is bool:
        return Form(options=(YES, NO), schema=None, read=lambda text: text == YES)
    if typing.get_origin(wanted) is typing.Literal:
        names = {str(each): each for each in typing.get_args(wanted)}
        return Form(options=tuple(names), schema=None, read=names.__getitem__)
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return Form(options=tuple(wanted.__members__), schema=None, read=wanted.__getitem__)
    if wanted in {int, float}:
        kind = "integer" if wanted is int else "number"
        return Form(options=(), schema={"type": kind}, read=lambda text: wanted(json.loads(text)))
    if isinstance(wanted, type) and hasattr(wanted, "model_json_schema"):
        model: Any = wanted  # pydantic is not imported for its type
        return Form(options=(), schema=_inlined(model.model_json_schema()), read=model.model_validate_json)
    raise TypeError(
        f"{function.__qualname__} returns {wanted!r}; a person can be asked for str, bool, int, float, a Literal, an "
        "Enum or a pydantic model: annotate one of these, or give schema="
    )


def _chosen(wanted: Any) -> Callable[[str], Any]:
    return (lambda text: wanted[text]) if isinstance(wanted, type) and issubclass(wanted, enum.Enum) else str


def _inlined(schema: Mapping[str, Any]) -> Mapping[str, object]:
    """The schema without references, which brokers do not follow."""
    definitions = schema.get("$defs", {})

    def resolved(value: Any, depth: int) -> Any:
        if depth > 16:
            raise InputError("the answer's model refers to itself; ask for a flat one")
        if isinstance(value, dict):
            name = str(value.get("$ref", "")).removeprefix("#/$defs/")
            if name in definitions:
                return resolved({**definitions[name], **{k: v for k, v in value.items() if k != "$ref"}}, depth + 1)
            return {key: resolved(each, depth + 1) for key, each in value.items() if key != "$defs"}
        return [resolved(each, depth + 1) for each in value] if isinstance(value, list) else value

    inlined: Mapping[str, object] = resolved(dict(schema), 0)
    return inlined
