"""Forms as they come in: bounded, decoded strictly, each field checked; hostile until then."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException

from askfirst.code import code_problem
from askfirst.errors import InputError
from askfirst.http_body import bounded_body
from askfirst.request import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request as HttpRequest

    from askfirst.request import Request
    from channels.web.sessions import Session

BODY_MAX_BYTES = 32 * 1024
COMMENT_MAX_CHARS = 2000
STOP = "stop"
"""What the button *Deny and stop* sends as its verdict."""
_SHORT_MAX_CHARS = 600
_FIELDS_MAX = 16
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_VERSION = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A filled-in decide form; see ``askfirst.request.Review`` for the members.

    ``edit`` is the command as the person left it in the edit field, ``""`` where there was none.
    """

    decision_id: str
    version: int
    action_digest: str
    verdict: Verdict
    comment: str
    typed_code: str
    scope: str = ""
    stop: bool = False
    to: str = ""
    edit: str = ""


async def read_form(request: HttpRequest) -> dict[str, str]:
    """The fields of a urlencoded form, the first value of each.

    Raises:
        HTTPException: 413, 415 or 400, with the sentence to show.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, f"this form must be sent as application/x-www-form-urlencoded, not as {kind!r}")
    body = await bounded_body(request, BODY_MAX_BYTES)
    if body is None:
        raise HTTPException(413, f"this form is too long; at most {BODY_MAX_BYTES:,} bytes are accepted")
    try:
        fields = parse_qs(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MAX, encoding="utf-8"
        )
    except ValueError as error:
        raise HTTPException(400, "this form cannot be read; reload the page and try again") from error
    return {name: values[0] for name, values in fields.items()}


def require_csrf(form: Mapping[str, str], session: Session) -> None:
    """Refuse a form that was not made for this session.

    Raises:
        HTTPException: 403.
    """
    if not hmac.compare_digest(form.get("csrf", "").encode("utf-8"), session.csrf.encode("utf-8")):
        raise HTTPException(403, "this form is not from your session; reload the page and decide again")


def decision_of(form: Mapping[str, str]) -> Decision:
    """The decision in this form.

    Raises:
        InputError: a field is missing or malformed; ``field`` names it.
    """
    _require(_ULID, form, "decision_id", "26 characters from the page")
    _require(_VERSION, form, "version", "a whole number from the page")
    _require(_DIGEST, form, "digest", "64 hex digits from the page")
    pressed = form.get("verdict", "")
    try:
        verdict = Verdict.DENY if pressed == STOP else Verdict(pressed)
    except ValueError:
        raise InputError("no decision was made: press Approve or Deny", field="verdict") from None
    comment = form.get("comment", "").replace("\r\n", "\n").strip()
    if len(comment) > COMMENT_MAX_CHARS:
        found = f"{len(comment):,} characters long"
        raise InputError(f"the comment is {found}; {COMMENT_MAX_CHARS:,} are accepted", field="comment")
    if verdict is Verdict.ANSWER and not comment:
        raise InputError("the answer is empty; write it into the text field", field="comment")
    if verdict is Verdict.NEEDS_INFO and not comment:
        raise InputError("write your question to the agent into the text field", field="comment")
    if verdict is Verdict.DELEGATE and not form.get("to"):
        raise InputError("choose to whom it goes", field="to")
    for name in ("scope", "to"):
        if len(form.get(name, "")) > _SHORT_MAX_CHARS:
            raise InputError(f"the form's field {name!r} is too long; reload the page", field=name)
    return Decision(
        decision_id=form["decision_id"],
        version=int(form["version"]),
        action_digest=form["digest"],
        verdict=verdict,
        comment=comment,
        typed_code=form.get("code", ""),
        scope=form.get("scope", "") if verdict is Verdict.APPROVE else "",
        stop=pressed == STOP,
        to=form.get("to", "") if verdict is Verdict.DELEGATE else "",
        edit=form.get("edit", "").replace("\r\n", "\n") if verdict is Verdict.APPROVE else "",
    )


def require_code(request: Request, decision: Decision) -> None:
    """Refuse the approval of a critical request without its code.

    Raises:
        InputError: the digits after the hyphen of the request's code (or the whole code) were not typed.
    """
    problem = code_problem(request, decision.verdict, decision.typed_code)
    if problem:
        raise InputError(problem, field="code")


def _require(pattern: re.Pattern[str], form: Mapping[str, str], name: str, expected: str) -> None:
    if not pattern.fullmatch(form.get(name, "")):
        raise InputError(f"the form's field {name!r} must be {expected}; reload the page", field=name)
