"""Whether a press may count: we made this button, for this version, under the text that was shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.card import card_of
from askfirst.errors import RequestNotFoundError
from askfirst.request import Verdict
from channels.slack.controls import Control, Sealer, control_of
from channels.slack.render import takes_code

if TYPE_CHECKING:
    from askfirst.backing import Requests
    from askfirst.card import Card
    from askfirst.inbound import Decision, Undo

NOT_OURS = "this button was not made for this message, or what stands here was changed; decide on the newest message"
NEEDS_CODE = "approving this takes words: approve and the code"


class Vetting:
    """Compares presses with the store."""

    def __init__(self, sealer: Sealer, requests: Requests) -> None:
        self._sealer = sealer
        self._requests = requests

    async def decision(self, decision: Decision) -> Decision:
        """With the digest, option or scope that the button stood for, and a doubt where it may not count."""
        if not decision.reference.control:
            return decision
        control = control_of(decision.reference.control)
        card = None if control is None else await self._card(control)
        if control is None or card is None or not self._sealer.is_ours(control, card, decision.shown or ""):
            return replace(decision, doubt=NOT_OURS)
        chosen = _chosen(decision, control, card)
        doubt = NEEDS_CODE if decision.verdict is Verdict.APPROVE and takes_code(card) else chosen.doubt
        return replace(chosen, reference=replace(decision.reference, action_digest=card.action_digest), doubt=doubt)

    async def undo(self, undo: Undo) -> Undo:
        """The same for an undo; what stands above it changes with every outcome, so only request and turn are bound."""
        if not undo.reference.control:
            return undo
        control = control_of(undo.reference.control)
        card = None if control is None else await self._card(control)
        if card is None:
            return replace(undo, doubt=NOT_OURS)
        return replace(undo, reference=replace(undo.reference, action_digest=card.action_digest))

    async def _card(self, control: Control) -> Card | None:
        """The card of the version that the control names."""
        try:
            case = await self._requests.case(control.request_id)
        except RequestNotFoundError:
            return None
        versions = (case.request, *case.earlier)
        version = next((each for each in versions if each.version == control.version), None)
        return None if version is None else card_of(replace(case, request=version, earlier=()))


def _chosen(decision: Decision, control: Control, card: Card) -> Decision:
    """With what the button stood for; one that stands for nothing any more is not ours."""
    if control.act == "option":
        options = card.options[control.place : control.place + 1]
        return replace(decision, text=options[0]) if options else replace(decision, doubt=NOT_OURS)
    if control.act == "scope":
        offers = card.scopes[control.place : control.place + 1]
        return replace(decision, scope=offers[0][0]) if offers else replace(decision, doubt=NOT_OURS)
    return decision
