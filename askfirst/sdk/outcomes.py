"""How asking can end. What is no approval is raised, or comes back as a false ``Refusal``; its text is for a model.

No exception here is false: much code asks ``if error:`` (``concurrent.futures`` does) and would take it for none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from askfirst.errors import Error

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_WAY_ROUND = "Do not retry it and do not reach the same effect another way."


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person said yes, and this process holds the one permission that came of it.

    Attributes:
        request_id: id of the request.
        code: its short name, as people see it.
        by: who approved, ``deadline`` where the rule approved.
        channel: by which channel.
        comment: what they said.
        action_digest: SHA-256 (hex) of the action that was approved.
    """

    request_id: str
    code: str
    by: str
    channel: str
    comment: str
    action_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A person's answer to a question; ``text`` is JSON where a schema was given."""

    request_id: str
    code: str
    by: str
    channel: str
    text: str


class NotApproved(Error):  # noqa: N818  # an answer, not a mishap
    """The action must not run. ``str()`` says why and what to do, in words for a language model.

    Attributes:
        request_id: id of the request.
        code: its short name, as people see it.
    """

    def __init__(self, message: str, *, request_id: str = "", code: str = "") -> None:
        super().__init__(message)
        self.request_id = request_id
        self.code = code


class Denied(NotApproved):
    """A person said no.

    Attributes:
        by: who.
        comment: what they said.
        changed_arguments: arguments that a person would have approved instead, as they are shown; None for none.
    """

    def __init__(
        self,
        message: str,
        *,
        request_id: str = "",
        code: str = "",
        by: str = "",
        comment: str = "",
        changed_arguments: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, request_id=request_id, code=code)
        self.by = by
        self.comment = comment
        self.changed_arguments = changed_arguments


class TimedOut(NotApproved):
    """Nobody decided in time, or the approval was not used in time. This is not a denial."""


class Cancelled(NotApproved):
    """The request was withdrawn, or replaced by a newer one; or a person has told its session to stop."""


class AlreadyUsed(NotApproved):
    """The approval belongs to another run: that one has executed the action, or was about to.

    Attributes:
        outcome: ``ok``, ``failed``, or ``unknown`` where that run never said.
    """

    def __init__(self, message: str, *, request_id: str = "", code: str = "", outcome: str = "unknown") -> None:
        super().__init__(message, request_id=request_id, code=code)
        self.outcome = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What a call that raises nothing returns in place of an ``Approval`` or an ``Answer``; it is false.

    Attributes:
        error: ``Denied``, ``TimedOut`` or ``Cancelled``; raise it, or show its text to a language model.
    """

    error: Denied | TimedOut | Cancelled

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return str(self.error)


Decision = Approval | Denied | TimedOut | Cancelled
"""What a person made of a request."""


def decision(request: Mapping[str, Any], *, asked: Mapping[str, object] | None) -> Decision:
    """The decision in an ended request.

    Args:
        request: as REST ``/v1`` shows it.
        asked: the arguments that the caller would run; an approval of any others is none. None: not compared.
    """
    if is_granted(request):
        if asked is not None and request["arguments"] != asked:
            return _changed(request)
        return _approval(request)
    match request["state"]:
        case "approved":
            return _approval(request)
        case "denied":
            return _denied(request)
        case "cancelled" if request["end"].get("stop"):
            return Cancelled(
                f"Withdrawn: {_what(request)} was not run (request {request['code']}): {request['end']['text']}. Stop "
                "now, and wait for the person.",
                request_id=request["id"],
                code=request["code"],
            )
        case "cancelled" | "superseded":
            return Cancelled(
                f"Withdrawn: {_what(request)} was not run: request {request['code']} was withdrawn or replaced.",
                request_id=request["id"],
                code=request["code"],
            )
        case _:
            return TimedOut(
                f"Expired: {_what(request)} was not run: nobody decided in time (request {request['code']}; this is "
                "not a denial). Go on with other work, or stop and say that this waits for a person.",
                request_id=request["id"],
                code=request["code"],
            )


def answered(request: Mapping[str, Any]) -> Answer | Denied | TimedOut | Cancelled:
    """The answer in an ended question."""
    if request["state"] != "answered":
        ended = decision(request, asked=None)
        assert not isinstance(ended, Approval)  # a question is never approved
        return ended
    end = request["end"]
    return Answer(
        request_id=request["id"], code=request["code"], by=end["by"], channel=end["channel"], text=end["text"]
    )


def unusable(request: Mapping[str, Any]) -> AlreadyUsed | TimedOut | Denied:
    """Why the grant of an approved request could not be redeemed."""
    code, grant = request["code"], request.get("grant") or {}
    names = {"request_id": request["id"], "code": code}
    if grant.get("state") in {"redeemed", "executed", "undone"}:
        outcome = grant.get("outcome") or "unknown"
        return AlreadyUsed(
            f"Used: the approval of {_what(request)} (request {code}) was used by another run, whose outcome is "
            f"{outcome}. It was not run again. Check its effect before you ask for it anew.",
            outcome=outcome,
            **names,
        )
    if grant.get("state") == "revoked":
        return Denied(
            f"Denied: the approval of {_what(request)} (request {code}) was taken back before it was used. "
            f"{_NO_WAY_ROUND}",
            **names,
        )
    return TimedOut(
        f"Expired: {_what(request)} was approved (request {code}), and the approval lapsed before it was used. Ask "
        "anew; this is not a denial.",
        **names,
    )


def is_granted(request: Mapping[str, Any]) -> bool:
    """Whether there is an unused grant; a late approval leaves its request expired, and still grants."""
    return (request.get("grant") or {}).get("state") == "issued"


def _approval(request: Mapping[str, Any]) -> Approval:
    by = next((each for each in request.get("reviews", [])[::-1] if each["verdict"] == "approve"), None)
    end = request.get("end") or {}
    told = by if by is not None and by["counted"] else end
    return Approval(
        request_id=request["id"],
        code=request["code"],
        by=told.get("person") or told.get("by", ""),
        channel=told.get("channel", ""),
        comment=told.get("text", ""),
        action_digest=request["action_digest"],
    )


def _denied(request: Mapping[str, Any]) -> Denied:
    end = request.get("end") or {}
    comment, by = end.get("text", ""), end.get("by", "")
    parts = [
        f"Denied: {_what(request)} was denied by {by or 'a person'} (request {request['code']}).",
        f'They say: "{comment}".' if comment else "",
        _NO_WAY_ROUND,
    ]
    message = " ".join(part for part in parts if part)
    return Denied(message, request_id=request["id"], code=request["code"], by=by, comment=comment)


def _changed(request: Mapping[str, Any]) -> Denied:
    by = request.get("changed_by") or "a person"
    return Denied(
        f"Denied as it stands: {_what(request)} was not run: {by} changed its arguments (request {request['code']}), "
        f"and what is approved is: {request['arguments']!r}. Call it with exactly these.",
        request_id=request["id"],
        code=request["code"],
        by=by,
        changed_arguments=request["arguments"],
    )


def _what(request: Mapping[str, Any]) -> str:
    text = str(request.get("question") or request.get("command") or request["tool"])
    return f"`{text[:200]}{'…' if len(text) > 200 else ''}`"
