"""Requests with their versions, reviews and grants as rows: reading a case, writing what a step changed.

Every function works on the caller's connection and transaction. Where several brokers write one database, reading a
case on the writing connection locks it, so that nothing is decided on what another one changes at the same time
(``askfirst.store.locking``). A change is besides a compare-and-set on the state that the caller has read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from askfirst.engine import Case, next_due_ms
from askfirst.errors import ConflictError, RequestNotFoundError
from askfirst.request import Grant, GrantState, Request, RequestState, Review, dump, load
from askfirst.store.locking import claim_key, locked
from askfirst.store.schema import grant as grant_table
from askfirst.store.schema import request as request_table
from askfirst.store.schema import request_version as version_table
from askfirst.store.schema import retraction as retraction_table
from askfirst.store.schema import review as review_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.host import Agent


# Built once: making a statement costs three times as much as running it.
_INSERT = request_table.insert()
_INSERT_REVIEW = review_table.insert()
_CHANGE_REVIEW = (
    review_table.update().where(review_table.c.decision_id == sa.bindparam("id")).values(body=sa.bindparam("body"))
)
_INSERT_GRANT = grant_table.insert()
_BY_ID = locked(sa.select(request_table.c.body).where(request_table.c.id == sa.bindparam("id")), request_table)
_BY_KEY = sa.select(request_table.c.body).where(request_table.c.idempotency_key == sa.bindparam("key"))
_REVIEWS = (
    sa.select(review_table.c.body)
    .where(review_table.c.request_id == sa.bindparam("id"))
    .order_by(review_table.c.at_ms, review_table.c.decision_id)
)
_GRANT = (
    sa.select(grant_table.c.body)
    .where(grant_table.c.request_id == sa.bindparam("id"))
    .order_by(grant_table.c.expires_at_ms.desc())
    .limit(1)
)


def insert(connection: sa.Connection, case: Case, key: str) -> None:
    """Add a new request under its idempotency key."""
    request = case.request
    values = {"id": request.id, "idempotency_key": key, "created_at_ms": request.created_at_ms, **_row(case)}
    connection.execute(_INSERT, values)


def read(connection: sa.Connection, request_id: str) -> Case:
    """The case with this id.

    Raises:
        RequestNotFoundError: there is none.
    """
    is_text = "\0" not in request_id  # PostgreSQL's text has no NUL
    body = connection.scalar(_BY_ID.on(connection), {"id": request_id}) if is_text else None
    if body is None:
        raise RequestNotFoundError(f"there is no request {request_id!r}; `askfirst requests list` shows all")
    return _case(connection, load(Request, body))


def read_by_key(connection: sa.Connection, key: str) -> Case | None:
    """The case that was created under this idempotency key."""
    claim_key(connection, key)
    body = connection.scalar(_BY_KEY, {"key": key})
    return None if body is None else _case(connection, load(Request, body))


def read_pending(connection: sa.Connection, action_digest: str) -> Case | None:
    """The case that waits for a decision on this very action."""
    claim_key(connection, f"action {action_digest}")
    body = connection.scalar(
        sa.select(request_table.c.body)
        .where(request_table.c.action_digest == action_digest, request_table.c.state == RequestState.PENDING.value)
        .limit(1)
    )
    return None if body is None else _case(connection, load(Request, body))


def read_denials(connection: sa.Connection, agent: Agent, since_ms: int, limit: int = 50) -> list[Request]:
    """What was denied to this session since then, newest first."""
    bodies = connection.scalars(
        sa.select(request_table.c.body)
        .where(
            request_table.c.session == agent.session,
            request_table.c.host == agent.host,
            request_table.c.ended_at_ms >= since_ms,
            request_table.c.state == RequestState.DENIED.value,
        )
        .order_by(request_table.c.ended_at_ms.desc())
        .limit(limit)
    )
    return [load(Request, body) for body in bodies]


def count_pending(connection: sa.Connection, host: str, session: str | None, limit: int) -> int:
    """How many requests of a host, or of one of its sessions, wait; counts no further than ``limit``."""
    waiting = sa.select(request_table.c.id).where(
        request_table.c.state == RequestState.PENDING.value, request_table.c.host == host
    )
    if session is not None:
        waiting = waiting.where(request_table.c.session == session)
    return connection.scalar(sa.select(sa.func.count()).select_from(waiting.limit(limit).subquery())) or 0


def read_granted(connection: sa.Connection, action_digest: str, session: str = "") -> list[Case]:
    """Cases with an open grant that may concern this action, those that lapse first before the others.

    That is: a grant for the action itself, one for a version that the action was edited into, and, with ``session``,
    every grant for a pattern in it.
    """
    edited = sa.select(version_table.c.request_id).where(version_table.c.action_digest == action_digest)
    concerns = (grant_table.c.action_digest == action_digest) | grant_table.c.request_id.in_(edited)
    if session:
        concerns |= (grant_table.c.session == session) & (grant_table.c.pattern != "")
    ids = connection.scalars(
        sa.select(grant_table.c.request_id)
        .where(grant_table.c.state == GrantState.ISSUED.value, concerns)
        .order_by(grant_table.c.pattern != "", grant_table.c.expires_at_ms)
    )
    return [read(connection, request_id) for request_id in list(ids)]


def list_granted(connection: sa.Connection, limit: int) -> list[Case]:
    """Cases with an open grant, those that lapse first before the others."""
    ids = connection.scalars(
        sa.select(grant_table.c.request_id)
        .where(grant_table.c.state == GrantState.ISSUED.value)
        .order_by(grant_table.c.expires_at_ms)
        .limit(limit)
    )
    return [read(connection, request_id) for request_id in list(ids)]


def read_released(connection: sa.Connection, session: str, tool_use_id: str) -> Case | None:
    """The newest case of this session whose grant was redeemed by this tool call and has no outcome yet."""
    ids = connection.scalars(
        sa.select(grant_table.c.request_id)
        .where(grant_table.c.session == session, grant_table.c.running > 0)
        .order_by(grant_table.c.id.desc())
    )
    for request_id in list(ids):
        case = read(connection, request_id)
        uses = case.grant.uses if case.grant is not None else ()
        if any(use.tool_use_id == tool_use_id and not use.outcome for use in uses):
            return case
    return None


def read_reviewed(connection: sa.Connection, decision_id: str) -> Case | None:
    """The case that this review is about, whatever became of it."""
    request_id = connection.scalar(
        sa.select(review_table.c.request_id).where(review_table.c.decision_id == decision_id)
    )
    return None if request_id is None else read(connection, request_id)


def read_coded(connection: sa.Connection, id_end: str, digest_start: str, limit: int = 2) -> list[Case]:
    """Cases of which any version goes by this code: the end of the id, the beginning of the digest."""

    def begins(column: sa.Column[str]) -> sa.ColumnElement[bool]:
        return (column >= digest_start) & (column < f"{digest_start}g")  # hexadecimal: nothing sorts between

    versions = sa.select(version_table.c.request_id).where(begins(version_table.c.action_digest))
    found = connection.scalars(
        sa.select(request_table.c.id)
        .where(begins(request_table.c.action_digest) | request_table.c.id.in_(versions))
        .where(sa.func.substr(request_table.c.id, sa.func.length(request_table.c.id) - len(id_end) + 1) == id_end)
        .limit(limit)
    )
    return [read(connection, request_id) for request_id in list(found)]


def retraction_of(connection: sa.Connection, decision_id: str) -> str:
    """Why this review was taken back before it arrived, ``""`` when it was not."""
    return (
        connection.scalar(sa.select(retraction_table.c.reason).where(retraction_table.c.decision_id == decision_id))
        or ""
    )


def remember_retraction(connection: sa.Connection, decision_id: str, reason: str, now_ms: int) -> None:
    """This review is to count for nothing when it arrives."""
    if not retraction_of(connection, decision_id):
        connection.execute(
            retraction_table.insert().values(decision_id=decision_id, at_ms=now_ms, reason=reason or "it was changed")
        )


def list_requests(
    connection: sa.Connection,
    *,
    states: Sequence[RequestState] = (),
    limit: int = 100,
    before: str = "",
    oldest_first: bool = False,
) -> list[Request]:
    """Requests, newest first unless told otherwise; only those in ``states`` when any are given.

    Args:
        connection: as everywhere here.
        states: none means all.
        limit: at most so many.
        before: id of a request; only those that come after it in this order. Ids sort by time, and no two are the same,
            so a page ends between two requests of one millisecond as safely as anywhere.
        oldest_first: turn the order round.
    """
    id_ = request_table.c.id
    query = sa.select(request_table.c.body).order_by(id_ if oldest_first else id_.desc())
    if states:
        query = query.where(request_table.c.state.in_([state.value for state in states]))
    if before:
        query = query.where(id_ > before if oldest_first else id_ < before)
    return [load(Request, body) for body in connection.scalars(query.limit(limit))]


def count_waiting(connection: sa.Connection) -> int:
    """How many requests wait for a person, on all hosts."""
    query = sa.select(sa.func.count()).where(request_table.c.state == RequestState.PENDING.value)
    return connection.scalar(query) or 0


def due(connection: sa.Connection, now_ms: int, limit: int) -> list[str]:
    """Ids of cases whose timer has run out, the longest overdue first."""
    query = (
        sa.select(request_table.c.id)
        .where(request_table.c.next_at_ms <= now_ms)
        .order_by(request_table.c.next_at_ms)
        .limit(limit)
    )
    return list(connection.scalars(query))


def next_due(connection: sa.Connection) -> int | None:
    """When the next timer runs out, milliseconds since the epoch; None when none is set."""
    result: int | None = connection.scalar(sa.select(sa.func.min(request_table.c.next_at_ms)))
    return result


def save(connection: sa.Connection, before: Case, after: Case) -> None:
    """Write what changed.

    Raises:
        ConflictError: the row is no longer as ``before`` says.
    """
    for each in after.reviews[len(before.reviews) :]:
        _insert_review(connection, each)
    for old, new in zip(before.reviews, after.reviews, strict=False):
        if new != old:  # taken back
            connection.execute(_CHANGE_REVIEW, {"id": new.decision_id, "body": dump(new)})
    for earlier in after.earlier[len(before.earlier) :]:
        _insert_version(connection, earlier)
    if after.grant is not None and after.grant != before.grant:
        _save_grant(connection, before.grant, after)
    if after.request == before.request and next_due_ms(after) == next_due_ms(before):
        return
    changed = connection.execute(
        request_table.update()
        .where(
            request_table.c.id == before.request.id,
            request_table.c.version == before.request.version,
            request_table.c.state == before.request.state.value,
        )
        .values(**_row(after))
    )
    if changed.rowcount != 1:
        raise ConflictError(f"request {before.request.id} changed meanwhile", state="")


def _case(connection: sa.Connection, request: Request) -> Case:
    reviews = connection.scalars(_REVIEWS, {"id": request.id})
    body = connection.scalar(_GRANT, {"id": request.id})
    return Case(
        request=request,
        reviews=tuple(load(Review, each) for each in reviews),
        grant=None if body is None else load(Grant, body),
        earlier=_earlier(connection, request) if request.version > 1 else (),
    )


def _earlier(connection: sa.Connection, request: Request) -> tuple[Request, ...]:
    bodies = connection.scalars(
        sa.select(version_table.c.body)
        .where(version_table.c.request_id == request.id)
        .order_by(version_table.c.version)
    )
    return tuple(load(Request, body) for body in bodies)


def _row(case: Case) -> dict[str, object]:
    request = case.request
    return {
        "version": request.version,
        "state": request.state.value,
        "action_digest": request.action_digest,
        "session": request.agent.session,
        "host": request.agent.host,
        "next_at_ms": next_due_ms(case),
        "ended_at_ms": request.end.at_ms if request.end is not None else None,
        "body": dump(request),
    }


def _insert_review(connection: sa.Connection, review: Review) -> None:
    values = {
        "decision_id": review.decision_id,
        "request_id": review.request_id,
        "person": review.person,
        "at_ms": review.at_ms,
        "body": dump(review),
    }
    connection.execute(_INSERT_REVIEW, values)


def _insert_version(connection: sa.Connection, earlier: Request) -> None:
    connection.execute(
        version_table.insert().values(
            request_id=earlier.id,
            version=earlier.version,
            action_digest=earlier.action_digest,
            body=dump(earlier),
        )
    )


def _save_grant(connection: sa.Connection, before: Grant | None, case: Case) -> None:
    after = case.grant
    assert after is not None  # the caller has looked
    values = {
        "request_id": after.request_id,
        "action_digest": after.action_digest,
        "state": after.state.value,
        "expires_at_ms": after.expires_at_ms,
        "session": case.request.agent.session,
        "pattern": after.pattern,
        "running": sum(not use.outcome for use in after.uses),
        "body": dump(after),
    }
    if before is None or before.id != after.id:
        connection.execute(_INSERT_GRANT, {"id": after.id, **values})
        return
    changed = connection.execute(
        grant_table.update()
        .where(grant_table.c.id == before.id, grant_table.c.state == before.state.value)
        .values(**values)
    )
    if changed.rowcount != 1:
        raise ConflictError(f"grant {before.id} changed meanwhile", state=before.state.value)
