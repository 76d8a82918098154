"""Taking back what ran: who may, which snapshot that takes, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from askfirst.audit_port import EntryType
from askfirst.engine.case import LogLine, Step
from askfirst.engine.events import Event, Undo
from askfirst.engine.quorum import may_deny
from askfirst.request import GrantState, RequestState

if TYPE_CHECKING:
    from askfirst.audit_port import Value
    from askfirst.engine.case import Case
    from askfirst.people import Electorate


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """How an action can be taken back, as it stands.

    Attributes:
        words: for people: what is kept, or why there is no undo; ``""`` where there is nothing to say.
        offer: what a control would do now: ``undo``, ``redo`` (undo the undo), or ``""`` for nothing.
        turn: how many undoings there were; an act names the number that its author saw.
        snapshot: what would be put back, ``""`` for nothing.
    """

    words: str = ""
    offer: Literal["", "undo", "redo"] = ""
    turn: int = 0
    snapshot: str = ""


def way_back(case: Case) -> WayBack:
    """How this case's newest use can be taken back."""
    request, grant = case.request, case.grant
    if request.state not in {RequestState.PENDING, RequestState.APPROVED, RequestState.EXPIRED}:
        return WayBack()
    if grant is None or not grant.uses:
        return WayBack(words=request.promise.words)
    turn = len(grant.undoings)
    last = grant.undoings[-1] if turn else None
    snapshot = grant.uses[-1].rescue.snapshot if last is None else last.aside
    words = grant.uses[-1].rescue.words if last is None else last.words
    if not snapshot:
        return WayBack(words=words, turn=turn)
    return WayBack(words=words, offer="redo" if turn % 2 else "undo", turn=turn, snapshot=snapshot)


def refusal(case: Case, person: str, turn: int, electorate: Electorate) -> str:
    """Why this person may not take it back, or ``""``: whoever may deny the request may, and its requester never."""
    found = way_back(case)
    why = may_deny(case, person, electorate)
    if why:
        return why
    if case.grant is not None and case.grant.uses and turn != found.turn:
        last = case.grant.undoings[-1] if case.grant.undoings else None
        by = "it ran again meanwhile" if last is None else f"{last.by} was there before you: {last.words}"
        return f"it is no longer as you saw it: {by}"
    return nothing_to_undo(case)


def nothing_to_undo(case: Case) -> str:
    """Why there is nothing to put back, whoever asks, or ``""``."""
    if case.grant is None or not case.grant.uses:
        return "there is nothing to undo: it has not run"
    found = way_back(case)
    return "" if found.snapshot else f"there is no undo: {found.words or 'nothing was kept before it ran'}"


def undo(case: Case, event: Event, now_ms: int) -> Step:
    """Note that a snapshot was put back."""
    assert isinstance(event, Undo)  # the table pairs it so
    found, grant = way_back(case), case.grant
    if grant is None or event.turn != found.turn or event.done.snapshot != found.snapshot:
        return Step(case=case, done=False, note="it is no longer as you saw it")
    is_undone = found.offer == "undo"
    state = GrantState.UNDONE if is_undone else GrantState.EXECUTED
    if grant.state is GrantState.ISSUED:
        state = grant.state  # it may be used again
    after = replace(grant, state=state, undoings=(*grant.undoings, event.done), ended_at_ms=grant.ended_at_ms or now_ms)
    decision: dict[str, Value] = {
        "grant": grant.id,
        "use": len(grant.uses),
        "verdict": "undone" if is_undone else "redone",
        "snapshot": event.done.snapshot,
        "text": event.done.words,
        **({"aside": event.done.aside} if event.done.aside else {}),
    }
    line = LogLine(
        type=EntryType.GATE_UNDONE,
        actor=event.done.by,
        actor_type="human",
        channel=event.done.channel,
        assurance=event.assurance,
        decision=decision,
    )
    return Step(case=replace(case, grant=after), log=(line,), note=event.done.words)
