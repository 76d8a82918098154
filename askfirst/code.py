"""The code of a request, as people see it and type it: which version it names, and when it has to be typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.request import Verdict

if TYPE_CHECKING:
    from askfirst.engine import Case
    from askfirst.inbound import Reference
    from askfirst.request import Request

_CODE = re.compile(r"([0-9A-HJKMNP-TV-Z]{6})-([0-9a-f]{8})", re.ASCII | re.IGNORECASE)
_DIGEST = re.compile(r"[0-9a-f]{8,64}", re.ASCII)


def parts_of(code: str) -> tuple[str, str] | None:
    """End of the id and beginning of the digest, as they are stored; None where this is no code."""
    found = _CODE.fullmatch(code.strip())
    return (found[1].upper(), found[2].lower()) if found else None


def meant(case: Case, reference: Reference) -> Request | None:
    """The newest version that this reference names, None where it names none of this case.

    Everything that the reference says must fit, and it must say which version was shown: by its number, by digits of
    its digest, or by the code, which holds eight of them. A request's id alone is no decision about a version (I2).
    """
    if not (reference.code or reference.version or reference.action_digest):
        return None
    return next((each for each in (case.request, *reversed(case.earlier)) if _fits(each, reference)), None)


def _fits(version: Request, reference: Reference) -> bool:
    code, digest = reference.code, reference.action_digest
    return (
        reference.request_id in {"", version.id}
        and (not code or code.strip().upper() == version.code.upper())
        and reference.version in {0, version.version}
        and (not digest or (_DIGEST.fullmatch(digest) is not None and version.action_digest.startswith(digest)))
    )


def needs_code(request: Request) -> bool:
    """Whether approving takes more than a press: the grave ones must not look and feel like the many others."""
    return request.risk is Risk.CRITICAL


def code_problem(request: Request, verdict: Verdict, typed: str) -> str:
    """Why what was typed does not suffice, ``""`` where it does: the code, or the digits after its hyphen."""
    if verdict is not Verdict.APPROVE or not needs_code(request):
        return ""
    said = re.sub(r"[\s-]", "", typed).lower()
    if said in {request.code.replace("-", "").lower(), request.action_digest[:8]}:
        return ""
    found = "something else was typed" if said else "nothing was typed"
    return f"approving this takes the code {request.action_digest[:8]}, and {found}"
