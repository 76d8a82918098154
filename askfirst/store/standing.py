"""What stands in the store that bears on a draft, in one query: it is asked for every command that is gated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from askfirst.engine.scopes import reaches
from askfirst.request import GrantState, Request, RequestState, load
from askfirst.store.locking import claim
from askfirst.store.records import case_of
from askfirst.store.schema import IS_REFUSED
from askfirst.store.schema import grant as grant_table
from askfirst.store.schema import request as table
from askfirst.store.schema import request_version as version_table
from askfirst.store.statement import Statement, constant

if TYPE_CHECKING:
    from askfirst.bounds import Bounds
    from askfirst.engine import Case
    from askfirst.host import Agent

DENIALS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What bears on a draft.

    Attributes:
        known: the case that was created under the same key.
        granted: the cases of approvals of the very same action that have uses left for this caller.
        waiting: the case that waits for a decision on it.
        denials: what was denied to this session of late, newest first; where the agent has none, of the very same
            action only: what others without one were denied is nothing to it.
        is_session_full: whether as many requests of this session wait as may.
    """

    known: Case | None
    granted: tuple[Case, ...]
    waiting: Case | None
    denials: tuple[Request, ...]
    is_session_full: bool


def standing(
    connection: sa.Connection,
    *,
    key: str,
    action_digest: str,
    agent: Agent,
    caller: str,
    now_ms: int,
    denied_since_ms: int,
    bounds: Bounds,
) -> Standing:
    """What stands at this moment; no other broker asks for the same until this transaction ends.

    Args:
        connection: the writer's.
        key: the draft's.
        action_digest: of what it would run.
        agent: who asks.
        caller: who asks, as ``Request.caller`` names them.
        now_ms: by the clock that grants lapse by.
        denied_since_ms: which denials matter.
        bounds: how many may wait.

    Raises:
        BusyError: another broker is receiving the same.
    """
    claim(connection, key, f"action {action_digest}")
    found: dict[str, list[str]] = {}
    for kind, body in _STANDING.rows(
        connection,
        key=key,
        act=action_digest,
        session=agent.session,
        host=agent.host,
        now_ms=now_ms,
        since_ms=denied_since_ms,
        others_in_session=max(0, bounds.pending_per_session - 1),
    ):
        found.setdefault(kind, []).append(body)
    [known, waiting] = [case_of(connection, found[kind][0]) if kind in found else None for kind in (_KNOWN, _WAITING)]
    approved = (case_of(connection, body) for body in found.get(_GRANTED, ()))
    return Standing(
        known=known,
        granted=tuple(each for each in approved if reaches(each, caller)),
        waiting=waiting,
        denials=tuple(load(Request, body) for body in found.get(_DENIED, ())),
        is_session_full=_SESSION_FULL in found,
    )


def edited_from(connection: sa.Connection, *, action_digest: str, caller: str, now_ms: int) -> tuple[Case, ...]:
    """The cases of approvals with uses left for this caller of what a person has edited this action into."""
    found = _EDITED.rows(connection, act=action_digest, now_ms=now_ms)
    cases = (case_of(connection, body) for (body,) in found)
    return tuple(each for each in cases if each.request.is_edited and reaches(each, caller))


def denials(connection: sa.Connection, *, action_digest: str, agent: Agent, since_ms: int) -> tuple[Request, ...]:
    """``Standing.denials`` alone."""
    found = _DENIALS.rows(connection, act=action_digest, session=agent.session, host=agent.host, since_ms=since_ms)
    return tuple(load(Request, body) for (body,) in found)


def stops(connection: sa.Connection, agent: Agent, since_ms: int) -> tuple[Request, ...]:
    """The denials that may have told this session to stop, newest first, however much else was denied to it since."""
    found = _STOPS.rows(connection, session=agent.session, host=agent.host, since_ms=since_ms)
    return tuple(load(Request, body) for (body,) in found)


def is_denied_since(connection: sa.Connection, action_digest: str, since_ms: int) -> bool:
    """Whether people have denied this very action from then on, however much else was denied."""
    return _DENIED_SINCE.scalar(connection, act=action_digest, since_ms=since_ms) is not None


_KNOWN, _GRANTED, _WAITING, _DENIED = "known", "granted", "waiting", "denied"
_SESSION_FULL = "session full"


def _arm(kind: str, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(constant(kind).label("kind"), table.c.body).where(*where)


def _is_full(kind: str, others: str, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """A row if there is one more than the others; no column is read, so that the index alone is."""
    row = sa.select(constant(kind).label("kind"), constant("").label("body")).select_from(table).where(*where)
    return row.limit(constant(1)).offset(sa.bindparam(others, type_=sa.BigInteger))


def _apart(query: sa.Select[Any]) -> sa.Select[Any]:
    """A query with a limit, as a part of another."""
    return sa.select(query.subquery())


# Constants stand in the text: SQLite needs six times as long where they are values.
_is_host = table.c.host == sa.bindparam("host")
_is_session = (table.c.session == sa.bindparam("session")) & _is_host
_waits = table.c.state == constant(RequestState.PENDING.value)
# Said so that no index serves it: a plan that PostgreSQL makes while few wait would read all that wait, for good.
_waits_too = table.c.state + constant("") == constant(RequestState.PENDING.value)
_is_nobodys_session = table.c.session == constant("")
_denied = sa.and_(
    table.c.state == constant(RequestState.DENIED.value),
    IS_REFUSED,
    table.c.ended_at_ms >= sa.bindparam("since_ms"),
    sa.not_(_is_nobodys_session) | (table.c.action_digest == sa.bindparam("act")),
)
_is_usable = (grant_table.c.state == constant(GrantState.ISSUED.value)) & (
    grant_table.c.expires_at_ms > sa.bindparam("now_ms")
)
_is_open = (grant_table.c.action_digest == sa.bindparam("act")) & _is_usable
_newest = table.c.ended_at_ms.desc()
_DENIALS = Statement(sa.select(table.c.body).where(_is_session, _denied).order_by(_newest).limit(constant(DENIALS_MAX)))
_STOPS = Statement(
    sa.select(table.c.body)
    .where(
        _is_session,
        table.c.state == constant(RequestState.DENIED.value),
        IS_REFUSED,
        table.c.ended_at_ms >= sa.bindparam("since_ms"),
        table.c.body.like(constant('%"stop":true%')),  # as `End` is dumped; arguments may say it, too
    )
    .order_by(_newest)
    .limit(constant(DENIALS_MAX))
)
_EDITED = Statement(
    sa.select(table.c.body).where(
        version_table.c.action_digest == sa.bindparam("act"),
        table.c.id == version_table.c.request_id,
        table.c.action_digest != sa.bindparam("act"),
        grant_table.c.request_id == table.c.id,
        _is_usable,
    )
)
_DENIED_SINCE = Statement(
    sa.select(constant(1))
    .where(
        table.c.action_digest == sa.bindparam("act"),
        table.c.state == constant(RequestState.DENIED.value),
        table.c.ended_at_ms >= sa.bindparam("since_ms"),
    )
    .limit(constant(1))
)
_STANDING = Statement(
    sa.union_all(
        _arm(_KNOWN, table.c.idempotency_key == sa.bindparam("key")),
        _arm(_GRANTED, table.c.action_digest == sa.bindparam("act"), grant_table.c.request_id == table.c.id, _is_open),
        _arm(_WAITING, table.c.action_digest == sa.bindparam("act"), _waits_too),
        _apart(_arm(_DENIED, _is_session, _denied).order_by(_newest).limit(constant(DENIALS_MAX))),
        _apart(_is_full(_SESSION_FULL, "others_in_session", _is_session, _waits)),
    )
)
