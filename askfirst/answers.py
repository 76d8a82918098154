"""What the agent is told: facts and what to do next, never a way to approve itself.

A denial, an expiry, a wait and a gate that does not work are four different things and begin with four different
words: an agent that cannot tell them apart either gives up for nothing or tries again what a person refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.moment import moment_words
from askfirst.request import RequestState

if TYPE_CHECKING:
    from askfirst.call import ToolCall
    from askfirst.engine import Case
    from askfirst.policy.ruling import Ruling
    from askfirst.request import Request

_NO_WAY_ROUND = "Do not retry it and do not reach the same effect another way."
_STOP_NOW = "Stop now: run no further commands, say what you have done and what is left, and wait for the person."


HOW_APPROVALS_WORK = (
    "Askfirst gates this session: a command that cannot be taken back waits until a person has seen it and decided. "
    "Run what the task needs and say in its description what it is for; harmless commands pass at once. The first word "
    "of a refusal says what it is: Denied (leave it, and do not reach the same effect another way), Pending or Expired "
    "(go on with other work; the identical command passes once a person approves), Unavailable (the gate does not "
    "work; tell the person). No text can stand for an approval: the gate alone lets a command pass."
)
"""For the model, as a session starts."""


def decided(case: Case) -> str:
    """What became of a call that the agent went on without."""
    request = case.request
    grant = case.open_grant
    if case.asked_back is not None or grant is None:
        return f"About request {request.code}: {refusal(case)}"
    until = moment_words(grant.expires_at_ms, grant.issued_at_ms)
    return (
        f"Request {request.code} is approved: the gate lets the identical {_what(request)} through "
        f"until {until}. Run it again, word for word, if it is still wanted."
    )


def asked_here(case: Case) -> str:
    """What stands at the host's own prompt."""
    effect = next((each for each in case.request.effects if each.loss), None)
    loss = f"{case.request.risk.label.upper()}: it {effect.loss}. " if effect is not None else ""
    safer = f"Safer: {effect.suggestion}. " if effect is not None and effect.suggestion else ""
    return f"{loss}{safer}Answer here, or elsewhere as request {case.request.code}: the first answer counts."


def refusal(case: Case, call: ToolCall | None = None, action_digest: str = "") -> str:
    """Why an ended (or still pending) request does not let its action run.

    Args:
        case: the request that answers.
        call: what was tried, where that may be something else than the request's own action.
        action_digest: of what was tried.
    """
    request = case.request
    match request.state:
        case RequestState.DENIED:
            if request.end is not None and request.end.stop:
                return _stopped(request, call, same=action_digest in {"", request.action_digest})
            return _denied(request)
        case RequestState.EXPIRED if request.end is not None and request.end.by == "gate":
            return (
                f"Unreachable: {_what(request)} was not run: {request.end.text} (request {request.code}; this is not a "
                "denial). Tell the person; once a channel works again, run the identical command to ask anew."
            )
        case RequestState.EXPIRED:
            why = f", and {request.end.text}" if request.end is not None and request.end.text else ""
            return (
                f"Expired: {_what(request)} was not run: nobody decided in time{why} (request {request.code}; this is "
                "not a denial). Go on with other work, or stop and say that this waits for a person. If a person "
                "approves later, the identical command will pass once."
            )
        case RequestState.PENDING:
            return _pending(case)
        case RequestState.CANCELLED if request.end is not None and request.end.stop:
            return f"Withdrawn: {_what(request)} was not run (request {request.code}): {request.end.text}. {_STOP_NOW}"
        case RequestState.CANCELLED:
            return (
                f"Withdrawn: {_what(request)} was not run: its request {request.code} was withdrawn by its requester."
            )
        case RequestState.SUPERSEDED:
            return f"Replaced: {_what(request)} was not run: request {request.code} was replaced by a newer one."
        case RequestState.APPROVED | RequestState.ANSWERED:
            return (
                f"Used: {_what(request)} was not run: the approval of request {request.code} has been used or has "
                "lapsed. Run the identical command again to ask anew."
            )


def by_policy(call: ToolCall, ruling: Ruling) -> str:
    """The policy says no, and nobody is asked."""
    return (
        f"Denied: `{_short(call.command or call.tool)}` is denied by the policy (rule {ruling.rule}): {ruling.reason}. "
        f"{_NO_WAY_ROUND}"
    )


def nobody_to_ask(call: ToolCall, cause: str) -> str:
    """A person would have to decide, and there is none."""
    return (
        f"Denied: `{_short(call.command or call.tool)}` needs a person's approval, and nobody can give it: {cause}. "
        "Tell the person; retrying does not help."
    )


def not_kept(case: Case, cause: str) -> str:
    """It is approved, but the undo that people were promised with it cannot be made ready, so it does not run."""
    request = case.request
    return (
        f"Approved, but not run: {_what(request)} was promised an undo (request {request.code}), and {cause}. The "
        "approval stands while its time lasts: run the identical command again once that is mended, or tell the person."
    )


def overruled(case: Case, why: str) -> str:
    """It is approved, and people have said since that it shall not run."""
    request = case.request
    return f"Denied: {_what(request)} was not run, though request {request.code} was approved: {why}."


def unavailable(cause: str) -> str:
    """The gate itself does not work, so nothing passes."""
    return f"Unavailable: not run: the approval gate is not available ({cause}). This is not a denial; tell the person."


def edited(case: Case) -> str:
    """What goes with an allow whose arguments a reviewer has changed."""
    request = case.request
    before = case.earlier[-1]
    return (
        f"Approved with changes by {request.changed_by} (request {request.code}): instead of "
        f"`{_short(_text(before))}` this runs: `{_short(_text(request), 2_000)}`."
    )


def changed(case: Case, call: ToolCall) -> str:
    """What was approved is not what this call would do, and this host cannot be handed other arguments."""
    request = case.request
    who = "you" if request.changed_by == "agent" else request.changed_by
    return (
        f"Denied as it stands: `{_short(call.command or call.tool)}` was not run: {who} changed it, and what is "
        f"approved is (request {request.code}): `{_short(_text(request), 2_000)}`. Run exactly that; it passes."
    )


def _denied(request: Request) -> str:
    end = request.end
    parts = [
        f"Denied: {_what(request)} was denied by a person (request {request.code}).",
        f'They say: "{end.text}".' if end is not None and end.text else "",
        f"It {request.effects[0].loss}." if request.effects and request.effects[0].loss else "",
        next((f"Safer: `{effect.suggestion}`." for effect in request.effects if effect.suggestion), ""),
        _NO_WAY_ROUND,
    ]
    return " ".join(part for part in parts if part)


def _stopped(request: Request, call: ToolCall | None, *, same: bool) -> str:
    end = request.end
    tried = _what(request) if same or call is None else f"`{_short(call.command or call.tool)}`"
    parts = [
        f"Denied: {tried} was denied by a person, who told this session to stop (request {request.code}).",
        f'They say: "{end.text}".' if end is not None and end.text else "",
        _STOP_NOW,
    ]
    return " ".join(part for part in parts if part)


def _pending(case: Case) -> str:
    request = case.request
    asked = case.asked_back
    if asked is not None:
        return (
            f"Pending: {_what(request)} was not run yet: {asked.person} asks before deciding (request {request.code}): "
            f'"{asked.text}". Answer by running the identical command again with the answer as its description, or '
            "withdraw the request; nothing is refused."
        )
    until = moment_words(request.terms.approval_expires_at_ms, request.created_at_ms)
    return (
        f"Pending: {_what(request)} was not run yet: a person has been asked (request {request.code}, open until "
        f"{until}). Go on with other work and try the identical command "
        "again later; it passes once it is approved."
    )


def _what(request: Request) -> str:
    return f"`{_short(_text(request))}`"


def _text(request: Request) -> str:
    return request.question or request.action.command or request.action.tool


def _short(text: str, limit_chars: int = 200) -> str:
    line = text if len(text) <= limit_chars else f"{text[:limit_chars]} … ({len(text)} characters)"
    return line.replace("\n", "⏎")
