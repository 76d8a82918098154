"""What is sent to a shared database together: who hears of an error, and that nothing counts before its commit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
import sqlalchemy as sa

from askfirst.audit_port import Entry, EntryType
from askfirst.errors import ConflictError, LogError, StoreAwayError, StoreError
from askfirst.store import schema
from askfirst.store.locking import BusyError, claim
from askfirst.store.statement import Statement, constant, inserted, new, settle, updated
from askfirst.testing.bench import a_draft

pytestmark = pytest.mark.slow
BOUND_S = 20
_INSERT = inserted(schema.meta)
_READ = Statement(sa.select(schema.meta.c.value).where(schema.meta.c.key == sa.bindparam("key")))
_SWAP = updated(
    schema.meta, ("value",), schema.meta.c.key == sa.bindparam("key"), schema.meta.c.value == constant("old")
)


def row(key: str, value: str = "old") -> Callable[[sa.Connection], str]:
    """Adds a row, which nobody asks for, so that it goes with what comes next."""

    def work(connection: sa.Connection) -> str:
        _INSERT.change(connection, key=key, value=value)
        return f"{key} is there"

    return work


def swap(key: str) -> Callable[[sa.Connection], None]:
    """Makes a row's old value a new one, by compare-and-set."""

    def work(connection: sa.Connection) -> None:
        _SWAP.require(connection, lambda: ConflictError(f"{key} changed", state=""), key=key, **new({"value": "new"}))

    return work


def together(peer: Any, *works: Callable[[sa.Connection], Any]) -> list[Future[Any]]:
    """Hands all in while the writer is held up, so that they are done in one transaction."""
    held, entered = threading.Event(), threading.Event()

    def hold(_connection: sa.Connection) -> None:
        entered.set()
        assert held.wait(BOUND_S)

    peer.writer.submit(hold)
    assert entered.wait(BOUND_S)
    futures = [peer.writer.submit(work) for work in works]
    held.set()
    return futures


def values(peer: Any) -> dict[str, str]:
    """Our rows, as others see them."""
    with peer.store.reader.connect() as connection:
        rows = connection.execute(sa.select(schema.meta).where(schema.meta.c.key.like("~%")))
        return {each.key: each.value for each in rows}


@pytest.mark.parametrize("place", range(3))
def test_a_key_that_is_there_already_is_told_to_its_own_caller_alone(peers: Callable[[], Any], place: int) -> None:
    peer = peers()
    peer.writer.submit(row("~there")).result(BOUND_S)
    works = [row("~a"), row("~b")]
    works.insert(place, row("~there", "again"))
    futures = together(peer, *works)
    with pytest.raises(sa.exc.IntegrityError):
        futures.pop(place).result(BOUND_S)
    assert [each.result(BOUND_S) for each in futures] == ["~a is there", "~b is there"]
    assert values(peer) == {"~there": "old", "~a": "old", "~b": "old"}
    assert not peer.failures


@pytest.mark.parametrize("place", range(3))
def test_a_row_that_has_changed_meanwhile_is_a_conflict_of_its_own_caller_alone(
    peers: Callable[[], Any], place: int
) -> None:
    peer = peers()
    peer.writer.submit(row("~there", "other")).result(BOUND_S)
    works: list[Callable[[sa.Connection], Any]] = [row("~a"), row("~b")]
    works.insert(place, swap("~there"))
    futures = together(peer, *works)
    with pytest.raises(ConflictError, match="~there changed"):
        futures.pop(place).result(BOUND_S)
    for each in futures:
        each.result(BOUND_S)
    assert values(peer) == {"~there": "other", "~a": "old", "~b": "old"}


def test_a_query_sees_what_was_written_before_it(peers: Callable[[], Any]) -> None:
    def work(connection: sa.Connection) -> list[Any]:
        _INSERT.change(connection, key="~a", value="old")
        swap("~a")(connection)
        ours = _READ.scalar(connection, key="~a")
        _INSERT.change(connection, key="~b", value="x")
        return [ours, connection.scalar(sa.select(schema.meta.c.value).where(schema.meta.c.key == "~b"))]

    assert peers().writer.submit(work).result(BOUND_S) == ["new", "x"]


def test_an_error_that_some_work_passes_over_commits_nothing(peers: Callable[[], Any]) -> None:
    peer = peers()

    def careless(connection: sa.Connection) -> str:
        _INSERT.change(connection, key="~a", value="x")
        _INSERT.change(connection, key="~a", value="x")
        try:
            settle(connection)
        except sa.exc.IntegrityError:
            return "all is well"
        raise AssertionError

    careful = row("~b")
    futures = together(peer, careless, careful)
    with pytest.raises(sa.exc.IntegrityError):
        futures[0].result(BOUND_S)
    assert futures[1].result(BOUND_S) == "~b is there"
    assert values(peer) == {"~b": "old"}


def test_what_the_server_rolls_back_is_no_commit(peers: Callable[[], Any]) -> None:
    """To COMMIT it answers ROLLBACK, and no error, when a statement that was not ours to see has failed."""
    peer = peers()
    with peer.store.engine.connect() as connection:
        connection.begin()
        _INSERT.change(connection, key="~a", value="x")
        settle(connection)
        with pytest.raises(Exception, match="division by zero"):
            connection.connection.driver_connection.execute("select 1 / 0")  # type: ignore[union-attr]  # it is connected
        with pytest.raises(sa.exc.DBAPIError, match="was rolled back"):
            connection.commit()
        connection.rollback()
        with connection.begin():
            _INSERT.change(connection, key="~b", value="x")
    assert values(peer) == {"~b": "x"}


def test_what_was_put_in_a_transaction_that_is_rolled_back_is_never_sent(peers: Callable[[], Any]) -> None:
    peer = peers()
    with peer.store.engine.connect() as connection:
        connection.begin()
        _INSERT.change(connection, key="~a", value="x")
        connection.rollback()
        with connection.begin():
            _INSERT.change(connection, key="~b", value="x")
            savepoint = connection.begin_nested()
            _INSERT.change(connection, key="~c", value="x")
            savepoint.rollback()
    assert values(peer) == {"~b": "x"}


def test_nothing_is_read_or_written_under_a_name_that_another_broker_holds(peers: Callable[[], Any]) -> None:
    one, other = peers(), peers()

    def read(connection: sa.Connection) -> None:
        claim(connection, "name")
        assert _READ.rows(connection, key="~a") == []

    def write(connection: sa.Connection) -> None:
        claim(connection, "name")
        _INSERT.change(connection, key="~a", value="x")
        connection.commit()

    with one.store.engine.begin() as connection:
        claim(connection, "name", "another name")
        settle(connection)
        with other.store.engine.connect() as second:
            for work in (read, write):
                second.begin()
                with pytest.raises(BusyError):
                    work(second)
                second.rollback()
    assert values(one) == {}
    with other.store.engine.begin() as second:
        read(second)


def test_a_tree_head_that_is_not_ours_stops_the_broker_before_its_commit(peers: Callable[[], Any]) -> None:
    """Its row is as we knew it, but for the size, which the last statement of the transaction compares."""
    peer = peers()

    def work(connection: sa.Connection) -> None:
        _INSERT.change(connection, key="~a", value="x")
        peer.log.append(connection, Entry(type=EntryType.CONFIG_CHANGED))

    with peer.store.engine.begin() as connection:
        connection.execute(sa.update(schema.tree).values(size=schema.tree.c.size + 1))
    with pytest.raises(StoreError, match="no longer that of") as raised:
        peer.writer.submit(work).result(BOUND_S)
    peer.writer.close()
    assert len(peer.failures) == 1
    assert not isinstance(raised.value, LogError)
    assert values(peer) == {}


def test_a_database_that_dies_with_the_commit_under_way_answers_nobody(
    peer_on: Callable[[str], Any], own_server: Any, insist: Callable[..., Any]
) -> None:
    """Work that kills the server once all it wrote is queued: only the commit is still to be sent."""
    peer = peer_on(own_server.create())

    def work(connection: sa.Connection) -> str:
        _INSERT.change(connection, key="~a", value="x")
        own_server.kill()
        return "believed"

    with pytest.raises(StoreAwayError):
        peer.writer.submit(work).result(BOUND_S)
    own_server.start()

    async def story() -> None:
        await insist(lambda: peer.desk.ask(a_draft(now_ms=peer.clock.now_ms())))

    asyncio.run(story())
    assert values(peer) == {}
    assert not peer.failures


def test_a_connection_that_the_server_ends_in_the_middle_answers_nobody(peers: Callable[[], Any]) -> None:
    peer, other = peers(), peers()

    def work(connection: sa.Connection) -> str:
        _INSERT.change(connection, key="~a", value="x")
        me = connection.scalar(sa.text("select pg_backend_pid()"))
        _INSERT.change(connection, key="~b", value="x")
        with other.store.engine.begin() as theirs:
            theirs.execute(sa.text("select pg_terminate_backend(:pid)"), {"pid": me})
        return "believed"

    with pytest.raises(StoreAwayError):
        peer.writer.submit(work).result(BOUND_S)
    assert values(other) == {}


def test_a_text_with_a_nul_is_refused_and_not_cut_off(peers: Callable[[], Any]) -> None:
    peer = peers()
    with pytest.raises(StoreError):
        peer.writer.submit(row("~a\0b")).result(BOUND_S)
    assert values(peer) == {}


def test_more_than_the_sockets_hold_is_sent_and_answered_together(peers: Callable[[], Any]) -> None:
    """Ten megabytes there and back, of which a socket takes a part at a time."""
    peer = peers()
    long = "x" * 1_000_000

    def work(connection: sa.Connection) -> int:
        for number in range(10):
            _INSERT.change(connection, key=f"~{number}", value=long)
        many = Statement(sa.select(schema.meta.c.value).where(schema.meta.c.key.like(sa.bindparam("like"))))
        return sum(len(each) for each in many.scalars(connection, like="~%"))

    assert peer.writer.submit(work).result(BOUND_S) == 10_000_000


def test_a_statement_that_could_not_be_prepared_is_prepared_the_next_time(peers: Callable[[], Any]) -> None:
    """After an error the server runs nothing more of what came along, not even what prepares."""
    peer = peers()

    def work(connection: sa.Connection) -> None:
        swap("~nothing")(connection)
        connection_pid.rows(connection)

    connection_pid = Statement(sa.select(sa.func.pg_backend_pid()))
    with pytest.raises(ConflictError):
        peer.writer.submit(work).result(BOUND_S)
    assert peer.writer.submit(connection_pid.scalar).result(BOUND_S)
