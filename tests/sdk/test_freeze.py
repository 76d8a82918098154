"""Values that no longer change, and what a person sees of them."""

from __future__ import annotations

import collections
import copy
import dataclasses
import datetime as dt
import decimal
import enum
import json
import pathlib
import threading
import uuid
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.canonical import canonical
from askfirst.errors import InputError
from askfirst.sdk.freeze import freeze, show


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Point:
    x: int
    tags: list[str]


class Order(pydantic.BaseModel):
    item: str
    count: int


class Plain:
    def __init__(self, value: int) -> None:
        self.value = value

    def __repr__(self) -> str:
        raise RuntimeError("a repr that breaks")


class Slotted:
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 7


@dataclasses.dataclass
class Payment(dict[str, object]):
    """A dataclass that is a dict as well."""

    id: str


@dataclasses.dataclass
class Steps(list[str]):
    id: str


class Holder:
    __slots__ = ("hidden",)


@dataclasses.dataclass(slots=True)
class Held(Holder):
    id: str


@dataclasses.dataclass
class Failure(Exception):  # noqa: N818  # not to be raised
    id: str

    def __post_init__(self) -> None:
        super().__init__("the message")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": [1, None, True, 1.5, "x"]}, {"a": [1, None, True, 1.5, "x"]}),
        ((1, 2), [1, 2]),
        ({1: "a"}, {"$dict": [[1, "a"]]}),
        ({"$bytes": 3}, {"$dict": [["$bytes", 3]]}),
        ({"b", "a"}, {"$set": ["a", "b"]}),
        (float("nan"), {"$float": "nan"}),
        (Colour.RED, {"$enum": f"{__name__}.Colour.RED"}),
        (dt.date(2026, 11, 25), {"$date": "2026-11-25"}),
        (decimal.Decimal("1.10"), {"$Decimal": "1.10"}),
        (uuid.UUID(int=1), {"$UUID": "00000000-0000-0000-0000-000000000001"}),
        (pathlib.PurePosixPath("/a/b"), {"$PurePosixPath": "/a/b"}),
        ("\ud800", {"$text": "'\\ud800'"}),
        (Point(x=1, tags=["t"]), {"$object": f"{__name__}.Point", "x": 1, "tags": ["t"]}),
        (Order(item="screw", count=2), {"$object": f"{__name__}.Order", "item": "screw", "count": 2}),
    ],
)
def test_values_show_as_themselves_or_with_their_type(value: object, shown: object) -> None:
    assert show(value) == shown
    canonical(show(value))


def test_long_values_are_bound_by_their_digest() -> None:
    one, other = show(b"x" * 1_000), show(b"x" * 999 + b"y")
    assert one != other
    assert isinstance(one, dict)
    assert one["$bytes"] == 1_000
    assert show(2**60) != show(2**60 + 1)


def test_an_object_is_shown_with_its_state_whatever_its_repr_does() -> None:
    assert show(Plain(1)) == {"$object": f"{__name__}.Plain", "repr": "<Plain instance>", "state": {"value": 1}}
    ordered = collections.OrderedDict(a=1)
    assert show(ordered) == {"$object": "collections.OrderedDict", "repr": repr(ordered), "pairs": [["a", 1]]}
    assert show(Slotted()) == {"$object": f"{__name__}.Slotted", "state": {"value": 7}}


def _payment(**content: object) -> Payment:
    made = Payment("p1")
    made.update(content)
    return made


def _steps(*content: str) -> Steps:
    made = Steps("p1")
    made.extend(content)
    return made


def _held(hidden: str) -> Held:
    made = Held("p1")
    made.hidden = hidden
    return made


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_payment(to="alice"), _payment(to="mallory")),
        (_steps("build"), _steps("build", "publish")),
        (_held("alice"), _held("mallory")),
    ],
)
def test_a_dataclass_that_holds_more_than_its_fields_shows_all_of_it(one: object, other: object) -> None:
    assert show(one) != show(other)
    canonical(show(one))


def test_a_dataclass_that_is_an_exception_shows_what_it_was_made_with() -> None:
    assert "the message" in json.dumps(show(Failure("p1")))


def test_what_can_neither_be_copied_nor_digested_is_refused_with_a_sentence() -> None:
    def lock_it(lock: Any) -> None: ...

    with pytest.raises(InputError, match=r"argument 'lock' of .*lock_it is a _thread.lock, which cannot be frozen"):
        freeze(lock_it, (threading.Lock(),), {})


def test_a_value_whose_copy_is_itself_is_refused() -> None:
    class Shared:
        value = 1

        def __deepcopy__(self, _memo: object) -> Shared:
            return self

    class Text(str):
        """Has members that can change, as every subclass without slots."""

        __slots__ = ("__dict__",)

        def __deepcopy__(self, _memo: object) -> Text:
            return self

    def take(shared: Any) -> None: ...

    for shared in (Shared(), [Shared()], Point(x=1, tags=[Shared()]), Text("x"), {"a": (Text("x"),)}):  # type: ignore[list-item]  # it is what may come
        with pytest.raises(InputError, match="the same object again"):
            freeze(take, (shared,), {})


def test_what_nobody_could_read_whole_is_refused() -> None:
    def take(text: str) -> None: ...

    with pytest.raises(InputError, match="are the most that a person is asked about"):
        freeze(take, ("x" * 300_000,), {})


def test_arguments_that_do_not_fit_are_the_callers_error() -> None:
    def take(text: str) -> None: ...

    with pytest.raises(TypeError, match="missing a required argument"):
        freeze(take, (), {})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_every_value_has_one_canonical_form_and_what_runs_equals_what_was_passed(value: Any) -> None:
    def echo(value: Any) -> Any:
        return value

    frozen = freeze(echo, (value,), {})
    assert canonical(dict(frozen.arguments)) == canonical({"value": show(copy.deepcopy(value))})
    assert repr(frozen.run(echo)) == repr(value)
    json.dumps(frozen.arguments, allow_nan=False)


@given(json_values, json_values)
def test_values_of_one_type_that_differ_are_shown_differently(one: Any, other: Any) -> None:
    if canonical(show(one)) == canonical(show(other)):
        assert _plain(one) == _plain(other)


def _plain(value: Any) -> Any:
    """The value without what JSON does not tell apart: 1 and 1.0, 0.0 and -0.0; NaN as a text."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return [[_plain(key), _plain(each)] for key, each in sorted(value.items(), key=repr)]
    if isinstance(value, float) and not isinstance(value, bool):
        return str(value) if value != value or value in {float("inf"), -float("inf")} else value + 0.0  # noqa: PLR0124
    return value
