"""API tokens in the store: their SHA-256 only, so that a copy of the database opens nothing."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from askfirst.access import AccessScope, Token
from askfirst.store.locking import claim
from askfirst.store.schema import api_token


def add(connection: sa.Connection, token: Token, secret_sha256: str) -> None:
    """Keep a new token."""
    connection.execute(
        api_token.insert().values(
            id=token.id,
            secret_sha256=secret_sha256,
            name=token.name,
            scopes=" ".join(sorted(token.scopes)),
            person=token.person,
            assurance=token.assurance,
            created_at_ms=token.created_at_ms,
            expires_at_ms=token.expires_at_ms,
            issued_by=token.issued_by,
            request_id=token.request_id,
        )
    )


def is_issued(connection: sa.Connection, request_id: str) -> bool:
    """Whether the approval by this request has become a token; nobody makes one of it meanwhile."""
    claim(connection, f"token of {request_id}")
    return connection.scalar(sa.select(api_token.c.id).where(api_token.c.request_id == request_id)) is not None


def find(connection: sa.Connection, secret_sha256: str, now_ms: int) -> Token | None:
    """The token with this secret, while it holds."""
    query = sa.select(api_token).where(
        api_token.c.secret_sha256 == secret_sha256,
        api_token.c.revoked_at_ms.is_(None),
        api_token.c.expires_at_ms > now_ms,
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _token(row)


def listed(connection: sa.Connection) -> list[Token]:
    """All tokens, newest first, those that ended too."""
    query = sa.select(api_token).order_by(api_token.c.created_at_ms.desc(), api_token.c.id.desc()).limit(1000)
    return [_token(row) for row in connection.execute(query).mappings()]


def revoke(connection: sa.Connection, token_id: str, now_ms: int) -> Token | None:
    """Take a token back, and return it as it is then; None where none with this id held."""
    if "\0" in token_id:  # PostgreSQL's text has no NUL
        return None
    mine = api_token.c.id == token_id
    change = api_token.update().where(mine, api_token.c.revoked_at_ms.is_(None)).values(revoked_at_ms=now_ms)
    if connection.execute(change).rowcount != 1:
        return None
    return _token(connection.execute(sa.select(api_token).where(mine)).mappings().one())


def held_by(connection: sa.Connection, person: str) -> list[Token]:
    """Tokens that decide in the name of this person, and were not taken back."""
    query = sa.select(api_token).where(api_token.c.person == person, api_token.c.revoked_at_ms.is_(None))
    return [_token(row) for row in connection.execute(query.order_by(api_token.c.id)).mappings()]


def _token(row: sa.RowMapping) -> Token:
    members: dict[str, Any] = {name: value for name, value in row.items() if name not in {"scopes", "secret_sha256"}}
    return Token(**members, scopes=frozenset(AccessScope(each) for each in row["scopes"].split()))
