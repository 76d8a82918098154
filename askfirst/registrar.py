"""Who becomes somebody that may decide: each change is approved by a person who may already, or it does not happen.

- Adding somebody, and issuing a link code, are requests like an agent's: see ``askfirst.consent``.
- A link code is shown once; see ``askfirst.link_code``.
- Removing somebody makes nobody able to decide, so it needs no approval.
- Every change is in the log, in the transaction that makes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst import link_code
from askfirst.access import token_entry
from askfirst.audit_port import Actor, Entry, EntryType
from askfirst.consent import Consent
from askfirst.errors import InputError, NotAllowedError, RequestNotFoundError
from askfirst.glass_desk import taken_back
from askfirst.people import LinkCode, Person
from askfirst.store import break_glass, tokens
from askfirst.store import people as rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from askfirst.audit_port import AuditLog, Value
    from askfirst.clock import Clock
    from askfirst.consent import Asked
    from askfirst.desk import Desk
    from askfirst.engine import Case
    from askfirst.roster import Roster
    from askfirst.store.writer import Writer

ADD: Final = "askfirst.people.add"
LINK: Final = "askfirst.people.link"
_ID = re.compile(r"local:[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A link code, shown this once."""

    code: str
    person: str
    scheme: str
    expires_at_ms: int


class Registrar:
    """Changes who is known.

    Args:
        desk: asks for approval, and redeems it.
        roster: who is known now.
        writer: all writes go through it.
        audit: the log.
        clock: for the life of codes.
    """

    def __init__(self, *, desk: Desk, roster: Roster, writer: Writer, audit: AuditLog, clock: Clock) -> None:
        self._consent = Consent("people", "who decides is decided by people", desk=desk, roster=roster, clock=clock)
        self._roster = roster
        self._writer = writer
        self._audit = audit
        self._clock = clock

    # -- asking ---------------------------------------------------------------------------------------------------

    async def ask_to_add(self, person: Person) -> Asked:
        """Ask for somebody to be added, or to be given these roles and teams.

        Raises:
            InputError: the id, a role or a team is none.
            NotAllowedError: the configuration names them.
            NobodyToAskError: nobody could approve it.
        """
        if not _ID.fullmatch(person.id):
            raise InputError(f"{person.id!r} is no id, expected local:NAME", field="person")
        bad = next((each for each in (*person.roles, *person.teams) if not _NAME.fullmatch(each)), None)
        if bad is not None:
            raise InputError(f"{bad!r} is no name of a role or team", field="roles")
        if self._roster.is_configured(person.id):
            raise NotAllowedError(f"{person.id} is in the configuration; change roles and teams there")
        arguments: dict[str, object] = {
            "person": person.id,
            "roles": sorted(person.roles),
            "teams": sorted(person.teams),
        }
        return await self._consent.ask(ADD, arguments, f"lets {person.id} decide on what agents ask{_having(person)}")

    async def ask_to_link(self, person: str, *, scheme: str = "", assurance: int = 3) -> Asked:
        """Ask for a link code for somebody who is known.

        Raises:
            InputError: nobody is known by this id.
            NobodyToAskError: nobody could approve it.
        """
        self._require_known(person)
        where = f" on {scheme}" if scheme else ""
        arguments: dict[str, object] = {"person": person, "scheme": scheme, "assurance": assurance}
        loss = f"lets whoever is shown the code decide as {person}{where}, up to assurance {assurance}"
        return await self._consent.ask(LINK, arguments, loss)

    # -- doing ----------------------------------------------------------------------------------------------------

    async def added(self, request_id: str, claim: str) -> Person:
        """Add whom a request of ``ask_to_add`` is about, now that it is approved.

        Raises:
            NotAllowedError: it is not approved, or was used.
        """
        case = await self._consent.redeemed(request_id, claim, ADD)
        said = case.request.action.arguments
        person = Person(id=str(said["person"]), roles=_names(said["roles"]), teams=_names(said["teams"]))
        now_ms = self._clock.now_ms()

        def work(connection: sa.Connection) -> None:
            rows.put(connection, person, now_ms)
            data: dict[str, Value] = {"roles": tuple(sorted(person.roles)), "teams": tuple(sorted(person.teams))}
            self._audit.append(connection, link_code.entry_of(EntryType.PERSON_ADDED, person.id, data, request_id))

        await self._changed(work, case)
        return person

    async def issued(self, request_id: str, claim: str) -> Issued:
        """The link code that a request of ``ask_to_link`` is about, now that it is approved.

        Raises:
            NotAllowedError: it is not approved, or was used.
        """
        case = await self._consent.redeemed(request_id, claim, LINK)
        said = case.request.action.arguments
        now_ms = self._clock.now_ms()
        kept = LinkCode(
            person=str(said["person"]),
            scheme=str(said["scheme"]),
            assurance=_assurance(said["assurance"]),
            created_at_ms=now_ms,
            expires_at_ms=now_ms + link_code.LIFE_MS,
            request_id=request_id,
        )
        code = link_code.fresh()

        def work(connection: sa.Connection) -> None:
            rows.keep_code(connection, kept, link_code.hashed(code))
            data: dict[str, Value] = {"scheme": kept.scheme, "expires_at_ms": kept.expires_at_ms}
            self._audit.append(
                connection, link_code.entry_of(EntryType.PERSON_CODE_ISSUED, kept.person, data, request_id)
            )

        await self._changed(work, case)
        return Issued(code=code, person=kept.person, scheme=kept.scheme, expires_at_ms=kept.expires_at_ms)

    async def remove(self, name: str, *, by: str) -> tuple[str, ...]:
        """Remove a person who was added with all that is theirs, or one identity; what went.

        With the person go their tokens and break-glass codes, also of somebody whom the configuration named before:
        whoever gets the same id later has none of them.

        Raises:
            NotAllowedError: the configuration names it.
            RequestNotFoundError: nobody is known by it.
        """
        is_configured = self._roster.is_configured(name)
        if is_configured and not self._has_links(name):
            raise NotAllowedError(
                f"{name} is in the configuration; take it out there, and then remove the tokens and codes by this again"
            )

        def work(connection: sa.Connection) -> tuple[str, ...]:
            is_person, linked = rows.remove(connection, name)
            if is_person or linked:
                actor = Actor(type="system", id=by, channel="api")
                data: dict[str, Value] = {"person": name, "identities": linked}
                self._audit.append(connection, Entry(type=EntryType.PERSON_REMOVED, actor=actor, data=data))
            held = () if is_configured else self._disarm(connection, name, by=by)
            return (*((name,) if is_person else ()), *linked, *held)

        gone = await self._writer.write(work)
        if not gone:
            raise RequestNotFoundError(f"nobody is known as {name!r}; `askfirst people list` shows all")
        await self._roster.refresh()
        return gone

    def _disarm(self, connection: sa.Connection, person: str, *, by: str) -> tuple[str, ...]:
        """Take back what decides or releases in the name of this person; the names of that."""
        now_ms = self._clock.now_ms()
        held = [each for each in tokens.held_by(connection, person) if each.expires_at_ms > now_ms]
        for each in held:
            tokens.revoke(connection, each.id, now_ms)
            self._audit.append(connection, token_entry(EntryType.TOKEN_REVOKED, each, by=by))
        codes = [
            each for each in break_glass.held_by(connection, person) if each.is_usable(now_ms) or each.is_open(now_ms)
        ]
        for code in codes:
            taken_back(connection, self._audit, code, by=by, now_ms=now_ms)
        return (*(f"token:{each.id}" for each in held), *(f"break-glass:{each.id}" for each in codes))

    def _has_links(self, name: str) -> bool:
        """Whether somebody of the configuration has identities that were linked since."""
        theirs = next((each.identities for each in self._roster.people if each.id == name), ())
        return any(not self._roster.is_configured(each.id) for each in theirs)

    # -- plumbing -------------------------------------------------------------------------------------------------

    async def _changed(self, work: Callable[[sa.Connection], None], case: Case) -> None:
        await self._writer.write(work)
        await self._consent.made(case)
        await self._roster.refresh()

    def _require_known(self, person: str) -> None:
        if not self._roster.has(person):
            known = ", ".join(sorted(each.id for each in self._roster.people))
            raise InputError(f"nobody is known as {person!r}; known: {known}", field="person")


def _having(person: Person) -> str:
    roles = [f"role {each}" for each in sorted(person.roles)] + [f"team {each}" for each in sorted(person.teams)]
    return f", with {', '.join(roles)}" if roles else ""


def _names(value: object) -> frozenset[str]:
    assert isinstance(value, list | tuple)  # we have written it
    return frozenset(str(each) for each in value)


def _assurance(value: object) -> int:
    assert isinstance(value, int)  # we have written it
    return value
