"""Moments in words that do not depend on when they are read."""

from __future__ import annotations

from datetime import UTC, datetime


def moment_words(at_ms: int, since_ms: int) -> str:
    """A moment, e.g. ``14:05 UTC``, or ``14:05 UTC on 28 Nov`` where it is on another day than ``since_ms``.

    People may have weeks to decide; a bare time of day would mean today.
    """
    at, since = (datetime.fromtimestamp(each / 1000, UTC) for each in (at_ms, since_ms))
    return f"{at:%H:%M} UTC" if at.date() == since.date() else f"{at:%H:%M} UTC on {at.day} {at:%b}"
