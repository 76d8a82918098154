"""Queries that run all the time read an index: what is over and done never makes them slower."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from askfirst.store import outbox, records, standing, waiting
from askfirst.store.open import open_store
from askfirst.store.statement import PIPELINE, Statement

STATEMENTS = {
    "what bears on a draft": standing._STANDING,
    "approvals of what an action was edited into": standing._EDITED,
    "a request by its id": records._BY_ID,
    "its reviews, grant and versions": records._PARTS,
    "what of a session waits": records._WAITING_CALLS,
    "a review's retraction": records._RETRACTION,
    "timers that have run out": records._DUE,
    "the next timer": records._NEXT_DUE,
    "how many wait": records._WAITING,
    "how many of all wait, up to a limit": waiting._OF_ALL,
    "how many of a host wait, up to a limit": waiting._OF_HOST,
    "deliveries that are due": outbox._DUE,
    "the next delivery": outbox._NEXT_DUE,
    "updates that a change owes": outbox._OWE_UPDATES,
    "messages held back": outbox._DROP_UNSENT,
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_query_of_the_gate_reads_a_whole_table(tmp_path: Path, name: str) -> None:
    statement: Statement = STATEMENTS[name]
    store = open_store(tmp_path / "store.db")
    with store.engine.connect() as connection, connection.begin():
        text = statement._text(connection.dialect)
        plan = connection.exec_driver_sql(
            f"explain query plan {text.sql}", tuple(text.values(dict.fromkeys(text.order)))
        )
        steps = [str(row[3]) for row in plan]
    store.engine.dispose()
    store.reader.dispose()
    tables = ("request", "outbox", "sent", "grant_", "review")
    whole = [
        step
        for step in steps
        if step.startswith(tuple(f"{verb} {table}" for verb in ("SCAN", "SEARCH") for table in tables))
        and " USING " not in step
    ]
    assert not whole, steps


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_query_of_the_gate_is_prepared_more_than_once(tmp_path: Path, name: str) -> None:
    """SQLite does that each time where a value decides whether a partial index can be used."""
    statement: Statement = STATEMENTS[name]
    store = open_store(tmp_path / "store.db")
    asked = []

    def authorize(*what: object) -> int:
        asked.append(what)
        return sqlite3.SQLITE_OK

    with store.engine.connect() as connection, connection.begin():
        connection.connection.driver_connection.set_authorizer(authorize)  # type: ignore[union-attr]  # it is connected
        order = statement._text(connection.dialect).order
        seen = []
        for value in (1, 2, 3):
            statement.change(connection, **dict.fromkeys(order, value))
            seen.append(len(asked))
    store.engine.dispose()
    store.reader.dispose()
    assert 0 < seen[0] == seen[1] == seen[2]


@pytest.mark.slow
def test_a_plan_that_is_made_while_nothing_waits_never_reads_all_that_waits(peers: Callable[[], Any]) -> None:
    """PostgreSQL keeps it until it counts the table again, however many wait by then."""

    def explain(connection: sa.Connection) -> list[str]:
        pipeline = connection.info[PIPELINE]
        text = standing._STANDING._text(pipeline.dialect)
        connection.exec_driver_sql("set local plan_cache_mode = force_generic_plan")
        connection.exec_driver_sql(f"prepare asked as {text.sql}")
        return [
            line for (line,) in connection.exec_driver_sql(f"explain execute asked({', '.join('1' * len(text.order))})")
        ]

    plan = [line.strip() for line in peers().writer.submit(explain).result(20)]
    scans = [after for line, after in itertools.pairwise(plan) if "ix_request_pending" in line]
    assert len(scans) == 1, plan
    assert all(scan.startswith("Index Cond: ") for scan in scans), plan
