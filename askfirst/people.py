"""Who the people are: the port to whatever knows them, and the view of it that one decision rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from askfirst.seats import first_empty

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from askfirst.host import Agent

ROLE = "role:"
TEAM = "team:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a channel knows somebody by.

    Attributes:
        id: ``scheme:immutable id``, e.g. ``telegram:12345``; never a name that can change hands.
        assurance: the most that a review by it is worth (0 … 3), whatever its channel vouches for.
    """

    id: str
    assurance: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Whom an identity belongs to."""

    person: str
    assurance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCode:
    """A one-time code by which somebody becomes known to a channel; its secret is kept nowhere.

    Attributes:
        person: who they are.
        scheme: the channel that it is for, ``""``: any.
        assurance: of the identity that it links.
        request_id: of the request by which a person has approved it.
        used_by: the identity that it has linked, ``""``: none yet.
    """

    person: str
    scheme: str
    assurance: int
    created_at_ms: int
    expires_at_ms: int
    request_id: str
    used_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may decide.

    Attributes:
        id: immutable name, e.g. ``local:ann``.
        roles: e.g. ``release-manager``.
        teams: e.g. ``infra``.
        recipients: where they alone are told, as ``scheme:address``.
        identities: what channels know them by; their own id is one, too.
    """

    id: str
    roles: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    recipients: tuple[str, ...] = ()
    identities: tuple[Identity, ...] = ()

    def is_named(self, names: Sequence[str]) -> bool:
        """Whether one of these ids, ``role:x`` or ``team:y`` means this person."""
        own = {self.id, *(f"{ROLE}{each}" for each in self.roles), *(f"{TEAM}{each}" for each in self.teams)}
        return not own.isdisjoint(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """For whom the agents work.

    Attributes:
        people: on whose account this broker runs, e.g. its own user.
        may_decide: they also decide: one person on their own machine.
        accounts: identities that the agents can act as.
        hosts: host, or ``host:session``, to the people that its agents work for; these never decide on what it asks.
    """

    people: tuple[str, ...] = ()
    may_decide: bool = True
    accounts: frozenset[str] = frozenset()
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Electorate:
    """Everybody as of now, seen from one request.

    Attributes:
        people: who is known.
        requesters: who asks, or for whom the agent works: they never decide.
        is_open: whether whoever a channel vouches for is known, too (one person's own machine).
    """

    people: tuple[Person, ...] = ()
    requesters: frozenset[str] = frozenset()
    is_open: bool = False

    def find(self, person: str) -> Person | None:
        """The known person with this id."""
        known = next((each for each in self.people if each.id == person), None)
        return known or (Person(id=person) if self.is_open else None)

    def may(self, person: str, reviewers: Sequence[str]) -> bool:
        """Whether these reviewers include this person; no names at all mean everybody who is known."""
        found = self.find(person)
        return found is not None and person not in self.requesters and (not reviewers or found.is_named(reviewers))

    def named(self, reviewers: Sequence[str]) -> frozenset[str]:
        """Ids of all that these reviewers include, as far as they are known by name."""
        listed = {each.id for each in self.people}
        if self.is_open:
            listed |= {each for each in reviewers if not each.startswith((ROLE, TEAM))}
        return frozenset(each for each in listed if self.may(each, reviewers))

    def has_enough(self, reviewers: Sequence[str], needed: int) -> bool:
        """Whether so many distinct people could approve."""
        return (self.is_open and not reviewers) or len(self.named(reviewers)) >= needed

    def has_different(self, stages: Iterable[tuple[Sequence[str], int]]) -> bool:
        """Whether so many of each of these reviewers could approve, nobody of them twice."""
        named = [(self.named(who), needed) for who, needed in stages if who or not self.is_open]
        return len(named) < 2 or first_empty([who for who, needed in named for _ in range(needed)]) is None


class People(Protocol):
    """Whatever knows people: a table in the configuration, a company's directory."""

    def electorate(self, agent: Agent) -> Electorate:
        """Who may decide on what this agent asks; quick, from memory."""
        ...

    def known(self, identity: str) -> Known | None:
        """Whom this identity of a channel belongs to; None for a stranger. Quick, from memory."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """People from a list.

    Attributes:
        people: everybody.
        is_open: see ``Electorate``.
        requesters: host or ``host:session`` to the people that its agents work for.
    """

    people: tuple[Person, ...] = ()
    is_open: bool = False
    requesters: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def electorate(self, agent: Agent) -> Electorate:
        """Everybody, but those that this agent works for."""
        keys: Iterable[str] = (agent.host, f"{agent.host}:{agent.session}")
        behind = frozenset(person for key in keys for person in self.requesters.get(key, ()))
        return Electorate(people=self.people, requesters=behind, is_open=self.is_open)

    def known(self, identity: str) -> Known | None:
        """Whoever is listed with it; nobody is known to a channel only because the list is open."""
        for person in self.people:
            for each in (*person.identities, Identity(id=person.id)):
                if each.id == identity:
                    return Known(person=person.id, assurance=each.assurance)
        return None
