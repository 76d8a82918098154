"""What the engine knows about one request, and what a step hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from askfirst.replacing import replace
from askfirst.request import Grant, GrantState, Request, RequestState, Review, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.audit_port import EntryType, Value

BREAK_GLASS = "break-glass"
"""By what a person has decided who used a code of theirs; no channel has a hyphen in its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that the engine knows about one request.

    Attributes:
        request: its newest version.
        reviews: of all versions, oldest first.
        grant: what its approval turned into.
        earlier: the versions before, oldest first.
    """

    request: Request
    reviews: tuple[Review, ...] = ()
    grant: Grant | None = None
    earlier: tuple[Request, ...] = ()

    @property
    def asked_back(self) -> Review | None:
        """The reviewer's question that the agent has not answered yet by a new version; none once it has ended."""
        if self.request.state is not RequestState.PENDING:
            return None
        asked = [each for each in self.counted() if each.verdict is Verdict.NEEDS_INFO]
        return asked[-1] if asked else None

    @property
    def waits_for_people(self) -> bool:
        """Whether it is their turn, and not the agent's: it is pending, and nobody has asked back."""
        return self.request.state is RequestState.PENDING and self.asked_back is None

    @property
    def open_grant(self) -> Grant | None:
        """The grant while it is neither used up nor lapsed nor taken back; nobody has looked at the clock for that."""
        return self.grant if self.grant is not None and self.grant.state is GrantState.ISSUED else None

    def review(self, decision_id: str) -> Review | None:
        """The review with this id; None where it is not kept with the request, and so has not counted."""
        return next((each for each in self.reviews if each.decision_id == decision_id), None)

    def counted(self) -> list[Review]:
        """Reviews that count for the newest version."""
        return [each for each in self.reviews if each.counted and each.version == self.request.version]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One entry for the audit log: its type and what is particular to it."""

    type: EntryType
    actor: str
    actor_type: Literal["agent", "human", "policy", "system"]
    channel: str = ""
    assurance: int | None = None
    decision: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What an event did.

    Attributes:
        case: afterwards.
        log: entries to append, in order.
        done: whether the actor got what they wanted; a refusal leaves the request as it was.
        note: one sentence for the actor.
        tell: recipients who get a message of their own because of it.
        others: cases that have changed with it, as they are afterwards.
    """

    case: Case
    log: tuple[LogLine, ...] = ()
    done: bool = True
    note: str = ""
    tell: tuple[str, ...] = ()
    others: tuple[Case, ...] = ()


def with_review(case: Case, review: Review) -> Case:
    """The case with one more review."""
    return replace(case, reviews=(*case.reviews, review))


def system_line(entry_type: EntryType, decision: Mapping[str, Value], *, actor: str = "gate") -> LogLine:
    """An entry about something that no person did."""
    return LogLine(type=entry_type, actor=actor, actor_type="system", decision=decision)


def person_line(entry_type: EntryType, review: Review, decision: Mapping[str, Value]) -> LogLine:
    """An entry about something that a reviewer caused."""
    return LogLine(
        type=entry_type,
        actor=review.person,
        actor_type="human",
        channel=review.channel,
        assurance=review.assurance,
        decision=decision,
    )


def review_line(review: Review, entry_type: EntryType) -> LogLine:
    """The entry of a review, counted or not."""
    details: dict[str, Value] = {
        name: value
        for name, value in (
            ("text", review.text),
            ("note", review.note),
            ("scope", review.scope),
            ("stop", review.stop),
            ("to", review.to),
        )
        if value
    }
    return LogLine(
        type=entry_type,
        actor=review.person,
        actor_type="agent" if review.by_program else "human",
        channel=review.channel,
        assurance=review.assurance,
        decision={
            "decision_id": review.decision_id,
            "verdict": review.verdict.value,
            "version": review.version,
            "act": review.action_digest,
            "stage": review.stage,
            "counted": review.counted,
            **details,
        },
    )


def glass_link(request: Request) -> dict[str, Value]:
    """What links an entry to the use of a break-glass code that has released the request; else nothing."""
    end = request.end
    return {"break_glass": end.decision_id} if end is not None and end.channel == BREAK_GLASS else {}


def ended(request: Request) -> str:
    """How it stands, e.g. ``denied by local:ann via web``."""
    if request.end is None:
        return request.state.value
    via = f" via {request.end.channel}" if request.end.channel else ""
    by = "" if request.end.by == "deadline" else f" by {request.end.by}"
    return f"{request.state.value}{by}{via}"
