"""Statements that the driver runs itself behave as those that SQLAlchemy runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from askfirst.store import schema
from askfirst.store.statement import DIRECT, Statement, constant, inserted, new, updated

_meta = schema.meta
_INSERT = inserted(_meta)
_READ = Statement(
    sa.select(_meta.c.key, _meta.c.value).where(_meta.c.key >= sa.bindparam("least")).order_by(_meta.c.key)
)
_UPDATE = updated(_meta, ("value",), _meta.c.key == sa.bindparam("is_key"), _meta.c.value == constant("old"))


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
    assert _UPDATE.change(connection, is_key="~b", **new({"value": "new"})) == 0
    assert _UPDATE.change(connection, is_key="~c", **new({"value": "new"})) == 1
    assert _READ.scalars(connection, least="~") == ["~a", "~b", "~c"]
    assert _READ.scalar(connection, least="~d") is None


def test_nothing_to_write_is_written_without_a_word(connection: sa.Connection) -> None:
    _INSERT.change_many(connection, [])
    assert _READ.rows(connection, least="~") == []


def test_an_error_is_sqlalchemys_and_shows_no_value(connection: sa.Connection) -> None:
    _INSERT.change(connection, key="~a", value="once")
    with pytest.raises(sa.exc.IntegrityError) as raised:
        _INSERT.change(connection, key="~a", value="a secret")
    assert not raised.value.connection_invalidated
    assert "a secret" not in str(raised.value.statement)
