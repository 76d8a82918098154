"""The store at work, each number beside what the machine can do: `python benchmarks/store.py [--postgres] [--quick]`.

- a request created durably, one at a time, and after each, so that both meet the same disk, a bare append to a file and
  its fdatasync: of 4 KiB, and on SQLite of as many bytes as the request makes it write;
- many at once, beside the bare driver doing the same inserts (those of the log, too) with one commit a batch;
- a person's decision until the waiter has it, in one process; on PostgreSQL also at another broker.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa

from askfirst.broker.server import settle
from askfirst.request import Verdict
from askfirst.store import schema
from askfirst.store.open import open_store
from askfirst.store.postgres import conninfo, parse_url
from askfirst.testing.bench import a_review, one_of_many
from askfirst.testing.postgres import server
from audit.testing_core import Core, core

if TYPE_CHECKING:
    from io import FileIO

BATCH = 256
SMALL = 4096
WARM = 100


class Disk:
    """Bare appends to a file that grows, each with its fdatasync."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    def sync_s(self, size: int) -> float:
        """Seconds that one of so many bytes takes."""
        data = b"x" * size
        start = time.perf_counter()
        self._file.write(data)
        os.fdatasync(self._file.fileno())
        return time.perf_counter() - start


@dataclass(frozen=True)
class OneAtATime:
    """Medians, microseconds: of a create, and of the bare syncs right after it, of 4 KiB and of as many bytes."""

    create: float
    sync: float
    same: float
    size: int


async def one_at_a_time(made: Core, disk: Disk, rounds: int) -> OneAtATime:
    size = await bytes_a_create(made)
    creates, syncs, same = [], [], []
    for number in range(rounds):
        draft = one_of_many("one", number, now_ms=made.clock.now_ms())
        await asyncio.sleep(0)  # in a broker each comes with a turn of the event loop
        start = time.perf_counter()
        await made.desk.ask(draft)
        creates.append(time.perf_counter() - start)
        syncs.append(disk.sync_s(SMALL))
        same.append(disk.sync_s(size))
    create, sync, as_many = (statistics.median(each) * 1e6 for each in (creates, syncs, same))
    return OneAtATime(create=create, sync=sync, same=as_many, size=size)


async def bytes_a_create(made: Core) -> int:
    """What this process writes for one create; elsewhere a server does the writing."""
    before = written()
    for number in range(WARM):
        await made.desk.ask(one_of_many("warm", number, now_ms=made.clock.now_ms()))
    return max(SMALL, (written() - before) // WARM)


def written() -> int:
    """Bytes that this process has written so far. From: https://man7.org/linux/man-pages/man5/proc_pid_io.5.html."""
    io = Path("/proc/self/io").read_text(encoding="ascii")
    return int(io.partition("wchar: ")[2].partition("\n")[0])


async def at_once(made: Core, count: int) -> float:
    """Requests a second."""
    drafts = [one_of_many("many", number, now_ms=made.clock.now_ms()) for number in range(count)]
    start = time.perf_counter()
    await asyncio.gather(*(made.desk.ask(draft) for draft in drafts))
    return count / (time.perf_counter() - start)


async def decision_us(made: Core, elsewhere: Core, rounds: int, name: str = "here") -> float:
    """From handing in the review to the waiter's answer, microseconds."""
    times = []
    for number in range(rounds):
        case = await made.desk.ask(one_of_many(f"decision-{name}", number, now_ms=made.clock.now_ms()))
        waiter = asyncio.create_task(made.desk.wait(case.request.id, 30))
        await made.somebody_waits()
        await asyncio.sleep(0.005)
        start = time.perf_counter()
        review = asyncio.create_task(elsewhere.desk.review(a_review(case.request, Verdict.APPROVE)))
        await waiter
        times.append(time.perf_counter() - start)
        await review
    return statistics.median(times) * 1e6


def rows_of(made: Core) -> dict[str, tuple[str, list[Any]]]:
    """The inserts that made this core's requests: by table, the statement and its rows."""
    found = {}
    with made.store.reader.connect() as connection:
        for table in (schema.request, schema.outbox, schema.audit, schema.blob):
            rows = connection.execute(sa.select(table)).all()
            names = [column.name for column in table.columns]
            found[table.name] = (f"insert into {table.name} ({', '.join(names)}) values", [tuple(row) for row in rows])
    return found


def bare(rows: dict[str, tuple[str, list[Any]]], path: Path, url: str) -> float:
    """The same inserts by the driver alone, one commit a batch; requests a second."""
    with ExitStack() as stack:
        if url:
            connection: Any = stack.enter_context(psycopg.connect(conninfo(parse_url(url)), autocommit=True))
            mark, begin = "%s", "begin"
        else:
            connection = sqlite3.connect(path, isolation_level=None)
            stack.callback(connection.close)
            connection.execute("pragma journal_mode=wal")
            connection.execute("pragma synchronous=full")
            mark, begin = "?", "begin immediate"
        total = len(rows["request"][1])
        cursor = connection.cursor()
        start = time.perf_counter()
        for at in range(0, total, BATCH):
            cursor.execute(begin)
            for statement, values in rows.values():
                share = len(values) // total or 1
                for row in values[at * share : (at + BATCH) * share]:
                    cursor.execute(f"{statement} ({', '.join([mark] * len(row))})", row)
            cursor.execute("commit")
        return total / (time.perf_counter() - start)


def empty(path: Path, url: str) -> None:
    store = open_store(path, url)
    with store.engine.begin() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            connection.execute(table.delete())
    store.engine.dispose()
    store.reader.dispose()


async def measure(folder: Path, urls: tuple[str, str], rounds: int, count: int) -> None:
    with core(folder / "one.db", urls[0]) as made, (folder / "sync").open("wb", buffering=0) as file:
        one = await one_at_a_time(made, Disk(file), rounds)
        sync = one.sync
        decision = await decision_us(made, made, rounds)
        line(
            "durable create, one at a time",
            f"{one.create:.0f} us",
            f"{one.create / sync:.2f} x fdatasync ({sync:.0f} us)",
        )
        if not urls[0]:
            line("", "", f"{one.create / one.same:.2f} x fdatasync of {one.size // 1024} KiB ({one.same:.0f} us)")
        line("decision -> waiter, same broker", f"{decision:.0f} us", f"{decision / sync:.2f} x fdatasync")
        if urls[0]:
            with core(folder / "none", urls[0]) as other:
                async with made.following():
                    away = await decision_us(made, other, rounds, "elsewhere")
            line("decision -> waiter, another broker", f"{away:.0f} us", f"{away / sync:.2f} x fdatasync")
    with core(folder / "many.db", urls[1]) as made:
        many = await at_once(made, count)
        rows = rows_of(made)
    empty(folder / "many.db", urls[1])
    alone = bare(rows, folder / "many.db", urls[1])
    line("durable creates, all at once", f"{many:.0f} /s", f"{many / alone:.2f} x bare driver ({alone:.0f} /s)")


def line(what: str, value: str, ratio: str) -> None:
    print(f"{what:<40}{value:>14}   {ratio}")


def main() -> None:
    quick = "--quick" in sys.argv
    rounds, count = (100, 2_000) if quick else (500, 10_000)
    with tempfile.TemporaryDirectory(dir=".cache" if Path(".cache").is_dir() else None) as name:
        if "--postgres" not in sys.argv:
            print("SQLite")
            settle()  # as a broker does when it starts
            asyncio.run(measure(Path(name), ("", ""), rounds, count))
            return
        with server(is_durable=True) as database:
            print("PostgreSQL")
            settle()
            asyncio.run(measure(Path(name), (database.create(), database.create()), rounds, count))


if __name__ == "__main__":
    main()
