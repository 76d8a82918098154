"""What becomes of a draft, inside the transaction that answers it: found again, joined, answered, refused, or asked.

In this order, so that people are asked as rarely as can be:

1. the same key is the same request;
2. the same action that was approved and has uses left, e.g. by a late approval: that approval is the answer, once,
   unless people have denied the action since; one for several uses that no session holds together answers none but the
   caller who asked for it; so does an approval of what a person has changed this action into, where the caller is shown
   that (a hook hands the change over by itself, ``askfirst.gate``);
3. the same action that waits already: this call waits for the same decision, and one of them will run;
4. a session that was told to stop hears that, whatever it tries; whoever has none cannot be told to;
5. the same action that was denied a moment ago is answered from that denial, unless the agent gives a reason that it
   had not given: then a person is asked once more, and not again;
6. nobody who could decide, a channel that is not there, or none whose reviews are worth enough: refused with the reason
   and the fix (I6);
7. too much waits already: refused;
8. else a new request, with a note where something equivalent was denied before; then no deadline approves it: silence
   is no consent to what somebody has refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.askable import nobody_for, unreachable, unusable_question, unvouched
from askfirst.audit_port import EntryType
from askfirst.clock import new_id
from askfirst.effects import Risk
from askfirst.engine import Amend, Case, LogLine, Supersede, step
from askfirst.entries import entry_of
from askfirst.errors import InputError, NobodyToAskError, NotAllowedError, OverloadedError
from askfirst.evidence.values import Evidence
from askfirst.past_denials import (
    answer_of,
    in_other_words,
    of_same,
    similar_denials,
    stop_of,
    without_consent_by_silence,
)
from askfirst.replacing import replace
from askfirst.request import Claim, Request, RequestKind, RequestState, counted_as
from askfirst.rescue import Promise
from askfirst.store import outbox, records
from askfirst.store.standing import DENIALS_MAX, denials, edited_from, is_denied_since, standing, stops

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import sqlalchemy as sa

    from askfirst.audit_port import AuditLog, Value
    from askfirst.backlog import Backlog
    from askfirst.bounds import Bounds
    from askfirst.effects import Classification
    from askfirst.host import Agent
    from askfirst.people import Electorate
    from askfirst.request import Action
    from askfirst.store.standing import Standing
    from askfirst.terms import Terms


_DENIED_SINCE = "people have denied this very action since that was approved; ask anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What becomes a request; ``key`` makes creating it idempotent.

    Attributes:
        risk: at least this grave, whatever was found: a rule may say so.
        evidence: what was found out about it.
        promise: whether it can be taken back.
        question: makes it a question instead of an approval; then ``options`` or ``answer_schema`` say what fits.
        supersedes: id of a pending request of the same session that this one replaces.
        notes: what people should know beside the effects.
        caller: who made it by the API, where what they may let wait is bounded, and what they may use again is theirs;
            ``""`` for the broker's own user, and for hooks, whose hosts have names that nobody chooses.
        takes_edits: whether who made it is shown what has been approved, so that an approval of what a reviewer has
            changed this action into answers it.
    """

    key: str
    agent: Agent
    tool_use_id: str
    action: Action
    classification: Classification
    terms: Terms
    claim: Claim = field(default_factory=Claim)
    risk: Risk = Risk.LOW
    evidence: Evidence = field(default_factory=Evidence)
    promise: Promise = field(default_factory=Promise)
    question: str = ""
    options: tuple[str, ...] = ()
    answer_schema: str = ""
    supersedes: str = ""
    notes: tuple[str, ...] = ()
    caller: str = ""
    takes_edits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a draft has become.

    Attributes:
        changed: which other case changed on the way.
        is_new: whether the case was made just now.
        was_denied: whether people have denied this very action of late.
    """

    case: Case
    changed: Case | None = None
    is_new: bool = False
    was_denied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Receives drafts.

    Attributes:
        audit: the log that the transaction is sealed with.
        bounds: how much may wait.
        backlog: how much does.
        schemes: channels that exist here.
        vouched_max: the most that a review can be worth here, 0 to 3.
    """

    audit: AuditLog
    bounds: Bounds
    backlog: Backlog
    schemes: Collection[str]
    vouched_max: Callable[[], int]

    def receive(
        self, connection: sa.Connection, draft: Draft, electorate: Electorate, now_ms: int, *, tells: bool = True
    ) -> Received:
        """The answer to a draft, on the caller's transaction; ``tells``: whether people get to know of a new request.

        Raises:
            InputError: a question asks for what cannot be checked.
            NobodyToAskError: no person or no channel can be reached on these terms.
            NotAllowedError: it would replace a request of somebody else.
            OverloadedError: too much waits already.
        """
        act = draft.action.digest()
        stands = standing(
            connection,
            key=draft.key,
            action_digest=act,
            agent=draft.agent,
            caller=draft.caller,
            now_ms=now_ms,
            denied_since_ms=now_ms - self.bounds.similar_window_s * 1000,
            bounds=self.bounds,
        )
        answer = self._answer(connection, stands, draft, act, now_ms)
        if answer is not None:
            return answer
        self._require_askable(connection, stands, draft, electorate, now_ms)
        similar = similar_denials(draft.action, act, draft.classification.effects, stands.denials, now_ms)
        if similar:
            draft = replace(draft, terms=without_consent_by_silence(draft.terms))
        request = request_of(draft, now_ms, action_digest=act, notes=(*draft.notes, *similar))
        received = self._ask(connection, draft, request, now_ms)
        if tells:
            recipients = draft.terms.stages[0].recipients
            outbox.owe_messages(connection, request.id, recipients, max(now_ms, draft.terms.opens_at_ms))
        return replace(received, was_denied=bool(of_same(stands.denials, act)))

    def _answer(
        self, connection: sa.Connection, stands: Standing, draft: Draft, act: str, now_ms: int
    ) -> Received | None:
        """What is there already for it; None where people have to be asked."""
        if stands.known is not None:
            return Received(case=stands.known)
        stopped = None  # without a session there is none to stop
        if draft.agent.can_be_stopped:
            stopped = stop_of(stands.denials, draft.action.machine, self.bounds.stop_window_s, now_ms)
            if stopped is None and len(stands.denials) >= DENIALS_MAX:  # more were denied after it than are looked at
                stopped = self._stop(connection, draft.agent, draft.action.machine, now_ms)
        for granted in stands.granted if stopped is None else ():
            if not self.overruled(connection, granted, draft.action, act):
                return Received(case=granted)
        if draft.takes_edits and stopped is None and (edited := self._edited(connection, draft, act, now_ms)):
            return Received(case=edited)
        if stands.waiting is not None:
            self._note(connection, stands.waiting.request, EntryType.GATE_JOINED, draft, {})
            return Received(case=stands.waiting, was_denied=bool(of_same(stands.denials, act)))
        denied = stopped or answer_of(stands.denials, draft.claim.reason, act, self.bounds.denial_window_s, now_ms)
        if denied is None:
            return None
        details: dict[str, Value] = {"verdict": "denied", "from": denied.id}
        tried = replace(request_of(draft, now_ms, action_digest=act), id=denied.id)  # a stop refuses anything
        self._note(connection, tried, EntryType.GATE_REFUSED, draft, details)
        return Received(case=records.read(connection, denied.id))

    def _edited(self, connection: sa.Connection, draft: Draft, act: str, now_ms: int) -> Case | None:
        """An approval of what a reviewer has changed this action (of digest ``act``) into; both undenied since."""
        for case in edited_from(connection, action_digest=act, caller=draft.caller, now_ms=now_ms):
            to = case.request
            is_overruled = self.overruled(connection, case, draft.action, act) or self.overruled(
                connection, case, to.action, to.action_digest
            )
            if not is_overruled:
                return case
        return None

    def amended(self, connection: sa.Connection, amend: Amend, agent: Agent, now_ms: int) -> Amend:
        """A new version with what people should know: that what it has become was denied before, as itself or alike."""
        content = amend.content
        act = content.action.digest()
        since_ms = now_ms - self.bounds.similar_window_s * 1000
        denied = denials(connection, action_digest=act, agent=agent, since_ms=since_ms)
        similar = similar_denials(content.action, act, content.effects, denied, now_ms)
        if not similar:
            return amend
        return replace(amend, terms=without_consent_by_silence(amend.terms), notes=similar)

    def overruled(
        self, connection: sa.Connection, case: Case, action: Action, act: str, *, is_ahead: bool = True
    ) -> str:
        """Why an approval that was given before does not let this action (of digest ``act``) run any more, or ``""``.

        Deny beats approve until it has run (I5), also by another request: one that was made before a late approval, or
        amended into this action. Where a call has just waited for it (not ``is_ahead``), one run of the very action is
        denied by its own request alone.

        Whoever approved commands like it has not seen this one: such an approval does not let pass what was denied in
        other words either.
        """
        grant = case.grant
        if grant is None or not (is_ahead or grant.uses_max > 1 or grant.pattern):
            return ""
        if is_denied_since(connection, act, grant.issued_at_ms):
            return _DENIED_SINCE
        if not (grant.pattern or grant.under):
            return ""
        found = denials(connection, action_digest=act, agent=case.request.agent, since_ms=grant.issued_at_ms)
        denied = in_other_words(action, found)
        return "" if denied is None else f"people have denied the same in other words ({denied.code}); ask anew"

    def stopped(self, connection: sa.Connection, request: Request, now_ms: int) -> str:
        """That the session of this request was told to stop, or ``""``; not all can be told to."""
        if not request.agent.can_be_stopped:
            return ""
        stop = self._stop(connection, request.agent, request.action.machine, now_ms)
        return "" if stop is None else f"its session was told to stop (request {stop.code})"

    def _stop(self, connection: sa.Connection, agent: Agent, machine: str, now_ms: int) -> Request | None:
        window_s = self.bounds.stop_window_s
        return stop_of(stops(connection, agent, now_ms - window_s * 1000), machine, window_s, now_ms)

    def require_meetable(self, terms: Terms, electorate: Electorate, *, is_question: bool) -> None:
        """Refuse terms on which nobody could decide.

        Raises:
            NobodyToAskError: no person or no channel can be reached on them, or no review is worth enough.
        """
        problem = (
            unreachable(terms, self.schemes)
            or nobody_for(terms, electorate)
            or unvouched(terms, self.vouched_max(), is_question=is_question)
        )
        if problem:
            raise NobodyToAskError(problem)

    def _require_askable(
        self, connection: sa.Connection, stands: Standing, draft: Draft, electorate: Electorate, now_ms: int
    ) -> None:
        unusable = unusable_question(draft.question, draft.options, draft.answer_schema)
        if unusable:
            raise InputError(unusable, field="question")
        self.require_meetable(draft.terms, electorate, is_question=bool(draft.question))
        if draft.supersedes:  # as many wait as before
            return
        if stands.is_session_full and draft.agent.session:  # without one they are many callers'
            raise OverloadedError(
                f"{self.bounds.pending_per_session} requests of this session wait for people already; wait for these, "
                "or withdraw some"
            )
        caller = counted_as(draft.action, draft.caller)
        refusal = self.backlog.refusal(connection, host=draft.agent.host, caller=caller, now_ms=now_ms)
        if refusal:
            raise OverloadedError(refusal)

    def _ask(self, connection: sa.Connection, draft: Draft, request: Request, now_ms: int) -> Received:
        changed = self._supersede(connection, draft, request, now_ms) if draft.supersedes else None
        case = Case(request=request)
        records.insert(connection, case, draft.key)
        self.backlog.add(request)
        entry_type = EntryType.QUESTION_ASKED if draft.question else EntryType.GATE_REQUESTED
        self._note(connection, request, entry_type, draft, {"notes": request.notes} if request.notes else {})
        return Received(case=case, changed=changed, is_new=True)

    def _supersede(self, connection: sa.Connection, draft: Draft, newer: Request, now_ms: int) -> Case:
        old = records.read(connection, draft.supersedes)
        if draft.caller and old.request.action.machine != draft.action.machine:
            raise records.not_there(draft.supersedes)  # as it is not for any other call of that machine
        mine, theirs = [(each.agent.host, each.agent.session, each.action.machine) for each in (draft, old.request)]
        if mine != theirs:
            raise NotAllowedError("a request can only be replaced by the session that made it")
        done = step(old, Supersede(by=newer.id, code=newer.code), now_ms)
        if not done.done:
            raise NotAllowedError(f"it cannot be replaced: {done.note}")
        records.save(connection, old, done.case)
        outbox.owe_updates(connection, old.request.id, now_ms)
        for line in done.log:
            self.audit.append(connection, entry_of(done.case.request, line))
        return done.case

    def _note(
        self, connection: sa.Connection, request: Request, entry_type: EntryType, draft: Draft, more: dict[str, Value]
    ) -> None:
        line = LogLine(
            type=entry_type,
            actor=draft.agent.session,
            actor_type="agent",
            decision={"rule": draft.terms.rule, "policy_sha256": draft.terms.policy_digest, **more},
        )
        self.audit.append(connection, entry_of(request, line))


def request_of(draft: Draft, now_ms: int, *, action_digest: str = "", notes: tuple[str, ...] | None = None) -> Request:
    """The pending request that a draft becomes.

    Args:
        draft: what it is made of.
        now_ms: when.
        action_digest: of its action, when that is known already.
        notes: instead of the draft's.
    """
    found = draft.classification
    return Request(
        id=new_id(),
        version=1,
        kind=RequestKind.QUESTION if draft.question else RequestKind.APPROVAL,
        state=RequestState.PENDING,
        created_at_ms=now_ms,
        agent=draft.agent,
        tool_use_id=draft.tool_use_id,
        action=draft.action,
        action_digest=action_digest or draft.action.digest(),
        risk=max(found.risk, draft.risk),
        effects=found.effects,
        expanded=found.expanded,
        evidence=draft.evidence,
        promise=draft.promise,
        terms=draft.terms,
        claim=draft.claim,
        question=draft.question,
        options=draft.options,
        answer_schema=draft.answer_schema,
        supersedes=draft.supersedes,
        caller=draft.caller,
        notes=draft.notes if notes is None else notes,
    )
