"""Where a request goes and what its deadline does, as a program wishes it; the broker's policy has the last word."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

OnTimeout = Literal["reject", "escalate", "auto_approve"]
_WIRE = {"reject": "reject", "escalate": "escalate", "auto_approve": "approve"}
TIMEOUT_MAX_S = 30 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The wishes of one decorator; names of channels are resolved already.

    Attributes:
        recipient: ``scheme:address``, ``""`` for wherever the policy says.
        timeout_s: seconds that people have, None for what the policy says.
        on_timeout: what the deadline does.
        escalate_to: whom the deadline tells.
    """

    recipient: str = ""
    timeout_s: float | None = None
    on_timeout: OnTimeout = "reject"
    escalate_to: str = ""

    def __post_init__(self) -> None:
        if self.on_timeout not in get_args(OnTimeout):
            raise InputError(f"on_timeout is {self.on_timeout!r}, expected {', '.join(_WIRE)}", field="on_timeout")
        if self.on_timeout == "escalate" and not self.escalate_to:
            raise InputError('on_timeout="escalate" needs escalate_to=', field="escalate_to")
        if self.timeout_s is not None and not 1 <= self.timeout_s <= TIMEOUT_MAX_S:
            raise InputError(f"timeout is {self.timeout_s!r}, expected 1 to {TIMEOUT_MAX_S} seconds", field="timeout")

    def wire(self) -> dict[str, object]:
        """As ``POST /v1/requests`` takes it; empty where nothing is wished."""
        wished: dict[str, object] = {}
        if self.recipient:
            wished["recipients"] = [self.recipient]
        if self.timeout_s is not None:
            wished["timeout_s"] = max(1, round(self.timeout_s))
        if self.on_timeout != "reject":
            wished["on_timeout"] = _WIRE[self.on_timeout]
        if self.on_timeout == "escalate":
            wished["escalate_to"] = [self.escalate_to]
        return {"route": wished} if wished else {}


def recipient_of(channel: str, channels: Mapping[str, str]) -> str:
    """The recipient behind a channel's name, or the recipient that was given itself.

    Raises:
        InputError: there is no such name, and it is no recipient.
    """
    if channel in channels:
        return channels[channel]
    scheme, colon, address = channel.partition(":")
    if colon and scheme and address:
        return channel
    near = difflib.get_close_matches(channel, channels, n=1)
    known = ", ".join(sorted(channels)) or "none"
    hint = f"; did you mean {near[0]!r}?" if near else f"; known names: {known}"
    raise InputError(
        f"there is no contact channel {channel!r}, expected a name or scheme:address such as slack:#approvals{hint}",
        field="contact_channel",
    )
