"""Row locks where several brokers write one database; SQLite, with its one writer, needs none.

A broker's transaction holds many pieces of work. To keep two brokers from waiting for each other in a circle, none
waits for a row: a request that another broker is deciding on is ``BusyError`` at once, and the writer tries that piece
of work again in its next transaction.
"""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

import sqlalchemy as sa

from askfirst.errors import StoreError

SHARED = "askfirst_shared"
"""Execution option of a writing engine whose database others write, too."""

_Q = TypeVar("_Q", bound=sa.Select[Any])


class BusyError(StoreError):
    """Another broker is at it; try again in a new transaction."""


def is_shared(connection: sa.Connection) -> bool:
    """Whether this is a writing connection to a database that others write, too."""
    return bool(connection.get_execution_options().get(SHARED))


def locking(connection: sa.Connection, query: _Q, table: sa.Table) -> _Q:
    """The query, its rows kept from other brokers until the transaction ends; never waits."""
    return query.with_for_update(nowait=True, key_share=True, of=table) if is_shared(connection) else query


def unlocked(connection: sa.Connection, query: _Q, table: sa.Table) -> _Q:
    """The query without the rows that another broker is at, the others kept from it."""
    return query.with_for_update(skip_locked=True, key_share=True, of=table) if is_shared(connection) else query


def claim_key(connection: sa.Connection, key: str) -> None:
    """Be the only one who may insert a row under this key until the transaction ends.

    Raises:
        BusyError: another broker is inserting one.
    """
    if not is_shared(connection):
        return
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], signed=True)
    if not connection.execute(_TRY_LOCK, {"key": number}).scalar_one():
        raise BusyError("another broker is writing this request; try again")


_TRY_LOCK = sa.text("select pg_try_advisory_xact_lock(:key)")
