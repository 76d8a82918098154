"""``/v1/people``: who may decide; every addition is approved by a person before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from askfirst.access import AccessScope
from askfirst.broker.access import require_owner
from askfirst.broker.json_route import JsonRoute
from askfirst.broker.wire import NO_NUL, Wire
from askfirst.people import Person

if TYPE_CHECKING:
    from askfirst.broker.access import Access
    from askfirst.consent import Asked
    from askfirst.registrar import Registrar
    from askfirst.roster import Roster

_Name = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]


class PersonIn(Wire):
    """Somebody to add, e.g. ``local:bob``, or to give these roles and teams in place of theirs."""

    person: _Name
    roles: Annotated[list[_Name], Field(max_length=20)] = []  # noqa: RUF012  # pydantic copies it
    teams: Annotated[list[_Name], Field(max_length=20)] = []  # noqa: RUF012  # pydantic copies it


class LinkIn(Wire):
    """A link code that is wanted: for whom, for which channel (any by default), and what it is worth at most."""

    person: _Name
    scheme: Annotated[str, Field(pattern="^$|^[a-z][a-z0-9]{1,31}$")] = ""
    assurance: Annotated[int, Field(ge=0, le=3)] = 3


class AskedOut(Wire):
    """The request that a person has to approve, and the claim that only whoever asked has."""

    request: str
    code: str
    state: str
    claim: str


class ClaimIn(Wire):
    """Have the approved change made."""

    claim: _Name


class RemoveIn(Wire):
    """A person's id, or an identity of theirs."""

    name: _Name


class IdentityOut(Wire):
    """What a channel knows somebody by."""

    id: str
    assurance: int


class PersonOut(Wire):
    """Somebody who may decide."""

    person: str
    roles: list[str]
    teams: list[str]
    identities: list[IdentityOut]
    is_configured: bool


class PeopleOut(Wire):
    """Everybody."""

    people: list[PersonOut]


class CodeOut(Wire):
    """A link code; it is shown this once."""

    code: str
    person: str
    scheme: str
    expires_at_ms: int


class RemovedOut(Wire):
    """What went."""

    removed: list[str]


class PeopleApi:
    """The routes."""

    def __init__(self, access: Access, registrar: Registrar, roster: Roster) -> None:
        self._access = access
        self._registrar = registrar
        self._roster = roster

    def router(self) -> APIRouter:
        """To be included in the API."""
        router = APIRouter(route_class=JsonRoute, prefix="/v1/people", tags=["people"])
        mine = [Depends(self._access.needs(AccessScope.ADMIN, AccessScope.ASK))]
        router.add_api_route("", self.listed, methods=["GET"], dependencies=mine)
        router.add_api_route("", self.add, methods=["POST"], status_code=202, dependencies=mine)
        router.add_api_route("/links", self.link, methods=["POST"], status_code=202, dependencies=mine)
        router.add_api_route("/added/{request_id}", self.added, methods=["POST"], dependencies=mine)
        router.add_api_route("/links/{request_id}", self.issued, methods=["POST"], dependencies=mine)
        router.add_api_route("/remove", self.remove, methods=["POST"], dependencies=mine)
        return router

    async def listed(self, request: Request) -> PeopleOut:
        """Everybody who may decide."""
        require_owner(request)
        await self._roster.refresh()
        return PeopleOut(people=[self._out(each) for each in self._roster.people])

    async def add(self, body: PersonIn, request: Request) -> AskedOut:
        """Ask for somebody to be added."""
        require_owner(request)
        wanted = Person(id=body.person, roles=frozenset(body.roles), teams=frozenset(body.teams))
        return asked_out(await self._registrar.ask_to_add(wanted))

    async def link(self, body: LinkIn, request: Request) -> AskedOut:
        """Ask for a link code."""
        require_owner(request)
        return asked_out(await self._registrar.ask_to_link(body.person, scheme=body.scheme, assurance=body.assurance))

    async def added(self, request_id: str, body: ClaimIn, request: Request) -> PersonOut:
        """Add whom a person has approved."""
        require_owner(request)
        return self._out(await self._registrar.added(request_id, body.claim))

    async def issued(self, request_id: str, body: ClaimIn, request: Request) -> CodeOut:
        """The link code that a person has approved."""
        require_owner(request)
        code = await self._registrar.issued(request_id, body.claim)
        return CodeOut(code=code.code, person=code.person, scheme=code.scheme, expires_at_ms=code.expires_at_ms)

    async def remove(self, body: RemoveIn, request: Request) -> RemovedOut:
        """Remove a person, or one of their identities."""
        caller = require_owner(request)
        return RemovedOut(removed=list(await self._registrar.remove(body.name, by=caller.id)))

    def _out(self, person: Person) -> PersonOut:
        return PersonOut(
            person=person.id,
            roles=sorted(person.roles),
            teams=sorted(person.teams),
            identities=[IdentityOut(id=each.id, assurance=each.assurance) for each in person.identities],
            is_configured=self._roster.is_configured(person.id),
        )


def asked_out(asked: Asked) -> AskedOut:
    """What a caller is told of a change that waits for its approval."""
    request = asked.case.request
    return AskedOut(request=request.id, code=request.code, state=request.state.value, claim=asked.claim)
