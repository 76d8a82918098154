"""The form in which other systems ask: ``{action, confidence, context, requiresApproval}``.

Example::

    {"action": "delete_user", "confidence": 0.72, "context": {"user_id": "u_1"}, "requiresApproval": true}

``action`` is a tool's name, ``context`` its arguments; a shell command is ``{"action": "Bash", "context": {"command":
…}}``. ``confidence`` and ``requiresApproval`` are the agent's word: they can only make the ruling stricter, so
``requiresApproval: false`` changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from askfirst.call import TOOL_NAME, call_of
from askfirst.request import Claim

if TYPE_CHECKING:
    from askfirst.call import ToolCall


class ActionRequest(BaseModel):
    """The wire form; the names are its own."""

    model_config = ConfigDict(extra="forbid", strict=True)

    action: str = Field(min_length=1, max_length=200, pattern=TOOL_NAME)
    confidence: float | None = Field(default=None, ge=0, le=1)
    context: dict[str, Any] = Field(default_factory=dict)
    requiresApproval: bool = False  # noqa: N815  # the form's spelling

    def call(self, *, cwd: str = "", session: str = "") -> ToolCall:
        """What would be done; our own analysis of it decides, the rest of the form only adds to it.

        Raises:
            InputError: it is a shell's command, and no text.
        """
        return call_of(self.action, self.context, cwd=cwd, session=session)

    @property
    def claim(self) -> Claim:
        """What the other system says about it."""
        return Claim(confidence=self.confidence)
