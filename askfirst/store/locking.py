"""Row locks where several brokers write one database; SQLite, with its one writer, needs none.

A broker's transaction holds many pieces of work. To keep two brokers from waiting for each other in a circle, none
waits for a row: a request that another broker is deciding on is ``BusyError`` at once, and the writer tries that piece
of work again in its next transaction.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from askfirst.errors import StoreError

SHARED = "askfirst_shared"
"""Execution option of a writing engine whose database others write, too."""


class BusyError(StoreError):
    """Another broker is at it; try again in a new transaction."""


def is_shared(connection: sa.Connection) -> bool:
    """Whether this is a writing connection to a database that others write, too."""
    return bool(connection.get_execution_options().get(SHARED))


@dataclass(frozen=True, slots=True)
class Locked:
    """A query in two forms, built once.

    Attributes:
        plain: for readers, and where there is one writer.
        shared: with its rows locked against other brokers until the transaction ends.
    """

    plain: sa.Select[Any]
    shared: sa.Select[Any]

    def on(self, connection: sa.Connection) -> sa.Select[Any]:
        """The form for this connection."""
        return self.shared if is_shared(connection) else self.plain


def locked(query: sa.Select[Any], table: sa.Table) -> Locked:
    """Its rows in ``table`` are locked; one that another broker has locked is an error at once (``BusyError``)."""
    return Locked(query, query.with_for_update(nowait=True, key_share=True, of=table))


def unlocked(query: sa.Select[Any], table: sa.Table) -> Locked:
    """Its rows in ``table`` are locked, and those that another broker has locked are left out."""
    return Locked(query, query.with_for_update(skip_locked=True, key_share=True, of=table))


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
