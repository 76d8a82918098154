"""Reads from the store that do not hold up the event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

_T = TypeVar("_T")


async def read(reader: sa.Engine, query: Callable[[sa.Connection], _T]) -> _T:
    """What ``query`` finds on a connection of its own; it runs in a thread."""

    def run() -> _T:
        with reader.connect() as connection:
            return query(connection)

    return await asyncio.to_thread(run)
