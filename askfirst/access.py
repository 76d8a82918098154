"""What a caller of the API may do: values only.

Four scopes, none of which contains another. Asking is what agents and programs do; deciding is for the programs of a
person who has approved just that; reading sees everybody's requests; administering hands out tokens.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.audit_port import Actor, Entry
from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.audit_port import EntryType


class AccessScope(enum.StrEnum):
    """One thing that a token may be good for."""

    ASK = "ask"
    """Make, amend, cancel, wait for and use one's requests, by their ids."""
    READ = "read"
    """List all requests and grants, follow all changes, read the figures."""
    DECIDE = "decide"
    """Review requests in the name of the token's person, and take grants back."""
    ADMIN = "admin"
    """List and revoke tokens, and issue those that only ask or read."""


OWN = "token:broker"
"""Who shows the broker's own token, which only its own user can read."""
ASSURANCE_MAX = 1
"""The most that a review by a token can be worth."""
TOOL = "askfirst.issue_access_token"
"""What the request is about by which a person approves a token that may decide or administer."""
NEEDS_APPROVAL = frozenset({AccessScope.DECIDE, AccessScope.ADMIN})
"""Scopes that a token gets only after a person has approved it: an agent could issue itself one otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls.

    Attributes:
        id: ``uid:N`` on the unix socket, ``token:ID`` for whoever shows a token.
        scopes: what they may do.
        person: in whose name they decide, ``""`` for nobody's.
        assurance: of a review that they make.
        is_owner: the broker's own user (or root) on the unix socket, to whom the broker belongs.
        machine: the name of their token: what they ask about runs where they are, and not on the broker's machine.
    """

    id: str
    scopes: frozenset[AccessScope]
    person: str = ""
    assurance: int = 0
    is_owner: bool = False
    machine: str = ""

    def is_at(self, machine: str) -> bool:
        """Whether what runs on this machine (``""``: the broker's own) is theirs, to change, withdraw and use."""
        return not self.bounded or self.machine == machine

    @property
    def bounded(self) -> str:
        """By which id what they let wait is bounded; ``""`` for the broker's own user, who has all of it."""
        return "" if self.is_owner or self.id == OWN else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDraft:
    """A token that is wanted.

    Attributes:
        name: what it is for.
        person: in whose name it decides; with the scope ``decide``, and no other.
        assurance: of its reviews.
        days: how long it holds.
    """

    name: str
    scopes: frozenset[AccessScope]
    person: str
    assurance: int
    days: int

    @property
    def needs_approval(self) -> bool:
        """Whether a person has to approve it."""
        return not self.scopes.isdisjoint(NEEDS_APPROVAL)

    @property
    def arguments(self) -> dict[str, object]:
        """How the request by which it is approved shows it; ``token_draft`` reads that."""
        return {
            "name": self.name,
            "scopes": sorted(self.scopes),
            "person": self.person,
            "assurance": self.assurance,
            "days": self.days,
        }

    @property
    def words(self) -> str:
        """What it is good for, for people to read."""
        decides = f" in the name of {self.person}, with assurance {self.assurance}" if self.person else ""
        return f"that may {', '.join(sorted(self.scopes))}{decides}, for {self.days} days"

    def require_sound(self) -> None:
        """Raises ``InputError`` where it decides for nobody, or names a person and does not decide."""
        if (AccessScope.DECIDE in self.scopes) != bool(self.person):
            raise InputError("a token with the scope `decide`, and no other, names the `person` that it decides for")


def token_draft(arguments: Mapping[str, object]) -> TokenDraft:
    """The draft that a request shows in these arguments, which are ``TokenDraft.arguments``."""
    scopes, assurance, days = arguments["scopes"], arguments["assurance"], arguments["days"]
    assert isinstance(scopes, list | tuple)  # we have written them
    assert isinstance(assurance, int)
    assert isinstance(days, int)
    return TokenDraft(
        name=str(arguments["name"]),
        scopes=frozenset(AccessScope(each) for each in scopes),
        person=str(arguments["person"]),
        assurance=assurance,
        days=days,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An issued token; its secret is kept nowhere.

    Attributes:
        id: public, for lists and revoking.
        name: what it is for.
        expires_at_ms: when it ends.
        revoked_at_ms: when it was taken back, None while it holds.
        issued_by: who had it issued; where a person approved it, the request's id is in ``request_id``.
    """

    id: str
    name: str
    scopes: frozenset[AccessScope]
    person: str
    assurance: int
    created_at_ms: int
    expires_at_ms: int
    revoked_at_ms: int | None
    issued_by: str
    request_id: str = ""


def token_entry(kind: EntryType, token: Token, *, by: str) -> Entry:
    """That a token was issued or taken back; ``by`` whom."""
    return Entry(
        type=kind,
        request=token.request_id,
        actor=Actor(type="system", id=by, channel="api"),
        data={
            "token": token.id,
            "name": token.name,
            "scopes": [each.value for each in sorted(token.scopes)],
            "person": token.person,
            "assurance": token.assurance,
            "expires_at_ms": token.expires_at_ms,
        },
    )
