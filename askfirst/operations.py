"""Operations of a service that wait for people: a channel asks about them, and lets them go on.

The service holds the operation until it is told (a deployment in GitHub Actions), so whoever asks is the service, and
the broker itself uses the permission: it redeems the grant right before it tells the service to go on, once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.canonical import digest
from askfirst.entries import refused_entry
from askfirst.host import Agent
from askfirst.policy.ruling import Outcome

if TYPE_CHECKING:
    from askfirst.asking import Asking
    from askfirst.call import ToolCall
    from askfirst.desk import Desk
    from askfirst.engine import Case
    from askfirst.request import Use


class Operations:
    """Implements ``askfirst.backing.Operations`` over the desk."""

    def __init__(self, desk: Desk, asking: Asking) -> None:
        self._desk = desk
        self._asking = asking

    async def ask(self, call: ToolCall, *, by: str, key: str, recipient: str) -> str:
        """See ``askfirst.backing.Operations``."""
        agent = Agent(host=by, session=call.session)
        look = await self._asking.look(call, agent, requires_approval=True)
        if look.ruling.outcome is Outcome.DENY:
            await self._desk.note(refused_entry(look))
            return f"denied by the policy (rule {look.ruling.rule}): {look.ruling.reason}"
        draft = self._asking.draft(look, await self._asking.resolve(look), key=digest(["operation", by, key]))
        first, *others = draft.terms.stages
        told = replace(first, recipients=(*first.recipients, recipient))
        await self._desk.ask(replace(draft, terms=replace(draft.terms, stages=(told, *others))))
        return ""

    async def release(self, request_id: str) -> tuple[bool, str]:
        """See ``askfirst.backing.Operations``."""
        case = await self._desk.case(request_id)
        attempt = f"operation:{request_id}"
        use = _use(case, attempt)
        if use is not None:
            return not use.outcome, ""
        step = await self._desk.redeem(
            request_id, action_digest=case.request.action_digest, attempt=attempt, tool_use_id=attempt
        )
        return step.done, "" if step.done else step.note

    async def released(self, request_id: str) -> None:
        """See ``askfirst.backing.Operations``."""
        case = await self._desk.case(request_id)
        attempt = f"operation:{request_id}"
        use = _use(case, attempt)
        if use is not None and not use.outcome:
            await self._desk.executed(
                request_id, action_digest=case.request.action_digest, outcome="ok", tool_use_id=attempt
            )


def _use(case: Case, attempt: str) -> Use | None:
    uses = case.grant.uses if case.grant is not None else ()
    return next((each for each in uses if each.attempt == attempt), None)
