"""Requests with their versions, reviews and grants as rows: reading a case, writing what a step changed.

Every function works on the caller's connection and transaction. Where several brokers write one database, reading a
case on the writing connection locks it, so that nothing is decided on what another one changes at the same time
(``askfirst.store.locking``). A change is besides a compare-and-set on the state that the caller has read.
"""

from __future__ import annotations

import functools
import json
import logging
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from askfirst.engine import Case, next_due_ms
from askfirst.errors import ConflictError, RequestNotFoundError, UnreadableError
from askfirst.request import Grant, GrantState, Request, RequestState, Review, counted_as, dump, load
from askfirst.store.locking import claim, locked, unlocked
from askfirst.store.schema import IS_REFUSED
from askfirst.store.schema import grant as grant_table
from askfirst.store.schema import request as request_table
from askfirst.store.schema import request_version as version_table
from askfirst.store.schema import retraction as retraction_table
from askfirst.store.schema import review as review_table
from askfirst.store.statement import Statement, constant, inserted, new, updated
from askfirst.store.upsert import upsert

if TYPE_CHECKING:
    from collections.abc import Sequence


_REFUSED_MAX = 100
"""A host reports a call right after it; what the session was refused long before is not looked through."""
_log = logging.getLogger(__name__)
_WAITS = request_table.c.state == constant(RequestState.PENDING.value)
_INSERT = inserted(
    request_table,
    *("id", "idempotency_key", "version", "state", "action_digest", "session", "created_at_ms", "next_at_ms"),
    *("body", "host", "ended_at_ms", "counted_as"),
)
_is_as_read = (
    request_table.c.id == sa.bindparam("is_id"),
    request_table.c.version == sa.bindparam("is_version"),
    request_table.c.state == sa.bindparam("is_state"),
)
# SQLite writes the index of every column that is set, changed or not: what stays as it is is not set.
_MOVES = ("state", "next_at_ms", "ended_at_ms", "body")
_MOVE = updated(request_table, _MOVES, *_is_as_read)
_REPLACE = updated(request_table, (*_MOVES, "version", "action_digest", "session", "host"), *_is_as_read)
_INSERT_REVIEW = inserted(review_table)
_CHANGE_REVIEW = updated(review_table, ("body",), review_table.c.decision_id == sa.bindparam("is_id"))
_INSERT_VERSION = inserted(version_table)
_INSERT_GRANT = inserted(grant_table)
_grant_as_read = (grant_table.c.id == sa.bindparam("is_id"), grant_table.c.state == sa.bindparam("is_state"))
_GRANT_MOVES = ("state", "running", "body")
_MOVE_GRANT = updated(grant_table, _GRANT_MOVES, *_grant_as_read)
_REPLACE_GRANT = updated(
    grant_table, (*_GRANT_MOVES, "request_id", "action_digest", "expires_at_ms", "session", "pattern"), *_grant_as_read
)
_BY_ID = locked(sa.select(request_table.c.body).where(request_table.c.id == sa.bindparam("id")), request_table)
_GRANT, _REVIEW, _VERSION = "grant", "review", "version"


def _part(kind: str, table: sa.Table) -> sa.Select[Any]:
    return sa.select(constant(kind).label("kind"), table.c.body).where(table.c.request_id == sa.bindparam("id"))


_newest_grant = _part(_GRANT, grant_table).order_by(grant_table.c.expires_at_ms.desc()).limit(constant(1)).subquery()
_PARTS = Statement(sa.union_all(sa.select(_newest_grant), _part(_REVIEW, review_table), _part(_VERSION, version_table)))
_RETRACTION = Statement(
    sa.select(retraction_table.c.reason).where(retraction_table.c.decision_id == sa.bindparam("decision_id"))
)
_WAITING = Statement(sa.select(sa.func.count()).where(_WAITS))
_WAITING_FOR = Statement(
    sa.select(request_table.c.body).where(request_table.c.action_digest == sa.bindparam("act"), _WAITS).limit(1)
)
_WAITING_CALLS = Statement(
    sa.select(request_table.c.body).where(
        request_table.c.host == sa.bindparam("host"), request_table.c.session == sa.bindparam("session"), _WAITS
    )
)
_REFUSED = Statement(
    sa.select(request_table.c.body)
    .where(request_table.c.session == sa.bindparam("session"), IS_REFUSED, request_table.c.host == sa.bindparam("host"))
    .order_by(request_table.c.ended_at_ms.desc())
    .limit(constant(_REFUSED_MAX))
)
_DUE = unlocked(
    sa.select(request_table.c.id, request_table.c.body)
    .where(request_table.c.next_at_ms <= sa.bindparam("now_ms"))
    .order_by(request_table.c.next_at_ms)
    .limit(sa.bindparam("limit")),
    request_table,
)
_ISSUED = grant_table.c.state == constant(GrantState.ISSUED.value)
_NEXT_DUE = Statement(  # said that it is not null, since only then the index of timers is read and not every request
    sa.select(sa.func.min(request_table.c.next_at_ms)).where(request_table.c.next_at_ms.is_not(None))
)


def insert(connection: sa.Connection, case: Case, key: str) -> None:
    """Add a new request under its idempotency key."""
    request = case.request
    values = {"id": request.id, "idempotency_key": key, "created_at_ms": request.created_at_ms, **_row(case)}
    values["counted_as"] = counted_as(request.action, request.caller)
    _INSERT.change(connection, **values)


def not_there(request_id: str) -> RequestNotFoundError:
    """No request has this id, or none that the caller may know of."""
    return RequestNotFoundError(f"there is no request {request_id!r}; `askfirst requests list` shows all")


def read(connection: sa.Connection, request_id: str) -> Case:
    """The case with this id.

    Raises:
        RequestNotFoundError: there is none.
    """
    is_text = "\0" not in request_id  # PostgreSQL's text has no NUL
    body = _BY_ID.scalar(connection, id=request_id) if is_text else None
    if body is None:
        raise not_there(request_id)
    return case_of(connection, body)


def read_whole(connection: sa.Connection, request_id: str) -> Case | None:
    """The case with this id, None where a part of it cannot be read.

    Raises:
        RequestNotFoundError: there is none.
    """
    try:
        return read(connection, request_id)
    except UnreadableError:
        _log.exception("request %s is passed over", request_id)
        return None


def read_waiting_for(connection: sa.Connection, action_digest: str) -> Case | None:
    """The case that waits for a decision on this very action."""
    body = _WAITING_FOR.scalar(connection, act=action_digest)
    return None if body is None else case_of(connection, body)


def read_waiting_calls(
    connection: sa.Connection, machine: str, host: str, session: str, tool_use_id: str = ""
) -> tuple[str, ...]:
    """Ids of the requests of a host's session on a machine that wait, of one tool call or of all."""
    waiting = (load(Request, body) for (body,) in _WAITING_CALLS.rows(connection, host=host, session=session))
    here = (each for each in waiting if each.action.machine == machine)
    return tuple(each.id for each in here if tool_use_id in {"", each.tool_use_id})


def read_waiting_beside(connection: sa.Connection, request: Request) -> list[Case]:
    """Cases of its session, on its machine, that wait; one that cannot be read is passed over: nobody decides it.

    In the order of their ids, and the others' rows stay as they are.
    """
    agent = request.agent
    rows = _WAITING_CALLS.rows(connection, host=agent.host, session=agent.session)
    beside = [each for (body,) in rows if (each := _readable(body)) and each.action.machine == request.action.machine]
    cases = (read_whole(connection, each.id) for each in sorted(beside, key=lambda each: each.id))
    return [case for case in cases if case is not None]


def list_refused_calls(connection: sa.Connection, host: str, session: str, tool_use_id: str) -> list[Case]:
    """Cases that have ended for this tool call without an approval, newest first; far back in the session none."""
    named = json.dumps(tool_use_id, ensure_ascii=False)
    bodies = (body for (body,) in _REFUSED.rows(connection, host=host, session=session) if named in body)
    return [case_of(connection, body) for body in bodies if load(Request, body).tool_use_id == tool_use_id]


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
        .where(_ISSUED, concerns)
        .order_by(grant_table.c.pattern != "", grant_table.c.expires_at_ms)
    )
    return [read(connection, request_id) for request_id in list(ids)]


def read_passed_on(connection: sa.Connection, case: Case) -> list[Case]:
    """Cases with an open grant that was passed on from the grant of this one, which has one; all are of its session."""
    assert case.grant is not None  # the caller has looked
    ids = connection.scalars(
        sa.select(grant_table.c.request_id).where(_ISSUED, grant_table.c.session == case.request.agent.session)
    )
    return [read(connection, each) for each in ids.all() if each in case.grant.passed_on]


def list_granted(connection: sa.Connection, limit: int) -> list[Case]:
    """Cases with an open grant, those that lapse first before the others.

    At most so many, and fewer only where there are no more: what cannot be read is passed over, and opens nothing.
    """
    query = sa.select(grant_table.c.request_id).where(_ISSUED).order_by(grant_table.c.expires_at_ms, grant_table.c.id)
    cases: list[Case] = []
    seen = 0
    while (left := limit - len(cases)) > 0:
        ids = connection.scalars(query.limit(left).offset(seen)).all()
        cases += [case for each in ids if (case := read_whole(connection, each)) is not None]
        if len(ids) < left:
            break
        seen += left
    return cases


def list_running(connection: sa.Connection, session: str) -> list[Case]:
    """Cases of this session that were released and have a use without an outcome, newest first."""
    ids = connection.scalars(
        sa.select(grant_table.c.request_id)
        .where(grant_table.c.session == session, grant_table.c.running > 0)
        .order_by(grant_table.c.id.desc())
    )
    return [read(connection, request_id) for request_id in list(ids)]


def read_reviewed(connection: sa.Connection, decision_id: str) -> Case | None:
    """The case that this review is about, whatever became of it; the writer keeps others from adding it meanwhile."""
    claim(connection, f"decision {decision_id}")
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
    """Why this review was taken back before it arrived, ``""`` when it was not; nobody changes that meanwhile."""
    claim(connection, f"decision {decision_id}")
    reason: str | None = _RETRACTION.scalar(connection, decision_id=decision_id)
    return reason or ""


def remember_retraction(connection: sa.Connection, decision_id: str, reason: str, now_ms: int) -> None:
    """This review is to count for nothing when it arrives."""
    values = {"decision_id": decision_id, "at_ms": now_ms, "reason": reason or "it was changed"}
    connection.execute(upsert(connection, retraction_table).values(**values).on_conflict_do_nothing())


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
        limit: at most so many, and fewer only at the end: what cannot be read is passed over.
        before: id of a request; only those that come after it in this order. Ids sort by time, and no two are the same,
            so a page ends between two requests of one millisecond as safely as anywhere.
        oldest_first: turn the order round.
    """
    id_ = request_table.c.id
    query = sa.select(id_, request_table.c.body).order_by(id_ if oldest_first else id_.desc())
    if states:
        query = query.where(request_table.c.state.in_([state.value for state in states]))
    found: list[Request] = []
    while (left := limit - len(found)) > 0:
        further = query.where(id_ > before if oldest_first else id_ < before) if before else query
        rows = connection.execute(further.limit(left)).all()
        found += [each for _, body in rows if (each := _readable(body)) is not None]
        if len(rows) < left:
            break
        before = rows[-1].id
    return found


def _readable(body: str) -> Request | None:
    """The request of a row, None where this release cannot read it: a list shows all others."""
    try:
        return load(Request, body)
    except UnreadableError:
        _log.exception("a request is left out of the list")
        return None


def count_waiting(connection: sa.Connection) -> int:
    """How many requests wait for a person, on all hosts."""
    return _WAITING.scalar(connection) or 0


def take_due(connection: sa.Connection, now_ms: int, limit: int) -> list[Case]:
    """Cases whose timer has run out, the longest overdue first; without those that another broker has at hand.

    A row that cannot be read is passed over: it stays as it is, which lets nothing run, and holds up no other timer.
    """
    cases = []
    for request_id, body in _DUE.rows(connection, now_ms=now_ms, limit=limit):
        try:
            cases.append(case_of(connection, body))
        except UnreadableError:
            _log.exception("the timer of request %s cannot be kept", request_id)
    return cases


def next_due(connection: sa.Connection) -> int | None:
    """When the next timer runs out, milliseconds since the epoch; None when none is set."""
    result: int | None = _NEXT_DUE.scalar(connection)
    return result


def save(connection: sa.Connection, before: Case, after: Case) -> None:
    """Write what changed.

    Raises:
        ConflictError: the row is no longer as ``before`` says.
    """
    for each in after.reviews[len(before.reviews) :]:
        _insert_review(connection, each)
    for was, now in zip(before.reviews, after.reviews, strict=False):
        if now != was:  # taken back
            _CHANGE_REVIEW.change(connection, is_id=now.decision_id, new_body=dump(now))
    for earlier in after.earlier[len(before.earlier) :]:
        _insert_version(connection, earlier)
    if after.grant is not None and after.grant != before.grant:
        _save_grant(connection, before.grant, after)
    if after.request == before.request and next_due_ms(after) == next_due_ms(before):
        return
    request = before.request
    known = {"is_id": request.id, "is_version": request.version, "is_state": request.state.value}
    statement, values = _MOVE, _moves(after)
    if _version(after.request) != _version(request):
        statement, values = _REPLACE, _row(after)
    conflict = functools.partial(ConflictError, f"request {request.id} changed meanwhile", state="")
    statement.require(connection, conflict, **known, **new(values))


def case_of(connection: sa.Connection, body: str) -> Case:
    """The case of a request's row."""
    request = load(Request, body)
    found: dict[str, list[str]] = {_GRANT: [], _REVIEW: [], _VERSION: []}
    for kind, part in _PARTS.rows(connection, id=request.id):
        found[kind].append(part)
    reviews = [load(Review, each) for each in found[_REVIEW]]
    earlier = [load(Request, each) for each in found[_VERSION]]
    return Case(
        request=request,
        reviews=tuple(sorted(reviews, key=lambda each: (each.at_ms, each.decision_id))),
        grant=load(Grant, found[_GRANT][0]) if found[_GRANT] else None,
        earlier=tuple(sorted(earlier, key=lambda each: each.version)),
    )


def _version(request: Request) -> tuple[int, str, str, str]:
    return request.version, request.action_digest, request.agent.session, request.agent.host


def _row(case: Case) -> dict[str, object]:
    request = case.request
    return {
        "version": request.version,
        "action_digest": request.action_digest,
        "session": request.agent.session,
        "host": request.agent.host,
        **_moves(case),
    }


def _moves(case: Case) -> dict[str, object]:
    request = case.request
    return {
        "state": request.state.value,
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
    _INSERT_REVIEW.change(connection, **values)


def _insert_version(connection: sa.Connection, earlier: Request) -> None:
    _INSERT_VERSION.change(
        connection,
        request_id=earlier.id,
        version=earlier.version,
        action_digest=earlier.action_digest,
        body=dump(earlier),
    )


def _save_grant(connection: sa.Connection, before: Grant | None, case: Case) -> None:
    after = case.grant
    assert after is not None  # the caller has looked
    moves = {
        "state": after.state.value,
        "running": sum(not use.outcome for use in after.uses),
        "body": dump(after),
    }
    row = {
        **moves,
        "request_id": after.request_id,
        "action_digest": after.action_digest,
        "expires_at_ms": after.expires_at_ms,
        "session": case.request.agent.session,
        "pattern": after.pattern,
    }
    if before is None or before.id != after.id:
        _INSERT_GRANT.change(connection, id=after.id, **row)
        return
    known = {"is_id": before.id, "is_state": before.state.value}
    statement, values = (_MOVE_GRANT, moves) if _opens(after) == _opens(before) else (_REPLACE_GRANT, row)
    conflict = functools.partial(ConflictError, f"grant {before.id} changed meanwhile", state=before.state.value)
    statement.require(connection, conflict, **known, **new(values))


def _opens(grant: Grant) -> tuple[str, str, int, str]:
    return grant.request_id, grant.action_digest, grant.expires_at_ms, grant.pattern
