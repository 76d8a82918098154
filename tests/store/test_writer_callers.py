"""Writes of callers who do not stay."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import sqlalchemy as sa

from askfirst.testing.bench import Bench


def test_a_caller_who_goes_away_in_the_middle_of_a_write_stops_no_other_write(desk_bench: Bench) -> None:
    writing, go_on = threading.Event(), threading.Event()

    def slow(_connection: sa.Connection) -> str:
        writing.set()
        assert go_on.wait(5)
        return "written"

    async def story() -> tuple[Any, ...]:
        leaving = asyncio.ensure_future(asyncio.wrap_future(desk_bench.writer.submit(slow)))
        await asyncio.to_thread(writing.wait, 5)
        never = desk_bench.writer.submit(lambda _connection: "never")
        leaving.cancel()
        assert never.cancel()
        go_on.set()
        return await asyncio.wait_for(
            asyncio.gather(*(asyncio.wrap_future(desk_bench.writer.submit(lambda _, n=n: n)) for n in range(3))), 5
        )

    assert len(asyncio.run(story())) == 3
