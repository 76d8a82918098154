"""Everybody who may decide: whom the configuration names, and who was added or linked since, in one view.

- The configuration is the stronger: nobody who was added takes an id, a role or an identity that it gives to somebody.
- The view is in memory, so that asking who somebody is costs nothing; it is read anew after each change here, and
  every few seconds where other brokers may have changed it.
- Whoever the agents work for decides on their requests only as long as ``[requester]`` lets them; an account that the
  agents can act as is worth nothing (assurance 0).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.people import Directory, Electorate, Identity, Known, Person, Requester
from askfirst.store import people as rows
from askfirst.store.reading import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa

    from askfirst.host import Agent

REFRESH_S = 5.0
INBOX = ("web:inbox",)


class Roster:
    """Implements ``askfirst.people.People`` over the configuration and the store.

    Args:
        configured: people of the configuration, the broker's own user among them.
        requester: for whom the agents work.
        reader: a read-only engine of the store.
    """

    def __init__(self, *, configured: tuple[Person, ...], requester: Requester, reader: sa.Engine) -> None:
        self._configured = {each.id: each for each in configured}
        self._requester = requester
        self._reader = reader
        self._directory = Directory(people=configured)

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody, as of the last look."""
        return self._directory.people

    def has(self, person: str) -> bool:
        """Whether somebody has this id."""
        return any(each.id == person for each in self.people)

    def is_configured(self, name: str) -> bool:
        """Whether the configuration gives this id or identity to somebody."""
        return name in self._configured or any(
            name == identity.id for each in self._configured.values() for identity in each.identities
        )

    def electorate(self, agent: Agent) -> Electorate:
        """Everybody, but those that this agent works for."""
        asked = self._requester
        keys = (agent.host, f"{agent.host}:{agent.session}")
        behind = {person for key in keys for person in asked.hosts.get(key, ())}
        if not asked.may_decide:
            owned = (self._directory.known(each) for each in asked.accounts)
            behind |= {*asked.people, *(each.person for each in owned if each is not None)}
        return Electorate(people=self.people, requesters=frozenset(behind))

    def known(self, identity: str) -> Known | None:
        """Whom this identity belongs to."""
        found = self._directory.known(identity)
        return replace(found, assurance=0) if found is not None and identity in self._requester.accounts else found

    async def refresh(self) -> None:
        """Look at the store."""
        added, linked = await read(
            self._reader, lambda connection: (rows.listed(connection), rows.identities(connection))
        )
        self._directory = Directory(people=merged(self._configured, added, linked))

    async def keep_fresh(self) -> None:
        """Look again and again, until cancelled: other brokers change it, too."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_S)


def merged(
    configured: Mapping[str, Person], added: Mapping[str, Person], linked: Mapping[str, tuple[Identity, ...]]
) -> tuple[Person, ...]:
    """One list, in which the configuration is the stronger; what is linked to nobody any more is nobody's."""
    taken = {each.id for person in configured.values() for each in person.identities} | configured.keys()
    others = {name: replace(each, recipients=INBOX) for name, each in added.items() if name not in taken}
    people = {**configured, **others}
    return tuple(
        replace(each, identities=(*each.identities, *(one for one in linked.get(each.id, ()) if one.id not in taken)))
        for each in people.values()
    )
