"""What the page of one request shows, worked out from its case: values only, no HTML, no clock.

Everything that an agent, a host or a person wrote passes ``askfirst.card.visible`` here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from askfirst.card import card_of, loss_of
from askfirst.code import needs_code
from askfirst.engine.grants import can_be_taken_back
from askfirst.engine.quorum import approvers, current_stage
from askfirst.request import RequestKind, RequestState
from askfirst.visible import visible
from channels.web.command_view import odd_characters, segments_of
from channels.web.forms import BODY_MAX_BYTES
from channels.web.timeline import outcome_of, timeline

if TYPE_CHECKING:
    from askfirst.card import Card
    from askfirst.engine import Case
    from askfirst.request import Request
    from channels.web.command_view import Segment
    from channels.web.timeline import Moment

ASSURANCE = 1
"""What a review from this inbox is worth (0..3): the session came from a link that only the terminal shows.

That is more than a loopback page without login (0), and no fresh secret or signature for each decision (2, 3).
"""

_LISTED_MAX_CHARS = 600

_AT_DEADLINE = {
    "reject": "it expires and does not run",
    "escalate": "the next people are asked",
    "approve": "it runs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """What the page of one request shows.

    Attributes:
        seen: changes whenever the page would look different; the live stream compares it.
        offer: ``decide`` while pending, ``late`` or ``revoke`` while a review still changes something, else ``""``.
        is_unused: whether its approval has let nothing through yet.
        ended_at_ms: when it ended, 0 while it has not.
        grant_ends_ms: when the permission to run ends, 0 without one.
        stronger: the assurance that is needed when this inbox gives too little, else 0.
        odd: characters in the command that can be mistaken for others.
        stages: the rounds of approval where there are several: (name, words, whether it is this one's turn).
        editable: the command for the edit field, ``""`` where a field cannot hold it faithfully.
        colleagues: whom the request can be handed to.
    """

    card: Card
    seen: str
    segments: tuple[Segment, ...]
    expanded: tuple[Segment, ...]
    odd: list[str]
    loss: str
    is_final: bool
    moments: list[Moment]
    outcome: Moment | None
    ended_at_ms: int
    grant_ends_ms: int
    at_deadline: str
    offer: str
    is_unused: bool
    stronger: int
    needs_code: bool
    typed_code: str
    stages: tuple[tuple[str, str, bool], ...]
    editable: str
    options: tuple[str, ...]
    answer_schema: str
    colleagues: tuple[str, ...]


def view_of(case: Case, *, machine: str, now_ms: int, log: str = "", colleagues: tuple[str, ...] = ()) -> CaseView:
    """Everything about this case that its page shows at this moment; ``log`` is the head of the log."""
    request = case.request
    command = request.action.command if not request.question else ""
    card = card_of(case, machine=visible(machine), seen=log)
    spans = [effect.span for effect in request.effects]
    return CaseView(
        card=card,
        seen=seen_of(case),
        segments=segments_of(command, spans) if command else segments_of(card.command),
        expanded=segments_of(request.expanded) if request.expanded != command else (),
        odd=odd_characters(command),
        loss=loss_of(request),
        is_final=not request.promise.holds and any(not effect.reversible for effect in request.effects),
        moments=timeline(case),
        outcome=outcome_of(case),
        ended_at_ms=request.end.at_ms if request.end is not None else 0,
        grant_ends_ms=case.grant.expires_at_ms if case.grant is not None else 0,
        at_deadline=_AT_DEADLINE.get(request.terms.on_timeout, visible(request.terms.on_timeout)),
        offer=_offer(case, now_ms),
        is_unused=case.grant is not None and not (case.grant.uses or case.grant.passed_on),
        stronger=request.terms.assurance_min if request.terms.assurance_min > ASSURANCE else 0,
        needs_code=needs_code(request),
        typed_code=request.action_digest[:8],
        stages=_stages(case),
        editable=_editable(request),
        options=request.options,
        answer_schema=visible(request.answer_schema),
        colleagues=colleagues,
    )


def seen_of(case: Case) -> str:
    """A short text that differs whenever the case does."""
    grant = case.grant.state.value if case.grant is not None else "none"
    uses = f"-{len(case.grant.uses)}" if case.grant is not None and case.grant.uses else ""
    undone = f"-{len(case.grant.undoings)}" if case.grant is not None and case.grant.undoings else ""
    read = "-read" if case.request.opinion is not None else ""
    return f"{case.request.version}-{case.request.state.value}-{len(case.reviews)}-{grant}{uses}{undone}{read}"


def list_seen_of(requests: list[Request]) -> str:
    """The same for a list of requests."""
    text = "\n".join(f"{each.id} {each.version} {each.state.value}" for each in requests)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def beginning_of(request: Request) -> str:
    """What a list shows of the command; its style cuts it to three lines, this bounds what is sent."""
    return visible((request.question or request.action.command or request.action.tool)[:_LISTED_MAX_CHARS])


def ended_line(request: Request) -> str:
    """How a request ended, for the list."""
    end = request.end
    if end is None:
        return ""
    who = {"deadline": "nobody answered", "agent": "by the agent"}.get(end.by, f"by {end.by}")
    return visible(f"{who} via {end.channel}" if end.channel else who)


def _stages(case: Case) -> tuple[tuple[str, str, bool], ...]:
    stages, current = case.request.terms.stages, current_stage(case)
    if len(stages) < 2:
        return ()
    return tuple(
        (
            visible(each.name or f"stage {index + 1}"),
            f"{len(approvers(case, index))} of {each.approvals_needed}",
            index == current,
        )
        for index, each in enumerate(stages)
    )


def _editable(request: Request) -> str:
    """The command, where a text field gives it back exactly and the form stays within its bounds."""
    command = request.action.command
    is_faithful = visible(command) == command and not command.startswith("\n")
    fits = len(quote(command)) <= BODY_MAX_BYTES // 2
    return command if is_faithful and fits and request.kind is RequestKind.APPROVAL else ""


def _offer(case: Case, now_ms: int) -> str:
    request, grant = case.request, case.grant
    if request.state is RequestState.PENDING:
        return "decide"
    if can_be_taken_back(case, now_ms):
        return "revoke"
    if request.state is RequestState.EXPIRED and grant is None and request.terms.late_grant_ttl_ms > 0:
        return "late"
    return ""
