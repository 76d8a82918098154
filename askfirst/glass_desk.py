"""Break-glass: who gets a code, and what using one does.

- Getting a code waits for a person's approval (``askfirst.consent``), as everything does that lets somebody decide.
- Using one is an entry of the log in the transaction that uses it up: person, reason, scope, expiry. What it releases
  names it, and everybody whom any route tells is told at once.
- Nothing of it exists unless the policy says how long a window may be, and no rule is released that says otherwise.
- Wrong codes are counted and written down: whoever tries too often has to wait.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from askfirst import break_glass
from askfirst.audit_port import Actor, Entry, EntryType
from askfirst.break_glass import Code
from askfirst.consent import Consent
from askfirst.engine import BreakGlass
from askfirst.engine.break_glass import ASSURANCE
from askfirst.engine.case import BREAK_GLASS
from askfirst.errors import InputError, NotAllowedError, RequestNotFoundError
from askfirst.pace import Bucket, Buckets
from askfirst.ports import Rate
from askfirst.store import break_glass as rows
from askfirst.store.reading import read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import sqlalchemy as sa

    from askfirst.audit_port import AuditLog, Value
    from askfirst.clock import Clock
    from askfirst.consent import Asked
    from askfirst.desk import Desk
    from askfirst.engine import Case
    from askfirst.people import Electorate
    from askfirst.request import Request
    from askfirst.roster import Roster
    from askfirst.store.writer import Writer

PREPARE: Final = "askfirst.break_glass.prepare"
DAYS_MAX = 730
_DAY_MS = 86_400_000
_TRIES_EACH = Rate(burst=5, per_s=5 / 3600)
_TRIES_ALL = Rate(burst=30, per_s=30 / 3600)
_WRONG = "this code does not work (any more)"
_OFF = (
    "there is no break-glass here: the policy does not allow it; set `break_glass_s` (docs/policy.md), unless a "
    "managed policy forbids it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A request as the person was shown it, which they want to release.

    Attributes:
        version: of the request.
        action_digest: of that version.
    """

    request_id: str
    version: int
    action_digest: str


class WrongCodeError(NotAllowedError):
    """It is no code, was used, was taken back, or has expired."""


class Windows:
    """Implements ``askfirst.desk.Windows``.

    Args:
        key: 32 secret bytes, the same on every broker of one store.
        clock: what is open now.
    """

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def through(self, connection: sa.Connection, request: Request, electorate: Electorate) -> BreakGlass | None:
        """See ``askfirst.desk.Windows``; a rule that allows shorter windows only is released in their first part."""
        now_ms = self._clock.now_ms()
        longest_ms = request.terms.break_glass_s * 1000
        for code in rows.windows(connection, request.agent.session, now_ms):
            is_genuine = hmac.compare_digest(code.hash, break_glass.window_hash(self._key, code))
            if is_genuine and code.is_open(now_ms) and now_ms < (code.used_at_ms or 0) + longest_ms:
                return BreakGlass(
                    use=code.id,
                    by=code.person,
                    reason=code.reason,
                    in_window=True,
                    until_ms=min(code.until_ms, (code.used_at_ms or 0) + longest_ms),
                    electorate=electorate,
                )
        return None


def taken_back(connection: sa.Connection, audit: AuditLog, code: Code, *, by: str, now_ms: int) -> Code:
    """The code, or the window that it has opened, as one that opens nothing any more; written down."""
    gone = replace(code, hash=b"", revoked_at_ms=now_ms)
    rows.put(connection, gone)
    actor = Actor(type="system", id=by, channel="api")
    data: dict[str, Value] = {"break_glass": code.id, "person": code.person, "was": code.state(now_ms)}
    audit.append(connection, Entry(type=EntryType.BREAK_GLASS_REVOKED, actor=actor, data=data))
    return gone


class GlassDesk:
    """Makes codes, and lets people use them.

    Args:
        desk: asks for approval, and releases.
        roster: who is known now.
        writer: all writes go through it.
        reader: a read-only engine of the same store.
        audit: the log.
        clock: for the life of codes.
        key: as the desk's ``Windows`` has it.
        longest_s: the longest window that the policy allows now, seconds; 0: there is no break-glass.
        tell: tells everybody.
    """

    def __init__(
        self,
        *,
        desk: Desk,
        roster: Roster,
        writer: Writer,
        reader: sa.Engine,
        audit: AuditLog,
        clock: Clock,
        key: bytes,
        longest_s: Callable[[], int],
        tell: Callable[[str, str], Awaitable[None]],
    ) -> None:
        reason = "who can decide alone in an emergency is decided by people"
        self._consent = Consent(BREAK_GLASS, reason, desk=desk, roster=roster, clock=clock)
        self._desk = desk
        self._roster = roster
        self._writer = writer
        self._reader = reader
        self._audit = audit
        self._clock = clock
        self._key = key
        self._longest_s = longest_s
        self._tell = tell
        self._tries = Buckets(_TRIES_EACH)
        self._tries_all = Bucket(_TRIES_ALL, clock.now_ms())

    # -- beforehand -----------------------------------------------------------------------------------------------

    async def ask_to_prepare(self, person: str, *, days: int) -> Asked:
        """Ask for a code for somebody who is known.

        Raises:
            InputError: nobody is known by this id.
            NotAllowedError: the policy has no break-glass.
            NobodyToAskError: nobody could approve it.
        """
        self._require_allowed()
        if not self._roster.has(person):
            known = ", ".join(sorted(each.id for each in self._roster.people))
            raise InputError(f"nobody is known as {person!r}; known: {known}", field="person")
        loss = f"lets {person} release once, alone, what an agent asks, within {days} days"
        return await self._consent.ask(PREPARE, {"person": person, "days": days}, loss)

    async def prepared(self, request_id: str, claim: str) -> tuple[Code, str]:
        """The code that a request of ``ask_to_prepare`` is about, now that it is approved; it is shown this once.

        Raises:
            NotAllowedError: it is not approved, or was used.
        """
        case = await self._consent.redeemed(request_id, claim, PREPARE)
        said, now_ms = case.request.action.arguments, self._clock.now_ms()
        name, secret = break_glass.fresh()
        blank = Code(
            id=name,
            person=str(said["person"]),
            salt=secrets.token_bytes(16),
            hash=b"",
            created_at_ms=now_ms,
            expires_at_ms=now_ms + int(str(said["days"])) * _DAY_MS,
            request_id=request_id,
        )
        code = replace(blank, hash=break_glass.code_hash(self._key, blank, secret))

        def work(connection: sa.Connection) -> None:
            rows.add(connection, code)
            data: dict[str, Value] = {
                "break_glass": code.id,
                "person": code.person,
                "expires_at_ms": code.expires_at_ms,
            }
            self._audit.append(
                connection, Entry(type=EntryType.BREAK_GLASS_PREPARED, request=code.request_id, data=data)
            )

        await self._writer.write(work)
        await self._consent.made(case)
        return code, break_glass.written(name, secret)

    async def codes(self) -> list[Code]:
        """All codes, newest first, those that ended too."""
        return await read(self._reader, rows.listed)

    async def revoke(self, code_id: str, *, by: str) -> Code:
        """Take a code back, or close the window that it has opened. That can only make things safer.

        Raises:
            RequestNotFoundError: there is none by this name that could still open anything.
        """
        now_ms = self._clock.now_ms()

        def work(connection: sa.Connection) -> Code | None:
            code = rows.find(connection, code_id.upper())
            if code is None or not (code.is_usable(now_ms) or code.is_open(now_ms)):
                return None
            return taken_back(connection, self._audit, code, by=by, now_ms=now_ms)

        code = await self._writer.write(work)
        if code is None:
            raise RequestNotFoundError(f"no break-glass code {code_id!r} could still open anything")
        return code

    # -- in the emergency -----------------------------------------------------------------------------------------

    async def release(self, text: str, shown: Shown, *, reason: str, by: str) -> Case:
        """Release one request as the person was shown it.

        Args:
            text: the code as it was typed.
            shown: the request.
            reason: why, in their words.
            by: who calls, for the log.

        Raises:
            NotAllowedError: the code is wrong, or does not release this; it is as it was.
        """

        def event_for(connection: sa.Connection, case: Case, electorate: Electorate) -> BreakGlass:
            code = self._used(connection, text, reason=reason)
            request = case.request
            if (request.version, request.action_digest) != (shown.version, shown.action_digest):
                raise NotAllowedError("the request is another than you were shown; look at it again")
            rows.put(connection, replace(code, hash=b""))
            return BreakGlass(
                use=code.id, by=code.person, reason=reason, in_window=False, until_ms=0, electorate=electorate
            )

        self._require_patience(text)
        try:
            self._require_allowed()
            step = await self._desk.break_glass(shown.request_id, event_for)
        except NotAllowedError as error:
            await self._refused(text, error, by=by, request_id=shown.request_id)
            raise
        end = step.case.request.end
        assert end is not None  # it was released
        await self._tell(
            f"{end.by} has released request {step.case.request.code} with the break-glass code {end.decision_id}: "
            f"{reason}",
            end.decision_id,
        )
        return step.case

    async def open(self, text: str, *, seconds: int, session: str, reason: str, by: str) -> Code:
        """Open a window: what agents ask until it closes is released at once, where its rule allows that.

        Args:
            text: the code as it was typed.
            seconds: how long.
            session: of an agent, to which it is bound; ``""`` for all.
            reason: why, in their words.
            by: who calls, for the log.

        Raises:
            NotAllowedError: the code is wrong, or the policy allows no such window.
        """

        def work(connection: sa.Connection) -> Code:
            code = self._used(connection, text, reason=reason)
            if not self._roster.has(code.person):
                raise NotAllowedError(f"nobody is known as {code.person} any more")
            now_ms = self._clock.now_ms()
            code = replace(code, session=session, until_ms=now_ms + seconds * 1000)
            code = replace(code, hash=break_glass.window_hash(self._key, code))
            rows.put(connection, code)
            data: dict[str, Value] = {
                "break_glass": code.id,
                "reason": reason,
                "scope": f"window, session {session}" if session else "window",
                "expires_at_ms": code.until_ms,
            }
            actor = Actor(type="human", id=code.person, channel=BREAK_GLASS, assurance=ASSURANCE)
            self._audit.append(connection, Entry(type=EntryType.BREAK_GLASS_USED, actor=actor, data=data))
            return code

        self._require_patience(text)
        try:
            self._require_allowed(seconds)
            code = await self._writer.write(work)
        except NotAllowedError as error:
            await self._refused(text, error, by=by)
            raise
        await self._tell(
            f"{code.person} has opened a break-glass window of {seconds} s with the code {code.id}: {reason}. "
            f"`askfirst break-glass revoke {code.id}` closes it.",
            code.id,
        )
        return code

    def _used(self, connection: sa.Connection, text: str, *, reason: str) -> Code:
        """The code, used up in this transaction as far as its caller keeps it so."""
        now_ms = self._clock.now_ms()
        parts = break_glass.parse(text)
        code = rows.find(connection, parts[0]) if parts else None
        if parts is None or code is None or not code.is_usable(now_ms):
            raise WrongCodeError(_WRONG)
        if not hmac.compare_digest(code.hash, break_glass.code_hash(self._key, code, parts[1])):
            raise WrongCodeError(_WRONG)
        return replace(code, used_at_ms=now_ms, reason=reason)

    def _require_allowed(self, seconds: int = 0) -> None:
        longest_s = self._longest_s()
        if longest_s == 0:
            raise NotAllowedError(_OFF)
        if seconds > longest_s:
            raise NotAllowedError(f"the policy allows a window of {longest_s} s at most, not {seconds} s")

    def _require_patience(self, text: str) -> None:
        now_ms = self._clock.now_ms()
        wait_ms = max(each.wait_ms(now_ms) for each in self._buckets(text, now_ms))
        if wait_ms:
            raise NotAllowedError(f"too many wrong codes; try again in {wait_ms // 60_000 + 1} min")

    def _buckets(self, text: str, now_ms: int) -> tuple[Bucket, Bucket]:
        parts = break_glass.parse(text)
        return self._tries.of(parts[0] if parts else "", now_ms), self._tries_all

    async def _refused(self, text: str, error: NotAllowedError, *, by: str, request_id: str = "") -> None:
        """Write it down, with the public part of the code alone."""
        now_ms = self._clock.now_ms()
        if isinstance(error, WrongCodeError):
            for each in self._buckets(text, now_ms):
                each.take(now_ms)
        parts = break_glass.parse(text)
        data: dict[str, Value] = {"reason": str(error), **({"break_glass": parts[0]} if parts else {})}
        actor = Actor(type="human", id=by, channel=BREAK_GLASS)
        entry = Entry(type=EntryType.BREAK_GLASS_REFUSED, request=request_id, actor=actor, data=data)
        await self._desk.note(entry)
