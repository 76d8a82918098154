"""Many open requests, each with somebody who waits: memory, idle CPU, restart. `python benchmarks/waits.py [COUNT]`."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.request import RequestState
from askfirst.store import schema
from askfirst.testing.bench import a_draft
from audit.testing_core import Core, core

if TYPE_CHECKING:
    import sqlalchemy as sa

IDLE_S = 5


def fill(made: Core, count: int) -> list[str]:
    """So many pending requests, a day before their deadlines, copied from one; their ids."""
    case = asyncio.run(made.desk.ask(a_draft(key="first", now_ms=made.clock.now_ms() + 86_400_000)))
    first = case.request.id
    ids = [f"{number:026d}" for number in range(count)]

    def work(connection: sa.Connection) -> None:
        row = dict(connection.execute(schema.request.select()).mappings().one())
        rows = [{**row, "id": each, "idempotency_key": each, "body": row["body"].replace(first, each)} for each in ids]
        connection.execute(schema.request.insert(), rows)

    made.writer.submit(work).result()
    return ids


async def wait_for_all(made: Core, ids: list[str]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    waiting = [asyncio.create_task(wait(made, each)) for each in ids]
    timer = asyncio.create_task(made.desk.keep_time())
    while made.hub.waiting < len(ids):  # noqa: ASYNC110  # the hub tells nobody of its waiters
        await asyncio.sleep(0.05)
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    cpu = time.process_time()
    await asyncio.sleep(IDLE_S)
    used = (time.process_time() - cpu) / IDLE_S
    print(f"{len(ids)} open waits: {more:.0f} MB more, {used:.2%} of a core when idle")
    for task in (*waiting, timer):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*waiting, timer)


async def wait(made: Core, request_id: str) -> None:
    with made.hub.waiter(request_id) as change:  # as Desk.wait does after it has read the state
        await change


async def restart(path: Path) -> None:
    start = time.perf_counter()
    with core(path, may_found=False) as made:
        await made.desk.sweep()
        pending = await made.desk.requests(states=(RequestState.PENDING,), limit=1)
        print(f"restart until timers run and requests are served: {time.perf_counter() - start:.2f} s ({len(pending)})")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "store.db"
        with core(path) as made:
            ids = fill(made, count)
            asyncio.run(wait_for_all(made, ids))
        asyncio.run(restart(path))


if __name__ == "__main__":
    main()
