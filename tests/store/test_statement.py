"""Statements that the driver runs itself behave as those that SQLAlchemy runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from askfirst.store import schema
from askfirst.store.statement import DIRECT, Statement, constant, inserted, new, settle, updated

_meta = schema.meta
_INSERT = inserted(_meta)
_READ = Statement(
    sa.select(_meta.c.key, _meta.c.value).where(_meta.c.key >= sa.bindparam("least")).order_by(_meta.c.key)
)
_UPDATE = updated(_meta, ("value",), _meta.c.key == sa.bindparam("is_key"), _meta.c.value == constant("old"))


def insert_now(connection: sa.Connection, **values: object) -> None:
    _INSERT.change(connection, **values)
    settle(connection)


def update_now(connection: sa.Connection, **values: object) -> None:
    _UPDATE.require(connection, lambda: LookupError("not there"), **values)
    settle(connection)


@pytest.fixture(params=[True, False], ids=["by the driver", "by SQLAlchemy"])
def connection(request: pytest.FixtureRequest, make_peer: Callable[..., Any]) -> Any:
    engine = make_peer().store.engine.execution_options(**{DIRECT: request.param})
    with engine.connect() as made, made.begin() as transaction:
        yield made
        transaction.rollback()


def test_rows_that_were_written_are_read_and_changed(connection: sa.Connection) -> None:
    _INSERT.change_many(connection, [{"key": "~a", "value": "old"}, {"key": "~b", "value": "other"}])
    _INSERT.change(connection, key="~c", value="old")
    assert [tuple(row) for row in _READ.rows(connection, least="~b")] == [("~b", "other"), ("~c", "old")]
    _UPDATE.change(connection, is_key="~b", **new({"value": "new"}))
    _UPDATE.require(connection, LookupError, is_key="~c", **new({"value": "new"}))
    assert [tuple(row) for row in _READ.rows(connection, least="~b")] == [("~b", "other"), ("~c", "new")]
    assert _READ.scalars(connection, least="~") == ["~a", "~b", "~c"]
    assert _READ.scalar(connection, least="~d") is None


def test_nothing_to_write_is_written_without_a_word(connection: sa.Connection) -> None:
    _INSERT.change_many(connection, [])
    assert _READ.rows(connection, least="~") == []


def test_an_error_is_sqlalchemys_and_shows_no_value(connection: sa.Connection) -> None:
    _INSERT.change(connection, key="~a", value="once")
    with pytest.raises(sa.exc.IntegrityError) as raised:
        insert_now(connection, key="~a", value="a secret")
    assert not raised.value.connection_invalidated
    assert "a secret" not in str(raised.value.statement)


@pytest.mark.parametrize(("key", "is_there"), [("~a", True), ("~b", False), ("~c", False)])
def test_an_update_that_has_to_find_its_row_says_so_when_it_does_not(
    connection: sa.Connection, key: str, is_there: bool
) -> None:
    _INSERT.change_many(connection, [{"key": "~a", "value": "old"}, {"key": "~b", "value": "other"}])
    with contextlib.nullcontext() if is_there else pytest.raises(LookupError, match="not there"):
        update_now(connection, is_key=key, **new({"value": "new"}))


def test_a_value_of_a_kind_that_no_column_has_is_refused(connection: sa.Connection) -> None:
    with pytest.raises((TypeError, sa.exc.SQLAlchemyError)):
        _INSERT.change(connection, key="~a", value=object())
