"""Whether so many different people can be found that each seat has one of those who may take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def first_empty(seats: Sequence[Collection[str]]) -> int | None:
    """The first seat that nobody is left for however the ones up to it are taken, or None.

    Nobody takes two. To count the people of each seat alone is not enough: three seats for the same two people have
    enough each, and not together. Found by augmenting paths (Kuhn, 1955).

    Args:
        seats: for each, the ids of those who may take it.
    """
    taken: dict[str, int] = {}
    for seat in range(len(seats)):
        if not _seated(seat, seats, taken, set()):
            return seat
    return None


def _seated(seat: int, seats: Sequence[Collection[str]], taken: dict[str, int], asked: set[str]) -> bool:
    """Whether this seat gets somebody; who has taken another moves on, where they may."""
    for person in seats[seat]:
        if person in asked:
            continue
        asked.add(person)
        if person not in taken or _seated(taken[person], seats, taken, asked):
            taken[person] = seat
            return True
    return False
