"""A change that a person has to approve before it is made: asked as an agent's request is, on terms of its own.

- The request is critical, for ``role:admin`` where anybody has that role, else for everybody; no policy loosens it, no
  deadline approves it and no break-glass code releases it.
- Only whoever asked for a change can have it made: they alone have its claim. So an agent cannot wait for the approval
  of what a person asked for, and snatch what comes of it.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.canonical import sha256_hex
from askfirst.clock import new_id
from askfirst.effects import Classification, Effect, EffectKind, Outcome, Risk
from askfirst.errors import NotAllowedError
from askfirst.host import OURS, Agent
from askfirst.intake import Draft
from askfirst.people import ROLE
from askfirst.policy.ruling import Stage
from askfirst.request import Action
from askfirst.terms import INBOX, Terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.clock import Clock
    from askfirst.desk import Desk
    from askfirst.engine import Case
    from askfirst.roster import Roster

ADMIN = f"{ROLE}admin"
APPROVAL_LIFE_MS = 900_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A change that waits for its approval; only whoever has the ``claim`` can have it made."""

    case: Case
    claim: str


class Consent:
    """Asks for changes of one kind.

    Args:
        subject: what they are about, e.g. ``people``.
        reason: why people are asked, a sentence.
        desk: asks for approval, and redeems it.
        roster: who is known now.
        clock: for deadlines.
    """

    def __init__(self, subject: str, reason: str, *, desk: Desk, roster: Roster, clock: Clock) -> None:
        self._subject = subject
        self._policy = f"built-in: {subject}"
        self._reason = reason
        self._desk = desk
        self._roster = roster
        self._clock = clock

    async def ask(self, tool: str, said: Mapping[str, object], loss: str) -> Asked:
        """Ask for a change.

        Args:
            tool: what is wanted.
            said: its particulars, as people are shown them.
            loss: what it does, e.g. ``lets local:bob decide``.

        Raises:
            NobodyToAskError: nobody could approve it.
        """
        claim = secrets.token_urlsafe(24)
        arguments = {**said, "claim_sha256": sha256_hex(claim.encode())}
        now_ms = self._clock.now_ms()
        agent = Agent(host=OURS, session=self._subject)
        effect = Effect(
            rule=tool, kind=EffectKind.ESCALATES, risk=Risk.CRITICAL, reversible=True, target=self._subject, loss=loss
        )
        terms = Terms(
            policy=self._policy,
            policy_digest=sha256_hex(self._policy.encode()),
            rule=tool,
            reason=self._reason,
            stages=(Stage(reviewers=self._admins(), recipients=INBOX),),
            assurance_min=1,
            approval_expires_at_ms=now_ms + APPROVAL_LIFE_MS,
            grant_ttl_ms=APPROVAL_LIFE_MS,
            late_grant_ttl_ms=0,
        )
        draft = Draft(
            key=f"{self._subject}-{new_id()}",
            agent=agent,
            tool_use_id="",
            action=Action(tool=tool, arguments=arguments, cwd="", host=agent.host, session=agent.session),
            classification=Classification(outcome=Outcome.GATE, effects=(effect,)),
            terms=terms,
            risk=Risk.CRITICAL,
        )
        return Asked(case=await self._desk.ask(draft), claim=claim)

    async def redeemed(self, request_id: str, claim: str, tool: str) -> Case:
        """The approved case, its grant used up; again for the same request until its outcome is known.

        No policy has this name, so nobody but ``ask`` has made the request.

        Raises:
            NotAllowedError: it is about something else, somebody else's, not approved, or was used.
        """
        case = await self._desk.case(request_id)
        request = case.request
        if (request.action.tool, request.terms.rule, request.terms.policy) != (tool, tool, self._policy):
            raise NotAllowedError("this request is about something else")
        if not hmac.compare_digest(str(request.action.arguments["claim_sha256"]), sha256_hex(claim.encode())):
            raise NotAllowedError("only whoever asked for this can have it made")
        step = await self._desk.redeem(
            request_id, action_digest=request.action_digest, attempt=f"{self._subject}-{request_id}", tool_use_id=""
        )
        if not step.done:
            raise NotAllowedError(f"it is not approved: {step.note}")
        return step.case

    async def made(self, case: Case) -> None:
        """The change was made."""
        await self._desk.executed(case.request.id, action_digest=case.request.action_digest, outcome="ok")

    def _admins(self) -> tuple[str, ...]:
        return (ADMIN,) if any(each.is_named((ADMIN,)) for each in self._roster.people) else ()
