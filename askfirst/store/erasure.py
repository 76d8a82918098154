"""Takes out of a request's row what may be personal or secret; what was decided, by whom and when, stays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.errors import ConflictError
from askfirst.request import Claim, GrantState, RequestState, dump
from askfirst.store import records
from askfirst.store.inbox import Standing
from askfirst.store.schema import inbox
from askfirst.store.schema import request as request_table

if TYPE_CHECKING:
    import sqlalchemy as sa

ERASED = "[erased]"


def scrub_request(connection: sa.Connection, request_id: str) -> None:
    """Empty the input, the expansion, the claim and the findings' texts of a request that has ended.

    The action digest stays as the decision was bound to it, though what it was made from is gone.

    Raises:
        RequestNotFoundError: there is none.
        ConflictError: it is still open, or its permission still unused.
    """
    case = records.read(connection, request_id)
    request, grant = case.request, case.grant
    if request.state is RequestState.PENDING or (grant is not None and grant.state is GrantState.ISSUED):
        raise ConflictError(f"request {request.code} is still open; erase it once it has ended", state=request.state)
    arguments = {"command": ERASED} if request.action.command else {}
    scrubbed = replace(
        request,
        action=replace(request.action, arguments=arguments, files={}),
        effects=tuple(
            replace(effect, target="", command="", suggestion="", facts=(), span=(0, 0)) for effect in request.effects
        ),
        expanded="",
        claim=Claim(),
        question=ERASED if request.question else "",
    )
    connection.execute(inbox.update().where(inbox.c.handled == Standing.SET_APART).values(raw=b""))  # unread, so any
    connection.execute(request_table.update().where(request_table.c.id == request_id).values(body=dump(scrubbed)))
