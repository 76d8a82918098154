"""Browser sessions: kept hashed, over restarts, until they end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import sqlalchemy as sa

from askfirst.store.schema import web_session
from channels.web import Sessions

if TYPE_CHECKING:
    from askfirst.testing.bench import Bench

DAY_S = 24 * 3600


def sessions_of(bench: Bench) -> Sessions:
    return Sessions(writer=bench.writer, reader=bench.reader, clock=bench.clock)


def test_a_session_is_found_by_its_cookie_also_after_a_restart(desk_bench: Bench) -> None:
    async def story() -> None:
        token = await sessions_of(desk_bench).open("local:ann")
        found = await sessions_of(desk_bench).find(token)
        assert found is not None
        assert found.person == "local:ann"

    asyncio.run(story())


def test_the_store_does_not_hold_the_cookie(desk_bench: Bench) -> None:
    token = asyncio.run(sessions_of(desk_bench).open("local:ann"))
    with desk_bench.reader.connect() as connection:
        [row] = connection.execute(sa.select(web_session)).all()
    assert token not in "".join(map(str, row))


def test_what_is_no_cookie_of_ours_finds_nothing(desk_bench: Bench) -> None:
    async def story() -> None:
        sessions = sessions_of(desk_bench)
        token = await sessions.open("local:ann")
        stored = await sessions.find(token)
        assert stored is not None
        for wrong in ("", token[:-1], token + "a", stored.id_sha256, "a" * 5000, "ü", "\udcff"):
            assert await sessions.find(wrong) is None

    asyncio.run(story())


def test_a_session_ends_after_thirty_days_and_the_next_login_sweeps_it_away(desk_bench: Bench) -> None:
    async def story() -> None:
        sessions = sessions_of(desk_bench)
        token = await sessions.open("local:ann")
        desk_bench.clock.advance(30 * DAY_S - 1)
        assert await sessions.find(token) is not None
        desk_bench.clock.advance(1)
        assert await sessions.find(token) is None
        await sessions.open("local:ann")

    asyncio.run(story())
    with desk_bench.reader.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(web_session)) == 1


def test_a_closed_session_is_gone_and_others_stay(desk_bench: Bench) -> None:
    async def story() -> None:
        sessions = sessions_of(desk_bench)
        first, second = await sessions.open("local:ann"), await sessions.open("local:ann")
        session = await sessions.find(first)
        assert session is not None
        await sessions.close(session)
        assert await sessions.find(first) is None
        assert await sessions.find(second) is not None

    asyncio.run(story())
