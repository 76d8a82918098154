"""How a host waits for a decision: the one way that is closed when anything goes wrong, for each of its modes.

- A call is held in its hook by default, as long as people may take.
- An interactive session shows its own prompt beside the channels where the policy lets this machine's terminal decide
  and one approval is enough; whoever answers first decides. The prompt stays when the hook dies.
- An interactive session that goes on meanwhile (``[hosts] interactive = "release"``) hears that the call is pending.
- A headless run under ``askfirst run`` ends after a while with its call deferred, and is resumed with it. Only one call
  of a session is deferred at a time: hosts resume the last one only.
- Subagents are held: their work would be lost otherwise.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from askfirst.engine.quorum import may_approve
from askfirst.request import RequestKind, RequestState

if TYPE_CHECKING:
    from askfirst.engine import Case
    from askfirst.host import BeforeTool
    from askfirst.host_config import HostsConfig
    from askfirst.people import Electorate


class Way(enum.Enum):
    """How one call waits."""

    HOLD = "hold"
    ASK_HERE = "ask here"
    RELEASE = "release"
    DEFER = "defer"


def way_of(event: BeforeTool, config: HostsConfig, *, can_be_answered_here: bool) -> Way:
    """The way in which this call waits while people decide."""
    if event.agent.subagent:
        return Way.HOLD
    if event.can_ask_here and can_be_answered_here:
        return Way.ASK_HERE
    if event.agent.interactive:
        return Way.RELEASE if config.releases else Way.HOLD
    return Way.DEFER if event.runner_pid else Way.HOLD


def can_be_answered_at(case: Case, person: str, electorate: Electorate, *, terminal_decisions: bool) -> bool:
    """Whether this person's Yes at the host's own prompt would be all that this request needs (I1).

    Args:
        case: what is asked.
        person: who sits at this machine.
        electorate: who may decide.
        terminal_decisions: whether the policy lets this machine's terminal decide.
    """
    terms = case.request.terms
    is_open = (
        case.request.state in {RequestState.PENDING, RequestState.EXPIRED} and case.request.kind is RequestKind.APPROVAL
    )
    needs_one = len(terms.stages) == 1 and terms.stages[0].approvals_needed == 1
    is_free = terminal_decisions and terms.assurance_min == 0 and not terms.witness_required
    return is_open and needs_one and is_free and not may_approve(case, person, electorate)
