"""Answers to questions: what a question may ask for, and whether an answer is that.

An agent writes the schema, so it is hostile: only words that can be checked in bounded time are taken (no regular
expressions, no references), and not many of them.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import jsonschema

from askfirst.visible import visible_line

if TYPE_CHECKING:
    from askfirst.request import Request

SCHEMA_MAX_CHARS = 16_384
DEPTH_MAX = 6
SCHEMA_MAX_VALUES = 2_000
CHECKS_MAX = 50_000
"""Values of an answer times values of its schema: each is held against each, some microseconds a time at worst, inside
the transaction that decides."""
OPTIONS_MAX = 50

_VALUES = frozenset({"enum", "const", "default", "examples"})
_SCHEMAS = frozenset({"items", "additionalProperties"})
_LISTS = frozenset({"oneOf", "anyOf", "allOf"})
_PLAIN = frozenset(
    {
        "type",
        "title",
        "description",
        "format",
        "required",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "enumNames",
    }
)
_KNOWN = _PLAIN | _VALUES | _SCHEMAS | _LISTS | {"properties"}


def schema_problem(text: str) -> str:
    """Why this JSON Schema cannot be used for an answer, or ``""``; an empty text is no schema."""
    if not text:
        return ""
    if len(text) > SCHEMA_MAX_CHARS:
        return f"the schema has {len(text)} characters, {SCHEMA_MAX_CHARS} are accepted"
    try:
        schema = json.loads(text)
        if too_large := _too_large(schema):
            return too_large
        jsonschema.Draft202012Validator.check_schema(schema)
    except (ValueError, RecursionError):
        return "the schema is no JSON"
    except jsonschema.SchemaError as error:
        return f"the schema is none: {error.message}"
    return _foreign(schema, 0)


def _too_large(schema: object) -> str:
    found = _values_in(schema)
    return "" if found <= SCHEMA_MAX_VALUES else f"the schema has {found} values, {SCHEMA_MAX_VALUES} are accepted"


def _values_in(value: object) -> int:
    """How many values a JSON value is made of, itself among them."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(_values_in(each) for each in inner)


def answer_problem(request: Request, text: str) -> str:
    """Why this is no answer to this question, or ``""``."""
    if request.options:
        offers = ", ".join(visible_line(each) for each in request.options)
        return "" if text in request.options else f"choose one of: {offers}"
    if not request.answer_schema:
        return "" if text.strip() else "the answer is empty"
    try:
        answer = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        found = _values_in(answer)
    except (ValueError, RecursionError):
        return "the answer must be JSON as its schema says"
    schema = json.loads(request.answer_schema)
    most = CHECKS_MAX // _values_in(schema)
    if found > most:
        return f"the answer has {found} values; with a schema of this size, {most} can be checked"
    validator = jsonschema.Draft202012Validator(schema)
    error = next(iter(validator.iter_errors(answer)), None)
    if error is None:
        return ""
    where = ".".join(str(part) for part in error.absolute_path)
    return f"the answer does not fit: {f'{where}: ' if where else ''}{error.message}"


def _refuse_constant(name: str) -> float:
    """``NaN`` is no JSON, and neither below a minimum nor above a maximum."""
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse_constant(digits)


def _foreign(schema: object, depth: int) -> str:
    """The first word that we do not take, as a sentence."""
    if isinstance(schema, bool):
        return ""
    if not isinstance(schema, dict):
        return "a schema is an object"
    if depth > DEPTH_MAX:
        return f"the schema is nested deeper than {DEPTH_MAX}"
    unknown = sorted(set(schema) - _KNOWN)
    if unknown:
        return f"the schema's {unknown[0]!r} is not taken; known: {', '.join(sorted(_KNOWN))}"
    inner = [schema[word] for word in _SCHEMAS if word in schema]
    inner += [each for word in _LISTS for each in schema.get(word, [])]
    inner += list(schema.get("properties", {}).values())
    return next((problem for each in inner if (problem := _foreign(each, depth + 1))), "")
