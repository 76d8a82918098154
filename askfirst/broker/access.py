"""Who calls the API, and what they may do: by the unix socket's peer, the broker's own token, or an issued one."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from fastapi import HTTPException, Request

from askfirst.access import NEEDS_APPROVAL, OWN, TOOL, AccessScope, Caller, Token, TokenDraft, token_draft, token_entry
from askfirst.audit_port import EntryType
from askfirst.broker.peer import bears, is_owner_uid, peer_uid, shows_token
from askfirst.canonical import sha256_hex
from askfirst.clock import new_id
from askfirst.consent import Consent
from askfirst.errors import NotAllowedError, RequestNotFoundError
from askfirst.store import records, tokens
from askfirst.store.reading import read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import sqlalchemy as sa
    from starlette.requests import HTTPConnection

    from askfirst.audit_port import AuditLog
    from askfirst.clock import Clock
    from askfirst.consent import Asked
    from askfirst.desk import Desk
    from askfirst.roster import Roster
    from askfirst.store.writer import Writer

PREFIX = "askfirst_"
"""Every issued token begins so, for scanners of leaked secrets to know it."""
_SECRET_MAX_CHARS = 200
_LOCAL = frozenset({AccessScope.ASK, AccessScope.READ})
_OTHERS = frozenset({AccessScope.ASK})
"""What another user of this machine may do: their agents ask, and no more."""
_DAY_MS = 86_400_000


class Access:
    """The callers of one broker.

    Args:
        writer: all writes go through it.
        reader: a read-only engine of the same store.
        audit: the log.
        clock: decides what has expired.
        consent: asks for the approval of a grave token.
        own_token: the broker's own token, which may ask and read.
        creates_per_minute: how many requests an issued token may make; others are bound by what may wait alone.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        reader: sa.Engine,
        audit: AuditLog,
        clock: Clock,
        consent: Consent,
        own_token: str,
        creates_per_minute: int = 600,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._audit = audit
        self._clock = clock
        self._consent = consent
        self._own_token = own_token
        self._limit = creates_per_minute
        self._made: dict[str, deque[int]] = {}

    async def caller(self, connection: HTTPConnection) -> Caller | None:
        """Who is at the other end; None for nobody whom we know."""
        uid = peer_uid(connection)
        if not shows_token(connection):
            return _by_uid(uid) if uid else None
        shown = await self._by_token(connection)
        if shown is None or not uid:
            return shown
        return replace(shown, scopes=shown.scopes & _ceiling(uid))

    async def _by_token(self, connection: HTTPConnection) -> Caller | None:
        if bears(connection, self._own_token):
            return Caller(id=OWN, scopes=_LOCAL)
        scheme, _, shown = connection.headers.get("authorization", "").partition(" ")
        secret = shown.strip()
        if scheme.lower() != "bearer" or not secret.startswith(PREFIX) or len(secret) > _SECRET_MAX_CHARS:
            return None
        digest = sha256_hex(secret.encode("utf-8", "surrogateescape"))
        now_ms = self._clock.now_ms()
        found = await read(self._reader, lambda connection: tokens.find(connection, digest, now_ms))
        if found is None:
            return None
        return Caller(
            id=f"token:{found.id}",
            scopes=found.scopes,
            person=found.person,
            assurance=found.assurance,
            machine=found.name,
        )

    def needs(self, *scopes: AccessScope) -> Callable[[Request], Awaitable[Caller]]:
        """A dependency: the caller, who has one of these scopes.

        It raises ``HTTPException``: 401 for nobody whom we know, 403 where the scope is missing.
        """

        async def checked(request: Request) -> Caller:
            caller = await self.caller(request)
            if caller is None:
                raise HTTPException(
                    401,
                    "the API needs a bearer token, or its unix socket as the broker's own user",
                    headers={"WWW-Authenticate": 'Bearer realm="askfirst"'},
                )
            if caller.scopes.isdisjoint(scopes):
                wanted = " or ".join(f"`{each}`" for each in scopes)
                mine = f"yours: {_words(caller.scopes) or 'none'}{_narrowed(request)}"
                raise HTTPException(403, f"this needs the scope {wanted}; {mine}")
            request.state.caller = caller
            return caller

        return checked

    def needs_own(self, *scopes: AccessScope) -> Callable[[Request], Awaitable[Caller]]:
        """As ``needs``, for the request (or its grant) in the path: ``ASK`` alone opens none of another machine.

        Such a request is not there for them (404): no machine learns of another's, or uses its approval.
        """
        needed, above = self.needs(*scopes), frozenset(scopes) - {AccessScope.ASK}

        async def checked(request: Request) -> Caller:
            caller = await needed(request)
            if caller.bounded and caller.scopes.isdisjoint(above):
                path = request.path_params
                request_id = path.get("request_id") or path["grant_id"]  # a grant is named like its request
                case = await read(self._reader, lambda connection: records.read(connection, request_id))
                if not caller.is_at(case.request.action.machine):
                    raise records.not_there(request_id)
            return caller

        return checked

    def meter(self, caller: Caller) -> None:
        """Count a request that a token makes.

        Raises:
            HTTPException: 429, it has made too many within a minute.
        """
        if not caller.id.startswith("token:") or caller.id == OWN:
            return
        now_ms = self._clock.now_ms()
        made = self._made.setdefault(caller.id, deque(maxlen=self._limit))
        if len(made) == self._limit and now_ms - made[0] < 60_000:
            pause_s = 1 + (60_000 - (now_ms - made[0])) // 1000
            text = f"this token has made {self._limit} requests within a minute; try again in {pause_s} s"
            raise HTTPException(429, text, headers={"Retry-After": str(pause_s)})
        made.append(now_ms)

    async def issue(self, draft: TokenDraft, *, by: Caller) -> tuple[Token, str]:
        """A new token that only asks or reads, and its secret, which is shown this once.

        Raises:
            NotAllowedError: the scopes need an approval.
            InputError: it names a person.
        """
        draft.require_sound()
        if draft.needs_approval:
            raise NotAllowedError(f"a token that may {_words(NEEDS_APPROVAL)} needs a person's approval")
        return await self._issued(draft, by, request_id="")

    async def ask_to_issue(self, draft: TokenDraft) -> Asked:
        """Ask for a token that may decide or administer.

        Raises:
            InputError: it decides for nobody, or names a person and does not decide.
            NobodyToAskError: nobody could approve it.
        """
        draft.require_sound()
        return await self._consent.ask(TOOL, draft.arguments, f"issues a token {draft.words}")

    async def issued(self, request_id: str, claim: str, *, by: Caller) -> tuple[Token, str]:
        """The token that a request of ``ask_to_issue`` is about, now that it is approved, and its secret.

        Raises:
            NotAllowedError: it is not approved, was used, or somebody else's.
        """
        case = await self._consent.redeemed(request_id, claim, TOOL)
        made = await self._issued(token_draft(case.request.action.arguments), by, request_id=request_id)
        await self._consent.made(case)
        return made

    async def _issued(self, draft: TokenDraft, by: Caller, *, request_id: str) -> tuple[Token, str]:
        now_ms = self._clock.now_ms()
        token = Token(
            id=new_id(),
            name=draft.name,
            scopes=draft.scopes,
            person=draft.person,
            assurance=draft.assurance,
            created_at_ms=now_ms,
            expires_at_ms=now_ms + draft.days * _DAY_MS,
            revoked_at_ms=None,
            issued_by=by.id,
            request_id=request_id,
        )
        secret = PREFIX + secrets.token_urlsafe(32)

        def work(connection: sa.Connection) -> None:
            if request_id and tokens.is_issued(connection, request_id):
                raise NotAllowedError("the token of this approval was issued already; ask for another")
            tokens.add(connection, token, sha256_hex(secret.encode("ascii")))
            self._audit.append(connection, token_entry(EntryType.TOKEN_ISSUED, token, by=by.id))

        await self._writer.write(work)
        return token, secret

    async def listed(self) -> list[Token]:
        """All tokens, newest first."""
        return await read(self._reader, tokens.listed)

    async def revoke(self, token_id: str, by: Caller) -> Token:
        """Take a token back: from now on it opens nothing.

        Raises:
            RequestNotFoundError: no token with this id holds.
        """
        now_ms = self._clock.now_ms()

        def work(connection: sa.Connection) -> Token | None:
            gone = tokens.revoke(connection, token_id, now_ms)
            if gone is not None:
                self._audit.append(connection, token_entry(EntryType.TOKEN_REVOKED, gone, by=by.id))
            return gone

        gone = await self._writer.write(work)
        if gone is None:
            raise RequestNotFoundError(f"there is no token {token_id!r} that still holds")
        return gone


def token_consent(desk: Desk, roster: Roster, clock: Clock) -> Consent:
    """How people are asked about tokens that may decide or administer."""
    return Consent(
        "tokens", "what decides in somebody's name is decided by people", desk=desk, roster=roster, clock=clock
    )


def _by_uid(uid: str) -> Caller:
    if is_owner_uid(uid):
        return Caller(id=uid, scopes=_LOCAL, is_owner=True)
    return Caller(id=uid, scopes=_OTHERS)


def _ceiling(uid: str) -> frozenset[AccessScope]:
    """What a token may open on the unix socket: it narrows what the peer's uid may do, and never widens it."""
    return _LOCAL | {AccessScope.ADMIN} if is_owner_uid(uid) else _OTHERS


def _narrowed(request: Request) -> str:
    if not (peer_uid(request) and shows_token(request)):
        return ""
    return (
        " (on the unix socket a token opens only what its user may do there without one; elsewhere all of its scopes)"
    )


def caller_of(request: Request) -> Caller:
    """Whom the route's dependency has found."""
    caller: Caller = request.state.caller
    return caller


def require_owner(request: Request) -> Caller:
    """The broker's own user, or a token that administers: whoever may only ask changes nothing about who may.

    Raises:
        NotAllowedError: it is neither.
    """
    caller = caller_of(request)
    if not (caller.is_owner or AccessScope.ADMIN in caller.scopes):
        raise NotAllowedError("only the broker's own user, by its unix socket, or a token with `admin` may do this")
    return caller


def _words(scopes: frozenset[AccessScope]) -> str:
    return ", ".join(sorted(scopes))
