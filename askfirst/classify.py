"""Stand-in until the analysis lands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from askfirst.effects import Classification, Effect, EffectKind, Outcome, Risk

if TYPE_CHECKING:
    from askfirst.call import ToolCall

_RISKY = re.compile(r"git\s+reset\s+--hard|git\s+push\s.*(-f|--force)|rm\s+-rf|git\s+clean\s+-\w*f")


def classify(call: ToolCall) -> Classification:
    """Classify."""
    if not _RISKY.search(call.command):
        return Classification(outcome=Outcome.ALLOW)
    effect = Effect(
        rule="git.reset-hard",
        kind=EffectKind.DISCARDS_CHANGES,
        risk=Risk.HIGH,
        reversible=False,
        target=call.cwd,
        loss="discards work",
        command=call.command,
    )
    return Classification(outcome=Outcome.GATE, effects=(effect,))
