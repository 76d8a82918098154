"""What results say: how it stands, and in ``next`` what to do now.

The text is no permission; only the grant is, and the gate checks it. So nothing here tells a model to believe the text.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from askfirst.moment import moment_words
from mcp_server.tools import WAIT_MAX_S

_NO_WAY_ROUND = "Do not retry it and do not reach the same effect another way."
_RETRY_AFTER_S = 30


def result(request: Any, *, is_gated: bool) -> dict[str, object]:
    """The structured result for a request as REST ``/v1`` shows it.

    Args:
        request: the API object.
        is_gated: whether a hook checks the action when it runs; else this result hands the one permission out.
    """
    status = status_of(request)
    told = {
        "status": status,
        "next": _NEXT[status](request, is_gated),
        "id": request["id"],
        "code": request["code"],
        **_end(request),
        "command": request.get("command", ""),
        "arguments": request["arguments"] if status == "approved" and not request.get("command") else {},
        "risk": request["risk"] if request["kind"] == "approval" else "",
        "evidence": [each["loss"] for each in request.get("effects", []) if each.get("loss")],
        "expires_at": _iso(_expiry_ms(request, status)) if status in {"approved", "pending", "needs_info"} else "",
        "retry_after_s": _RETRY_AFTER_S if status == "pending" else 0,
    }
    return {name: value for name, value in told.items() if value not in ("", 0, [], {})}


def refused(sentence: str) -> dict[str, object]:
    """The request was not made, and why; the model can mend it."""
    return {"status": "refused", "next": f"Not asked: {sentence}. Mend the call, or go on without."}


def unavailable(sentence: str) -> dict[str, object]:
    """Nobody can be asked now."""
    return {
        "status": "unavailable",
        "next": f"Nobody can be asked now: {sentence}. This is not a denial. Do not run it; tell the person.",
    }


def text(told: dict[str, object]) -> str:
    """The same as text, for clients that read no structured content."""
    return json.dumps(told, ensure_ascii=False)


def status_of(request: Any) -> str:
    """How a request stands for the one who asked."""
    state, grant = request["state"], request.get("grant") or {}
    if state == "pending":
        return "needs_info" if request.get("asked_back") else "pending"
    if grant.get("state") == "issued":
        return "approved"
    if grant.get("state") in {"redeemed", "executed", "undone"}:
        return "used"
    if state == "approved":
        return "expired"
    return {"superseded": "cancelled"}.get(state, str(state))


def _approved(request: Any, is_gated: bool) -> str:  # noqa: FBT001  # the shape of this table's functions
    by, until, editor = _by(request), _clock(request, _expiry_ms(request, "approved")), request.get("changed_by")
    changed = (
        f"{editor} changed it, and it differs from what you asked. "
        if editor not in {None, "", "agent", "state"}
        else ""
    )
    if request.get("command"):
        where = f" in {request['cwd']}" if request.get("cwd") else ""
        return (
            f"Approved by {by}. {changed}Run exactly this command{where} now, with no other parameters: it passes the "
            f"gate once, until {until}: {request['command']}"
        )
    if is_gated:
        return (
            f"Approved by {by}. {changed}Call {request['tool']} with exactly these arguments now; once, until {until}."
        )
    return f"Approved by {by}. {changed}Do exactly this, once, now. For a second time ask again."


def _pending(request: Any, _is_gated: bool) -> str:  # noqa: FBT001
    until = _clock(request, request["approval_expires_at_ms"])
    return (
        f"A person has been asked (request {request['code']}, open until {until}). "
        "Do not do it meanwhile. Go on with work that does not depend on it, then call get_request with this id and "
        f"wait_s={WAIT_MAX_S}. Or end your turn and say what waits."
    )


def _needs_info(request: Any, _is_gated: bool) -> str:  # noqa: FBT001
    return (
        f'The person asks before deciding: "{request["asked_back"]}". Answer with amend_request(id, reason=...), or '
        "change the request, or withdraw it. Nothing is refused."
    )


def _denied(request: Any, _is_gated: bool) -> str:  # noqa: FBT001
    safer = next((each["suggestion"] for each in request.get("effects", []) if each.get("suggestion")), "")
    parts = [
        f"Denied by {_by(request)}.",
        f'They say: "{_end(request)["comment"]}".' if _end(request).get("comment") else "",
        f"Safer: {safer}." if safer else "",
        _NO_WAY_ROUND,
    ]
    return " ".join(part for part in parts if part)


def _answered(_request: Any, _is_gated: bool) -> str:  # noqa: FBT001
    return "Go on with this answer."


def _expired(_request: Any, _is_gated: bool) -> str:  # noqa: FBT001
    return (
        "Nobody decided in time, or the approval was not used in time. This is not a denial. Do not do it; go on with "
        "other work, or say that this waits for a person. Ask again only if it is still needed."
    )


def _cancelled(request: Any, _is_gated: bool) -> str:  # noqa: FBT001
    if (request.get("end") or {}).get("stop"):
        return f"It was withdrawn: {request['end']['text']}. Stop now: do nothing more, and wait for the person."
    return "The request was withdrawn or replaced. Do not do it."


def _used(_request: Any, _is_gated: bool) -> str:  # noqa: FBT001
    return "This approval was used already. If it is needed once more, ask again."


_NEXT = {
    "approved": _approved,
    "pending": _pending,
    "needs_info": _needs_info,
    "denied": _denied,
    "answered": _answered,
    "expired": _expired,
    "cancelled": _cancelled,
    "used": _used,
}


def _end(request: Any) -> dict[str, object]:
    end = request.get("end")
    if end is None:
        return {}
    if request["state"] == "answered":
        return {"by": end["by"], "answer": _answer(request, end["text"])}
    return {"by": end["by"], "comment": end["text"]}


def _answer(request: Any, text: str) -> object:
    if not request.get("answer_schema"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _by(request: Any) -> str:
    last = next((each for each in request.get("reviews", [])[::-1] if each["counted"]), None)
    return str(last["person"] if last else (request.get("end") or {}).get("by") or "a person")


def _expiry_ms(request: Any, status: str) -> int:
    return int(request["grant"]["expires_at_ms"] if status == "approved" else request["approval_expires_at_ms"])


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).isoformat(timespec="seconds")


def _clock(request: Any, at_ms: int) -> str:
    return moment_words(at_ms, int(request["created_at_ms"]))
