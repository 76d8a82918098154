"""Brief work that comes alone is done on its event loop's own thread, and ends as it would in the writer's."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
import sqlalchemy as sa

from askfirst.errors import InputError, OverloadedError, StoreError
from askfirst.store.calm import BRISK_S, Calm
from askfirst.store.database import open_sqlite
from askfirst.store.writer import CHECKPOINT_EVERY, Writer
from askfirst.testing.bench import MemoryAuditLog

Row: TypeAlias = "Callable[[str], Callable[[sa.Connection], int]]"
Keys: TypeAlias = "Callable[[Path], list[str]]"


class Spot:
    """A writer whose connection stands, with a disk that is as quick as the test says."""

    def __init__(self, folder: Path, row: Row, queue_max: int = 10) -> None:
        self._row = row
        self.path = folder / "a.db"
        self.failures: list[StoreError] = []
        self.slow_s = 0.0
        calm = Calm(lambda: 0.0)
        calm.took = lambda _seconds: Calm.took(calm, self.slow_s)  # type: ignore[method-assign]  # no clock in a test
        self.writer = Writer(
            open_sqlite(self.path),
            MemoryAuditLog(),
            queue_max=queue_max,
            on_failure=self.failures.append,
            calm=calm,
        )
        self.writer.submit(lambda _connection: None).result(20)

    async def write(self, key: str) -> int:
        """Write this key; the thread that did it."""
        return await self.writer.write(self._row(key), is_brief=True)

    def closed(self) -> Path:
        """Its store, with nothing under way any more."""
        self.writer.close()
        return self.path


@pytest.fixture
def spot(tmp_path: Path, row: Row) -> Iterator[Spot]:
    made = Spot(tmp_path, row)
    yield made
    made.writer.close()


def test_brief_work_alone_is_done_by_the_loops_own_thread_and_is_on_disk(spot: Spot, keys: Keys) -> None:
    assert asyncio.run(spot.write("a")) == threading.get_ident()
    assert keys(spot.closed()) == ["a"]


def test_work_that_may_take_long_is_done_by_the_writers_thread(spot: Spot, row: Row) -> None:
    assert asyncio.run(spot.writer.write(row("a"))) != threading.get_ident()


def test_of_what_comes_together_the_first_is_done_at_once_and_the_rest_by_the_writers_thread_as_what_comes_next(
    spot: Spot, keys: Keys
) -> None:
    async def story() -> tuple[int, set[int]]:
        first, *others = await asyncio.gather(*(spot.write(key) for key in "abc"))
        return first, {*others, await spot.write("d")}

    first, others = asyncio.run(story())
    assert first == threading.get_ident()
    assert len(others) == 1
    assert first not in others
    assert keys(spot.closed()) == ["a", "b", "c", "d"]


def test_the_loop_waits_for_no_second_commit_before_others_had_their_turn(spot: Spot) -> None:
    turns = list[str]()

    async def write_all() -> None:
        for key in "abc":
            await spot.writer.write(lambda _connection, key=key: turns.append(key), is_brief=True)  # type: ignore[misc]

    async def story() -> None:
        writing = asyncio.create_task(write_all())
        while not writing.done():
            await asyncio.sleep(0)
            turns.append("other")

    asyncio.run(story())
    assert [each for each in turns if each != "other"] == ["a", "b", "c"]
    for earlier, later in itertools.pairwise("abc"):
        assert "other" in turns[turns.index(earlier) : turns.index(later)]


def test_after_a_slow_commit_the_loop_waits_for_no_other(spot: Spot) -> None:
    async def story() -> tuple[int, int]:
        spot.slow_s = 2 * BRISK_S
        return await spot.write("a"), await spot.write("b")

    first, second = asyncio.run(story())
    assert first == threading.get_ident() != second


def test_work_is_left_to_the_writers_thread_while_that_is_at_work(spot: Spot, keys: Keys) -> None:
    held, entered = threading.Event(), threading.Event()

    def hold(_connection: sa.Connection) -> None:
        entered.set()
        assert held.wait(20)

    async def story() -> int:
        spot.writer.submit(hold)
        assert await asyncio.to_thread(entered.wait, 20)
        waiting = asyncio.create_task(spot.write("a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        held.set()
        return await waiting

    assert asyncio.run(story()) != threading.get_ident()
    assert keys(spot.closed()) == ["a"]


def test_work_that_fails_on_the_spot_changes_nothing_and_stops_nothing(spot: Spot, row: Row, keys: Keys) -> None:
    def refuse(connection: sa.Connection) -> None:
        row("lost")(connection)
        raise InputError("no")

    async def story() -> None:
        with pytest.raises(InputError):
            await spot.writer.write(refuse, is_brief=True)
        await spot.write("kept")

    asyncio.run(story())
    assert keys(spot.closed()) == ["kept"]
    assert not spot.failures


def test_a_disk_that_fails_on_the_spot_ends_the_writer(spot: Spot, keys: Keys) -> None:
    def fail(_connection: sa.Connection) -> None:
        raise sa.exc.OperationalError("insert", {}, OSError("disk I/O error"))

    async def story() -> None:
        with pytest.raises(StoreError, match="disk I/O error"):
            await spot.writer.write(fail, is_brief=True)
        with pytest.raises(StoreError, match="disk I/O error"):
            await spot.write("after")

    asyncio.run(story())
    assert len(spot.failures) == 1
    assert keys(spot.closed()) == []


def test_an_interruption_in_the_middle_of_it_is_nobodys_success(spot: Spot, row: Row, keys: Keys) -> None:
    def interrupted(connection: sa.Connection) -> None:
        row("in doubt")(connection)
        raise KeyboardInterrupt

    async def story() -> None:
        await spot.writer.write(interrupted, is_brief=True)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(story())
    with pytest.raises(StoreError, match="interrupted while it wrote"):
        asyncio.run(spot.write("after"))
    assert keys(spot.closed()) == []


def test_work_whose_caller_has_gone_is_not_done_on_the_spot(spot: Spot, keys: Keys) -> None:
    async def story() -> None:
        first, leaving = asyncio.create_task(spot.write("first")), asyncio.create_task(spot.write("gone"))
        asyncio.get_running_loop().call_soon(leaving.cancel)
        await first
        await spot.write("later")
        with pytest.raises(asyncio.CancelledError):
            await leaving

    asyncio.run(story())
    assert keys(spot.closed()) == ["first", "later"]


def test_what_a_turn_of_the_loop_has_gathered_is_bounded_and_finished_when_the_writer_closes(
    tmp_path: Path, row: Row, keys: Keys
) -> None:
    spot = Spot(tmp_path, row, queue_max=3)

    async def story() -> list[int | BaseException]:
        tasks = [asyncio.create_task(spot.write(f"{number}")) for number in range(5)]
        await asyncio.sleep(0)
        spot.writer.close()
        return await asyncio.gather(*tasks, return_exceptions=True)

    *done, refused = asyncio.run(story())
    assert all(isinstance(each, int) for each in done)
    assert isinstance(refused, OverloadedError)
    assert keys(spot.path) == ["0", "1", "2", "3"]


def test_the_writers_thread_tidies_up_after_work_on_the_spot(spot: Spot, tmp_path: Path, keys: Keys) -> None:
    async def story() -> None:
        for number in range(CHECKPOINT_EVERY):
            await spot.write(f"{number:03d}")

    asyncio.run(story())
    spot.writer.submit(lambda _connection: None).result(20)  # by then the checkpoint is over
    shutil.copy(spot.path, tmp_path / "copy.db")
    assert len(keys(tmp_path / "copy.db")) >= CHECKPOINT_EVERY - 1
