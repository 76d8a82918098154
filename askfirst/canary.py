"""The canary: a harmless command that the gate always refuses, so that a check can see whether it is asked at all."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from askfirst.call import ToolCall

_NAME = re.compile(r"askfirst-canary-[0-9a-f]{32}\b")
REFUSED = (
    "Denied: this is the canary of `askfirst doctor`, which the gate always refuses: the gate of this session works."
)


def new_canary() -> str:
    """The name of a file that nobody else has; ``touch`` of it is the command."""
    return f"askfirst-canary-{secrets.token_hex(16)}"


def is_canary(call: ToolCall) -> bool:
    """Whether a call is a canary; whoever names one only keeps their own command from running."""
    return _NAME.search(call.command) is not None
