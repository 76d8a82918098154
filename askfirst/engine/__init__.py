"""The request engine: who may move a request or its grant where, as one table of pure functions.

``step(case, event, now_ms)`` looks up ``(state, event)`` in ``MOVES`` and returns the new case, what to write to the
audit log, whom to tell and what to answer the actor. Nothing here reads a clock, a file or a random number.

Invariants (DESIGN §4); ``tests/test_invariants.py`` sees to it that each has a test that cites it:

- I1 only a person who may (also by an earlier approval that they chose to reach so far, by telling its session to stop,
  or by a break-glass code where the rule takes one), an expiry, or the rule's own word moves a request out of
  ``pending``; its requester can amend, cancel and replace it.
- I2 a decision is bound to the action digest and to the version that its author was shown, and to no other; a grant for
  one run, to the state that they were shown, too.
- I3 persist, then notify; register the waiter, then read the state; keys and decision ids make every act idempotent.
- I4 the deadline is checked inside the decision's transaction; a late approve becomes a short single-use grant.
- I5 deny beats approve until the grant is redeemed; distinct people make a quorum; the requester never counts.
- I6 nobody to ask, an unknown channel, a store or a policy that cannot be read: denied, with the reason and the fix.
- I7 free text is never an approval.
- I8 the policy is asked once for each version, and frozen with it.
- I9 what cannot be seen in full cannot be approved.
- I10 every message is edited when the request ends anywhere, and says by whom, where and when.
"""

from askfirst.engine.case import Case, LogLine, Step
from askfirst.engine.events import (
    Amend,
    BreakGlass,
    Cancel,
    Cast,
    Content,
    Cover,
    Deadline,
    Event,
    Executed,
    Halt,
    Opine,
    PassOn,
    Redeem,
    Renew,
    Retract,
    Revoke,
    Supersede,
    Undo,
    Unreachable,
)
from askfirst.engine.table import MOVES, step
from askfirst.engine.timers import next_due_ms

__all__ = [
    "MOVES",
    "Amend",
    "BreakGlass",
    "Cancel",
    "Case",
    "Cast",
    "Content",
    "Cover",
    "Deadline",
    "Event",
    "Executed",
    "Halt",
    "LogLine",
    "Opine",
    "PassOn",
    "Redeem",
    "Renew",
    "Retract",
    "Revoke",
    "Step",
    "Supersede",
    "Undo",
    "Unreachable",
    "next_due_ms",
    "step",
]
