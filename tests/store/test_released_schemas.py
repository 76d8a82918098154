"""A store that a release has written is brought up in place, with every request, decision and entry that is in it."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from askfirst.errors import StoreError
from askfirst.request import RequestState, Verdict
from askfirst.store import database
from askfirst.store.open import open_store
from askfirst.store.postgres import parse_url
from askfirst.testing.bench import FakeClock, a_review
from audit.verify import verify_store

GOLDEN = Path(__file__).parent / "golden"
RELEASES = sorted(path.stem for path in GOLDEN.glob("*.sql"))
STATES = {"pending", "approved", "denied", "expired", "cancelled"}


def written_by(release: str, path: Path) -> Path:
    """The file that this release left."""
    with closing(sqlite3.connect(path)) as made:
        made.executescript((GOLDEN / f"{release}.sql").read_text(encoding="utf-8"))
    shutil.copy(GOLDEN / "log.vkey", path.parent)
    return path


def moved_to_postgres(release: str, path: Path, url: str) -> None:
    """The same rows in a database that this release has set up."""
    engine = sa.create_engine(parse_url(url))
    config = database._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, release)
    found = sa.MetaData()
    found.reflect(engine)
    with closing(sqlite3.connect(written_by(release, path))) as old, engine.begin() as connection:
        for table in found.sorted_tables:
            if table.name == "alembic_version":
                continue
            rows = old.execute(f"select {', '.join(table.c.keys())} from {table.name}").fetchall()
            if rows:
                connection.execute(table.insert(), [dict(zip(table.c.keys(), row, strict=True)) for row in rows])
        connection.execute(sa.text("select setval('outbox_id_seq', (select max(id) from outbox))"))
    engine.dispose()


@pytest.mark.parametrize("release", RELEASES)
def test_a_store_of_an_older_release_goes_on(tmp_path: Path, store_url: str, make_peer: Any, release: str) -> None:
    if store_url:
        moved_to_postgres(release, tmp_path / "golden.db", store_url)
    else:
        written_by(release, tmp_path / "askfirst.db")

    async def story() -> None:
        peer = make_peer(may_found=False, clock=FakeClock(1_800_000_010_000))
        requests = {each.state.value: each for each in await peer.desk.requests()}
        assert set(requests) == STATES
        assert requests["pending"].action.command == "rm -rf pending é"
        assert (await peer.desk.case(requests["denied"].id)).reviews[0].text == "no"
        step = await peer.desk.review(a_review(requests["pending"], Verdict.APPROVE))
        assert step.case.request.state is RequestState.APPROVED
        assert step.case.grant is not None

    asyncio.run(story())
    if not store_url:
        report = verify_store(tmp_path / "askfirst.db")
        assert report.ok, report.problems


def test_a_database_of_a_newer_release_is_refused_with_a_sentence(tmp_path: Path, store_url: str) -> None:
    store = open_store(tmp_path / "askfirst.db", store_url)
    with store.engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    store.engine.dispose()
    store.reader.dispose()
    with pytest.raises(StoreError, match="schema 9999, which this release does not know; upgrade askfirst"):
        open_store(tmp_path / "askfirst.db", store_url)
