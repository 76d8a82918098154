"""One broker on a PostgreSQL, then two, each creating requests durably: `python benchmarks/brokers.py [COUNT]`."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.testing.bench import a_draft
from askfirst.testing.postgres import server
from audit.testing_core import core

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier


def broker(url: str, name: str, count: int, start: Barrier) -> None:
    with core(Path(), url) as made:
        now_ms = made.clock.now_ms()
        drafts = [
            a_draft(key=f"{name}-{number}", command=f"rm {name}{number}", now_ms=now_ms) for number in range(count)
        ]

        async def create() -> None:
            await made.desk.ask(a_draft(key=f"{name}-warm", now_ms=now_ms))
            await asyncio.to_thread(start.wait)
            await asyncio.gather(*(made.desk.ask(draft) for draft in drafts))

        asyncio.run(create())
    start.wait()


def rate(url: str, size: int, count: int) -> float:
    """Requests a second, all brokers together."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(size + 1)
    brokers = [context.Process(target=broker, args=(url, f"b{number}", count, start)) for number in range(size)]
    for each in brokers:
        each.start()
    start.wait()
    began = time.perf_counter()
    start.wait()
    took = time.perf_counter() - began
    for each in brokers:
        each.join()
    return size * count / took


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    with server(is_durable=True) as database:
        one = rate(database.create(), 1, count)
        two = rate(database.create(), 2, count)
    print(f"one broker {one:.0f}/s, two brokers {two:.0f}/s: {two / one:.2f} x")


if __name__ == "__main__":
    main()
