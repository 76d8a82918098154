"""Ids that are made here."""

from __future__ import annotations

import threading

from ulid import ULID

from askfirst.clock import SystemClock, new_id, ulid


def test_ids_are_ulids_of_now_that_sort_as_they_were_made() -> None:
    before_ms = SystemClock().now_ms()
    made = [new_id() for _ in range(1000)]
    after_ms = SystemClock().now_ms()
    assert made == sorted(set(made))
    read = [ULID.from_str(each) for each in made]
    assert [str(each) for each in read] == made
    assert all(before_ms <= each.milliseconds <= after_ms for each in read)


def test_ids_of_several_threads_differ() -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend([new_id() for _ in range(500)])) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(made)) == 2000


def test_ulids_are_ordered_by_time_and_differ() -> None:
    assert ulid(0)[:10] == "0" * 10
    assert ulid(1_469_918_176_385)[:10] == "01ARYZ6S41"  # From: https://github.com/ulid/spec
    assert ulid(2**48 - 1)[:10] == "7ZZZZZZZZZ"
    assert len({ulid(1) for _ in range(100)}) == 100
    assert {len(ulid(1)) for _ in range(100)} == {26}
