"""Browser sessions, in the store so that they survive a restart of the broker.

The cookie holds 256 random bits; the store holds their SHA-256, so that a copy of the database logs nobody in.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from askfirst.canonical import sha256_hex
from askfirst.store.reading import read
from askfirst.store.schema import web_session

if TYPE_CHECKING:
    from askfirst.clock import Clock
    from askfirst.store.writer import Writer

SESSION_LIFE_S = 30 * 24 * 3600
"""How long a browser stays logged in, seconds."""

_TOKEN_MAX_CHARS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that is logged in.

    Attributes:
        id_sha256: SHA-256 (hex) of the cookie's value.
        person: who it acts for.
        csrf: the value that every form of this session carries.
        expires_at_ms: when it ends.
    """

    id_sha256: str
    person: str
    csrf: str
    expires_at_ms: int


class Sessions:
    """The sessions of one store.

    Args:
        writer: all writes go through it.
        reader: a read-only engine of the same store.
        clock: decides what has expired.
    """

    def __init__(self, *, writer: Writer, reader: sa.Engine, clock: Clock) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock

    async def open(self, person: str) -> str:
        """Begin a session; returns the cookie's value, which is kept nowhere."""
        token = secrets.token_urlsafe(32)
        now_ms = self._clock.now_ms()
        row = {
            "id_sha256": sha256_hex(token.encode("ascii")),
            "person": person,
            "csrf": secrets.token_urlsafe(32),
            "expires_at_ms": now_ms + SESSION_LIFE_S * 1000,
        }

        def work(connection: sa.Connection) -> None:
            connection.execute(web_session.delete().where(web_session.c.expires_at_ms <= now_ms))
            connection.execute(web_session.insert().values(row))

        await self._writer.write(work)
        return token

    async def find(self, token: str) -> Session | None:
        """The session of this cookie; None when there is none, or it has ended."""
        if not token or len(token) > _TOKEN_MAX_CHARS:
            return None
        id_sha256 = sha256_hex(token.encode("utf-8", "surrogateescape"))
        query = sa.select(web_session).where(
            web_session.c.id_sha256 == id_sha256, web_session.c.expires_at_ms > self._clock.now_ms()
        )

        row = await read(self._reader, lambda connection: connection.execute(query).mappings().one_or_none())
        return None if row is None else Session(**row)

    async def close(self, session: Session) -> None:
        """End a session; its cookie is worth nothing from now on."""

        def work(connection: sa.Connection) -> None:
            connection.execute(web_session.delete().where(web_session.c.id_sha256 == session.id_sha256))

        await self._writer.write(work)
