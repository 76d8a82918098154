"""The releaser: lets approved actions run, each use of a grant once, and writes down how they went.

What comes before a use is looked at here, outside the transaction: whether the action would still meet what people were
shown, whether the log is witnessed, and whether what it would destroy is kept. The transaction decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst import grant_token
from askfirst.clerk import Clerk
from askfirst.engine import Content, Executed, Redeem, Revoke, Step, Undo
from askfirst.engine.grants import is_outdated
from askfirst.entries import unused_entry
from askfirst.errors import Error, InputError, NotAllowedError
from askfirst.request import Receipt
from askfirst.rescue import Rescue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import sqlalchemy as sa

    from askfirst.audit_port import AuditLog
    from askfirst.clock import Clock
    from askfirst.desk_ports import Inspector
    from askfirst.engine import Case
    from askfirst.grant_token import GrantSigner
    from askfirst.hub import Hub
    from askfirst.intake import Intake
    from askfirst.people import People
    from askfirst.request import Request
    from askfirst.rescue import Net
    from askfirst.sight import Sight
    from askfirst.store.writer import Writer
    from askfirst.terms import Terms


class Releaser(Clerk):
    """A clerk that uses grants.

    Args:
        intake: knows what was denied since an approval.
        people: who may decide.
        inspector: looks whether an approved action would still meet what people were shown; None: a grant that is bound
            to a state is never redeemed.
        before_release: awaited before a grant is redeemed; what it raises keeps the action from running.
        net: keeps what an action would destroy; None: nothing is kept.
        writer: the clerk's, as all that follow.
        reader: a read-only engine of the same store.
        audit: the log.
        hub: who waits.
        clock: dates the steps.
        signer: knows its own signature of a grant again.
    """

    def __init__(
        self,
        *,
        intake: Intake,
        people: People,
        inspector: Inspector | None,
        before_release: Callable[[Request], Awaitable[None]] | None,
        net: Net | None,
        writer: Writer,
        reader: sa.Engine,
        audit: AuditLog,
        hub: Hub,
        clock: Clock,
        signer: GrantSigner,
    ) -> None:
        super().__init__(writer=writer, reader=reader, audit=audit, hub=hub, clock=clock, signer=signer)
        self._intake = intake
        self._people = people
        self._inspector = inspector
        self._before_release = before_release
        self._net = net

    async def redeem(
        self,
        request_id: str,
        *,
        action_digest: str,
        attempt: str,
        tool_use_id: str,
        content: Content | None = None,
        terms: Terms | None = None,
        has_run: bool = False,
        sight: Sight | None = None,
        known: Case | None = None,
    ) -> Step:
        """Use the grant of a request: at most one attempt ever hears ``done`` for each of its uses.

        What comes before goes by the case as it was ``known`` a moment ago, by default as it is read; whether it still
        is so, the transaction looks.

        With ``content``, or without a ``tool_use_id``, no call has just waited for it: then its session may not have
        been told to stop since, nor may the action have been denied; nor where its deadline has approved it, as
        silence is nobody's word. Where the approval reaches further than one run, a denial is looked for in any case.

        A grant that is bound to a state is worth nothing once that has changed: then a new version is asked. What the
        action would destroy is kept first, unless it ``has_run`` already, on a Yes at its host.

        Raises:
            RescueError: it could not be kept as people were promised; nothing was redeemed.
            LookAgainError: it would run on another machine, whose ``sight`` is too old to tell.
        """
        redeem = Redeem(
            action_digest=action_digest, attempt=attempt, tool_use_id=tool_use_id, action=content, terms=terms
        )
        if self._inspector is not None or self._before_release is not None or self._net is not None:
            bound = known or await self.case(request_id)
            if self._inspector is not None:
                state_digest = await self._state_of(bound, self._inspector, has_run=has_run, sight=sight)
                if is_outdated(bound, state_digest):
                    return await self._renew(bound, self._inspector, sight)
                redeem = replace(redeem, state_digest=state_digest)
            redeem = replace(redeem, rescue=await self._prepared(bound, content, has_run=has_run))

        def event(connection: sa.Connection, case: Case) -> Redeem:
            overruled = "" if has_run else self._overruled(connection, case, redeem)
            is_genuine = case.grant is not None and grant_token.is_genuine(case.grant, self._signer)
            return replace(redeem, is_genuine=is_genuine, overruled=overruled)

        step = await self._step_on(request_id, event)
        await self._drop_unused(redeem.rescue, step)
        return step

    def _overruled(self, connection: sa.Connection, case: Case, redeem: Redeem) -> str:
        """Why what people have said since the approval keeps it closed, or ``""``."""
        act = redeem.action_digest
        action = case.request.action if redeem.action is None else redeem.action.action
        end = case.request.end
        is_silence = end is not None and end.by == "deadline"
        is_ahead = redeem.action is not None or not redeem.tool_use_id or is_silence  # nobody has just let it go on
        overruled = self._intake.overruled(connection, case, action, act, is_ahead=is_ahead)
        if is_ahead and not overruled:
            return self._intake.stopped(connection, case.request, self._clock.now_ms())
        return overruled

    async def _drop_unused(self, rescue: Rescue, step: Step) -> None:
        """Give up what was kept for a use that did not come about."""
        uses = step.case.grant.uses if step.case.grant is not None else ()
        if rescue.snapshot and self._net is not None and all(each.rescue != rescue for each in uses):
            await self._net.drop(rescue.snapshot)

    async def _state_of(self, case: Case, inspector: Inspector, *, has_run: bool, sight: Sight | None) -> str:
        """The state that the action would meet now, where the grant is bound to one and nothing has run yet."""
        if case.grant is None or not is_outdated(case, ""):
            return ""
        return case.grant.state_digest if has_run else await inspector.state_of(case.request, sight)

    async def _renew(self, case: Case, inspector: Inspector, sight: Sight | None) -> Step:
        """Ask anew; where the policy denies it by now, or nobody could decide, the grant is taken back."""
        try:
            renew = await inspector.renewed(case.request, sight)
            self._require_meetable(case.request, renew.terms)
        except (NotAllowedError, InputError) as error:
            step = await self.revoke(case.request.id, by="policy", channel="", reason=str(error))
            return replace(step, done=False, note=str(error))
        return await self._step(case.request.id, lambda _case: renew)

    async def _prepared(self, case: Case, content: Content | None, *, has_run: bool) -> Rescue:
        """What comes before a release: witnesses, and keeping what would be destroyed; that it failed is an entry."""
        try:
            if self._before_release is not None:
                await self._before_release(case.request)
            return Rescue() if has_run else await self._caught(case, content)
        except Error as error:
            if case.open_grant is not None:
                await self.note(unused_entry(case.request, f"not released: {error}"))
            raise

    async def _caught(self, case: Case, content: Content | None) -> Rescue:
        """What was kept of what would be destroyed; nothing where nothing can be released anyway."""
        if self._net is None or case.open_grant is None:
            return Rescue()
        action, effects = case.request.action, case.request.effects
        if content is not None:
            action, effects = content.action, content.effects
        return await self._net.catch(case.request, action, effects)

    async def executed(
        self,
        request_id: str,
        *,
        action_digest: str,
        outcome: str,
        detail: str = "",
        tool_use_id: str = "",
        receipt: Receipt | None = None,
    ) -> Step:
        """Record how the released action went."""
        event = Executed(
            action_digest=action_digest,
            outcome=outcome,
            detail=detail,
            tool_use_id=tool_use_id,
            receipt=receipt or Receipt(),
        )
        step = await self._step(request_id, lambda _case: event)
        uses = step.case.grant.uses if step.done and step.case.grant is not None else ()
        snapshot = next((each.rescue.snapshot for each in reversed(uses) if each.tool_use_id == tool_use_id), "")
        if snapshot and self._net is not None:
            await self._net.ran(snapshot)
        return step

    async def undone(self, request_id: str, undo: Undo) -> Step:
        """Record that what a released action did was taken back; ``askfirst.undo_desk`` does it."""
        return await self._step(request_id, lambda _case: undo)

    async def revoke(
        self, request_id: str, *, by: str, channel: str, reason: str = "", assurance: int | None = None
    ) -> Step:
        """Take back the grant of a request; what runs already is not stopped."""
        event = Revoke(by=by, channel=channel, reason=reason, assurance=assurance)
        return await self._step(request_id, lambda _case: event)

    def _require_meetable(self, request: Request, terms: Terms) -> None:
        electorate = self._people.electorate(request.agent)
        self._intake.require_meetable(terms, electorate, is_question=bool(request.question))
