"""People that were added, the identities that were linked to them, and the one-time codes for linking, as rows."""

from __future__ import annotations

import json

import sqlalchemy as sa

from askfirst.people import Identity, LinkCode, Person
from askfirst.store.locking import claim
from askfirst.store.schema import link_code, person_identity
from askfirst.store.schema import person as person_table


def listed(connection: sa.Connection) -> dict[str, Person]:
    """Everybody who was added, by id."""
    return {
        row.id: Person(id=row.id, roles=frozenset(json.loads(row.roles)), teams=frozenset(json.loads(row.teams)))
        for row in connection.execute(sa.select(person_table).order_by(person_table.c.id))
    }


def identities(connection: sa.Connection) -> dict[str, tuple[Identity, ...]]:
    """What was linked, by person; also of people that only the configuration names."""
    found: dict[str, list[Identity]] = {}
    for row in connection.execute(sa.select(person_identity).order_by(person_identity.c.id)):
        found.setdefault(row.person, []).append(Identity(id=row.id, assurance=row.assurance))
    return {person: tuple(each) for person, each in found.items()}


def put(connection: sa.Connection, person: Person, now_ms: int) -> None:
    """Add somebody, or give somebody who was added these roles and teams."""
    claim(connection, f"person {person.id}")
    connection.execute(person_table.delete().where(person_table.c.id == person.id))
    values = {"roles": json.dumps(sorted(person.roles)), "teams": json.dumps(sorted(person.teams))}
    connection.execute(person_table.insert().values(id=person.id, added_at_ms=now_ms, **values))


def remove(connection: sa.Connection, name: str) -> tuple[bool, tuple[str, ...]]:
    """Remove a person with all that is linked to them, or one identity; whether a person went, and the identities."""
    is_person = connection.execute(person_table.delete().where(person_table.c.id == name)).rowcount == 1
    theirs = (person_identity.c.person == name) | (person_identity.c.id == name)
    linked = tuple(connection.scalars(sa.select(person_identity.c.id).where(theirs).order_by(person_identity.c.id)))
    connection.execute(person_identity.delete().where(theirs))
    connection.execute(link_code.delete().where(link_code.c.person == name, link_code.c.used_by == ""))
    return is_person, linked


def keep_code(connection: sa.Connection, code: LinkCode, secret_sha256: str) -> None:
    """Keep a fresh code, instead of one that the same approval made before; codes that ended are forgotten."""
    connection.execute(
        link_code.delete().where(
            (link_code.c.request_id == code.request_id) | (link_code.c.expires_at_ms < code.created_at_ms - _DAY_MS)
        )
    )
    connection.execute(
        link_code.insert().values(
            secret_sha256=secret_sha256,
            person=code.person,
            scheme=code.scheme,
            assurance=code.assurance,
            created_at_ms=code.created_at_ms,
            expires_at_ms=code.expires_at_ms,
            request_id=code.request_id,
            used_by="",
        )
    )


def find_code(connection: sa.Connection, secret_sha256: str) -> LinkCode | None:
    """The code with this hash, whatever became of it."""
    claim(connection, f"link code {secret_sha256}")
    row = connection.execute(sa.select(link_code).where(link_code.c.secret_sha256 == secret_sha256)).one_or_none()
    if row is None:
        return None
    return LinkCode(
        person=row.person,
        scheme=row.scheme,
        assurance=row.assurance,
        created_at_ms=row.created_at_ms,
        expires_at_ms=row.expires_at_ms,
        request_id=row.request_id,
        used_by=row.used_by,
    )


def use_code(connection: sa.Connection, secret_sha256: str, identity: Identity, person: str, now_ms: int) -> None:
    """Use a code up, and link the identity."""
    connection.execute(link_code.update().where(link_code.c.secret_sha256 == secret_sha256).values(used_by=identity.id))
    connection.execute(
        person_identity.insert().values(
            id=identity.id, person=person, assurance=identity.assurance, linked_at_ms=now_ms
        )
    )


_DAY_MS = 86_400_000
