"""Takes out of a request's row what may be personal or secret; what was decided, by whom and when, stays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from askfirst.effects import Effect
from askfirst.errors import ConflictError
from askfirst.evidence.values import Evidence
from askfirst.request import Claim, Grant, RequestState, dump, load
from askfirst.store import records
from askfirst.store.inbox import Standing
from askfirst.store.schema import grant as grant_table
from askfirst.store.schema import inbox
from askfirst.store.schema import request as request_table
from askfirst.store.schema import request_version as version_table

if TYPE_CHECKING:
    from askfirst.request import Action, Request

ERASED = "[erased]"


def scrub_request(connection: sa.Connection, request_id: str) -> None:
    """Empty a request that has ended, its earlier versions, and what ran by its permission.

    Input, expansion, claim, question and options go, with all that was found out, said or promised of them; of the
    findings the rules and their risks stay. The action digests stay as the decisions were bound to them, though what
    they were made from is gone.

    Raises:
        RequestNotFoundError: there is none.
        ConflictError: it is still open, or its permission still unused.
    """
    case = records.read(connection, request_id)
    request = case.request
    if request.state is RequestState.PENDING or case.open_grant is not None:
        raise ConflictError(f"request {request.code} is still open; erase it once it has ended", state=request.state)
    connection.execute(inbox.update().where(inbox.c.handled == Standing.SET_APART).values(raw=b""))  # unread, so any
    of_request = request_table.c.id == request_id
    connection.execute(request_table.update().where(of_request).values(body=dump(_scrubbed(request))))
    for earlier in case.earlier:
        of_version = (version_table.c.request_id == request_id) & (version_table.c.version == earlier.version)
        connection.execute(version_table.update().where(of_version).values(body=dump(_scrubbed(earlier))))
    bodies = sa.select(grant_table.c.id, grant_table.c.body).where(grant_table.c.request_id == request_id)
    for grant_id, body in connection.execute(bodies).all():
        emptied = dump(_without_uses(load(Grant, body)))
        connection.execute(grant_table.update().where(grant_table.c.id == grant_id).values(body=emptied))


def _scrubbed(request: Request) -> Request:
    return replace(
        request,
        action=_emptied(request.action),
        effects=tuple(map(_graded, request.effects)),
        expanded="",
        terms=replace(request.terms, reason=""),
        claim=Claim(),
        question=ERASED if request.question else "",
        options=(),
        answer_schema="",
        evidence=Evidence(),
        opinion=None,
        notes=(),
        promise=replace(request.promise, words=""),
    )


def _graded(effect: Effect) -> Effect:
    """What kind of thing was found, without what it would have hit."""
    return Effect(
        rule=effect.rule, kind=effect.kind, risk=effect.risk, reversible=effect.reversible, target="", loss=""
    )


def _emptied(action: Action) -> Action:
    return replace(action, arguments={"command": ERASED} if action.command else {}, files={})


def _without_uses(grant: Grant) -> Grant:
    """The permission without what ran by it and what was said of that; what was kept for an undo can still be found."""
    uses = tuple(
        replace(
            use,
            action=_emptied(use.action) if use.action else None,
            rescue=replace(use.rescue, words=""),
        )
        for use in grant.uses
    )
    undoings = tuple(replace(each, words="") for each in grant.undoings)
    return replace(grant, uses=uses, undoings=undoings)
