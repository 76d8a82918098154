"""One-time codes by which an identity of a channel becomes a person's.

A code works once, for ten minutes, on the channel that it was made for, and is kept as a hash. Wrong ones are counted:
whoever tries too often, and everybody when all together do, has to wait.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from askfirst.audit_port import Actor, Entry, EntryType
from askfirst.canonical import sha256_hex
from askfirst.inbound import Outcome
from askfirst.pace import Bucket, Buckets
from askfirst.people import Identity
from askfirst.ports import Rate
from askfirst.store import people as rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa

    from askfirst.audit_port import AuditLog, Value
    from askfirst.clock import Clock
    from askfirst.inbound import Linking
    from askfirst.people import LinkCode
    from askfirst.roster import Roster
    from askfirst.store.writer import Writer

LIFE_MS = 600_000
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: what is typed as O, I or L is read as 0, 1, 1. From: https://www.crockford.com/base32.html"""
_CHARS = 10
_TRIES_EACH = Rate(burst=5, per_s=5 / 3600)
_TRIES_ALL = Rate(burst=30, per_s=30 / 3600)


class LinkDesk:
    """Implements ``askfirst.hearing.Linker``.

    Args:
        roster: who is known now.
        writer: all writes go through it.
        audit: the log.
        clock: for the life of codes.
    """

    def __init__(self, *, roster: Roster, writer: Writer, audit: AuditLog, clock: Clock) -> None:
        self._roster = roster
        self._writer = writer
        self._audit = audit
        self._clock = clock
        self._tries = Buckets(_TRIES_EACH)
        self._tries_all = Bucket(_TRIES_ALL, clock.now_ms())

    async def link(self, linking: Linking) -> Outcome:
        """Implements ``askfirst.hearing.Linker``."""
        identity, now_ms = linking.origin.identity, self._clock.now_ms()
        buckets = (self._tries.of(identity, now_ms), self._tries_all)
        if any(each.wait_ms(now_ms) for each in buckets):
            return Outcome(counted=False, text="too many wrong codes; try again in an hour", is_stranger=True)
        kept = hashed(linking.link_code)

        def work(connection: sa.Connection) -> str:
            code = rows.find_code(connection, kept)
            if code is not None and code.used_by == identity:
                return code.person  # it was told already, or we were ended before
            if code is None or not self._fits(code, identity, now_ms):
                return ""
            rows.use_code(connection, kept, Identity(id=identity, assurance=code.assurance), code.person, now_ms)
            data: dict[str, Value] = {"identity": identity, "assurance": code.assurance}
            self._audit.append(connection, entry_of(EntryType.PERSON_LINKED, code.person, data, code.request_id))
            return code.person

        person = await self._writer.write(work)
        if not person:
            return await self._refused(linking, buckets, now_ms)
        await self._roster.refresh()
        return Outcome(counted=True, text=f"you are known as {person} from now on")

    def _fits(self, code: LinkCode, identity: str, now_ms: int) -> bool:
        scheme = identity.partition(":")[0]
        is_open = not code.used_by and now_ms < code.expires_at_ms and code.scheme in {"", scheme}
        return is_open and self._roster.known(identity) is None and self._roster.has(code.person)

    async def _refused(self, linking: Linking, buckets: tuple[Bucket, ...], now_ms: int) -> Outcome:
        for each in buckets:
            each.take(now_ms)
        identity = linking.origin.identity
        actor = Actor(type="human", id=identity, channel=identity.partition(":")[0])
        refusal = Entry(type=EntryType.PERSON_LINK_REFUSED, actor=actor)
        await self._writer.write(lambda connection: self._audit.append(connection, refusal))
        if self._roster.known(identity) is not None:
            return Outcome(counted=False, text="you are known already; nothing was changed")
        text = "this code does not work (any more); ask for a fresh one: `askfirst people link`"
        return Outcome(counted=False, text=text, is_stranger=True)


def fresh() -> str:
    """A new code, 50 random bits, as it is shown."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CHARS))
    return f"{code[:5]}-{code[5:]}"


def hashed(code: str) -> str:
    """What is kept of a code, however it was typed."""
    plain = re.sub(r"[\s-]", "", code).upper().translate(str.maketrans("OIL", "011"))
    return sha256_hex(b"askfirst-link-code/v1\n" + plain.encode("utf-8", "backslashreplace"))


def entry_of(kind: EntryType, person: str, data: Mapping[str, Value], request_id: str) -> Entry:
    """What the log says of a change that a request has approved."""
    return Entry(type=kind, request=request_id, data={"person": person, **data})
