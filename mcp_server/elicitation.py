"""The person at the keyboard, asked by way of the client that the agent runs in: what is shown, and what was said.

Whoever speaks to this server can answer in the person's place, so such a review has assurance 0, and a form is offered
only where the policy lets this machine's terminal decide at all. A link to the web inbox decides nothing by itself and
is offered whenever a client can open one; it carries no login.

From: https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation; in 2026-07-28 the same parameters are
returned as input that is required.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from askfirst.visible import visible, visible_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.sdk.steps import Reply

SHOWN_MAX_CHARS = 1_500
"""Longer commands are not asked about in a form, which nobody can scroll: what is not seen is not approved (I9)."""
_COMMENT_MAX_CHARS = 2_000


class Offer(NamedTuple):
    """One question to the person.

    Attributes:
        request: id of the request.
        version: that is shown.
        params: of ``elicitation/create``.
    """

    request: str
    version: int
    params: dict[str, Any]

    @property
    def is_form(self) -> bool:
        """Whether an answer decides; a link only opens something."""
        return "requestedSchema" in self.params


def modes_of(capabilities: object) -> frozenset[str]:
    """``form`` and ``url``, as far as a client declares them; an empty declaration means forms."""
    declared = capabilities.get("elicitation") if isinstance(capabilities, dict) else None
    if not isinstance(declared, dict):
        return frozenset()
    return frozenset({"form", "url"} & declared.keys()) if declared else frozenset({"form"})


def offer(request: Reply, modes: frozenset[str], health: Mapping[str, Any]) -> Offer | None:
    """What the person at the keyboard is asked about this request; None where nothing can be.

    Args:
        request: as the API hands it out.
        modes: what the client can show.
        health: what the broker says of itself: whether terminals decide, and where the inbox is.
    """
    if "form" in modes and health.get("terminal_decisions") and (form := _form(request)):
        return Offer(request["id"], request["version"], {"mode": "form", **form})
    if "url" in modes and (inbox := health.get("inbox")):
        url = {"mode": "url", "url": f"{inbox}/requests/{request['id']}", "message": _words(request)}
        return Offer(request["id"], request["version"], url)
    return None


def review_of(request: Reply, asked: Offer, answer: object) -> dict[str, object] | None:
    """The body of a review, as the person answered a form; None where they decided nothing."""
    action = answer.get("action") if isinstance(answer, dict) else None
    if not asked.is_form or action not in {"accept", "decline"}:
        return None
    content = answer.get("content") if isinstance(answer, dict) else None
    said = content if isinstance(content, dict) else {}
    verdict = _verdict(request, str(action), said)
    if verdict is None:
        return None
    text = said.get("answer" if verdict == "answer" else "comment", "")
    return {
        "decision_id": f"elicitation-{asked.request}-{asked.version}-{verdict}",
        "version": asked.version,
        "action_digest": request["action_digest"],
        "verdict": verdict,
        "text": str(text)[:_COMMENT_MAX_CHARS],
        "via": "elicitation",
    }


def _verdict(request: Reply, action: str, said: Mapping[str, Any]) -> str | None:
    if request["kind"] == "question":
        return "answer" if action == "accept" and str(said.get("answer", "")).strip() else None
    if action == "decline":
        return "deny"
    if said.get("decision") == "deny":
        return "deny"
    is_confirmed = request["risk"] != "critical" or said.get("code") == _code(request)
    return "approve" if said.get("decision") == "approve" and is_confirmed else None


def _form(request: Reply) -> dict[str, Any] | None:
    if len(_action(request)) > SHOWN_MAX_CHARS or request["answer_schema"]:
        return None
    properties: dict[str, Any]
    if request["kind"] == "question":
        options = {"enum": request["options"]} if request["options"] else {}
        properties, required = {"answer": {"type": "string", "title": "Answer", **options}}, ["answer"]
    else:
        properties = {"decision": {"type": "string", "title": "Decision", "enum": ["deny", "approve"]}}
        required = ["decision"]
        if request["risk"] == "critical":
            properties["code"] = {"type": "string", "title": f"To approve, type {_code(request)}"}
        properties["comment"] = {"type": "string", "title": "Comment", "maxLength": _COMMENT_MAX_CHARS}
    schema = {"type": "object", "properties": properties, "required": required}
    return {"message": _words(request), "requestedSchema": schema}


def _words(request: Reply) -> str:
    if request["kind"] == "question":
        return f"An agent asks ({request['code']}):\n\n{_action(request)}"
    effects = request["effects"]
    loss = visible_line(effects[0]["loss"]) if effects else "asks for approval"
    said = [f"{name.replace('_', ' ')}: {visible(str(text))}" for name, text in request["claim"].items() if text]
    claim = "\n\nThe agent says (unchecked):\n" + _under("\n".join(said)) if said else ""
    where = f"\nin {visible_line(request['cwd'])}" if request["cwd"] else ""
    shown = _action(request)
    shown = shown if len(shown) <= SHOWN_MAX_CHARS else f"{shown[:SHOWN_MAX_CHARS]}… (whole in the inbox)"
    return f"{request['risk'].upper()} · {loss}\n\n{shown}{where}{claim}\n\nRequest {request['code']}"


def _action(request: Reply) -> str:
    if request["kind"] == "question":
        return visible(request["question"])
    if request["command"]:
        return f"$ {_under(visible(request['command']))}"
    return _under(visible(f"{request['tool']} {request['arguments']}"))


def _under(text: str) -> str:
    """Text of others with the sign of a shell that goes on, so that none of its lines looks like one of ours."""
    return text.replace("\n", "\n> ")


def _code(request: Reply) -> str:
    digest: str = request["action_digest"]
    return digest[:8]
