"""Queries that run all the time read an index: what is over and done never makes them slower."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from askfirst.store import outbox, records, standing
from askfirst.store.open import open_store
from askfirst.store.statement import Statement

STATEMENTS = {
    "what bears on a draft": standing._STANDING,
    "a request by its id": records._BY_ID,
    "its reviews, grant and versions": records._PARTS,
    "what of a session waits": records._WAITING_CALLS,
    "a review's retraction": records._RETRACTION,
    "timers that have run out": records._DUE,
    "the next timer": records._NEXT_DUE,
    "how many wait": records._WAITING,
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
