"""What comes of one thing that a channel heard: who said it, may they, on which version, and what to tell them.

- An identity that is linked to nobody decides nothing, is told so a few times, and is written down as often.
- A decision names the version that was shown; its id is made of the delivery, so a repetition is the same review.
- What a channel doubts, and an approval without the code that it takes, is a review that does not count: recorded.
- What was done before a store was put back from a backup may have been used up since, of which nothing is known: it
  counts for nothing that was asked before, but for a deny, which stops what may have been stopped already.
- Whatever a person may not do is the engine's to refuse; this module decides nothing about a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, assert_never

from askfirst.audit_port import Actor, Entry, EntryType
from askfirst.canonical import digest
from askfirst.code import code_problem, meant, parts_of
from askfirst.engine import Retract
from askfirst.errors import ChannelError, RequestNotFoundError, RescueError
from askfirst.inbound import Decision, Ignored, Instruction, Linking, Outcome, Reference, Retraction, Undo
from askfirst.pace import Bucket, Buckets, take_each
from askfirst.ports import Rate
from askfirst.request import Verdict
from askfirst.review_draft import ReviewDraft
from askfirst.visible import visible

if TYPE_CHECKING:
    from askfirst.clock import Clock
    from askfirst.desk import Desk
    from askfirst.engine import Case
    from askfirst.inbound import Inbound, Origin
    from askfirst.people import Known, People
    from askfirst.ports import Listener
    from askfirst.request import Request
    from askfirst.undo_desk import UndoDesk

TEXT_MAX_CHARS = 8_000
VET_MAX_S = 30.0
_LOGGED_MAX_CHARS = 200
_NAME_MAX_CHARS = 300
_REFUSED_EACH = Rate(burst=3, per_s=3 / 3600)
"""How often a stranger is answered, and written down."""
_MISTAKES_EACH = Rate(burst=20, per_s=20 / 3600)
"""The same of somebody known who, say, mistypes a code."""
_REFUSED_ALL = Rate(burst=60, per_s=60 / 3600)
_STALE = (
    "this was done before the store was restored from a backup, and what came of it then is not known; do it once more "
    "if it still holds"
)
_STRANGER = (
    "I do not know you here, so this changed nothing. Whoever runs Askfirst can give you a link code "
    "(`askfirst people link`)."
)


Telling = Callable[[], Awaitable[None]]
"""Tells a person what became of what they did."""


class Linker(Protocol):
    """Links identities to people by one-time codes."""

    async def link(self, linking: Linking) -> Outcome:
        """What became of the code that somebody showed."""
        ...


class _Refused(Exception):  # noqa: N818  # never leaves this module
    """Nothing comes of it, and why."""

    def __init__(self, text: str, *, is_stranger: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.is_stranger = is_stranger


class Hearing:
    """Handles one thing after the other.

    Args:
        desk: where reviews are handed in.
        people: whom identities belong to.
        clock: for what is told and how often.
        linker: None: nobody can be linked here.
        undos: None: nothing can be undone here.
    """

    def __init__(
        self,
        *,
        desk: Desk,
        people: People,
        clock: Clock,
        linker: Linker | None = None,
        undos: UndoDesk | None = None,
    ) -> None:
        self._desk = desk
        self._people = people
        self._clock = clock
        self._linker = linker
        self._undos = undos
        self._refused = Buckets(_REFUSED_EACH)
        self._mistakes = Buckets(_MISTAKES_EACH)
        self._refused_all = Bucket(_REFUSED_ALL, clock.now_ms())

    async def hear(self, listener: Listener, inbound: Inbound) -> Telling | None:
        """Do what comes of it, and return how the person is told; None when there is nothing to tell.

        Raises:
            ChannelError: the channel cannot find out now whether it counts; nothing was done.
            StoreError: nothing was done.
        """
        if isinstance(inbound, Ignored):
            return None
        try:
            if isinstance(inbound, Retraction):  # makes nothing less safe, so it counts whoever made it
                outcome = await self._retract(listener, inbound)
                return None if outcome is None else partial(listener.acknowledge, inbound, outcome)
            _require_own(listener, inbound.origin)
            if isinstance(inbound, Instruction):
                return partial(listener.instruct, inbound, self._known(inbound.origin).person)
            outcome = await self._heard(listener, inbound)
        except _Refused as refused:
            outcome = await self._refuse(listener, inbound.origin, refused)
        return None if outcome is None else partial(listener.acknowledge, inbound, outcome)

    async def _heard(self, listener: Listener, inbound: Decision | Undo | Linking) -> Outcome | None:
        match inbound:
            case Decision():
                return await self._decide(listener, inbound)
            case Undo():
                return await self._undo(listener, inbound)
            case Linking():
                return await self._link(inbound)
            case _:
                assert_never(inbound)

    async def _decide(self, listener: Listener, decision: Decision) -> Outcome:
        decision_id = decision_id_of(listener.scheme, decision.delivery, decision.part)
        told = await self._desk.reviewed(decision_id)
        if told is not None:  # we were ended before it was told, or the provider repeats itself
            return self._outcome(told, decision_id)
        known = self._known(decision.origin)
        vetted = await _vetted(listener, decision)
        assert isinstance(vetted, Decision)  # the same but for doubt, says the contract
        if vetted.doubt and vetted.reference == Reference():
            raise _Refused(vetted.doubt)
        case = await self._case(vetted.reference)
        version = meant(case, vetted.reference)
        if version is None:
            raise _Refused("this belongs to no version of that request; decide on the newest message")
        if vetted.verdict is not Verdict.DENY:
            vetted = replace(vetted, doubt=vetted.doubt or await self._stale(case.request, vetted.origin))
        step = await self._desk.review(_draft(listener, vetted, known, version, decision_id))
        await self._adopt(case, vetted)
        return self._outcome(step.case, decision_id, step.note)

    async def _retract(self, listener: Listener, retraction: Retraction) -> Outcome | None:
        event = Retract(
            decision_id=decision_id_of(listener.scheme, retraction.retracted, retraction.retracted_part),
            by=visible(retraction.origin.identity[:_LOGGED_MAX_CHARS]),
            channel=listener.scheme,
            reason=_unicode(retraction.reason[:_LOGGED_MAX_CHARS]),
        )
        step = await self._desk.retract(event)
        if step is None or not step.done:
            return None  # most edits are of what never counted
        return Outcome(counted=True, text=step.note, request_id=step.case.request.id)

    async def _undo(self, listener: Listener, undo: Undo) -> Outcome:
        known = self._known(undo.origin)
        if self._undos is None:
            raise _Refused("nothing can be undone here")
        vetted = await _vetted(listener, undo)
        assert isinstance(vetted, Undo)
        case = await self._case(vetted.reference)
        doubt = vetted.doubt or await self._stale(case.request, vetted.origin)
        if doubt or meant(case, vetted.reference) is None:
            raise _Refused(doubt or "this belongs to no version of that request")
        try:
            step = await self._undos.undo(
                case.request.id,
                turn=vetted.turn,
                by=known.person,
                channel=listener.scheme,
                assurance=_worth(vetted.assurance, listener, known),
            )
        except RescueError as error:
            raise _Refused(str(error)) from error
        return Outcome(counted=step.done, text=step.note, request_id=case.request.id)

    async def _stale(self, request: Request, origin: Origin) -> str:
        """Why this does not count for a request that a backup brought back, ``""`` for nothing."""
        if origin.at_ms is None:
            return ""
        restored_ms = await self._desk.restored_at_ms()
        return _STALE if max(origin.at_ms, request.created_at_ms) < restored_ms else ""

    async def _link(self, linking: Linking) -> Outcome | None:
        if self._linker is None:
            raise _Refused("nobody can be linked here", is_stranger=True)
        return await self._linker.link(linking)

    async def _adopt(self, case: Case, decision: Decision) -> None:
        """A control was pressed in a message that we do not remember sending: from now on it is kept up to date."""
        origin = decision.origin
        if origin.replies_to and not decision.reference.code:
            await self._desk.adopt(case.request.id, origin.recipient, origin.replies_to)

    def _known(self, origin: Origin) -> Known:
        known = self._people.known(origin.identity)
        if known is None:
            raise _Refused(_STRANGER, is_stranger=True)
        return known

    async def _case(self, reference: Reference) -> Case:
        if reference.request_id:
            try:
                return await self._desk.case(reference.request_id)
            except RequestNotFoundError:
                raise _Refused("there is no such request here") from None
        parts = parts_of(reference.code)
        found = [] if parts is None else await self._desk.coded(*parts)
        if len(found) != 1:
            how_many = "several requests have" if found else "no request has"
            raise _Refused(f"{how_many} the code {reference.code[:40]!r}; decide on the newest message")
        return found[0]

    async def _refuse(self, listener: Listener, origin: Origin, refused: _Refused) -> Outcome | None:
        """Write it down and answer it, unless this happens too often."""
        now_ms = self._clock.now_ms()
        is_known = self._people.known(origin.identity) is not None
        if is_known:
            buckets = [self._mistakes.of(origin.identity, now_ms)]
        else:
            buckets = [self._refused.of(origin.identity, now_ms), self._refused_all]
        if not take_each(buckets, now_ms):
            return None
        actor = Actor(type="human", id=visible(origin.identity[:_LOGGED_MAX_CHARS]), channel=listener.scheme)
        data = {
            "name": visible(origin.name[:_LOGGED_MAX_CHARS]),
            "recipient": visible(origin.recipient[:_LOGGED_MAX_CHARS]),
            "reason": visible(refused.text),
        }
        await self._desk.note(Entry(type=EntryType.CHANNEL_REFUSED, actor=actor, data=data))
        return Outcome(counted=False, text=refused.text, is_stranger=refused.is_stranger)

    def _outcome(self, case: Case, decision_id: str, note: str = "") -> Outcome:
        review = case.review(decision_id)
        if review is None:
            return Outcome(counted=False, text=note, request_id=case.request.id)
        end = case.request.end
        text = note or review.note or (end and case.request.state.value) or f"counted: {review.verdict.value}"
        if end is not None and not review.counted and end.at_ms <= review.at_ms:
            text = f"{text} {_ago(self._clock.now_ms() - end.at_ms)}"
        return Outcome(counted=review.counted, text=text, request_id=case.request.id)


async def _vetted(listener: Listener, inbound: Decision | Undo) -> Inbound:
    """What the channel finds out about it, in time: one that hangs must not hold up everybody's decisions."""
    try:
        return await asyncio.wait_for(listener.vet(inbound), VET_MAX_S)
    except TimeoutError:
        raise ChannelError(f"{listener.scheme} found nothing out within {VET_MAX_S:.0f} s") from None


def decision_id_of(scheme: str, delivery: str, part: str = "") -> str:
    """The id of the review that this delivery makes: the same delivery is the same review, whatever it holds."""
    return f"{scheme}:{digest([scheme, delivery, part])[:32]}"


def _draft(listener: Listener, decision: Decision, known: Known, version: Request, decision_id: str) -> ReviewDraft:
    is_long = len(decision.text) > TEXT_MAX_CHARS
    too_long = f"the text is longer than {TEXT_MAX_CHARS:,} characters" if is_long else ""
    typed = decision.typed_code or decision.reference.code
    return ReviewDraft(
        decision_id=decision_id,
        request_id=version.id,
        version=version.version,
        action_digest=version.action_digest,
        person=known.person,
        channel=listener.scheme,
        verdict=decision.verdict,
        assurance=_worth(decision.assurance, listener, known),
        text=_unicode(decision.text[:TEXT_MAX_CHARS]),
        scope=decision.scope,
        stop=decision.stop,
        to=decision.to,
        doubt=decision.doubt or too_long or code_problem(version, decision.verdict, typed),
    )


def _worth(vouched: int, listener: Listener, known: Known) -> int:
    """The assurance of an act: no more than its channel, and the link of its identity, are good for."""
    return max(0, min(vouched, listener.caps.assurance, known.assurance))


def _unicode(text: str) -> str:
    """The text, with what is no character (a lone surrogate out of JSON) written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _require_own(listener: Listener, origin: Origin) -> None:
    """A channel vouches for its own identities, and for no other channel's."""
    if not origin.identity.startswith(f"{listener.scheme}:"):
        raise ChannelError(f"{listener.scheme} named an identity that is not its own", is_permanent=True)
    if not all(each.isprintable() and len(each) <= _NAME_MAX_CHARS for each in (origin.identity, origin.recipient)):
        raise ChannelError(f"{listener.scheme} named an identity or recipient that is none", is_permanent=True)


def _ago(passed_ms: int) -> str:
    seconds = max(0, passed_ms // 1000)
    if seconds < 120:
        return f"{seconds} s ago"
    return f"{seconds // 60} min ago" if seconds < 7200 else f"{seconds // 3600} h ago"
