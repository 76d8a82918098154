"""Row locks where several brokers write one database; SQLite, with its one writer, needs none.

A broker's transaction holds many pieces of work. To keep two brokers from waiting for each other in a circle, none
waits for a row: a request that another broker is deciding on is ``BusyError`` at once, and the writer tries that piece
of work again in its next transaction.
"""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from askfirst.errors import StoreError
from askfirst.store.statement import Statement, constant, is_shared


class BusyError(StoreError):
    """Another broker is at it; try again in a new transaction."""


def locked(query: sa.Select[Any], table: sa.Table) -> Statement:
    """Its rows in ``table`` are locked; one that another broker has locked is an error at once (``BusyError``)."""
    return Statement(query, shared=query.with_for_update(nowait=True, key_share=True, of=table))


def unlocked(query: sa.Select[Any], table: sa.Table) -> Statement:
    """Its rows in ``table`` are locked, and those that another broker has locked are left out."""
    return Statement(query, shared=query.with_for_update(skip_locked=True, key_share=True, of=table))


def claim(connection: sa.Connection, *names: str) -> None:
    """Be the only one at work under these names until the transaction ends.

    Raises:
        BusyError: another broker is; so whatever is asked next says.
    """
    if not is_shared(connection):
        return
    keys = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True) for name in names]
    _TRY_LOCK.require(connection, _taken, keys=keys)


def _taken() -> BusyError:
    return BusyError("another broker is writing this request; try again")


_keys = sa.func.unnest(sa.bindparam("keys", type_=ARRAY(sa.BigInteger))).table_valued("key").render_derived()
_has_all = sa.func.bool_and(sa.func.pg_try_advisory_xact_lock(_keys.c.key))
_TRY_LOCK = Statement(sa.select(constant(1)).select_from(_keys).having(_has_all))
