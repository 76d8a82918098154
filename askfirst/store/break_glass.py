"""Break-glass codes as rows; see ``askfirst.break_glass``."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from askfirst.break_glass import Code
from askfirst.store.locking import claim
from askfirst.store.schema import break_glass


def add(connection: sa.Connection, code: Code) -> None:
    """Keep a new code, instead of one that the same approval made before: nobody was shown that one."""
    connection.execute(
        break_glass.delete().where(break_glass.c.request_id == code.request_id, break_glass.c.used_at_ms.is_(None))
    )
    connection.execute(break_glass.insert().values(**asdict(code)))


def find(connection: sa.Connection, code_id: str) -> Code | None:
    """The code with this name, whatever became of it; nobody else changes it before the transaction ends."""
    claim(connection, f"break-glass {code_id}")
    row = connection.execute(sa.select(break_glass).where(break_glass.c.id == code_id)).mappings().one_or_none()
    return None if row is None else Code(**row)


def put(connection: sa.Connection, code: Code) -> None:
    """Keep what became of a code."""
    connection.execute(break_glass.update().where(break_glass.c.id == code.id).values(**asdict(code)))


def listed(connection: sa.Connection) -> list[Code]:
    """All codes, newest first, those that ended too."""
    query = sa.select(break_glass).order_by(break_glass.c.created_at_ms.desc(), break_glass.c.id).limit(1000)
    return [Code(**row) for row in connection.execute(query).mappings()]


def held_by(connection: sa.Connection, person: str) -> list[Code]:
    """Codes of this person that were not taken back."""
    query = sa.select(break_glass).where(break_glass.c.person == person, break_glass.c.revoked_at_ms.is_(None))
    return [Code(**row) for row in connection.execute(query.order_by(break_glass.c.id)).mappings()]


def windows(connection: sa.Connection, session: str, now_ms: int) -> list[Code]:
    """Codes whose window is open for this session; the one that closes last comes first."""
    query = sa.select(break_glass).where(
        break_glass.c.until_ms > now_ms,
        break_glass.c.revoked_at_ms.is_(None),
        break_glass.c.session.in_(("", session)),
    )
    return [Code(**row) for row in connection.execute(query.order_by(break_glass.c.until_ms.desc())).mappings()]
