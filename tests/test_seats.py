"""Seats that people can take so that nobody takes two."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.seats import first_empty


@pytest.mark.parametrize(
    ("seats", "empty"),
    [
        ([], None),
        (["a"], None),
        ([""], 0),
        (["ab", "a"], None),  # the first moves on to b
        (["a", "a"], 1),
        (["ab", "bc", "ca"], None),
        (["ab", "ab", "ab"], 2),
        (["abc", "ab", "ab", "ab"], 3),
    ],
)
def test_the_first_seat_that_nobody_is_left_for(seats: list[str], empty: int | None) -> None:
    assert first_empty(seats) == empty


@given(st.lists(st.frozensets(st.sampled_from("abcd")), max_size=4))
def test_it_is_what_trying_every_order_of_people_finds(seats: list[frozenset[str]]) -> None:
    def can_be_filled(some: list[frozenset[str]]) -> bool:
        orders = permutations("abcd", len(some))
        return any(all(who in seat for who, seat in zip(order, some, strict=True)) for order in orders)

    filled = [can_be_filled(seats[: n + 1]) for n in range(len(seats))]
    assert first_empty(seats) == next((n for n, good in enumerate(filled) if not good), None)
