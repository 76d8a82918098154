"""What can happen to a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.evidence.values import Evidence
from askfirst.people import Electorate
from askfirst.request import Receipt
from askfirst.rescue import Promise, Rescue

if TYPE_CHECKING:
    from askfirst.effects import Effect, Risk
    from askfirst.engine.case import Case
    from askfirst.opinion import Opinion
    from askfirst.request import Action, Claim, Review
    from askfirst.rescue import Undoing
    from askfirst.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What would run, as analysed: the part of a request that a new version changes.

    Attributes:
        terms: of a reviewer's edit: on which people would be asked about it.
    """

    action: Action
    effects: tuple[Effect, ...]
    risk: Risk
    expanded: str = ""
    evidence: Evidence = field(default_factory=Evidence)
    promise: Promise = field(default_factory=Promise)
    terms: Terms | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """A person has reviewed.

    Attributes:
        review: what they said.
        electorate: who may decide at this moment.
        edit: with an approval: what shall run instead, analysed anew.
        doubt: why it must not count whoever made it, ``""`` for nothing.
    """

    review: Review
    electorate: Electorate = field(default_factory=Electorate)
    edit: Content | None = None
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retract:
    """A review no longer stands where it was made: it was edited or deleted there. Never makes anything less safe.

    Attributes:
        decision_id: of the review.
        by: the identity that edited or deleted, as far as it is known.
    """

    decision_id: str
    by: str
    channel: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A timer says that something may be due; it decides nothing by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """Nobody whom the request was to be shown to can be told; ``reason`` says why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The requester withdraws."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """The session was told to stop, by the denial of another request of it; ``by`` is that request's case."""

    by: Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Amend:
    """The requester changes what would run, or what it says about it: a new version.

    Attributes:
        content: analysed anew, also where nothing but the claim changed.
        claim: what the agent now says.
        terms: what the policy says about the new version.
        notes: what people should know of the new version, after the notes that there are.
    """

    content: Content
    claim: Claim
    terms: Terms
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opine:
    """A language model has read a version of the request."""

    opinion: Opinion


@dataclass(frozen=True, slots=True, kw_only=True)
class Renew:
    """What the approved action would meet has changed before it ran: people are asked anew, by a new version.

    Attributes:
        content: the same action, with the evidence as it is now.
        terms: what the policy says about the new version.
    """

    content: Content
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Supersede:
    """The requester has made another request in place of this one."""

    by: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeem:
    """A hook is about to let exactly this action run.

    Attributes:
        action_digest: of what is about to run, computed now.
        action: the same whole, with what the analysis finds now; only a grant for a pattern looks at it.
        terms: on which people would be asked about it now; the same.
        is_genuine: whether the grant's stored token is our own signature over this very grant.
        state_digest: of the state that the action would meet now, for a grant that is bound to one.
        rescue: what was kept of what it would destroy.
        overruled: why a denial that came after the approval keeps it closed, ``""`` for nothing.
    """

    action_digest: str
    attempt: str
    tool_use_id: str
    action: Content | None = None
    terms: Terms | None = None
    is_genuine: bool = True
    state_digest: str = ""
    rescue: Rescue = field(default_factory=Rescue)
    overruled: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOn:
    """Another request is made for what this one's grant covers.

    Attributes:
        request_id: of the other.
        content: what it would run.
        terms: on which people would be asked about it.
        is_genuine: as in ``Redeem``.
    """

    request_id: str
    content: Content
    terms: Terms
    is_genuine: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """The grant of an earlier request was passed on to this one; ``by`` is that request's case."""

    by: Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """The host reports how it went; ``action_digest`` is of what really ran."""

    action_digest: str
    outcome: str
    detail: str = ""
    tool_use_id: str = ""
    receipt: Receipt = field(default_factory=Receipt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """Somebody takes a grant back: it can only make things safer, so anybody who may ask may do it.

    Attributes:
        assurance: how sure it is that it was them, 0 to 3; None where no person did it.
    """

    by: str
    channel: str = ""
    reason: str = ""
    assurance: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """A person has used a break-glass code, because nobody who decides can be reached.

    Attributes:
        use: id of that use: what the log links everything by that it released.
        by: the person whose code it is.
        reason: in their words.
        in_window: the code has opened a window, and this request came while it was open; else it is for this request.
        until_ms: when the window closes.
        electorate: who may decide at this moment.
    """

    use: str
    by: str
    reason: str
    in_window: bool
    until_ms: int
    electorate: Electorate = field(default_factory=Electorate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """What was kept before the action ran has been put back, or, the next time, that was taken back.

    Attributes:
        done: what was done, by whom.
        turn: how many undoings the person knew of: an act on anything else than they saw is none.
        assurance: how sure their identity is, 0 to 3.
    """

    done: Undoing
    turn: int
    assurance: int = 0


Event = (
    Cast
    | Retract
    | Deadline
    | Unreachable
    | Cancel
    | Halt
    | Amend
    | Opine
    | Renew
    | Supersede
    | Redeem
    | PassOn
    | Cover
    | Executed
    | Revoke
    | BreakGlass
    | Undo
)
