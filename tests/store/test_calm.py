"""When an event loop waits for a transaction itself."""

from __future__ import annotations

import pytest

from askfirst.store.calm import BRISK_S, Calm


class Moment:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.mark.parametrize(("slowest_s", "is_calm"), [(BRISK_S / 2, True), (BRISK_S * 1.5, False), (10 * BRISK_S, False)])
def test_a_loop_waits_only_for_a_disk_that_was_quick_the_last_times(slowest_s: float, *, is_calm: bool) -> None:
    calm = Calm(Moment())
    assert calm.is_calm()
    calm.took(slowest_s)
    calm.took(BRISK_S / 2)
    assert calm.is_calm() == is_calm


def test_a_disk_that_was_slow_once_is_believed_to_be_quick_again_later() -> None:
    calm = Calm(Moment())
    calm.took(25 * BRISK_S)
    waits = 0
    while not calm.is_calm():
        calm.took(BRISK_S / 2)
        waits += 1
    assert waits == 31


def test_a_loop_waits_for_nothing_where_a_crowd_has_just_been() -> None:
    moment = Moment()
    calm = Calm(moment)
    calm.crowded()
    assert not calm.is_calm()
    moment.s = 0.04
    assert not calm.is_calm()
    moment.s = 0.06
    assert calm.is_calm()
