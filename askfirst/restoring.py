"""What a broker does first on a store that was put back from a backup: nothing that was open in it opens anything.

What ran after the backup, the store has forgotten: a grant that was used up would open a second time, and so would a
break-glass code. They are taken back, before anybody is served. What waits for people goes on waiting: a decision is
bound to the version that was shown. Its messages are shown anew, since they may tell of a decision that is lost; such a
decision, read again by its channel, may have been used up, and does not count any more (``askfirst.hearing``). What
cannot be read is passed over: it opens nothing as it is.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from askfirst.audit_port import Actor, Entry, EntryType
from askfirst.clerk import Clerk
from askfirst.engine import Revoke
from askfirst.request import RequestState
from askfirst.store import break_glass, outbox, records, restored
from askfirst.store.reading import read

if TYPE_CHECKING:
    import sqlalchemy as sa

    from askfirst.audit_port import Value
    from askfirst.store.restored import Restored

_BY = "restore"
_BATCH = 256


class Restoring(Clerk):
    """Makes a restored store sound; may be repeated, and is done once the mark is gone."""

    async def settle(self) -> None:
        """Take back what is open, and say so in the log; nothing where the store was not restored.

        Each transaction takes back a number of grants; who dies in between begins again.
        """
        known = await read(self._reader, restored.marked)
        if known is None:
            return
        grants, waiting, before = 0, 0, ""
        while taken := await self._writer.write(partial(self._take_back, known)):
            grants += taken
        while found := await self._writer.write(partial(self._show_anew, known, before)):
            waiting, before = waiting + len(found), found[-1]
        await self._writer.write(partial(self._finish, known, grants, waiting))

    def _take_back(self, known: Restored, connection: sa.Connection) -> int:
        event = Revoke(by=_BY, channel="", reason=f"{_words(known)}; ask again")
        taken: set[str] = set()
        for listed in records.list_granted(connection, _BATCH):
            case = records.read(connection, listed.request.id)  # it may be taken back with one before it by now
            step = self._apply(connection, case, event)
            changed = (step.case, *step.others)
            taken |= {each.request.id for each in changed if each.open_grant is None}
        return len(taken)

    def _show_anew(self, known: Restored, before: str, connection: sa.Connection) -> list[str]:
        """Requests that wait, newest first; ids."""
        note = f"{_words(known)}; what was decided since then is lost, decide again"
        found = records.list_requests(connection, states=[RequestState.PENDING], limit=_BATCH, before=before)
        for request in found:
            case = records.read_whole(connection, request.id)
            if case is None or note in case.request.notes:
                continue
            noted = replace(case.request, notes=(*case.request.notes, note))
            records.save(connection, case, replace(case, request=noted))
            outbox.owe_updates(connection, request.id, self._clock.now_ms())
        return [each.id for each in found]

    def _finish(self, known: Restored, grants: int, waiting: int, connection: sa.Connection) -> None:
        if restored.marked(connection) is None:  # another broker was faster
            return
        codes = self._take_back_codes(connection)
        data: dict[str, Value] = {
            "head": known.head,
            "backup_at": known.at,
            "grants_revoked": grants,
            "codes_revoked": codes,
            "pending": waiting,
            **({} if known.lost is None else {"entries_lost": known.lost}),
        }
        self._audit.append(connection, Entry(type=EntryType.STORE_RESTORED, data=data))
        restored.settle(connection, self._clock.now_ms())

    def _take_back_codes(self, connection: sa.Connection) -> int:
        now_ms = self._clock.now_ms()
        codes = [each for each in break_glass.listed(connection) if each.is_usable(now_ms) or each.is_open(now_ms)]
        actor = Actor(type="system", id=_BY)
        for code in codes:
            break_glass.put(connection, replace(code, hash=b"", revoked_at_ms=now_ms))
            data: dict[str, Value] = {"break_glass": code.id, "person": code.person, "was": code.state(now_ms)}
            self._audit.append(connection, Entry(type=EntryType.BREAK_GLASS_REVOKED, actor=actor, data=data))
        return len(codes)


def _words(known: Restored) -> str:
    return f"the store was restored from a backup of {known.at}"
