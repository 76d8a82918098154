"""Whether a press may count: we made this button, for this chat and this version, under the text that was shown.

Looks at the request as it is stored; asks nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from askfirst.card import card_of
from askfirst.errors import RequestNotFoundError
from askfirst.request import Verdict
from channels.telegram.address import place_of
from channels.telegram.card_message import takes_code
from channels.telegram.controls import Binding, Control, Sealer, Verb, control_of

if TYPE_CHECKING:
    from askfirst.backing import Requests
    from askfirst.card import Card
    from askfirst.engine import Case
    from askfirst.inbound import Decision, Reference, Undo

NOT_OURS = "this button was not made for this message; press one on the newest message about it"
CHANGED = (
    "what stands here is not what I sent, or it was changed while you pressed; read it again and press again, "
    "or send /approve with the code"
)
NEEDS_CODE = "approving this takes its code, in words: /approve and the code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A button that names a request of ours.

    Attributes:
        card: of the version that was shown.
        case: as it is now.
    """

    control: Control
    card: Card
    case: Case


class Vetting:
    """Compares presses with the store.

    Args:
        sealer: knows our seals.
        requests: the requests as they are.
    """

    def __init__(self, sealer: Sealer, requests: Requests) -> None:
        self._sealer = sealer
        self._requests = requests

    async def decision(self, decision: Decision) -> Decision:
        """With the digest, option or scope that the button stood for, and a doubt where it may not count."""
        if decision.doubt or not decision.reference.control:
            return decision
        pressed = await self.pressed(decision.reference)
        if pressed is None:
            return replace(decision, doubt=NOT_OURS)
        doubt = self._doubt(pressed, decision.origin.recipient, decision.shown)
        if not doubt and decision.verdict is Verdict.APPROVE and takes_code(pressed.card):
            doubt = NEEDS_CODE
        named = replace(decision.reference, action_digest=pressed.card.action_digest)
        chosen = _chosen(decision, pressed)
        return replace(chosen, reference=named, doubt=doubt or chosen.doubt)

    async def undo(self, undo: Undo) -> Undo:
        """The same for an undo, whose button does not depend on the text above it."""
        if undo.doubt:
            return undo
        pressed = await self.pressed(undo.reference)
        if pressed is None:
            return replace(undo, doubt=NOT_OURS)
        named = replace(undo.reference, action_digest=pressed.card.action_digest)
        return replace(undo, reference=named, doubt=self._doubt(pressed, undo.origin.recipient, ""))

    async def instructed(self, reference: Reference, recipient: str) -> Pressed | None:
        """What a button that decides nothing is about, None where we did not make it for this chat."""
        pressed = await self.pressed(reference)
        return None if pressed is None or self._doubt(pressed, recipient, "") else pressed

    async def pressed(self, reference: Reference) -> Pressed | None:
        """What the control names, None where there is no such request or version."""
        control = control_of(reference.control)
        if control is None:
            return None
        try:
            case = await self._requests.case(control.request_id)
        except RequestNotFoundError:
            return None
        versions = (case.request, *case.earlier)
        version = next((each for each in versions if each.version == control.version), None)
        if version is None:
            return None
        return Pressed(control=control, card=card_of(replace(case, request=version, earlier=())), case=case)

    def _doubt(self, pressed: Pressed, recipient: str, shown: str | None) -> str:
        card, control = pressed.card, pressed.control
        binding = Binding(
            action_digest=card.action_digest,
            chat=place_of(recipient).chat,
            reviewers=card.reviewers,
            text=shown or "",
        )
        if self._sealer.is_ours(control, binding):
            return ""
        return CHANGED if control.verb.decides else NOT_OURS


def _chosen(decision: Decision, pressed: Pressed) -> Decision:
    """With what the button stood for; one that stands for nothing any more is not ours."""
    control, card = pressed.control, pressed.card
    if control.verb is Verb.OPTION:
        found = card.options[control.place : control.place + 1]
        return replace(decision, text=found[0]) if found else replace(decision, doubt=NOT_OURS)
    if control.verb is Verb.SCOPE:
        offers = card.scopes[control.place : control.place + 1]
        return replace(decision, scope=offers[0][0]) if offers else replace(decision, doubt=NOT_OURS)
    return decision
