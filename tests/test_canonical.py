"""Canonical JSON: the fast way writes what the reference implementation writes."""

from __future__ import annotations

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from askfirst.canonical import canonical, plain_canonical
from askfirst.errors import InputError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_it_is_what_the_reference_writes(value: object) -> None:
    try:
        expected = rfc8785.dumps(value)  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeError):
        with pytest.raises(InputError):
            canonical(value)
    else:
        assert canonical(value) == expected


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(PLAIN)
def test_what_is_plain_is_written_the_fast_way_as_the_reference_does(value: object) -> None:
    assert plain_canonical(value, 64) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [1.0, {"é": 1}, {"a": [0.5]}, "\ud800", {"a": "\udfff"}, b"a", 2**53, [[[1]]]])
def test_what_is_not_plain_is_left_to_the_reference(value: object) -> None:
    assert plain_canonical(value, 2) is None


@pytest.mark.parametrize("value", ["".join(map(chr, range(128))), {"b": 1, "a\n": [True, None, ()]}, 2**53 - 1, {}])
def test_plain_values_are_written_the_same(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [2**53, {1: 2}, object(), [float("nan")], "\ud800"])
def test_what_is_no_canonical_json_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        canonical(value)


def test_deep_nesting_is_refused_or_written_never_a_crash() -> None:
    value: object = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InputError):
        canonical(value)
