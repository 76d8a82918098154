"""What happened to a request, in order and with times: the page's history, and the words for how it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from askfirst.engine.undo import undoings_of
from askfirst.request import GrantState, RequestState, Verdict
from askfirst.visible import visible

if TYPE_CHECKING:
    from askfirst.engine import Case
    from askfirst.request import Grant, Review
    from askfirst.rescue import Undoing


_WHO = {"agent": "the agent", "deadline": "its deadline"}
"""Who ends a request that no review has; everybody else is a person, who has told its session to stop, say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the history, ready to show.

    Attributes:
        at_ms: when.
        text: what, without a full stop.
        quote: what a person wrote, else ``""``.
        note: why it did not count or what it changed, else ``""``.
        tone: ``good``, ``bad`` or ``plain``: only a colour, the text says the same.
    """

    at_ms: int
    text: str
    quote: str = ""
    note: str = ""
    tone: str = "plain"


def timeline(case: Case) -> list[Moment]:
    """Everything that happened, oldest first."""
    request = case.request
    first = case.earlier[0] if case.earlier else request
    moments = [Moment(at_ms=first.created_at_ms, text="The agent asked")]
    moments += [_reviewed(each) for each in case.reviews]
    if request.end is not None and not request.end.decision_id:
        text = (
            "Nobody decided in time"
            if request.state is RequestState.EXPIRED
            else f"{request.state.value.capitalize()} by {_WHO.get(request.end.by, visible(request.end.by))}"
        )
        tone = "bad" if request.state is RequestState.EXPIRED else "plain"
        moments.append(Moment(at_ms=request.end.at_ms, text=text, quote=visible(request.end.text), tone=tone))
    if case.grant is not None:
        moments += _granted(case.grant)
    return sorted(moments, key=lambda moment: moment.at_ms)


def outcome_of(case: Case) -> Moment | None:
    """How the approved action stands now; None when nothing was approved."""
    if case.grant is None:
        return None
    last = _granted(case.grant)[-1]
    if case.grant.state is GrantState.REDEEMED:
        return replace(last, text=f"{last.text}, no outcome yet")
    return last


def _reviewed(review: Review) -> Moment:
    tone = {"approve": "good", "deny": "bad"}.get(review.verdict.value, "plain")
    return Moment(
        at_ms=review.at_ms,
        text=visible(f"{review.person} {_said(review)} via {review.channel}")
        + ("" if review.counted else ", which did not count"),
        quote=visible(review.text),
        note=visible(review.note),
        tone=tone if review.counted else "plain",
    )


def _said(review: Review) -> str:
    match review.verdict:
        case Verdict.NEEDS_INFO:
            return "asked the agent"
        case Verdict.DELEGATE:
            return f"handed it to {review.to}"
        case Verdict.DENY if review.stop:
            return "said deny and told the session to stop"
        case verdict:
            return f"said {verdict.value}"


def _granted(grant: Grant) -> list[Moment]:
    text = "Approved late: may run once if tried again" if grant.late else _reach(grant)
    moments = [Moment(at_ms=grant.issued_at_ms, text=text)]
    moments += [Moment(at_ms=use.at_ms, text="Released to the agent") for use in grant.uses]
    ended = {
        GrantState.LAPSED: ("Never ran: the permission has lapsed", "plain"),
        GrantState.REVOKED: ("Never ran: the approval was taken back", "bad"),
        GrantState.UNDONE: _outcome(grant.outcome),
        GrantState.EXECUTED: _outcome(grant.outcome),
    }.get(grant.state)
    if ended is not None and grant.ended_at_ms is not None:
        text, tone = ended
        moments.append(Moment(at_ms=grant.ended_at_ms, text=text, note=visible(grant.detail), tone=tone))
    for number, use in enumerate(grant.uses, 1):
        what = f"run {number}" if len(grant.uses) > 1 else "it"
        moments += [_undone(each, turn, what) for turn, each in enumerate(undoings_of(grant, use))]
    return moments


def _undone(undoing: Undoing, turn: int, run: str) -> Moment:
    what = f"took the undo{'' if run == 'it' else f' of {run}'} back" if turn % 2 else f"undid {run}"
    return Moment(
        at_ms=undoing.at_ms,
        text=visible(f"{undoing.by} {what} via {undoing.channel}"),
        note=visible(undoing.words),
    )


def _reach(grant: Grant) -> str:
    pattern = f" for commands like {grant.pattern}" if grant.pattern else ""
    return visible("May run once" if grant.uses_max == 1 else f"May run up to {grant.uses_max} times{pattern}")


def _outcome(outcome: str) -> tuple[str, str]:
    return {"ok": ("Ran, ok", "good"), "failed": ("Ran and failed", "bad")}.get(
        outcome, ("Ran, outcome unknown", "plain")
    )
