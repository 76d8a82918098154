"""What the agent is told: facts and what to do next, never a way to approve itself.

A denial, an expiry and a gate that does not work are three different things and use three different sentences: an
agent that cannot tell them apart either gives up for nothing or tries again what a person refused.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from askfirst.request import RequestState

if TYPE_CHECKING:
    from askfirst.engine import Case
    from askfirst.request import Request


def refusal(case: Case) -> str:
    """Why an ended (or still pending) request does not let its action run."""
    request = case.request
    match request.state:
        case RequestState.DENIED:
            return _denied(request)
        case RequestState.EXPIRED:
            return (
                f"{_what(request)} was not run: nobody decided in time (request {request.code} expired; this is not a "
                "denial). Go on with other work, or stop and say that this waits for a person. If a person approves "
                "later, the identical command will pass once."
            )
        case RequestState.CANCELLED:
            return f"{_what(request)} was not run: request {request.code} was withdrawn."
        case RequestState.SUPERSEDED:
            return f"{_what(request)} was not run: request {request.code} was replaced by a newer one."
        case RequestState.PENDING:
            return (
                f"{_what(request)} was not run yet: a person has been asked (request {request.code}, open until "
                f"{_clock(request.terms.approval_expires_at_ms)}). Go on with other work and try the identical command "
                "again later; it passes once it is approved."
            )
        case RequestState.APPROVED | RequestState.ANSWERED:
            return (
                f"{_what(request)} was not run: the approval of request {request.code} has been used or has lapsed. "
                "Run the identical command again to ask anew."
            )


def unavailable(cause: str) -> str:
    """The gate itself does not work, so nothing passes."""
    return f"not run: the approval gate is not available ({cause}). This is not a denial; tell the person."


def _denied(request: Request) -> str:
    end = request.end
    parts = [
        f"{_what(request)} was denied by a person (request {request.code}).",
        f'They say: "{end.text}".' if end is not None and end.text else "",
        f"It {request.effects[0].loss}." if request.effects and request.effects[0].loss else "",
        next((f"Safer: `{effect.suggestion}`." for effect in request.effects if effect.suggestion), ""),
        "Do not retry it and do not reach the same effect another way.",
    ]
    return " ".join(part for part in parts if part)


def _what(request: Request) -> str:
    return f"`{_short(request.action.command or request.action.tool)}`"


def _short(text: str, limit_chars: int = 200) -> str:
    line = text if len(text) <= limit_chars else f"{text[:limit_chars]} … ({len(text)} characters)"
    return line.replace("\n", "⏎")


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).strftime("%H:%M UTC")
