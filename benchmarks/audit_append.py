"""CPU an entry costs in the transaction that writes it, beside the same transaction with no log.

The plain row stands for the state change that every entry goes with. Prints microseconds of CPU and of wall time for
each entry, by batch size; one sync a transaction is in both wall times.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert

from askfirst.store import schema
from audit.clock import SystemClock
from audit.log import StoredLog, open_log
from audit.testing import decided, engine_of, signer_of

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRIES = 16_384


def measure(batches: int, transaction: Callable[[int], None]) -> tuple[float, float]:
    """CPU and wall time of that many transactions, seconds."""
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    for number in range(batches):
        transaction(number)
    return time.process_time() - cpu_s, time.perf_counter() - wall_s


def run(batch: int, count: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Times without and with the log."""
    with tempfile.TemporaryDirectory() as folder:
        engine = engine_of(Path(folder) / "bench.db")
        with engine.begin() as connection:
            log = open_log(connection, signer_of(1), SystemClock(), may_found=True)
        log.committed()
        entries = [decided(number) for number in range(batch)]

        def rows(connection: Connection, number: int, kind: str) -> None:
            ids = [f"{kind}-{number}-{item}" for item in range(batch)]
            connection.execute(insert(schema.meta), [{"key": one, "value": "x" * 400} for one in ids])

        def plain(number: int) -> None:
            with engine.begin() as connection:
                rows(connection, number, "plain")

        def logged(number: int) -> None:
            with engine.begin() as connection:
                rows(connection, number, "logged")
                append(log, connection)
            log.committed()

        def append(log: StoredLog, connection: Connection) -> None:
            for entry in entries:
                log.append(connection, entry)
            log.seal(connection)

        results = measure(count // batch, plain), measure(count // batch, logged)
        engine.dispose()
    return results


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    titles = ("row alone, CPU us", "row + entry, CPU us", "entry, CPU us", "entry, wall us")
    print(f"{'batch':>6}" + "".join(f"{title:>21}" for title in titles))
    for batch in (1, 8, 32, 256):
        (plain_cpu, plain_wall), (cpu, wall) = run(batch, count if batch > 1 else count // 8)
        each = 1e6 / (count if batch > 1 else count // 8)
        times = (plain_cpu, cpu, cpu - plain_cpu, wall - plain_wall)
        print(f"{batch:>6}" + "".join(f"{seconds * each:>21.1f}" for seconds in times))


if __name__ == "__main__":
    main()
