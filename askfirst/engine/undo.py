"""Taking back what ran: who may, which snapshot that takes, and what it leaves behind.

Each use of a grant has a way back of its own: its snapshot, then what the undo has put aside, and so on. They can be
taken in any order: an undo puts back what its use changed, and puts aside what came later in the same places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from askfirst.audit_port import EntryType
from askfirst.engine.case import LogLine, Step
from askfirst.engine.events import Event, Undo
from askfirst.engine.quorum import may_deny
from askfirst.replacing import replace
from askfirst.request import GrantState, RequestState

if TYPE_CHECKING:
    from askfirst.audit_port import Value
    from askfirst.engine.case import Case
    from askfirst.people import Electorate
    from askfirst.request import Grant, Use
    from askfirst.rescue import Undoing


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """How an action can be taken back, as it stands.

    Attributes:
        words: for people: what is kept, or why there is no undo; ``""`` where there is nothing to say.
        offer: what a control would do now: ``undo``, ``redo`` (undo the undo), or ``""`` for nothing.
        turn: how many undoings of this use there were; an act names the number that its author saw.
        snapshot: what would be put back, ``""`` for nothing.
        use: which use it is, from 1, the oldest; 0 before the first.
    """

    words: str = ""
    offer: Literal["", "undo", "redo"] = ""
    turn: int = 0
    snapshot: str = ""
    use: int = 0


def undoings_of(grant: Grant, use: Use) -> tuple[Undoing, ...]:
    """The undoings of one use, oldest first: an odd number of them means that it is undone."""
    found: list[Undoing] = []
    snapshot = use.rescue.snapshot
    for each in grant.undoings:
        if snapshot and each.snapshot == snapshot:
            found.append(each)
            snapshot = each.aside
    return tuple(found)


def ways_back(case: Case) -> tuple[WayBack, ...]:
    """How each use can be taken back, the oldest first."""
    uses = () if case.grant is None else case.grant.uses
    return tuple(way_back(case, number) for number in range(1, len(uses) + 1))


def way_back(case: Case, use: int = 0) -> WayBack:
    """How one use of this case's grant can be taken back; ``use`` from 1, 0 for the newest."""
    request, grant = case.request, case.grant
    if request.state not in {RequestState.PENDING, RequestState.APPROVED, RequestState.EXPIRED}:
        return WayBack()
    if grant is None or not grant.uses:
        return WayBack(words=request.promise.words)
    number = use or len(grant.uses)
    if number > len(grant.uses):
        return WayBack(words=f"it ran {len(grant.uses)} times, not {number}")
    chosen = grant.uses[number - 1]
    done = undoings_of(grant, chosen)
    turn, last = len(done), done[-1] if done else None
    snapshot = chosen.rescue.snapshot if last is None else last.aside
    words = chosen.rescue.words if last is None else last.words
    if not snapshot:
        return WayBack(words=words, turn=turn, use=number)
    return WayBack(words=words, offer="redo" if turn % 2 else "undo", turn=turn, snapshot=snapshot, use=number)


def refusal(case: Case, person: str, turn: int, electorate: Electorate, *, use: int = 0) -> str:
    """Why this person may not take it back, or ``""``: whoever may deny the request may, and its requester never."""
    found = way_back(case, use)
    why = may_deny(case, person, electorate)
    if why:
        return why
    if case.grant is not None and found.use and turn != found.turn:
        done = undoings_of(case.grant, case.grant.uses[found.use - 1])
        by = f"{done[-1].by} was there before you: {done[-1].words}" if done else "it ran again meanwhile"
        return f"it is no longer as you saw it: {by}"
    return nothing_to_undo(case, use)


def nothing_to_undo(case: Case, use: int = 0) -> str:
    """Why there is nothing to put back, whoever asks, or ``""``."""
    if case.grant is None or not case.grant.uses:
        return "there is nothing to undo: it has not run"
    found = way_back(case, use)
    return "" if found.snapshot else f"there is no undo: {found.words or 'nothing was kept before it ran'}"


def undo(case: Case, event: Event, now_ms: int) -> Step:
    """Note that a snapshot was put back."""
    assert isinstance(event, Undo)  # the table pairs it so
    grant = case.grant
    found = next((each for each in ways_back(case) if each.snapshot == event.done.snapshot), None)
    if grant is None or found is None or event.turn != found.turn:
        return Step(case=case, done=False, note="it is no longer as you saw it")
    is_undone = found.offer == "undo"
    state = GrantState.UNDONE if is_undone else GrantState.EXECUTED
    if grant.state is GrantState.ISSUED or found.use != len(grant.uses):
        state = grant.state  # it may be used again, or an older run was meant
    after = replace(grant, state=state, undoings=(*grant.undoings, event.done), ended_at_ms=grant.ended_at_ms or now_ms)
    decision: dict[str, Value] = {
        "grant": grant.id,
        "use": found.use,
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
