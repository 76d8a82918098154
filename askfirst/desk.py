"""The desk: what clients and channels may do with requests, each act one durable transaction.

Callers get an answer only after the commit. Every act is idempotent: a request by its key, a review by its decision
id, a redemption by the attempt that makes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping  # noqa: TC003  # a dataclass's annotation
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst import engine, grant_token
from askfirst.backlog import Backlog
from askfirst.bounds import Bounds
from askfirst.engine import (
    Amend,
    BreakGlass,
    Cancel,
    Case,
    Cast,
    Content,
    Cover,
    Opine,
    PassOn,
    Retract,
    Step,
    Unreachable,
)
from askfirst.errors import NotAllowedError
from askfirst.intake import Draft, Intake, Received, request_of
from askfirst.people import Directory
from askfirst.releaser import Releaser
from askfirst.review_draft import review_of
from askfirst.store import messages, records

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection

    import sqlalchemy as sa

    from askfirst.audit_port import AuditLog
    from askfirst.clock import Clock
    from askfirst.desk_ports import Editor, Inspector, Windows
    from askfirst.grant_token import GrantSigner
    from askfirst.hub import Hub
    from askfirst.opinion import Opinion
    from askfirst.people import Electorate, People
    from askfirst.request import Request
    from askfirst.rescue import Net
    from askfirst.review_draft import ReviewDraft
    from askfirst.store.writer import Writer

WEB_ONLY = frozenset({"web"})


class Desk(Releaser):
    """Requests over a store, and every act on them; the clerk in it writes each down.

    Args:
        writer: all writes go through it.
        reader: a read-only engine of the same store.
        audit: the log that the writer seals.
        hub: who waits in this process.
        clock: decides what is late.
        signer: signs grants, and knows its own signature again.
        people: who may decide; by default whoever a channel vouches for.
        editor: analyses edited arguments; None: nobody can edit.
        schemes: the channels that exist.
        vouched_max: the most that a review by any of them, or by a token, can be worth; by default that is no bound.
        bounds: how much may wait.
        inspector: looks whether an approved action would still meet what people were shown; None: a grant that is bound
            to a state is never redeemed.
        before_release: awaited before a grant is redeemed; what it raises keeps the action from running.
        windows: of break-glass; None: there are none.
        net: keeps what an action would destroy; None: nothing is kept.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        reader: sa.Engine,
        audit: AuditLog,
        hub: Hub,
        clock: Clock,
        signer: GrantSigner,
        people: People | None = None,
        editor: Editor | None = None,
        schemes: Collection[str] = WEB_ONLY,
        vouched_max: Callable[[], int] = lambda: 3,
        bounds: Bounds | None = None,
        inspector: Inspector | None = None,
        before_release: Callable[[Request], Awaitable[None]] | None = None,
        windows: Windows | None = None,
        net: Net | None = None,
    ) -> None:
        bounds = bounds or Bounds()
        super().__init__(
            writer=writer,
            reader=reader,
            audit=audit,
            hub=hub,
            clock=clock,
            signer=signer,
            intake=Intake(
                audit=audit, bounds=bounds, backlog=Backlog(bounds), schemes=schemes, vouched_max=vouched_max
            ),
            people=people or Directory(is_open=True),
            inspector=inspector,
            before_release=before_release,
            net=net,
        )
        self._editor = editor
        self._windows = windows

    # -- asking ---------------------------------------------------------------------------------------------------

    async def ask(self, draft: Draft) -> Case:
        """Make a request, or find the one that answers this draft already; see ``askfirst.intake``.

        Raises:
            Error: it cannot be asked; the sentence says why and what to do.
        """
        electorate = self._people.electorate(draft.agent)
        if self._net is not None and not draft.question:
            promise = await self._net.foresee(draft.action, draft.classification.effects)
            draft = replace(draft, promise=promise)

        def work(connection: sa.Connection) -> Received:
            received = self._intake.receive(connection, draft, electorate, self._clock.now_ms())
            case = received.case
            may_be_released = case.request.terms.break_glass_s > 0 and not received.was_denied
            if self._windows is None or not case.waits_for_people or not may_be_released:
                return received
            event = self._windows.through(connection, case.request, electorate)
            return received if event is None else replace(received, case=self._apply(connection, case, event).case)

        received = await self._writer.write(work, is_brief=True)
        if received.changed is not None:
            self._published(received.changed)
        return self._published(received.case)

    async def covered(self, draft: Draft) -> Case | None:
        """The answer to a draft where an earlier approval reaches this far: a request that is approved already.

        Returns:
            None where none reaches it: it has to be asked.

        Raises:
            Error: as ``ask``.
        """
        has_pattern = any(each.pattern for each in draft.terms.scopes)
        if not draft.agent.session or not has_pattern or draft.question or draft.supersedes:
            return None
        request = request_of(draft, self._clock.now_ms())
        act = request.action_digest
        content = Content(action=draft.action, effects=request.effects, risk=request.risk)
        electorate = self._people.electorate(draft.agent)

        def passing(case: Case, request_id: str) -> PassOn:
            is_genuine = case.grant is not None and grant_token.is_genuine(case.grant, self._signer)
            return PassOn(request_id=request_id, content=content, terms=draft.terms, is_genuine=is_genuine)

        def work(connection: sa.Connection) -> Case | None:
            now_ms = self._clock.now_ms()
            for case in records.read_granted(connection, act, draft.agent.session):
                is_covering = engine.step(case, passing(case, ""), now_ms).done
                if not is_covering or self._intake.overruled(connection, case, draft.action, act):
                    continue
                received = self._intake.receive(connection, draft, electorate, now_ms, tells=False)
                if not received.is_new:
                    return received.case
                used = self._apply(connection, case, passing(case, received.case.request.id))
                return self._apply(connection, received.case, Cover(by=used.case)).case
            return None

        found = await self._writer.write(work)
        return None if found is None else self._published(found)

    async def amend(self, request_id: str, amend: Amend) -> Step:
        """Make a new version of a pending request, as its requester; refused where nobody could decide on it (I6)."""
        amend = replace(amend, content=await self._foreseen(amend.content))

        def event(connection: sa.Connection, case: Case) -> Amend:
            self._require_meetable(case.request, amend.terms)
            return self._intake.amended(connection, amend, case.request.agent, self._clock.now_ms())

        return await self._step_on(request_id, event)

    async def opine(self, request_id: str, opinion: Opinion) -> Step:
        """Note what a language model says about a pending request; it decides nothing."""
        return await self._step(request_id, lambda _case: Opine(opinion=opinion))

    async def cancel(self, request_id: str, reason: str) -> Step:
        """Withdraw a request, as its requester."""
        return await self._step(request_id, lambda _case: Cancel(reason=reason))

    async def break_glass(
        self, request_id: str, event_for: Callable[[sa.Connection, Case, Electorate], BreakGlass]
    ) -> Step:
        """Release a request by a break-glass code, which ``event_for`` uses up in the same transaction.

        Raises:
            NotAllowedError: it cannot be released so; nothing was changed, and the code is as it was.
        """

        def work(connection: sa.Connection) -> Step:
            case = records.read(connection, request_id)
            electorate = self._people.electorate(case.request.agent)
            step = self._apply(connection, case, event_for(connection, case, electorate))
            if not step.done:
                raise NotAllowedError(step.note)
            return step

        return self._told(await self._writer.write(work))

    async def wait(self, request_id: str, timeout_s: float) -> Case:
        """The case once it no longer waits for people, or as it is when the time is up.

        It waits for the agent, too, once a reviewer has asked something back.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        while True:
            with self._hub.waiter(request_id) as change:
                case = await self.case(request_id)
                if not case.waits_for_people:
                    return case
                try:
                    case = await asyncio.wait_for(change, until - loop.time())
                except TimeoutError:
                    return case
            if not case.waits_for_people:
                return case

    # -- deciding -------------------------------------------------------------------------------------------------

    async def review(self, draft: ReviewDraft) -> Step:
        """Count a person's review, or say why it does not count; only channels call this.

        A token does not decide on what was asked with it: whoever asks cannot decide.

        Raises:
            InputError: edited arguments that are none of this tool's.
            NotAllowedError: arguments were edited where nobody can analyse them.
        """
        edit = None if draft.edit is None else await self._edited(draft.request_id, draft.edit)

        def work(connection: sa.Connection) -> Step:
            case = records.read(connection, draft.request_id)
            known = case.review(draft.decision_id)
            if known is not None:
                return Step(case=case, done=known.counted, note=known.note or case.request.state.value)
            electorate = self._people.electorate(case.request.agent)
            if draft.is_on_its_own(case.request):
                electorate = replace(electorate, requesters=electorate.requesters | {draft.person})
            review = review_of(draft, self._clock.now_ms())
            doubt = draft.doubt or records.retraction_of(connection, draft.decision_id)
            step = self._apply(connection, case, Cast(review=review, electorate=electorate, edit=edit, doubt=doubt))
            if step.case.review(draft.decision_id) is None:  # refused for good, though the case does not keep it
                records.remember_retraction(connection, draft.decision_id, step.note, self._clock.now_ms())
            return step

        return self._told(await self._writer.write(work, is_brief=True))

    async def retract(self, retract: Retract) -> Step | None:
        """Take back a review that no longer stands where it was made; None where it has not arrived yet.

        What arrives after its retraction counts for nothing.
        """

        def work(connection: sa.Connection) -> Step | None:
            case = records.read_reviewed(connection, retract.decision_id)
            if case is not None:
                return self._apply(connection, case, retract)
            reason = f"taken back before it arrived: {retract.reason}"
            records.remember_retraction(connection, retract.decision_id, reason, self._clock.now_ms())
            return None

        step = await self._writer.write(work)
        return None if step is None else self._told(step)

    async def _edited(self, request_id: str, arguments: Mapping[str, object]) -> Content:
        if self._editor is None:
            raise NotAllowedError(
                "arguments cannot be edited here: nobody would analyse them; deny, and say what to do"
            )
        edited = await self._editor.edited((await self.case(request_id)).request, arguments)
        return await self._foreseen(edited)

    async def _foreseen(self, content: Content) -> Content:
        """A new version with what of it could be taken back."""
        if self._net is None:
            return content
        return replace(content, promise=await self._net.foresee(content.action, content.effects))

    # -- looking --------------------------------------------------------------------------------------------------

    async def colleagues(self, case: Case, person: str) -> tuple[str, ...]:
        """Whom this person could hand the request to."""
        electorate = self._people.electorate(case.request.agent)
        return tuple(each for each in sorted(electorate.named(())) if each != person)

    async def changes(self) -> AsyncGenerator[Case, None]:
        """Every change from now on; a subscriber that does not keep up misses the oldest ones. Close it when done."""
        with self._hub.subscriber() as queue:
            while True:
                yield await queue.get()

    # -- telling --------------------------------------------------------------------------------------------------

    async def adopt(self, request_id: str, recipient: str, external_id: str) -> None:
        """Keep a message about this request up to date that we do not remember sending."""
        now_ms = self._clock.now_ms()
        await self._writer.write(
            lambda connection: messages.adopt(connection, request_id, recipient, external_id, now_ms)
        )

    async def unreachable(self, request_id: str, reason: str) -> None:
        """A message about this request was given up: where that was the last one, the next of its route are told."""

        def work(connection: sa.Connection) -> Step | None:
            case = records.read(connection, request_id)
            is_alone = messages.is_unreachable(connection, request_id)
            return self._apply(connection, case, Unreachable(reason=reason)) if is_alone else None

        step = await self._writer.write(work)
        if step is not None:
            self._told(step)
