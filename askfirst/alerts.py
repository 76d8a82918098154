"""Messages to people that no agent asked for: the gate was touched, or went silent; or what hosts tell their own.

They go the way of a question with one answer, so every channel can show them, and the log has who has seen them.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.call import ToolCall
from askfirst.canonical import digest
from askfirst.effects import Risk
from askfirst.errors import Error
from askfirst.host import OURS, Agent
from askfirst.policy.ruling import Stage

if TYPE_CHECKING:
    from askfirst.asking import Asking
    from askfirst.desk import Desk

SEEN = "I have seen this"
FROM_GATE = "Askfirst itself says this; there is nothing to approve"
"""Note by which such a message is known: agents choose their names, but no notes."""
BROKER = Agent(host=OURS, session="broker")
_log = logging.getLogger(__name__)


class Alerts:
    """Tells people.

    Args:
        desk: takes the messages.
        asking: words them by the policy's route.
    """

    def __init__(self, *, desk: Desk, asking: Asking) -> None:
        self._desk = desk
        self._asking = asking

    async def tell(self, text: str, *, key: str, is_news: bool = False, recipients: tuple[str, ...] = ()) -> str:
        """Tell the people that the policy names; the same key tells once. What cannot be told is in the log already.

        Args:
            text: what they read.
            key: the same one tells once.
            is_news: nobody is reminded of it, and nobody else hears of it when it is not seen.
            recipients: told instead of the policy's, at once, whatever the hour.

        Returns:
            id of the message, ``""`` where nobody could be told.
        """
        arguments: dict[str, object] = {"question": text, "options": [SEEN], "schema": None}
        call = ToolCall(tool="question", arguments=arguments, session=BROKER.session)
        try:
            look = await self._asking.look(call, BROKER, requires_approval=True)
            draft = self._asking.draft(look, await self._asking.resolve(look), key=digest(["alert", key]))
            terms = draft.terms
            if is_news:
                terms = replace(terms, reminders_at_ms=(), escalation=(), on_timeout="reject")
            if recipients:
                terms = replace(terms, stages=(Stage(recipients=recipients),), opens_at_ms=0)
            risk = draft.risk if is_news else max(draft.risk, Risk.HIGH)  # channels are silent about less
            draft = replace(draft, terms=terms, risk=risk, question=text, options=(SEEN,), notes=(FROM_GATE,))
            return (await self._desk.ask(draft)).request.id
        except Error as error:
            _log.warning("nobody could be told %r: %s", text, error)
            return ""
