"""``/v1/tokens``: issue, list and revoke tokens of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from askfirst.access import ASSURANCE_MAX, AccessScope, Token, TokenDraft
from askfirst.broker.access import require_owner
from askfirst.broker.json_route import JsonRoute
from askfirst.broker.people_api import AskedOut, ClaimIn, asked_out
from askfirst.broker.wire import NO_NUL, Wire

if TYPE_CHECKING:
    from askfirst.broker.access import Access


class TokenIn(Wire):
    """A token to issue; one with the scope ``decide`` names its ``person``."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]
    scopes: Annotated[list[AccessScope], Field(min_length=1, max_length=4)]
    person: Annotated[str, Field(pattern=r"^$|^[a-z]{1,32}:[^\s\x00]{1,128}$")] = ""
    assurance: Annotated[int, Field(ge=0, le=ASSURANCE_MAX)] = 0
    days: Annotated[int, Field(ge=1, le=3650)] = 90


class TokenOut(Wire):
    """A token, without its secret. Times are milliseconds since the Unix epoch."""

    id: str
    name: str
    scopes: list[AccessScope]
    person: str
    assurance: int
    created_at_ms: int
    expires_at_ms: int
    revoked_at_ms: int | None
    issued_by: str
    request_id: str


class IssuedOut(TokenOut):
    """A new token with its secret, which is shown this once."""

    token: str


class TokensOut(Wire):
    """Tokens, newest first."""

    tokens: list[TokenOut]


class TokenApi:
    """The routes."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def router(self) -> APIRouter:
        """To be included in the API."""
        router = APIRouter(route_class=JsonRoute, prefix="/v1/tokens", tags=["tokens"])
        mine = [Depends(self._access.needs(AccessScope.ADMIN, AccessScope.ASK))]
        router.add_api_route("", self.issue, methods=["POST"], status_code=201, dependencies=mine)
        router.add_api_route("", self.listed, methods=["GET"], dependencies=mine)
        router.add_api_route("/asked", self.ask, methods=["POST"], status_code=202, dependencies=mine)
        router.add_api_route("/issued/{request_id}", self.issued, methods=["POST"], status_code=201, dependencies=mine)
        router.add_api_route("/{token_id}/revoke", self.revoke, methods=["POST"], dependencies=mine)
        return router

    async def issue(self, body: TokenIn, request: Request) -> IssuedOut:
        """Issue a token that only asks or reads; its secret is in this answer and nowhere else."""
        return _issued_out(await self._access.issue(_draft(body), by=require_owner(request)))

    async def ask(self, body: TokenIn, request: Request) -> AskedOut:
        """Ask for a token that may decide or administer."""
        require_owner(request)
        return asked_out(await self._access.ask_to_issue(_draft(body)))

    async def issued(self, request_id: str, body: ClaimIn, request: Request) -> IssuedOut:
        """The token that a person has approved; its secret is in this answer and nowhere else."""
        return _issued_out(await self._access.issued(request_id, body.claim, by=require_owner(request)))

    async def listed(self, request: Request) -> TokensOut:
        """All tokens, those that ended too."""
        require_owner(request)
        return TokensOut(tokens=[_out(each) for each in await self._access.listed()])

    async def revoke(self, token_id: str, request: Request) -> TokenOut:
        """Take a token back."""
        return _out(await self._access.revoke(token_id, require_owner(request)))


def _draft(body: TokenIn) -> TokenDraft:
    return TokenDraft(**{**body.model_dump(), "scopes": frozenset(body.scopes)})


def _issued_out(made: tuple[Token, str]) -> IssuedOut:
    token, secret = made
    return IssuedOut(**_out(token).model_dump(), token=secret)


def _out(token: Token) -> TokenOut:
    return TokenOut(
        id=token.id,
        name=token.name,
        scopes=sorted(token.scopes),
        person=token.person,
        assurance=token.assurance,
        created_at_ms=token.created_at_ms,
        expires_at_ms=token.expires_at_ms,
        revoked_at_ms=token.revoked_at_ms,
        issued_by=token.issued_by,
        request_id=token.request_id,
    )
