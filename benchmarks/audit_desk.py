"""The desk's deciding transaction with the log and without: what does the log cost where it matters?

Both run the same real desk on a store of their own: requests are made and decided concurrently, so that the writer
groups them as it does under load. "Without" keeps the entries in a list. The runs alternate; the ratio is of medians.

Argument: number of requests a round, by default 256.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from askfirst.broker.server import settle
from askfirst.desk import Desk
from askfirst.hub import Hub
from askfirst.request import Verdict
from askfirst.store.database import open_sqlite, open_sqlite_reader
from askfirst.store.writer import Writer
from askfirst.testing.bench import FakeClock, FakeSigner, MemoryAuditLog, a_review, one_of_many
from audit.clock import SystemClock
from audit.log import open_log
from audit.testing import signer_of

ROUNDS = 7


class Run:
    """A desk on a new store."""

    def __init__(self, folder: Path, *, logged: bool) -> None:
        engine = open_sqlite(folder / "bench.db")
        if logged:
            with engine.begin() as connection:
                self.log = open_log(connection, signer_of(1), SystemClock(), may_found=True)
            self.log.committed()
        else:
            self.log = MemoryAuditLog()  # type: ignore[assignment]  # the same port
        self.writer = Writer(engine, self.log)
        self.reader = open_sqlite_reader(folder / "bench.db")
        self.desk = Desk(
            writer=self.writer, reader=self.reader, audit=self.log, hub=Hub(), clock=FakeClock(), signer=FakeSigner()
        )
        self.count = 0

    async def round(self, requests: int, width: int) -> tuple[float, float]:
        """Seconds of wall time and of CPU to decide so many requests, ``width`` at a time."""
        self.count += 1
        drafts = [one_of_many(f"round-{self.count}", number) for number in range(requests)]
        cases = await asyncio.gather(*(self.desk.ask(draft) for draft in drafts))
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        for start in range(0, requests, width):
            chosen = cases[start : start + width]
            steps = await asyncio.gather(*(self.desk.review(a_review(one.request, Verdict.APPROVE)) for one in chosen))
            assert all(step.done and step.log for step in steps), "a decision that was none"
        return time.perf_counter() - wall_s, time.process_time() - cpu_s

    def close(self) -> None:
        self.reader.dispose()
        self.writer.close()


async def measure(requests: int, width: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Times without and with the log, round by round."""
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        plain, logged = Run(Path(first), logged=False), Run(Path(second), logged=True)
        for each in (plain, logged):
            await each.round(requests, width)  # warm
        times = [(await plain.round(requests, width), await logged.round(requests, width)) for _ in range(ROUNDS)]
        plain.close()
        logged.close()
    return [one for one, _ in times], [two for _, two in times]


def main() -> None:
    """Print the table."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    settle()  # as a broker does when it starts
    print(f"{'at a time':>9}{'without, ms':>14}{'with, ms':>12}{'ratio':>8}{'CPU ratio':>11}   (a decision, 3 entries)")
    for width in (1, 8, 32, 256):
        plain, logged = asyncio.run(measure(requests, min(width, requests)))
        (wall, cpu), (logged_wall, logged_cpu) = (
            tuple(statistics.median(times) / requests * 1000 for times in zip(*rounds, strict=True))
            for rounds in (plain, logged)
        )
        print(f"{width:>9}{wall:>14.3f}{logged_wall:>12.3f}{logged_wall / wall:>8.2f}{logged_cpu / cpu:>11.2f}")


if __name__ == "__main__":
    main()
